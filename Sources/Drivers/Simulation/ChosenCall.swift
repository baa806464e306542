public import CallHistories
import TraceTypes
import Verdicts

/// The call that is drawn as it was, and as each engine would have made it.
public struct ChosenCall: Sendable {
  public var source: Int
  public var targets: [Int]
  public var function: UInt64
  /// When its first target was queued, in nanoseconds.
  public var time: UInt64
  /// The stretch to draw.
  public var start: UInt64
  public var end: UInt64

  /// Many more lanes than these are no picture.
  public static let mostTargets = 15

  public init(_ call: CompletedCall, targets: Span<QueuedCall>) {
    source = Int(call.source)
    self.targets = []
    var last = call.began
    for index in targets.indices {
      if self.targets.count < Self.mostTargets { self.targets.append(Int(targets[index].target)) }
      last = max(last, targets[index].ended ?? targets[index].started ?? targets[index].queued)
    }
    function = call.function
    time = call.began
    let margin = max(2_000, (last - call.began) / 5)
    start = call.began - min(call.began, margin)
    end = last > .max - margin ? .max : last + margin
  }

  var cpus: [Int] { Set([source] + targets).sorted() }
}

/// Chooses the call that is worth drawing: of those to several CPUs the one that took longest; without any, of all.
public struct CallChooser: Sendable {
  private var best: (isMany: Bool, duration: UInt64, call: ChosenCall)?
  private let window: ClosedRange<UInt64>?

  /// - Parameter window: only calls that begin in it.
  public init(window: ClosedRange<UInt64>?) { self.window = window }

  public var chosen: ChosenCall? { best?.call }

  public mutating func look(at call: CompletedCall, targets: Span<QueuedCall>) {
    guard targets.count > 0, window?.contains(call.began) ?? true else { return }
    var last: UInt64 = 0
    for index in targets.indices {
      // Only what is known from end to end can be held against anything.
      guard !targets[index].inferred, let ended = targets[index].ended, ended >= call.began else { return }
      last = max(last, ended)
    }
    let isMany = targets.count > 1
    let duration = last - call.began
    if let best, (best.isMany ? 1 : 0, best.duration) >= (isMany ? 1 : 0, duration) { return }
    best = (isMany, duration, ChosenCall(call, targets: targets))
  }
}

/// Draws what was recorded of a chosen call.
struct Drawing {
  let chosen: ChosenCall
  private let names: any AddressNaming
  private let cpus: Set<Int>
  private var track = SimulatedTimeline.Track(engine: nil, variant: nil, slices: [], marks: [], isTruncated: false)

  init(_ chosen: ChosenCall, names: any AddressNaming) {
    self.chosen = chosen
    self.names = names
    cpus = Set(chosen.cpus)
  }

  func isChosen(_ call: CompletedCall, _ targets: Span<QueuedCall>) -> Bool {
    call.began == chosen.time && Int(call.source) == chosen.source && call.function == chosen.function
  }

  mutating func add(_ call: CompletedCall, targets: Span<QueuedCall>) {
    guard call.began <= chosen.end else { return }
    let isIt = isChosen(call, targets)
    var last: UInt64?
    for index in targets.indices {
      let target = targets[index]
      if isIt { mark(target) }
      guard !target.inferred, let started = target.started, let ended = target.ended else { continue }
      last = max(last ?? 0, ended)
      slice(isIt ? .callback : .otherCallback, Int(target.target), started, ended, target.function)
    }
    if let started = call.localStarted, let ended = call.localEnded {
      slice(isIt ? .callback : .otherCallback, Int(call.source), started, ended, call.function)
      last = max(last ?? 0, ended)
    }
    if isIt { slice(.call, Int(call.source), call.began, max(call.began, last ?? call.began), call.function) }
  }

  private mutating func slice(
    _ kind: SimulatedTimeline.Slice.Kind, _ cpu: Int, _ from: UInt64, _ to: UInt64, _ function: UInt64
  ) {
    guard cpus.contains(cpu), to >= chosen.start, from <= chosen.end else { return }
    guard track.slices.count < SimulatedTimelineRecorder.mostSlices else {
      track.isTruncated = true
      return
    }
    track.slices.append(
      SimulatedTimeline.Slice(
        cpu: cpu, kind: kind, startNanoseconds: max(from, chosen.start), endNanoseconds: to,
        label: names.text(function)))
  }

  private mutating func mark(_ target: QueuedCall) {
    func add(_ kind: SimulatedTimeline.Mark.Kind, _ time: UInt64) {
      guard track.marks.count < SimulatedTimelineRecorder.mostMarks else {
        track.isTruncated = true
        return
      }
      track.marks.append(
        SimulatedTimeline.Mark(
          cpu: Int(target.source), kind: kind, timeNanoseconds: time, target: Int(target.target)))
    }
    add(.queued, target.queued)
    guard let kicked = target.kicked else { return }
    switch target.kick {
    case .ipi: add(.interrupt, kicked)
    case .maskIPI: add(.maskInterrupt, kicked)
    case .polling: add(.pollerWoken, kicked)
    case .coalesced, .unknown, .undecided: break
    }
  }

  /// - Parameter tracks: those of the engines.
  func timeline(tracks: [SimulatedTimeline.Track], end: UInt64) -> SimulatedTimeline {
    // An engine that takes for ever does not make the rest a dot.
    let eight = (chosen.end - chosen.start).multipliedReportingOverflow(by: 8)
    let longest = eight.overflow || eight.partialValue > .max - chosen.start ? .max : chosen.start + eight.partialValue
    return SimulatedTimeline(
      callback: names.text(chosen.function), source: chosen.source, targets: chosen.targets,
      startNanoseconds: chosen.start, endNanoseconds: min(longest, max(chosen.end, end)), cpus: chosen.cpus,
      tracks: [track] + tracks)
  }
}

extension SimulatedTimeline {
  /// No call was chosen.
  static var none: SimulatedTimeline {
    SimulatedTimeline(
      callback: nil, source: nil, targets: [], startNanoseconds: 0, endNanoseconds: 0, cpus: [], tracks: [])
  }
}
