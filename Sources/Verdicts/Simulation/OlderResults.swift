// Results that were saved before engines were simulated lack what a simulation adds. These overloads are what the
// decoders of ReplayResult and EngineResult call for exactly these members; for every other a missing key stays an error.

extension KeyedDecodingContainer {
  /// Null also where the key is missing.
  func decode(_ type: Nullable<SimulationSummary>.Type, forKey key: Key) throws -> Nullable<SimulationSummary> {
    try decodeIfPresent(type, forKey: key) ?? Nullable(wrappedValue: nil)
  }

  /// Null also where the key is missing.
  func decode(_ type: Nullable<EngineOutcome>.Type, forKey key: Key) throws -> Nullable<EngineOutcome> {
    try decodeIfPresent(type, forKey: key) ?? Nullable(wrappedValue: nil)
  }

  /// Empty where the key is missing.
  func decode(_ type: [EngineResult.Difference].Type, forKey key: Key) throws -> [EngineResult.Difference] {
    try decodeIfPresent(type, forKey: key) ?? []
  }
}
