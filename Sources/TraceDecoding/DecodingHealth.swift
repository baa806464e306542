public import TraceTypes

extension TraceHealth {
  /// Whether bytes were met that no recorder has written. What is merely missing, at the end or in between, is no such thing.
  public var provesDamage: Bool {
    items.contains { ["damagedPages", "damagedChunks", "unknownEventTypes"].contains($0.name) }
  }
}

/// The damage that decoding can meet, by name.
extension TraceHealth.Item {
  static func truncated(cpu: Int, bytes: UInt64) -> Self {
    Self(
      name: "truncated", cpu: cpu, count: bytes, severity: .dataLoss,
      remedy: "The file ends before this CPU's data do; the count is the bytes that are missing. Copy the file again.")
  }

  static var unreadableFormats: Self {
    Self(
      name: "unreadableFormats", severity: .error,
      remedy: "An event format in the file could not be understood; events of its type count as unknown.")
  }

  static func unknownEventTypes(cpu: Int, count: UInt64) -> Self {
    Self(
      name: "unknownEventTypes", cpu: cpu, count: count, severity: .info,
      remedy: "Events whose type the file doesn't describe; only their time and context are used.")
  }

  static func damagedPages(cpu: Int) -> Self {
    Self(
      name: "damagedPages", cpu: cpu, severity: .error,
      remedy: "A page holds an impossible header or event; the rest of it was left out. Copy or record the trace again."
    )
  }

  static func damagedChunks(cpu: Int) -> Self {
    Self(
      name: "damagedChunks", cpu: cpu, severity: .error,
      remedy: "A compressed piece of the data could not be unpacked and was left out. Copy or record the trace again.")
  }

  static func backwardTimes(cpu: Int, count: UInt64) -> Self {
    Self(
      name: "backwardTimes", cpu: cpu, count: count, severity: .error,
      remedy: "Events whose time lies before that of their predecessor on the same CPU; they were given its time.")
  }

  static func lostEvents(cpu: Int, count: UInt64) -> Self {
    Self(
      name: "lostEvents", cpu: cpu, count: count, severity: .dataLoss,
      remedy: "The buffer was full and events were lost. Record again with a larger buffer or with fewer events.")
  }

  static func lostEventsUnknown(cpu: Int, gaps: UInt64) -> Self {
    Self(
      name: "lostEventsUnknown", cpu: cpu, count: gaps, severity: .dataLoss,
      remedy: "Gaps in which events were lost, nobody knows how many. Record again with a larger buffer.")
  }
}
