public import TraceTypes

extension SymbolTable: AddressNaming {
  public func symbolName(containing address: UInt64) -> String? { resolve(address)?.name }

  public func text(_ address: UInt64) -> String { name(address) ?? "0x" + String(address, radix: 16) }

  public func addresses(ofSymbol name: String) -> [UInt64] { addresses(of: name) }
}
