import TraceTypes
import Verdicts

/// Writes down one call, and what its CPUs do while it is under way.
final class SimulatedTimelineRecorder {
  /// More is not readable in a picture.
  static let mostSlices = 400
  static let mostMarks = 200

  /// The call's number in the load, from 1; 0 while it is not known.
  var ordinal: UInt64 = 0
  let label: String
  /// What happens on these CPUs, from the beginning of the stretch until the call is over, is of interest.
  let cpus: Set<Int>
  let start: UInt64
  private(set) var end: UInt64
  private(set) var track: SimulatedTimeline.Track
  private var isOver = false
  private var began: UInt64?
  private var source = 0
  /// What each CPU runs: the latest last. A callback runs on top of another where that one makes a call with a local part, or
  /// turns interrupts on; and wakeups are all run at once. Without any entry nearly always.
  @exclusivity(unchecked)
  private var running: [Int: [(ordinal: UInt64, function: UInt64, since: UInt64)]] = [:]
  private let names: any AddressNaming

  init(
    label: String, cpus: Set<Int>, start: UInt64, end: UInt64, engine: String, variant: String?,
    names: any AddressNaming
  ) {
    self.names = names
    self.label = label
    self.cpus = cpus
    self.start = start
    self.end = end
    track = SimulatedTimeline.Track(engine: engine, variant: variant, slices: [], marks: [], isTruncated: false)
  }

  private func isOfInterest(_ cpu: Int, _ time: UInt64) -> Bool {
    time >= start && (!isOver || time <= end) && cpus.contains(cpu)
  }

  private func add(
    _ kind: SimulatedTimeline.Slice.Kind, _ cpu: Int, _ from: UInt64, _ to: UInt64?, _ label: String
  ) {
    guard track.slices.count < Self.mostSlices else {
      track.isTruncated = true
      return
    }
    track.slices.append(
      SimulatedTimeline.Slice(
        cpu: cpu, kind: kind, startNanoseconds: max(from, start), endNanoseconds: to, label: label))
  }

  private func mark(_ kind: SimulatedTimeline.Mark.Kind, _ cpu: Int, _ time: UInt64, target: Int? = nil) {
    guard isOfInterest(cpu, time) else { return }
    guard track.marks.count < Self.mostMarks else {
      track.isTruncated = true
      return
    }
    track.marks.append(SimulatedTimeline.Mark(cpu: cpu, kind: kind, timeNanoseconds: time, target: target))
  }

  func began(_ call: UInt64, on cpu: Int, at time: UInt64) {
    guard call == ordinal else { return }
    began = time
    source = cpu
  }

  func queued(_ call: UInt64, by cpu: Int, on target: Int, at time: UInt64) {
    if call == ordinal { mark(.queued, cpu, time, target: target) }
  }

  func sent(_ call: UInt64, by cpu: Int, to target: Int, isMask: Bool, at time: UInt64) {
    if call == ordinal { mark(isMask ? .maskInterrupt : .interrupt, cpu, time, target: target) }
  }

  func interruptTaken(on cpu: Int, at time: UInt64) {
    guard isOfInterest(cpu, time) else { return }
    add(.handler, cpu, time, time, "")
  }

  func started(_ call: UInt64, _ function: UInt64, on cpu: Int, at time: UInt64) {
    guard isOfInterest(cpu, time) else { return }
    running[cpu, default: []].append((call, function, time))
  }

  func finished(_ call: UInt64, on cpu: Int, at time: UInt64) {
    guard !running.isEmpty, let place = running[cpu]?.lastIndex(where: { $0.ordinal == call }),
      let run = running[cpu]?.remove(at: place)
    else { return }
    if running[cpu]?.isEmpty ?? false { running[cpu] = nil }
    add(run.ordinal == ordinal ? .callback : .otherCallback, cpu, run.since, time, names.text(run.function))
    if run.ordinal == ordinal { end = max(end, time) }
  }

  /// - Parameter what: for the callbacks that it called, for a csd, for a lock.
  func waited(on cpu: Int, from: UInt64, to: UInt64, _ what: String) {
    guard to > from, isOfInterest(cpu, to) else { return }
    add(.wait, cpu, from, to, what)
  }

  func returned(_ call: UInt64, from cpu: Int, at time: UInt64) {
    guard call == ordinal else { return }
    add(.call, cpu, began ?? time, time, label)
    mark(.returned, cpu, time)
    end = max(end, time)
    isOver = true
  }

  func refused(_ call: UInt64, on cpu: Int, at time: UInt64) {
    if call == ordinal { mark(.refused, cpu, time) }
  }

  func lost(_ call: UInt64, on cpu: Int, at time: UInt64) {
    if call == ordinal { mark(.lost, cpu, time) }
  }

  /// What has not ended by the end of the simulation.
  func finish() {
    if let began, !isOver { add(.call, source, began, nil, label) }
    for (cpu, runs) in running.sorted(by: { $0.key < $1.key }) {
      for run in runs where run.since <= end {
        add(run.ordinal == ordinal ? .callback : .otherCallback, cpu, run.since, nil, names.text(run.function))
      }
    }
  }
}
