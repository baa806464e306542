/// Other addresses for those of the kernel: they keep order and names, and tell nothing of where the kernel lies.
///
/// A kernel is loaded at a random place so that nobody knows where its code and data are. A recording gives that away.
/// Here, symbols are laid one behind the other from a place of our own, in the order in which they were, and an address
/// in a symbol stays at the same distance from its begin; that distance is the same on every boot. Addresses of data,
/// such as csds, and of code without a symbol, become mere numbers, in the order of the addresses.
struct AddressReplacement {
  /// In the kernel's half of the address space, or no symbol would be looked up; below where any kernel lies.
  private static let unnamedCode: UInt64 = 0x8000_0000_0010_0000
  private static let namedCode: UInt64 = 0x8000_0001_0000_0000
  private static let data: UInt64 = 0x8000_1000_0000_0000
  /// Replay takes what lies farther behind a symbol for something else; see `SymbolTable.largestOffset`.
  private static let largestSymbol: UInt64 = 64 << 10
  /// The same behind the last symbol of the kernel or of a module; see `SymbolTable.largestOffsetAtEnd`.
  private static let largestLastSymbol: UInt64 = 16 << 10

  private var replacements: [UInt64: UInt64] = [:]
  /// Lines as in `/proc/kallsyms`, with the new addresses.
  private(set) var symbols: [UInt8] = []

  /// - Parameters:
  ///   - code: the addresses of code that events refer to.
  ///   - data: the other addresses of the kernel.
  ///   - text: the symbols that are to be kept, as in `/proc/kallsyms`.
  /// - Complexity: O(s log s + a log s) for s symbols and a addresses.
  init(code: Set<UInt64>, data: Set<UInt64>, symbols text: [UInt8]) {
    let lines = KernelSymbols.parse(text).filter { $0.address >> 63 == 1 }
      .sorted { ($0.address, $0.start) < ($1.address, $1.start) }
    var starts: [(old: UInt64, new: UInt64, module: ArraySlice<UInt8>, nextModule: ArraySlice<UInt8>?)] = []
    var new = Self.namedCode
    for line in lines {
      if let last = starts.last {
        if last.old != line.address {
          // The same distance where it is a small one, so that every address in the symbol keeps its own.
          new += (min(line.address - last.old, Self.largestSymbol + 16) + 15) & ~15
          starts.append((line.address, new, Self.module(of: line, in: text), nil))
          starts[starts.count - 2].nextModule = starts[starts.count - 1].module
        }
      } else {
        starts.append((line.address, new, Self.module(of: line, in: text), nil))
      }
      symbols += Self.hexadecimal(new)
      symbols += text[(line.start + 16)..<line.end]
      symbols.append(UInt8(ascii: "\n"))
    }
    var unnamed: [UInt64] = []
    for address in code {
      let index = starts.partitioningIndex { $0.old > address } - 1
      guard index >= 0, Self.covers(starts[index], address) else {
        unnamed.append(address)
        continue
      }
      replacements[address] = starts[index].new + (address - starts[index].old)
    }
    for (index, address) in unnamed.sorted().enumerated() {
      replacements[address] = Self.unnamedCode + UInt64(index) * 16
    }
    for (index, address) in data.subtracting(code).sorted().enumerated() {
      replacements[address] = Self.data + UInt64(index) * 64
    }
  }

  /// What stands for a number: for an address of the kernel another one, and for any other number itself.
  func callAsFunction(_ value: UInt64) -> UInt64 {
    if value >> 63 == 0 { return value }
    if let replacement = replacements[value] { return replacement }
    // A small negative number, such as an error, is no address. Anything else that nobody knows is not passed on.
    return value >= UInt64.max - 4095 ? value : 0
  }

  /// The file `printk_formats`: lines such as `0xffffffff81000000 : "text"`. Lines that no event refers to are left out.
  func printkFormats(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let word = line.prefix { $0 != UInt8(ascii: " ") }
      guard word.starts(with: Array("0x".utf8)),
        let address = UInt64(String(decoding: word.dropFirst(2), as: UTF8.self), radix: 16),
        let replacement = replacements[address]
      else { continue }
      result += Array("0x".utf8) + Self.hexadecimal(replacement) + line.dropFirst(word.count)
      result.append(UInt8(ascii: "\n"))
    }
    return result
  }

  /// Any text, with zeroes for what looks like an address of the kernel: 16 hexadecimal digits, the first of them ffff.
  static func cleaned(_ text: [UInt8]) -> [UInt8] {
    var result = text
    var start = 0
    while start < text.count {
      var end = start
      while end < text.count, KernelSymbols.hexadecimalDigit(text[end]) != nil { end += 1 }
      if end - start >= 16, text[start..<start + 4].allSatisfy({ $0 | 0x20 == UInt8(ascii: "f") }) {
        for index in start..<end { result[index] = UInt8(ascii: "0") }
      }
      start = end + 1
    }
    return result
  }

  private static func covers(
    _ symbol: (old: UInt64, new: UInt64, module: ArraySlice<UInt8>, nextModule: ArraySlice<UInt8>?), _ address: UInt64
  ) -> Bool {
    let offset = address - symbol.old
    return offset <= (symbol.nextModule == symbol.module ? largestSymbol : largestLastSymbol)
  }

  /// What stands in brackets behind the name; empty for the kernel itself.
  private static func module(of line: KernelSymbols.Symbol, in text: [UInt8]) -> ArraySlice<UInt8> {
    let rest = text[line.start..<line.end]
    return rest.lastIndex(of: UInt8(ascii: "\t")).map { rest[$0...] } ?? []
  }

  private static func hexadecimal(_ value: UInt64) -> [UInt8] { Array(String(value, radix: 16).utf8) }
}

extension Array {
  /// The first index whose element fulfils a condition that all later ones fulfil as well.
  fileprivate func partitioningIndex(where condition: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if condition(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
