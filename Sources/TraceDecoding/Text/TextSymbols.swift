import Synchronization
public import TraceTypes

/// The names that a text used so far, by the addresses that stand for them.
///
/// It grows while the text is read, and may be asked meanwhile. Names that the analysis asks for by themselves have their
/// addresses from the beginning.
public final class TextSymbols: AddressNaming {
  struct Symbol {
    var name: String
    var module: String?
  }

  private struct Content {
    /// By position, see ``TextAddress``.
    var symbols: [Symbol] = []
    var positions: [String: Int] = [:]
    /// Texts that name no place for certain.
    var texts: [String] = []
  }

  /// The most symbols, and the most texts besides.
  static let capacity = 65_536
  /// How far from its start an address may lie and still belong to a symbol: as in ``SymbolTable``. What is farther lies
  /// in memory that no symbol describes, such as a module that was unloaded.
  static let largestOffset = SymbolTable.largestOffset
  /// Asked for by the analysis.
  private static let reserved = ["sched_ttwu_pending", "generic_smp_call_function_single_interrupt"]

  private let content = Mutex(Content())

  init() {
    for name in Self.reserved { _ = address(ofSymbol: name, module: nil, offset: 0) }
  }

  /// The address that stands for a place, or nil when there is no room for another symbol.
  /// - Parameter keeps: whether a symbol that is new is to be kept.
  /// - Precondition: `offset` is at most ``largestOffset``.
  func address(ofSymbol name: String, module: String?, offset: UInt64, keeps: Bool = true) -> UInt64? {
    precondition(offset <= Self.largestOffset, "not in the symbol")
    let key = module.map { "\(name) [\($0)]" } ?? name
    return content.withLock { content in
      if let position = content.positions[key] { return TextAddress.symbol(position, offset: offset) }
      guard keeps, content.symbols.count < Self.capacity else { return nil }
      content.symbols.append(Symbol(name: name, module: module))
      content.positions[key] = content.symbols.count - 1
      return TextAddress.symbol(content.symbols.count - 1, offset: offset)
    }
  }

  /// An address that stands for a text which names no place for certain, or nil when there is no room for another.
  ///
  /// Whoever asks keeps the answer: equal texts get different addresses.
  func address(ofText text: String) -> UInt64? {
    content.withLock { content in
      guard content.texts.count < Self.capacity else { return nil }
      content.texts.append(text)
      return TextAddress.texts | UInt64(content.texts.count - 1)
    }
  }

  private func symbol(_ address: UInt64) -> Symbol? {
    guard TextAddress.isSymbol(address) else { return nil }
    let position = Int((address & 0xffff_ffff_ffff) >> TextAddress.symbolBits)
    return content.withLock { $0.symbols.indices.contains(position) ? $0.symbols[position] : nil }
  }

  // MARK: AddressNaming

  public func symbolName(containing address: UInt64) -> String? { symbol(address)?.name }

  public func text(_ address: UInt64) -> String {
    if let symbol = symbol(address) {
      let offset = address & (1 << TextAddress.symbolBits - 1)
      let place = offset == 0 ? symbol.name : "\(symbol.name)+0x\(String(offset, radix: 16))"
      return symbol.module.map { "\(place) [\($0)]" } ?? place
    }
    if TextAddress.isText(address) {
      let position = Int(address & 0xffff_ffff_ffff)
      if let text = content.withLock({ $0.texts.indices.contains(position) ? $0.texts[position] : nil }) {
        return "?\(text)"
      }
    }
    return "0x" + String(address, radix: 16)
  }

  public func addresses(ofSymbol name: String) -> [UInt64] {
    content.withLock { content in content.positions[name].map { [TextAddress.symbol($0, offset: 0)] } ?? [] }
  }
}
