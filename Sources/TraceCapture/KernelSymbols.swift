/// The kernel's whole symbol table, `/proc/kallsyms`, read again only when that is needed.
///
/// To make its text takes the kernel as long as to record a hundred thousand events. It changes with the modules.
struct SymbolSource {
  private var text: [UInt8]?
  private var modules: Set<Substring> = []

  mutating func current() -> [UInt8] {
    let loaded = Self.modules(in: TextFile.text("/proc/modules") ?? "")
    if let text, loaded == modules { return text }
    let new = TextFile.bytes("/proc/kallsyms") ?? []
    text = new
    modules = loaded
    return new
  }

  /// Name, size and place of each module; how often it is used does not matter.
  static func modules(in text: String) -> Set<Substring> {
    Set(
      text.split(whereSeparator: \.isNewline).map { line in
        let words = line.split(separator: " ")
        return words.count < 6 ? line : Substring("\(words[0]) \(words[1]) \(words[5])")
      })
  }
}

/// The kernel's symbols, as far as a recording needs them.
enum KernelSymbols {
  /// Takes those lines out of `/proc/kallsyms` that name the given addresses.
  ///
  /// For each address that is the symbol in which it lies, and the one after it, so that the end of the symbol is known
  /// as well. Of several names of one address the first counts, as in the kernel's own messages.
  /// - Parameters:
  ///   - text: lines such as `ffffffff81000000 T _text`, with a tab and `[module]` behind the symbols of modules.
  ///   - named: symbols that are wanted whether or not an address lies in them.
  /// - Returns: lines in the order of their addresses; empty where the kernel hides its addresses.
  /// - Complexity: O(s log s + a log s) for s symbols and a addresses.
  static func lines(of text: [UInt8], addresses: Set<UInt64>, named: Set<String>) -> [UInt8] {
    var symbols = parse(text)
    // A stable order, because the first of equals counts.
    symbols.sort { ($0.address, $0.start) < ($1.address, $1.start) }
    var distinct: [Symbol] = []
    distinct.reserveCapacity(symbols.count)
    for symbol in symbols where distinct.last?.address != symbol.address { distinct.append(symbol) }

    var wanted: Set<Int> = []
    func want(_ index: Int) {
      wanted.insert(index)
      if index + 1 < distinct.count { wanted.insert(index + 1) }
    }
    for address in addresses {
      if let index = indexOfLast(in: distinct, notAbove: address) { want(index) }
    }
    var aliases: [Symbol] = []
    let namedBytes = named.map { Array($0.utf8) }
    for symbol in symbols where namedBytes.contains(where: { hasName($0, symbol, in: text) }) {
      if let index = indexOfLast(in: distinct, notAbove: symbol.address) {
        want(index)
        if distinct[index].start != symbol.start { aliases.append(symbol) }
      }
    }
    var chosen = wanted.map { distinct[$0] } + aliases
    chosen.sort { ($0.address, $0.start) < ($1.address, $1.start) }
    var result: [UInt8] = []
    for symbol in chosen {
      result.append(contentsOf: text[symbol.start..<symbol.end])
      result.append(UInt8(ascii: "\n"))
    }
    return result
  }

  struct Symbol {
    var address: UInt64
    /// Where its line begins and ends in the text.
    var start: Int
    var end: Int
  }

  /// The symbols of code and data that have an address of their own.
  static func parse(_ text: [UInt8]) -> [Symbol] {
    var result: [Symbol] = []
    result.reserveCapacity(text.count / 40)
    var start = 0
    while start < text.count {
      let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
      var address: UInt64 = 0
      var index = start
      while index < end, index - start < 16, let digit = hexadecimalDigit(text[index]) {
        address = address << 4 | UInt64(digit)
        index += 1
      }
      // "ADDRESS T NAME". Type a is an offset into per-CPU memory on x86, not an address.
      if address != 0, index + 3 < end, text[index] == UInt8(ascii: " "), text[index + 2] == UInt8(ascii: " "),
        text[index + 1] != UInt8(ascii: "a"), text[index + 1] != UInt8(ascii: "A")
      {
        result.append(Symbol(address: address, start: start, end: end))
      }
      start = end + 1
    }
    return result
  }

  static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  private static func hasName(_ name: [UInt8], _ symbol: Symbol, in text: [UInt8]) -> Bool {
    let line = text[symbol.start..<symbol.end]
    guard line.count > name.count, let space = line.lastIndex(of: UInt8(ascii: " ")) else { return false }
    return line[(space + 1)...].elementsEqual(name)
  }

  private static func indexOfLast(in symbols: [Symbol], notAbove address: UInt64) -> Int? {
    var low = 0
    var high = symbols.count
    while low < high {
      let middle = (low + high) / 2
      if symbols[middle].address <= address { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? nil : low - 1
  }
}
