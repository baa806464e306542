/// Where addresses lie that stand for what a text says in place of a number.
///
/// A text names a place in the kernel as `symbol+0x1c/0x40 [module]`. Each symbol gets a stretch of its own, as long as any
/// function, in a part of the address space in which no address of a real machine lies.
enum TextAddress {
  /// Symbol n begins at `symbols + n << symbolBits`.
  static let symbols: UInt64 = 0x5300 << 48
  static let symbolBits: UInt64 = 24
  /// Stands for text n that names no place for certain.
  static let texts: UInt64 = 0x5400 << 48
  /// Stands for texts that found no room: their hashes, so that equal ones stay equal.
  static let hashes: UInt64 = 0x5500 << 48

  static func isSymbol(_ address: UInt64) -> Bool { address >> 48 == symbols >> 48 }
  static func isText(_ address: UInt64) -> Bool { address >> 48 == texts >> 48 }

  static func symbol(_ index: Int, offset: UInt64) -> UInt64 { symbols | UInt64(index) << symbolBits | offset }
}
