import CallHistories
import TestSupport
import TraceTypes

/// Something that happens to recordings and that no kernel is to blame for.
enum HarmlessChange: String, CaseIterable, Sendable {
  case headCutOff
  case tailCutOff
  /// A CPU lost events, and the buffer says so.
  case eventsLost
  /// Several CPUs did, several times.
  case eventsLostAllOver
  /// A type of event was not switched on, and the file says which were.
  case kindNotRecorded
  /// The same, and the file does not say.
  case kindNotRecordedUnsaid
  /// A type of event was switched on only when the recording ran already, which nothing says …
  case kindSwitchedOn
  /// … or was switched off before its end.
  case kindSwitchedOff
  /// A recording by another program, with all the types.
  case factsAbsent
  /// The clocks of the CPUs disagree a little.
  case clocksApart
  /// Those of some CPUs are ahead of the others by the same all the time, be it little or much.
  case clocksShifted
  /// One clock is faster than the others.
  case clockDrifts
  /// One clock was set back in the middle. The decoder has it stand still until it is where it was.
  case clockStepsBack
  case clockStepsForward
  /// Adds, flushes and the ends of waits come within wider windows than they did.
  case windowsWidened
  /// Tasks have other names and numbers.
  case tasksRenamed
  /// Other events occur as well.
  case othersRecorded
  case hotplugNotRecorded
  case symbolsAbsent
  /// Some CPUs were not recorded, and the file says so.
  case someCPUsRecorded
  /// The same, and the file does not say.
  case someCPUsRecordedUnsaid
}

extension CapturedTrace {
  /// Applies a change at random.
  /// - Returns: what was done, for messages.
  mutating func apply(_ change: HarmlessChange, _ random: inout RepeatableRandom) -> String {
    switch change {
    case .headCutOff:
      let count = random.below(events.count)
      removeEvents { place, _ in place < count }
      return "the first \(count) events cut off"
    case .tailCutOff:
      let count = random.below(events.count)
      removeEvents { place, _ in place >= count }
      return "everything behind the first \(count) events cut off"
    case .eventsLost: return loseEvents(&random)
    case .eventsLostAllOver: return (0..<(2 + random.below(5))).map { _ in loseEvents(&random) }.joined(separator: ", ")
    case .kindNotRecorded, .kindNotRecordedUnsaid: return dropKinds(said: change == .kindNotRecorded, &random)
    case .kindSwitchedOn, .kindSwitchedOff: return switchKinds(on: change == .kindSwitchedOn, &random)
    case .factsAbsent:
      recordedKinds = []
      return "the facts absent"
    case .clocksApart: return shiftAllClocks(&random)
    case .clocksShifted: return shiftSomeClocks(&random)
    case .clockDrifts: return driftClock(&random)
    case .clockStepsBack, .clockStepsForward: return stepClock(back: change == .clockStepsBack, &random)
    case .windowsWidened: return widenWindows(&random)
    case .tasksRenamed: return renameTasks(&random)
    case .othersRecorded: return addOthers(&random)
    case .hotplugNotRecorded:
      let kinds: Set<EventKind> = [.cpuhpEnter, .cpuhpMultiEnter, .cpuhpExit]
      removeEvents { _, event in kinds.contains(event.kind) }
      recordedKinds.subtract(kinds)
      return "hotplug events absent"
    case .symbolsAbsent:
      return "symbols absent"
    case .someCPUsRecorded, .someCPUsRecordedUnsaid:
      let kept = cpus.shuffled(using: &random).prefix(1 + random.below(max(1, cpus.count - 1)))
      removeEvents { _, event in !kept.contains(Int(event.cpu)) }
      // A file that does not say has a region for every CPU all the same: those that were left out are empty.
      if change == .someCPUsRecorded {
        someCPUsUnrecorded = kept.count < cpus.count
        cpus = kept.sorted()
      } else {
        recordedKinds = []
      }
      return "only the CPUs \(kept.sorted())"
    }
  }

  // MARK: Absent events

  private mutating func removeEvents(where matches: (Int, TraceEvent) -> Bool) {
    events = events.enumerated().filter { !matches($0.offset, $0.element) }.map(\.element)
    guard let first = events.first?.nanoseconds, let last = events.last?.nanoseconds else { return }
    // A gap is known from the events beside it. One that began before the first event is still known by its end.
    gaps.removeAll { ($0.beforeNanoseconds ?? .max) < first || ($0.afterNanoseconds ?? first) > last }
    for index in gaps.indices {
      if let after = gaps[index].afterNanoseconds, after < first { gaps[index].afterNanoseconds = nil }
      if let before = gaps[index].beforeNanoseconds, before > last { gaps[index].beforeNanoseconds = nil }
    }
  }

  /// Removes a CPU's events from a random span, and announces the loss.
  private mutating func loseEvents(_ random: inout RepeatableRandom) -> String {
    let present = Set(events.map(\.cpu)).sorted()
    guard let cpu = present.randomElement(using: &random) else { return "nothing to lose" }
    let places = events.indices.filter { events[$0].cpu == cpu }
    // Short losses, at places that matter, as well as long ones.
    let longest = [3, 20, 200, places.count][random.below(4)]
    let first = random.below(places.count)
    let last = min(places.count - 1, first + random.below(longest + 1))
    let after = first == 0 ? nil : events[places[first - 1]].nanoseconds
    let before = last == places.count - 1 ? nil : events[places[last + 1]].nanoseconds
    let lost = Set(places[first...last])
    events = events.enumerated().filter { !lost.contains($0.offset) }.map(\.element)
    gaps.removeAll {
      $0.cpu == cpu && ($0.afterNanoseconds ?? 0) >= (after ?? 0) && ($0.beforeNanoseconds ?? .max) <= (before ?? .max)
    }
    gaps.append(
      TraceGap(
        cpu: cpu, afterNanoseconds: after, beforeNanoseconds: before,
        lostEvents: random.chance(0.5) ? UInt64(lost.count) : nil))
    return "\(lost.count) events of CPU \(cpu) lost from \(after ?? 0) to \(before ?? .max)"
  }

  /// One type of event, or entry and exit of one sort.
  private func randomKinds(_ random: inout RepeatableRandom) -> Set<EventKind> {
    let pairs: [Set<EventKind>] = [
      [.csdFunctionEntry, .csdFunctionExit], [.callFunctionEntry, .callFunctionExit],
      [.callFunctionSingleEntry, .callFunctionSingleExit], [.ipiSendCPU, .ipiSendCPUMask],
      [.callFunctionEntry, .callFunctionExit, .callFunctionSingleEntry, .callFunctionSingleExit],
    ]
    if random.chance(0.5) { return pairs[random.below(pairs.count)] }
    let present = Set(events.map(\.kind)).sorted { $0.rawValue < $1.rawValue }
    return present.randomElement(using: &random).map { [$0] } ?? []
  }

  private mutating func dropKinds(said: Bool, _ random: inout RepeatableRandom) -> String {
    let kinds = randomKinds(&random)
    removeEvents { _, event in kinds.contains(event.kind) }
    if said { recordedKinds.subtract(kinds) } else { recordedKinds = [] }
    return "without \(kinds.map(\.name).sorted())"
  }

  private mutating func switchKinds(on: Bool, _ random: inout RepeatableRandom) -> String {
    let kinds = randomKinds(&random)
    let place = random.below(events.count)
    let time = events[place].nanoseconds
    removeEvents { kinds.contains($1.kind) && (on ? $0 < place : $0 >= place) }
    return "\(kinds.map(\.name).sorted()) switched \(on ? "on" : "off") at \(time)"
  }
}
