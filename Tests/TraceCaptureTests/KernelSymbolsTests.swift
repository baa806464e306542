import Testing

@testable import TraceCapture

@Suite struct KernelSymbolsTests {
  /// Modules come last in the kernel's list, whatever their addresses.
  private static let list = """
    0000000000000000 A fixed_percpu_data
    0000000000001000 A cpu_number
    ffffffff81000000 T _text
    ffffffff81000000 T startup_64
    ffffffff81000100 t first
    ffffffff81000200 T second
    ffffffff81000300 T third
    ffffffff81000300 T alias_of_third
    ffffffff81000400 T generic_smp_call_function_single_interrupt
    ffffffff81000500 T fifth
    ffffffff82000000 D some_data
    ffffffffc0000000 t module_start\t[module]
    ffffffffc0000080 t module_next\t[module]
    ffffffff81000240 t between\t[other]

    """

  private func names(_ addresses: Set<UInt64>, named: Set<String> = []) -> [String] {
    String(decoding: KernelSymbols(Array(Self.list.utf8), named: named).lines(addresses: addresses), as: UTF8.self)
      .split(separator: "\n").map { String($0.split(separator: " ")[2].split(separator: "\t")[0]) }
  }

  @Test func eachAddressBringsItsSymbolAndTheNext() {
    #expect(names([0xffff_ffff_8100_0123]) == ["first", "second"])
    #expect(names([0xffff_ffff_8100_0100]) == ["first", "second"])
    #expect(
      names([0xffff_ffff_8100_0100, 0xffff_ffff_c000_0010]) == ["first", "second", "module_start", "module_next"])
  }

  @Test func listIsTakenByAddressNotByLine() {
    #expect(names([0xffff_ffff_8100_0200]) == ["second", "between"])
    #expect(names([0xffff_ffff_8100_0250]) == ["between", "third"])
  }

  @Test func firstOfSeveralNamesCounts() {
    #expect(names([0xffff_ffff_8100_0000]) == ["_text", "first"])
    #expect(names([0xffff_ffff_8100_0310]) == ["third", "generic_smp_call_function_single_interrupt"])
  }

  @Test func namedSymbolsAreThereInAnyCase() {
    #expect(
      names([], named: ["generic_smp_call_function_single_interrupt", "absent"]) == [
        "generic_smp_call_function_single_interrupt", "fifth",
      ])
    #expect(
      names([], named: ["alias_of_third"]) == [
        "third", "alias_of_third", "generic_smp_call_function_single_interrupt",
      ])
  }

  @Test func addressesOutsideBringNothingWrong() {
    #expect(names([0, 0x800, 0xffff_888]) == [])
    #expect(names([.max]) == ["module_next"])
  }

  @Test func linesAreKeptAsTheyAre() {
    let lines = KernelSymbols(Array(Self.list.utf8), named: []).lines(addresses: [0xffff_ffff_c000_0000])
    #expect(
      String(decoding: lines, as: UTF8.self)
        == "ffffffffc0000000 t module_start\t[module]\nffffffffc0000080 t module_next\t[module]\n")
  }

  @Test func hiddenAddressesAndGarbageBringNothing() {
    let hidden = "0000000000000000 T _text\n0000000000000000 t first\n"
    #expect(KernelSymbols(Array(hidden.utf8), named: ["first"]).lines(addresses: [5]) == [])
    for text in ["", "\n\n", "f", "ffffffff81000000", "ffffffff81000000 T", "ffffffff81000000 T ", "zzzz T x\n"] {
      #expect(KernelSymbols(Array(text.utf8), named: ["x"]).lines(addresses: [.max]) == [])
    }
  }

  /// What a module's line says besides name, size and place changes all the time.
  @Test func onlyOtherModulesMakeOtherSymbols() {
    let loaded = "ext4 1000000 2 - Live 0xffffffffc0a00000\nnfs 500 0 - Live 0xffffffffc0b00000 (O)\n"
    #expect(
      SymbolSource.modules(in: loaded)
        == SymbolSource.modules(in: loaded.replacing(" 2 - Live", with: " 7 nfs, Loading")))
    #expect(SymbolSource.modules(in: loaded) != SymbolSource.modules(in: loaded.replacing("c0b0", with: "c0c0")))
    #expect(SymbolSource.modules(in: loaded) != SymbolSource.modules(in: String(loaded.prefix(45))))
  }
}
