import TestSupport
import TraceTypes

/// Clocks that each CPU keeps for itself.
extension CapturedTrace {
  /// Every CPU is late by up to 50 ns: less than a message from one to another takes.
  mutating func shiftAllClocks(_ random: inout RepeatableRandom) -> String {
    var text = ""
    var shifts: [UInt16: UInt64] = [:]
    for cpu in cpus {
      shifts[UInt16(cpu)] = UInt64(random.below(51))
      text += "CPU \(cpu) \(shifts[UInt16(cpu)] ?? 0) ns, "
    }
    retime { cpu, time in time + (shifts[cpu] ?? 0) }
    return text + "late"
  }

  mutating func shiftSomeClocks(_ random: inout RepeatableRandom) -> String {
    let shifts: [UInt64] = [100, 1_000, 3_000, 10_000, 100_000, 1_000_000, 50_000_000, 2_000_000_000]
    let shift = shifts[random.below(shifts.count)]
    // As seen from those that stay, the others are ahead; as seen from those, they are behind.
    let ahead = Set(cpus.shuffled(using: &random).prefix(1 + random.below(max(1, cpus.count - 1))).map(UInt16.init))
    retime { cpu, time in ahead.contains(cpu) ? time + shift : time }
    return "the clocks of the CPUs \(ahead.sorted()) ahead by \(shift) ns"
  }

  mutating func driftClock(_ random: inout RepeatableRandom) -> String {
    let cpu = UInt16(cpus[random.below(cpus.count)])
    let start = events.first?.nanoseconds ?? 0
    let perMillion = [1, 10, 100, 1_000, 100_000][random.below(5)]
    retime { $0 == cpu ? $1 + ($1 - min($1, start)) / 1_000_000 * UInt64(perMillion) : $1 }
    return "the clock of CPU \(cpu) faster by \(perMillion) in a million"
  }

  mutating func stepClock(back: Bool, _ random: inout RepeatableRandom) -> String {
    let place = random.below(events.count)
    let (cpu, from) = (events[place].cpu, events[place].nanoseconds)
    let steps: [UInt64] = [10_000, 100_000, 1_000_000, 10_000_000, 1_000_000_000]
    let step = steps[random.below(steps.count)]
    // What comes before the event at the same time was before the step as well.
    retime { other, time in
      if other != cpu || time < from { return time }
      return back ? time - min(time, step) : time + step
    }
    return "the clock of CPU \(cpu) \(back ? "back" : "forward") by \(step) ns at \(from)"
  }

  /// Gives every event, and the gaps between them, another time. Within a CPU none goes back, as the decoder has it.
  private mutating func retime(_ change: (UInt16, UInt64) -> UInt64) {
    var latest: [UInt16: UInt64] = [:]
    // From a CPU's old times to its new ones.
    var changed: [UInt16: [UInt64: UInt64]] = [:]
    for index in events.indices {
      let (cpu, old) = (events[index].cpu, events[index].nanoseconds)
      let wanted = change(cpu, old)
      let new = max(latest[cpu] ?? 0, wanted)
      if wanted < new { timesWentBack = true }
      latest[cpu] = new
      changed[cpu, default: [:]][old] = new
      events[index].nanoseconds = new
    }
    for index in gaps.indices {
      let times = changed[gaps[index].cpu] ?? [:]
      gaps[index].afterNanoseconds = gaps[index].afterNanoseconds.map { times[$0] ?? $0 }
      gaps[index].beforeNanoseconds = gaps[index].beforeNanoseconds.map { times[$0] ?? $0 }
    }
    restoreOrder()
  }
}
