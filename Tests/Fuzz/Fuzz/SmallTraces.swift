import Drivers
import TestSupport
import TraceTypes
import Verdicts

/// Traces of a few hundred bytes, for targets that need one beside what is fuzzed, and for seeds.
enum SmallTraces {
  /// The events of a drawn history, as a file of version 6.
  static func builder(history: String) throws -> TraceFileBuilder {
    let script = try TraceScript(try Fixtures.text("histories/" + history))
    var events = script.events
    var words = script.maskWords
    if words.isEmpty { words = [0] }
    for index in events.indices {
      events[index].nanoseconds += 1_000_000
      // Where a real csd lies there are pointers in it.
      events[index].csd &= ~7
    }
    var builder = TraceFileBuilder(events: events, maskWords: words, version: 6, pageSize: 1024)
    builder.kallsyms = kallsyms
    return builder
  }

  /// The names that a history's addresses stand for.
  static let kallsyms = [
    ScriptNames.crossCall, "sched_ttwu_pending", "generic_exec_single", "some_caller_of_many", "ttwu_queue_wakelist",
    "irq_work_queue_on", "f", "g", "warm",
  ].map { "\(String(ScriptNames.address(of: $0), radix: 16)) T \($0)\n" }.joined()

  /// A call to several CPUs.
  static let mixed: TraceFileBuilder = {
    do { return try builder(history: "many.conforms.history") } catch { preconditionFailure("\(error)") }
  }()

  static let mixedBytes = mixed.bytes

  static let result: ReplayResult = {
    let file = FuzzedFile()
    file.fill(mixedBytes)
    do { return try Replay(path: file.path, isComplete: true).run(sink: NoCallSink()).0 } catch {
      preconditionFailure("\(error)")
    }
  }()
}
