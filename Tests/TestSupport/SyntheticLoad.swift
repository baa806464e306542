internal import Glibc
public import TraceTypes

/// A load whose rates and times are known, as a recording of a machine under it would show it.
public struct SyntheticLoad: Sendable {
  /// How calls follow each other.
  public enum Shape: CaseIterable, Sendable {
    /// Each at its own time.
    case even
    /// Some ten at once, all slow or all fast.
    case bursts
    /// Busy for some hundredths of the recording, then quiet, and so on.
    case phases
  }

  public struct Source: Sendable {
    public var callback: String
    public var callsPerSecond: Double
    /// In nanoseconds, from queueing to begin.
    public var medianDelay: Double
    /// In nanoseconds.
    public var medianRun = 900.0

    public init(callback: String, callsPerSecond: Double, medianDelay: Double) {
      self.callback = callback
      self.callsPerSecond = callsPerSecond
      self.medianDelay = medianDelay
    }
  }

  public var shape: Shape
  public var seconds: Double
  public var cpuCount = 4
  public var sources = [
    Source(callback: "flush_tlb_func", callsPerSecond: 500, medianDelay: 4_000),
    Source(callback: "ipi_mb", callsPerSecond: 250, medianDelay: 2_500),
    Source(callback: "nohz_csd_func", callsPerSecond: 60, medianDelay: 9_000),
  ]

  public init(shape: Shape, seconds: Double = 1) {
    self.shape = shape
    self.seconds = seconds
  }

  /// What a recording of it has switched on.
  public static let kinds: Set<EventKind> = [
    .csdQueueCPU, .csdFunctionEntry, .csdFunctionExit, .ipiSendCPU, .ipiSendCPUMask, .callFunctionSingleEntry,
    .callFunctionSingleExit, .callFunctionEntry, .callFunctionExit, .rescheduleEntry, .rescheduleExit,
    .schedWakeIdleWithoutIPI, .schedSwitch,
  ]
  public static let start: UInt64 = 7_123_456_789

  private struct Arrival {
    var time: Double
    var source: Int
    /// Times of one burst go together.
    var slowness: Double
  }

  /// The recording's events: every call runs before the next is made.
  public func events(_ random: inout RepeatableRandom) -> [TraceEvent] {
    let arrivals = sources.indices.flatMap { self.arrivals($0, &random) }.sorted { $0.time < $1.time }
    var events: [TraceEvent] = []
    var time = Self.start
    for cpu in 0..<cpuCount {
      let task = 100 + Int32(cpu)
      events.append(TraceEvent(nanoseconds: time, cpu: UInt16(cpu), kind: .schedSwitch, pid: task, target: task))
    }
    time += 1_000
    for arrival in arrivals {
      let source = sources[arrival.source]
      time = max(time, Self.start + UInt64(arrival.time * 1e9))
      let cpu = random.below(cpuCount)
      let target = (cpu + 1 + random.below(cpuCount - 1)) % cpuCount
      let delay = source.medianDelay * arrival.slowness * Self.spread(&random)
      let run = source.medianRun * Self.spread(&random)
      time = append(
        source.callback, from: cpu, to: target, at: time, delay: max(400, UInt64(delay)), run: UInt64(run), to: &events)
    }
    let end = max(time, Self.start + UInt64(seconds * 1e9))
    events.append(TraceEvent(nanoseconds: end, cpu: 0, kind: .schedSwitch, pid: 100, target: 100))
    return events
  }

  /// A factor between a quarter and four, seldom far from one.
  private static func spread(_ random: inout RepeatableRandom) -> Double {
    let sum = (0..<3).reduce(0.0) { sum, _ in sum + Double.random(in: 0..<1, using: &random) }
    return exp2(4 * sum / 3 - 2)
  }

  private static func gap(_ rate: Double, _ random: inout RepeatableRandom) -> Double {
    -log(1 - Double.random(in: 0..<1, using: &random)) / rate
  }

  private func arrivals(_ index: Int, _ random: inout RepeatableRandom) -> [Arrival] {
    let rate = sources[index].callsPerSecond
    var result: [Arrival] = []
    var time = 0.0
    switch shape {
    case .even:
      time = Self.gap(rate, &random)
      while time < seconds {
        result.append(Arrival(time: time, source: index, slowness: 1))
        time += Self.gap(rate, &random)
      }
    case .bursts:
      time = Self.gap(rate / 10, &random)
      while time < seconds {
        let slowness = Self.spread(&random)
        var moment = time
        repeat {
          result.append(Arrival(time: moment, source: index, slowness: slowness))
          moment += 30e-6
        } while random.chance(9.0 / 10) && moment < seconds
        time += Self.gap(rate / 10, &random)
      }
    case .phases:
      var isBusy = random.chance(0.5)
      var end = Self.gap(25 / seconds, &random)
      while time < seconds {
        time += Self.gap(isBusy ? rate * 1.8 : rate * 0.2, &random)
        if time >= end {
          time = end
          end += Self.gap(25 / seconds, &random)
          isBusy.toggle()
        } else if time < seconds {
          result.append(Arrival(time: time, source: index, slowness: 1))
        }
      }
    }
    return result
  }

  /// - Returns: the time after the call.
  private func append(
    _ callback: String, from source: Int, to target: Int, at time: UInt64, delay: UInt64, run: UInt64,
    to events: inout [TraceEvent]
  ) -> UInt64 {
    let function = ScriptNames.address(of: callback)
    // A real csd has pointers in it.
    let csd = ScriptNames.address(of: "csd \(source) \(target)") & ~7
    let (source, target) = (UInt16(source), UInt16(target))
    let hard: ContextFlags = [.hardInterrupt, .interruptsOff]
    func event(_ after: UInt64, _ cpu: UInt16, _ kind: EventKind, _ change: (inout TraceEvent) -> Void = { _ in }) {
      var event = TraceEvent(nanoseconds: time + after, cpu: cpu, kind: kind, pid: 100 + Int32(cpu))
      if cpu == target { event.flags = hard }
      change(&event)
      events.append(event)
    }
    event(0, source, .csdQueueCPU) {
      ($0.target, $0.function, $0.csd) = (Int32(target), function, csd)
      $0.callsite = ScriptNames.address(of: "generic_exec_single")
    }
    event(100, source, .ipiSendCPU) {
      ($0.target, $0.function) = (Int32(target), ScriptNames.address(of: ScriptNames.crossCall))
    }
    event(delay - 100, target, .callFunctionSingleEntry)
    event(delay, target, .csdFunctionEntry) { ($0.function, $0.csd) = (function, csd) }
    event(delay + run, target, .csdFunctionExit) { ($0.function, $0.csd) = (function, csd) }
    event(delay + run + 50, target, .callFunctionSingleExit)
    event(delay + run + 100, source, .schedSwitch) { $0.target = $0.pid }
    return time + delay + run + 200
  }
}
