import TestSupport
import TraceDecoding
import TraceTypes

/// An event as a value that can be compared; a mask takes the place of the numbers that point to it.
struct SeenEvent: Equatable {
  var nanoseconds: UInt64
  var cpu: UInt16
  var kind: EventKind
  var flags: UInt8
  var pid: Int32
  var words: [UInt64]
  var numbers: [Int32]
  var mask: [UInt64]

  init(_ event: TraceEvent, mask: [UInt64] = []) {
    let hasMask = event.kind == .ipiSendCPUMask || event.kind == .ipiRaise
    nanoseconds = event.nanoseconds
    cpu = event.cpu
    kind = event.kind
    flags = event.flags.rawValue
    pid = event.pid
    words = [event.csd, event.function, event.callsite]
    numbers = hasMask ? [] : [event.target, event.detail]
    self.mask = mask
  }

  static func all(_ collector: EventCollector) -> [SeenEvent] {
    collector.events.enumerated().map { SeenEvent($1, mask: collector.masks[$0] ?? []) }
  }
}

/// Events with random fields, of all kinds, each CPU's in the order of time.
struct RandomEvents {
  var events: [TraceEvent] = []
  var maskWords: [UInt64] = []

  init(count: Int, cpus: [UInt16], using random: inout RepeatableRandom) {
    var times = cpus.map { _ in UInt64(1_000_000) }
    for _ in 0..<count {
      let index = random.below(cpus.count)
      // Mostly small steps, often none, now and then one that needs a time extension.
      switch random.below(20) {
      case 0: times[index] += random.next() >> 34
      case 1..<6: break
      default: times[index] += UInt64(random.below(2000))
      }
      var event = TraceEvent(
        nanoseconds: times[index], cpu: cpus[index], kind: EventKind.allCases[random.below(EventKind.allCases.count)],
        flags: ContextFlags(rawValue: UInt8(truncatingIfNeeded: random.next())),
        pid: Int32(truncatingIfNeeded: random.next()))
      fill(&event, &random)
      events.append(event)
    }
  }

  private mutating func fill(_ event: inout TraceEvent, _ random: inout RepeatableRandom) {
    func number() -> Int32 { Int32(truncatingIfNeeded: random.next()) }
    func signedWord() -> UInt64 { UInt64(bitPattern: Int64(number())) }
    switch event.kind {
    case .csdQueueCPU:
      (event.csd, event.function, event.callsite) = (random.next(), random.next(), random.next())
      event.target = number()
    case .csdFunctionEntry, .csdFunctionExit: (event.csd, event.function) = (random.next(), random.next())
    case .ipiSendCPU: (event.function, event.callsite, event.target) = (random.next(), random.next(), number())
    case .ipiSendCPUMask, .ipiRaise:
      if event.kind == .ipiSendCPUMask { (event.function, event.callsite) = (random.next(), random.next()) }
      event.target = Int32(maskWords.count)
      event.detail = Int32(random.below(9))
      for _ in 0..<event.detail { maskWords.append(random.next()) }
    case .schedWakeIdleWithoutIPI: event.target = number()
    case .schedSwitch:
      (event.csd, event.function, event.target, event.detail) = (random.next(), random.next(), number(), number())
    case .cpuIdle: (event.target, event.detail) = (number(), number())
    case .cpuhpEnter, .cpuhpMultiEnter:
      (event.function, event.target, event.detail, event.callsite) = (random.next(), number(), number(), signedWord())
    case .cpuhpExit:
      (event.function, event.target, event.detail, event.callsite) = (signedWord(), number(), number(), signedWord())
    case .ipiEntry, .ipiExit, .callFunctionSingleEntry, .callFunctionSingleExit, .callFunctionEntry, .callFunctionExit,
      .rescheduleEntry, .rescheduleExit, .irqWorkEntry, .irqWorkExit, .other:
      break
    }
  }

  /// In the merged order, found in another way than by merging.
  var merged: [SeenEvent] {
    events.enumerated()
      .sorted {
        ($0.element.nanoseconds, $0.element.cpu, $0.offset) < ($1.element.nanoseconds, $1.element.cpu, $1.offset)
      }
      .map { _, event in
        let hasMask = event.kind == .ipiSendCPUMask || event.kind == .ipiRaise
        return SeenEvent(
          event, mask: hasMask ? Array(maskWords[Int(event.target)..<Int(event.target + event.detail)]) : [])
      }
  }
}
