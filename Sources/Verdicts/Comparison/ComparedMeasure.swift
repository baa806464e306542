/// What is measured on both sides of a comparison, for the whole recording, a callback or a CPU.
public enum ComparedMeasure: String, Codable, Sendable, CaseIterable {
  /// Calls queued to other CPUs, counted per target; for a CPU: those queued to it.
  case calls
  /// IPIs that were sent for them, places in mask IPIs counted one by one; for a CPU: those sent to it.
  case interrupts
  /// Callbacks run for other CPUs, those that no event queued included; for a CPU: those that ran on it.
  case callbacks
  /// Time in those callbacks, as far as begin and end were seen.
  case callbackTime
  /// Handlers of cross calls entered.
  case handlers
  /// Time in those handlers.
  case handlerTime
  /// Reschedule interrupts taken.
  case reschedules
  /// From the queue event to the callback's begin, the mean.
  case mean
  /// From the queue event to the callback's begin, the median.
  case p50
  /// From the queue event to the callback's begin: 99 of 100 are not longer.
  case p99
  /// The callback itself, the mean.
  case runMean
  /// The callback itself, the median.
  case runP50
  /// The callback itself: 99 of 100 are not longer.
  case runP99

  /// What kind of number it is.
  public enum Form: Sendable {
    /// A count; its value is per second of recorded time.
    case count
    /// A sum of nanoseconds; its value is nanoseconds per second of recorded time.
    case time
    /// A mean of nanoseconds.
    case mean
    /// The nanoseconds that this share of all does not exceed, in thousandths.
    case percentile(Int)
  }

  public var form: Form {
    switch self {
    case .calls, .interrupts, .callbacks, .handlers, .reschedules: .count
    case .callbackTime, .handlerTime: .time
    case .mean, .runMean: .mean
    case .p50, .runP50: .percentile(500)
    case .p99, .runP99: .percentile(990)
    }
  }

  /// Whether it is a number for each second, and not one for each call.
  public var isRate: Bool {
    switch form {
    case .count, .time: true
    case .mean, .percentile: false
    }
  }

  /// Whether it rests on times that two different CPUs gave.
  public var isBetweenCPUs: Bool { self == .mean || self == .p50 || self == .p99 }

  /// Whether everything that it is made of is recorded by the CPU on which callbacks and handlers run. The rest is recorded by
  /// whoever calls, and a loss on any CPU may have taken a part of it.
  public var isRecordedByTarget: Bool {
    switch self {
    case .callbacks, .callbackTime, .handlers, .handlerTime, .reschedules, .runMean, .runP50, .runP99: true
    case .calls, .interrupts, .mean, .p50, .p99: false
    }
  }

  /// Measures of a CPU that tell how often, and for how long, others interrupted it.
  public static let interference: [ComparedMeasure] = [
    .callbacks, .callbackTime, .handlers, .handlerTime, .reschedules,
  ]
  /// The measures of the whole.
  public static let ofTotal = allCases
  /// The measures of a callback.
  public static let ofCallback: [ComparedMeasure] = [
    .calls, .interrupts, .mean, .p50, .p99, .runMean, .runP50, .runP99,
  ]
  /// The measures of a CPU.
  public static let ofCPU: [ComparedMeasure] = [.calls, .interrupts] + interference + [.mean, .p50, .p99]
}
