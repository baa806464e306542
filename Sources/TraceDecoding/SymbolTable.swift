import Synchronization

/// A place in the kernel, by name.
public struct Symbol: Sendable, Hashable {
  public var name: String
  /// The module that holds the symbol, or nil for the kernel itself.
  public var module: String?
  /// Bytes from the start of the symbol.
  public var offset: UInt64

  public init(name: String, module: String? = nil, offset: UInt64) {
    self.name = name
    self.module = module
    self.offset = offset
  }
}

/// Names for kernel addresses.
///
/// The text (the kernel's `/proc/kallsyms`, some 5 MB) is parsed when the first question comes. Copies share the result.
public struct SymbolTable: Sendable {
  /// How far from its start an address may lie and still belong to a symbol. Larger functions hardly exist, so what
  /// is farther lies in memory that no symbol describes, such as a module that was unloaded.
  public static let largestOffset: UInt64 = 64 << 10
  /// The same for the last symbol of the kernel or of a module, behind which foreign memory begins.
  public static let largestOffsetAtEnd: UInt64 = 16 << 10

  private let lines: SymbolLines

  /// Takes the text of `/proc/kallsyms`.
  public init(kallsyms text: [UInt8]) { lines = SymbolLines(text: text) }

  /// The symbol that covers the address, or nil when none is known to.
  /// - Complexity: O(log number of symbols); the first call, O(length of the text).
  public func resolve(_ address: UInt64) -> Symbol? { lines.resolve(address) }

  /// `symbol` or `symbol+0x12`, or nil when no symbol is known to cover the address.
  /// - Complexity: as ``resolve(_:)``.
  public func name(_ address: UInt64) -> String? {
    guard let symbol = resolve(address) else { return nil }
    return symbol.offset == 0 ? symbol.name : "\(symbol.name)+0x\(String(symbol.offset, radix: 16))"
  }

  /// Where the symbols of this name begin, in ascending order; the name of a static function may occur many times.
  /// - Complexity: O(number of symbols).
  public func addresses(of name: String) -> [UInt64] { lines.addresses(of: name) }

  /// The number of symbols that can cover an address.
  /// - Complexity: as ``resolve(_:)``.
  public var count: Int { lines.count }
}

/// The text, and where in it the symbols are, by address. Names stay in the text until they are asked for.
private final class SymbolLines: Sendable {
  private struct Index {
    /// Ascending. Several symbols may share an address; the one whose name says most comes first.
    var addresses: [UInt64] = []
    /// Where the symbol's name begins in the text.
    var names: [UInt32] = []

    /// The first position whose address fulfils a condition that all later ones fulfil as well.
    func firstPosition(where condition: (UInt64) -> Bool) -> Int {
      var low = 0
      var high = addresses.count
      while low < high {
        let middle = (low + high) / 2
        if condition(addresses[middle]) { high = middle } else { low = middle + 1 }
      }
      return low
    }
  }

  private let text: [UInt8]
  private let index = Mutex<Index?>(nil)

  init(text: [UInt8]) { self.text = text }

  private func withIndex<Result>(_ body: (borrowing Index) -> Result) -> Result where Result: Sendable {
    index.withLock { index in
      if let index { return body(index) }
      let built = Self.index(of: text)
      index = built
      return body(built)
    }
  }

  var count: Int { withIndex { $0.addresses.count } }

  func resolve(_ address: UInt64) -> Symbol? {
    withIndex { index in
      let next = index.firstPosition { $0 > address }
      guard next > 0 else { return nil }
      let start = index.addresses[next - 1]
      let offset = address - start
      guard offset <= SymbolTable.largestOffset else { return nil }
      let name = Self.name(in: text, at: Int(index.names[index.firstPosition { $0 >= start }]))
      let module = Self.module(in: text, behind: name.endIndex)
      if offset > SymbolTable.largestOffsetAtEnd {
        guard next < index.names.count else { return nil }
        let nextName = Self.name(in: text, at: Int(index.names[next]))
        guard Self.module(in: text, behind: nextName.endIndex) == module else { return nil }
      }
      let isCut = name.count == Self.longestName
      return Symbol(
        name: String(decoding: name, as: UTF8.self) + (isCut ? "…" : ""),
        module: module.map { String(decoding: $0, as: UTF8.self) },
        offset: offset)
    }
  }

  func addresses(of name: String) -> [UInt64] {
    let wanted = Array(name.utf8)
    return withIndex { index in
      var result: [UInt64] = []
      for (address, start) in zip(index.addresses, index.names)
      where Self.name(in: text, at: Int(start)).elementsEqual(wanted) {
        result.append(address)
      }
      return result
    }
  }

  /// The kernel's own limit is `KSYM_NAME_LEN`, 512. Without one, every place in a function could cost the whole text.
  private static let longestName = 1_024

  private static func name(in text: [UInt8], at start: Int) -> ArraySlice<UInt8> {
    let rest = text[start...].prefix(longestName)
    return rest.prefix { $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: " ") }
  }

  /// What stands in brackets between the end of the name and the end of the line.
  private static func module(in text: [UInt8], behind end: Int) -> ArraySlice<UInt8>? {
    let rest = text[end...].prefix(longestName).prefix { $0 != UInt8(ascii: "\n") }.trimmed
    guard rest.first == UInt8(ascii: "["), rest.last == UInt8(ascii: "]") else { return nil }
    return rest.dropFirst().dropLast()
  }

  /// Finds the lines that name a place in the kernel's half of the address space.
  ///
  /// Per-CPU and absolute symbols have small values, which are no addresses. Where the recorder was not allowed to see
  /// addresses, all are 0. Both must not cover real addresses.
  private static func index(of text: [UInt8]) -> Index {
    struct Line {
      var address: UInt64
      var name: UInt32
      /// Functions first: of several symbols at one address, the function's name says most.
      var isData: Bool
    }
    var lines: [Line] = []
    lines.reserveCapacity(text.count / 40)
    var position = 0
    while position < text.count, position < Int(UInt32.max) {
      let start = position
      var address: UInt64 = 0
      while position < text.count, position - start < 17, let digit = text[position].hexadecimalDigit {
        address = address << 4 | digit
        position += 1
      }
      // `ffffffff81000000 T name`
      let digits = position - start
      if digits > 0, digits <= 16, address >> 63 == 1, position + 3 < text.count, text[position] == 0x20,
        text[position + 2] == 0x20, text[position + 3] != UInt8(ascii: "\n")
      {
        let type = text[position + 1]
        if type | 0x20 != UInt8(ascii: "a") {
          let isCode = type | 0x20 == UInt8(ascii: "t") || type | 0x20 == UInt8(ascii: "w")
          lines.append(Line(address: address, name: UInt32(position + 3), isData: !isCode))
        }
      }
      while position < text.count, text[position] != UInt8(ascii: "\n") { position += 1 }
      position += 1
    }
    lines.sort {
      ($0.address, $0.isData ? 1 : 0, $0.name) < ($1.address, $1.isData ? 1 : 0, $1.name)
    }
    var index = Index()
    index.addresses.reserveCapacity(lines.count)
    index.names.reserveCapacity(lines.count)
    for line in lines {
      index.addresses.append(line.address)
      index.names.append(line.name)
    }
    return index
  }
}
