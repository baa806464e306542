import TestSupport
import TraceDecoding
import TraceTypes

/// What leaves every CPU's own order as it is.
extension CapturedTrace {
  /// Moves events to other times, each between its CPU's neighbouring events, so that those of different CPUs change places.
  ///
  /// The moments that no event shows stay where they were: the add, the taking of a queue, the end of a wait. So an event may
  /// move only away from the moment that it bounds, and what explained the trace explains it still. A queue event may move to an
  /// earlier time and a kick to a later one, because the add lies between them; a handler may begin earlier and a callback
  /// later, because the taking lies between these; and a callback may end earlier, because only then its caller goes on.
  ///
  /// A csd is locked before its queue event: that stays behind the callback before, and a callback before the next queue event.
  /// What shows that a caller has gone on, or that a flush is over which shows nothing itself, stays where it is.
  mutating func widenWindows(_ random: inout RepeatableRandom) -> String {
    var moved = 0
    var watch = ContextWatch()
    var neighbours: [UInt16: Int] = [:]
    var earlier: [(place: Int, previous: Int)] = []
    let share = [0.05, 0.3, 1][random.below(3)]
    let original = events.map(\.nanoseconds)
    let uses = usesOfCSDs()
    // One callback stands for all wakeups of a flush: it comes before the next use of each.
    let wakeups = symbols.addresses(ofSymbol: "sched_ttwu_pending")
    for place in events.indices {
      let event = events[place]
      let closes = watch.take(event)
      let previous = neighbours.updateValue(place, forKey: event.cpu)
      guard let previous else { continue }
      // The idle task and the stopper flush unseen.
      let isShown = event.pid > 0 && !watch.stoppers.contains(event.pid)
      switch event.kind {
      case .csdQueueCPU:
        // Only where the last use of the csd showed its end, or none is known.
        let last = uses.before[place].map { events[$0].kind } ?? .csdFunctionExit
        if isShown, !closes, last == .csdFunctionExit { earlier.append((place, previous)) }
      case .callFunctionEntry, .callFunctionSingleEntry, .csdFunctionExit:
        if isShown, !closes { earlier.append((place, previous)) }
      default: break
      }
      // What comes before this one may move to a later time, up to this one's.
      guard random.chance(share) else { continue }
      switch events[previous].kind {
      case .ipiSendCPU, .ipiSendCPUMask, .schedWakeIdleWithoutIPI:
        if event.kind == .csdFunctionEntry { continue }
      case .csdFunctionEntry: if events[previous].csd == 0 || wakeups.contains(events[previous].function) { continue }
      default: continue
      }
      let latest = min(original[place], uses.after[previous].map { original[$0] } ?? .max)
      guard latest >= original[previous] else { continue }
      events[previous].nanoseconds = UInt64.random(in: original[previous]...latest, using: &random)
      moved += 1
    }
    for (place, previous) in earlier where random.chance(share) {
      // A new order within a CPU would be another trace.
      let end = events[place].kind == .csdQueueCPU ? uses.before[place].map { original[$0] } ?? 0 : 0
      let lowest = min(max(events[previous].nanoseconds, end), original[place])
      events[place].nanoseconds = UInt64.random(in: lowest...original[place], using: &random)
      moved += 1
    }
    restoreOrder()
    return "\(moved) events moved within their windows"
  }

  /// For each event with a csd the one before and the one behind it that has the same, on whatever CPU.
  private func usesOfCSDs() -> (before: [Int?], after: [Int?]) {
    var latest: [UInt64: Int] = [:]
    var (before, after) = ([Int?](repeating: nil, count: events.count), [Int?](repeating: nil, count: events.count))
    for place in events.indices {
      switch events[place].kind {
      case .csdQueueCPU, .csdFunctionEntry, .csdFunctionExit:
        guard events[place].csd != 0, let last = latest.updateValue(place, forKey: events[place].csd) else { continue }
        before[place] = last
        after[last] = place
      default: break
      }
    }
    return (before, after)
  }

  /// Gives tasks other numbers, and other names. The idle tasks keep theirs.
  mutating func renameTasks(_ random: inout RepeatableRandom) -> String {
    var pids: Set<Int32> = []
    for event in events {
      pids.insert(event.pid)
      if event.kind == .schedSwitch { pids.formUnion([event.target, event.detail]) }
    }
    let old = pids.filter { $0 > 0 }.sorted()
    let renumbers = random.chance(0.7)
    let new = renumbers ? old.shuffled(using: &random) : old
    let numbers = Dictionary(uniqueKeysWithValues: zip(old, new))
    let key = random.next()
    for index in events.indices {
      events[index].pid = numbers[events[index].pid] ?? events[index].pid
      guard events[index].kind == .schedSwitch else { continue }
      events[index].target = numbers[events[index].target] ?? events[index].target
      events[index].detail = numbers[events[index].detail] ?? events[index].detail
      if events[index].target > 0 {
        events[index].csd = key &* UInt64(events[index].target)
        events[index].function = 0
      }
    }
    return "tasks renamed\(renumbers ? " and renumbered" : "")"
  }

  /// Adds events of a type that is not read, before ones that show all that these show.
  mutating func addOthers(_ random: inout RepeatableRandom) -> String {
    var result: [TraceEvent] = []
    let share = [0.05, 0.5, 1][random.below(3)]
    for event in events {
      let isHarmless = event.kind == .schedSwitch || event.kind == .cpuIdle || event.kind == .other
      if isHarmless, random.chance(share) {
        let other = TraceEvent(
          nanoseconds: event.nanoseconds, cpu: event.cpu, kind: .other, flags: event.flags, pid: event.pid)
        result += Array(repeating: other, count: 1 + random.below(3))
      }
      result.append(event)
    }
    let count = result.count - events.count
    events = result
    return "\(count) events of another type added"
  }
}

/// Follows what the events of each CPU say of the contexts that it is in.
struct ContextWatch {
  /// By CPU: bit i is set while a call of context level i may not be over.
  private var calling: [UInt16: UInt8] = [:]
  /// The threads that stop a CPU, as far as they have been switched to.
  private(set) var stoppers: Set<Int32> = []

  /// - Returns: whether the event may be what shows that a call is over.
  mutating func take(_ event: TraceEvent) -> Bool {
    // "migratio"
    if event.kind == .schedSwitch, event.csd == 0x6f69_7461_7267_696d { stoppers.insert(event.target) }
    let levels: UInt8 = 0xff << event.flags.level.rawValue
    let open = calling[event.cpu] ?? 0
    let closes = open & levels != 0
    calling[event.cpu] = open & ~levels
    switch event.kind {
    case .csdQueueCPU, .ipiSendCPU, .ipiSendCPUMask, .schedWakeIdleWithoutIPI:
      calling[event.cpu, default: 0] |= 1 << event.flags.level.rawValue
    case .csdFunctionEntry, .csdFunctionExit:
      if event.csd == 0 { calling[event.cpu, default: 0] |= 1 << event.flags.level.rawValue }
    default: break
    }
    return closes
  }

  /// Whether a CPU may be within a call.
  func isCalling(_ cpu: UInt16) -> Bool { calling[cpu] ?? 0 != 0 }
}
