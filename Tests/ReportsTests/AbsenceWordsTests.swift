import Testing
import TraceTypes
import Verdicts

@testable import Reports

@Suite("What can't be in a trace")
struct AbsenceWordsTests {
  static let x86: Set<EventKind> = [
    .callFunctionSingleEntry, .callFunctionSingleExit, .callFunctionEntry, .callFunctionExit, .rescheduleEntry,
    .rescheduleExit,
  ]
  static let arm: Set<EventKind> = [.ipiRaise, .ipiEntry, .ipiExit]
  static let callbacks: Set<EventKind> = [.csdFunctionEntry, .csdFunctionExit]
  static let sends: Set<EventKind> = [.ipiSendCPU, .ipiSendCPUMask]

  struct Case: Sendable {
    var readable: Set<EventKind>
    var expected: [String]
  }

  static let cases: [Case] = {
    let queue: Set<EventKind> = [.csdQueueCPU]
    let rest = callbacks.union(sends)
    let all = queue.union(rest)
    return [
      Case(readable: all.union(x86), expected: []),
      Case(readable: all.union(arm), expected: []),
      Case(readable: rest.union(x86), expected: ["callsNotRecorded"]),
      Case(readable: x86, expected: ["callsNotRecorded", "callbacksNotRecorded", "sendsNotRecorded"]),
      Case(readable: queue.union(callbacks), expected: ["sendsNotRecorded", "handlersNotRecorded"]),
      Case(readable: all.union(arm).subtracting([.csdFunctionExit]), expected: ["callbacksNotRecorded"]),
      Case(
        readable: [],
        expected: ["callsNotRecorded", "callbacksNotRecorded", "sendsNotRecorded", "handlersNotRecorded"]),
    ]
  }()

  @Test("each open question has a counter", arguments: cases)
  func questions(_ example: Case) {
    let items = HealthWords.unanswered(readable: example.readable)
    #expect(items.map(\.name) == example.expected)
    #expect(items.allSatisfy { $0.count > 0 && $0.severity == .dataLoss && $0.remedy.hasSuffix(".") })
  }

  @Test("and what is left is said")
  func leftOver() {
    func left(_ readable: Set<EventKind>) -> String {
      HealthWords.unanswered(readable: readable).first?.remedy.split(separator: ". ").last.map(String.init) ?? ""
    }
    let both = Self.callbacks.union(Self.arm)
    #expect(left(both) == "What interrupted each CPU, by callback, is listed under Interference.")
    #expect(left(Self.x86) == "How often and for how long each CPU was interrupted is listed under Interference.")
    #expect(left(Self.callbacks) == "Which callbacks ran on each CPU is listed under Interference.")
    #expect(left([]) == "Nothing of what interrupts CPUs is left.")
  }

  @Test("what is not known is not 0")
  func unknown() {
    var cpu = Interference(
      cpu: 1, selectedAs: .all, handlers: 3, handlerNanoseconds: 2_000, callbacks: 0, callbackNanoseconds: 0,
      reschedules: 1, sources: [])
    #expect(Words.interruptions(cpu) == "3 handlers (2.00 µs), 0 callbacks (0 ns), 1 reschedule")
    cpu.callbacks = nil
    cpu.callbackNanoseconds = nil
    #expect(Words.interruptions(cpu) == "3 handlers (2.00 µs), callbacks not recorded, 1 reschedule")
    cpu.handlers = nil
    cpu.handlerNanoseconds = nil
    cpu.reschedules = nil
    #expect(Words.interruptions(cpu) == "handlers not recorded, callbacks not recorded, reschedules not recorded")
  }
}
