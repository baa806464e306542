import Synchronization

/// The kernel's symbol table as it is now, read again only when that is needed.
///
/// To make the text of `/proc/kallsyms` takes the kernel as long as to record a hundred thousand events. It changes with
/// the modules.
struct SymbolSource {
  private var symbols: KernelSymbols?
  private var modules: Set<Substring> = []

  mutating func current() -> KernelSymbols {
    let loaded = Self.modules(in: TextFile.text("/proc/modules") ?? "")
    if let symbols, loaded == modules { return symbols }
    let new = KernelSymbols(TextFile.bytes("/proc/kallsyms") ?? [])
    symbols = new
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
///
/// They are sorted when the first question comes; all pieces of a recording share that.
final class KernelSymbols: Sendable {
  /// Lines such as `ffffffff81000000 T _text`, with a tab and `[module]` behind the symbols of modules.
  let text: [UInt8]
  private let named: Set<String>
  private let index = Mutex<Index?>(nil)

  /// - Parameter named: symbols that are wanted whether or not an address lies in them.
  init(_ text: [UInt8], named: Set<String> = CaptureEvents.neededSymbols) {
    self.text = text
    self.named = named
  }

  private struct Index: Sendable {
    /// One for each address, ascending. Of several names the first counts, as in the kernel's own messages.
    var distinct: [Symbol] = []
    /// Those that are wanted in any case.
    var named: [Symbol] = []
  }

  /// Takes those lines out of the text that name the given addresses, or have one of the names that are always needed.
  ///
  /// For each address that is the symbol in which it lies, and the one after it, so that the end of the symbol is known
  /// as well.
  /// - Returns: lines in the order of their addresses; empty where the kernel hides its addresses.
  /// - Complexity: O(a log s) for s symbols and a addresses; the first call, O(s log s) more.
  func lines(addresses: Set<UInt64>) -> [UInt8] {
    let index = index.withLock { index in
      if let index { return index }
      let built = Self.index(of: text, named: named)
      index = built
      return built
    }
    let distinct = index.distinct
    var wanted: Set<Int> = []
    func want(_ index: Int) {
      wanted.insert(index)
      if index + 1 < distinct.count { wanted.insert(index + 1) }
    }
    for address in addresses {
      if let index = Self.indexOfLast(in: distinct, notAbove: address) { want(index) }
    }
    var aliases: [Symbol] = []
    for symbol in index.named {
      if let index = Self.indexOfLast(in: distinct, notAbove: symbol.address) {
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

  private static func index(of text: [UInt8], named: Set<String>) -> Index {
    var symbols = parse(text)
    // A stable order, because the first of equals counts. The kernel's own is nearly sorted: modules come last.
    symbols.sort { $0.address == $1.address ? $0.start < $1.start : $0.address < $1.address }
    var index = Index()
    index.distinct.reserveCapacity(symbols.count)
    let names = named.map { Array($0.utf8) }
    let lengths = Set(names.map(\.count))
    for symbol in symbols {
      if index.distinct.last?.address != symbol.address { index.distinct.append(symbol) }
      if lengths.contains(symbol.end - symbol.name),
        names.contains(where: { text[symbol.name..<symbol.end].elementsEqual($0) })
      {
        index.named.append(symbol)
      }
    }
    return index
  }

  struct Symbol: Sendable {
    var address: UInt64
    /// Where its line begins in the text, its name, and the line's end.
    var start: Int
    var name: Int
    var end: Int
  }

  /// The symbols of code and data that have an address of their own.
  static func parse(_ text: [UInt8]) -> [Symbol] {
    var result: [Symbol] = []
    result.reserveCapacity(text.count / 40)
    text.withUnsafeBufferPointer { text in
      var start = 0
      while start < text.count {
        var address: UInt64 = 0
        var index = start
        while index < text.count, index - start < 16, let digit = hexadecimalDigit(text[index]) {
          address = address << 4 | UInt64(digit)
          index += 1
        }
        var end = index
        while end < text.count, text[end] != UInt8(ascii: "\n") { end += 1 }
        // "ADDRESS T NAME". Type a is an offset into per-CPU memory on x86, not an address.
        if address != 0, index + 3 < end, text[index] == UInt8(ascii: " "), text[index + 2] == UInt8(ascii: " "),
          text[index + 1] | 0x20 != UInt8(ascii: "a")
        {
          result.append(Symbol(address: address, start: start, name: index + 3, end: end))
        }
        start = end + 1
      }
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
