/// What turns kernel addresses into names.
public protocol AddressNaming: Sendable {
  /// The name of the symbol that holds the address, without offset and module, or nil when it is not known.
  func symbolName(containing address: UInt64) -> String?

  /// The address for people: `symbol`, `symbol+0x1c`, `symbol+0x1c [module]`, or hexadecimal when it is not known.
  func text(_ address: UInt64) -> String

  /// Where a symbol begins; empty when it is not known.
  func addresses(ofSymbol name: String) -> [UInt64]
}
