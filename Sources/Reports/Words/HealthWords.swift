public import TraceTypes

/// What an analysis has to say of a trace's health, beside what the decoder counts.
public enum HealthWords {
  /// The kernel lacks events that were asked for.
  public static func missingEvents(_ names: [String]) -> TraceHealth.Item {
    TraceHealth.Item(
      name: "missingEvents", count: UInt64(names.count), severity: .dataLoss,
      remedy: "The kernel does not have \(names.joined(separator: ", ")); what needs them is not judged.")
  }

  /// The file does not say what was recorded.
  public static let recordedEventsUnknown = TraceHealth.Item(
    name: "recordedEventsUnknown", severity: .info,
    remedy: "The file does not say which events were switched on and unfiltered, so the absence of one proves "
      + "nothing: lost callbacks, and missing or needless kicks, are not judged. Record with ipitrace.")

  /// The recorder was killed, and somebody made a file of what it had collected.
  public static let recorderKilled = TraceHealth.Item(
    name: "recorderKilled", severity: .dataLoss,
    remedy:
      "The recorder was killed. Each CPU's events end where it had last read them; what came behind that is a gap "
      + "of unknown size, and is not judged.")

  /// What the recorder itself added to the recording; nil where the file does not say, or where that is nothing.
  public static func recorderActivity(_ facts: CaptureFacts) -> TraceHealth.Item? {
    let interrupts = facts.recorderInterrupts ?? 0
    guard interrupts > 0 || facts.recorderWakeups ?? 0 > 0 else { return nil }
    var sentence = "The recorder itself (\(facts.recorderThreads.count == 1 ? "task" : "tasks")"
    sentence += " \(facts.recorderThreads.map(String.init).joined(separator: ", "))) sent so many IPIs"
    if let wakeups = facts.recorderWakeups { sentence += ", and began to run \(wakeups) times" }
    if let cpus = facts.recorderCPUs { sentence += ", on CPUs \(cpus.list) alone" }
    sentence += "; they are among the events."
    if facts.recorderCPUs == nil { sentence += " `record --recorder-cpus` keeps it off the CPUs that matter." }
    return TraceHealth.Item(name: "recorderActivity", count: interrupts, severity: .info, remedy: sentence)
  }

  /// Callbacks ran that nobody queued.
  public static func unqueuedCallbacks(_ count: UInt64) -> TraceHealth.Item {
    TraceHealth.Item(
      name: "unqueuedCallbacks", count: count, severity: .info,
      remedy: "Callbacks ran that no event of this trace queued: calls from before the trace, from a CPU that was "
        + "not online, or lost events. They are not judged.")
  }

  /// Events say what can't be.
  public static func impossibleEvents(_ count: UInt64) -> TraceHealth.Item {
    TraceHealth.Item(
      name: "impossibleEvents", count: count, severity: .error,
      remedy:
        "Events name a CPU that the machine can't have, or an address that is none: the file was changed after it "
        + "was recorded. Nothing in it is said to diverge. Copy or record the trace again.")
  }

  /// Events are missing that no mark tells of.
  public static func silentlyLostEvents(cpu: Int, count: UInt64) -> TraceHealth.Item {
    TraceHealth.Item(
      name: "silentlyLostEvents", cpu: cpu, count: count, severity: .dataLoss,
      remedy: "So often this CPU ran another task than the one that it had switched to: the kernel dropped events "
        + "without a mark. What it may have run meanwhile is not judged.")
  }

  /// The CPUs' clocks disagree by at least this much.
  public static func clockSkew(nanoseconds: UInt64) -> TraceHealth.Item {
    TraceHealth.Item(
      name: "clockSkew", count: nanoseconds, severity: .dataLoss,
      remedy:
        "The clocks of the CPUs disagree by at least this many nanoseconds, so nothing is said to diverge, and times "
        + "between CPUs are wrong. Record with a clock that is the same on all CPUs, for example -C mono.")
  }
}
