import TestSupport
import Testing

@testable import TraceDecoding

@Suite struct SymbolTableTests {
  private static let table = SymbolTable(
    kallsyms: Array(
      """
      0000000000000000 A fixed_percpu_data
      000000000003b000 A __per_cpu_end
      ffffffff81000000 T _stext
      ffffffff81000100 d a_table
      ffffffff81000100 t a_function
      ffffffff81000100 T an_alias
      ffffffff81000200 T twice
      ffffffff81200000 T _etext
      ffffffffc0100000 t module_function\t[first]
      ffffffffc0100040 t last_of_first\t[first]
      ffffffffc0300000 t of_second\t[second]
      ffffffffc0000000 t twice\t[third]
      ffffffffffffffff T the_very_last

      """.utf8))

  @Test func namesAndOffsets() {
    let table = Self.table
    #expect(table.resolve(0xffff_ffff_8100_0000) == Symbol(name: "_stext", offset: 0))
    #expect(table.resolve(0xffff_ffff_8100_00ff) == Symbol(name: "_stext", offset: 0xff))
    #expect(table.name(0xffff_ffff_8100_0200) == "twice")
    #expect(table.name(0xffff_ffff_8100_0212) == "twice+0x12")
    #expect(table.resolve(0xffff_ffff_c010_0041) == Symbol(name: "last_of_first", module: "first", offset: 1))
    #expect(table.resolve(0xffff_ffff_c000_0010) == Symbol(name: "twice", module: "third", offset: 16))
    #expect(table.resolve(.max) == Symbol(name: "the_very_last", offset: 0))
  }

  @Test func aFunctionComesBeforeDataAtTheSameAddress() {
    #expect(Self.table.name(0xffff_ffff_8100_0101) == "a_function+0x1")
    #expect(Self.table.addresses(of: "an_alias") == [0xffff_ffff_8100_0100])
  }

  @Test func smallNumbersAreNoAddresses() {
    for address: UInt64 in [0, 1, 0x3b000, 0x3b001, 0x7fff_ffff_ffff, 0xffff_8880_0000_1234, 0xffff_ffff_80ff_ffff] {
      #expect(Self.table.resolve(address) == nil)
    }
  }

  @Test func farBehindASymbolNothingIsKnown() {
    let table = Self.table
    #expect(table.name(0xffff_ffff_8101_0200) == "twice+0x10000")
    #expect(table.resolve(0xffff_ffff_8101_0201) == nil)
    // Behind a module's last symbol lies foreign memory.
    #expect(table.name(0xffff_ffff_c010_4040) == "last_of_first+0x4000")
    #expect(table.resolve(0xffff_ffff_c010_4041) == nil)
    #expect(table.resolve(0xffff_ffff_c020_0000) == nil)
    #expect(table.resolve(0xffff_ffff_8120_4001) == nil)
  }

  @Test func addressesOfAName() {
    #expect(Self.table.addresses(of: "twice") == [0xffff_ffff_8100_0200, 0xffff_ffff_c000_0000])
    #expect(Self.table.addresses(of: "twic").isEmpty)
    #expect(Self.table.addresses(of: "fixed_percpu_data").isEmpty)
  }

  @Test func hiddenAddressesNameNothing() {
    let text = (0..<100).map { "0000000000000000 T function_\($0)\n" }.joined()
    let table = SymbolTable(kallsyms: Array(text.utf8))
    #expect(table.resolve(0) == nil && table.resolve(0xffff_ffff_8100_0000) == nil && table.count == 0)
  }

  @Test func hostileNames() {
    let names: [[UInt8]] = [
      Array("<script>alert(1)</script>".utf8), [0x1b] + Array("[2Jx".utf8), [0xff, 0xfe, 0x41],
      Array("a\u{202e}b".utf8),
    ]
    var text: [UInt8] = []
    for (index, name) in names.enumerated() { text += Array("ffffffff8100000\(index) T ".utf8) + name + [0x0a] }
    let table = SymbolTable(kallsyms: text)
    for (index, name) in names.enumerated() {
      #expect(table.name(0xffff_ffff_8100_0000 + UInt64(index)) == String(decoding: name, as: UTF8.self))
    }
  }

  /// No kernel has such a name; each place in the function, and each time it is told, would cost as much again.
  @Test func namesOfMegabytesAreCut() throws {
    let long = String(repeating: "x", count: 1 << 20)
    let table = SymbolTable(
      kallsyms: Array("ffffffff81000000 T \(long)\t[m]\nffffffff81000100 T short\t[\(long)]\n".utf8))
    #expect(table.name(0xffff_ffff_8100_0001) == long.prefix(1_024) + "…+0x1")
    #expect(table.resolve(0xffff_ffff_8100_0001)?.module == nil)
    let short = try #require(table.resolve(0xffff_ffff_8100_0100))
    #expect(short.name == "short" && short.module == nil)
    #expect(CommandNames.parse(Array("1 \(long)\n2 bash\n".utf8)) == [1: long.prefix(256) + "…", 2: "bash"])
  }

  @Test(arguments: [
    "", "\n\n\n", "ffffffff81000000", "ffffffff81000000 ", "ffffffff81000000 T", "ffffffff81000000 T ",
    "ffffffff81000000 T \n", "ffffffff810000001 T x\n", "zzzz T x\n", "ffffffff81000000T x\n", " T x\n",
    "ffffffff81000000\tT\tx\n",
  ]) func linesThatAreNone(_ text: String) {
    #expect(SymbolTable(kallsyms: Array(text.utf8)).resolve(0xffff_ffff_8100_0000)?.name ?? "" == "")
  }

  @Test func aLastLineWithoutNewline() {
    #expect(SymbolTable(kallsyms: Array("ffffffff81000000 T x".utf8)).name(0xffff_ffff_8100_0001) == "x+0x1")
  }

  /// The same answers as from looking at every line.
  @Test func asByLookingAtEveryLine() {
    let seed = RepeatableRandom.testSeed()
    var random = RepeatableRandom(seed: seed)
    let lines = (0..<500).map { (0xffff_ffff_8000_0000 + UInt64(random.below(1 << 22)), "name\($0)") }
    let table = SymbolTable(
      kallsyms: Array(lines.map { "\(String($0.0, radix: 16)) t \($0.1)\n" }.joined().utf8))
    for _ in 0..<5000 {
      let address = 0xffff_ffff_8000_0000 + UInt64(random.below(1 << 22))
      var best: (UInt64, String)?
      for line in lines where line.0 <= address && line.0 > best?.0 ?? 0 { best = line }
      let isLast = !lines.contains { $0.0 > address }
      let limit = isLast ? SymbolTable.largestOffsetAtEnd : SymbolTable.largestOffset
      let expected = best.flatMap { address - $0.0 <= limit ? $0.1 : nil }
      #expect(table.resolve(address)?.name == expected, "seed \(seed)")
    }
  }
}
