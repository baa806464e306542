import CallEngines
import CallHistories
import Drivers
import TestSupport
import TraceTypes
import Verdicts

/// Keeps every complete call.
struct KeepingSink: CompletedCallSink {
  struct Kept {
    var call: CompletedCall
    var targets: [QueuedCall]
  }

  var calls: [Kept] = []

  mutating func write(_ call: CompletedCall, targets: Span<QueuedCall>) {
    var copy: [QueuedCall] = []
    for index in targets.indices { copy.append(targets[index]) }
    calls.append(Kept(call: call, targets: copy))
  }
}

/// The kinds that a full recording switches on.
let allKinds = Set(EventKind.allCases)

struct Replayed {
  var verdict: Verdict
  var rules: [Rule]
  var calls: [KeepingSink.Kept]

  init(_ script: TraceScript, recorded: Set<EventKind> = allKinds, names: ScriptNames = ScriptNames()) {
    var settings = HistorySettings()
    settings.cpus = script.cpus
    settings.recordedKinds = recorded
    let analysis = ReplayAnalysis(watched: [:], recordedKinds: recorded, sink: KeepingSink())
    var builder = HistoryBuilder(settings: settings, names: names, consumer: analysis)
    script.feed(&builder)
    builder.finish()
    var found: [Rule] = []
    // Hand-written times are as exact as they are short.
    verdict = analysis.verdict(of: builder, clockIsShared: true, lossWindows: []) { divergence in
      found.append(divergence.rule)
      return Divergence(
        rule: divergence.rule.rawValue, timeNanoseconds: divergence.time, cpus: divergence.cpus.map { Int($0) },
        callback: nil,
        events: divergence.events.map {
          Divergence.Event(cpu: Int($0.cpu), timeNanoseconds: $0.nanoseconds, type: $0.kind.qualifiedName)
        }, expected: "", explanation: "")
    }
    rules = found
    calls = analysis.sink.calls
  }
}
