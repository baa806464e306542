public import Verdicts

extension PerfettoRenderer {
  /// Appends the verdict, a point at the start of the trace, and each divergence, at its time. Nothing follows.
  public mutating func finish(_ result: ReplayResult) {
    let verdict = result.verdict
    let divergences = verdict.divergences.filter { $0.timeNanoseconds <= Self.latestTime }
    undrawn += UInt64(verdict.divergences.count - divergences.count)
    putVerdict(result)
    for divergence in divergences { put(divergence) }
  }

  private mutating func putVerdict(_ result: ReplayResult) {
    let verdict = result.verdict
    let trace = result.trace
    let start = min(trace.startNanoseconds ?? 0, Self.latestTime)
    let event = openFinding("verdict: \(verdict.result.rawValue)", at: start)
    put(.engine, sentence: verdict.engine)
    put(.judged, verdict.judged)
    put(.undecided, verdict.undecided)
    put(.findings, verdict.divergenceCount)
    put(.lostEvents, trace.events.lost)
    put(.kernel, sentence: trace.kernel ?? "unknown")
    put(.clock, sentence: trace.clock ?? "unknown")
    put(.unit, sentence: Self.sentence(onClock: trace.clock))
    put(.notDrawn, undrawn)
    close(event)
  }

  private mutating func put(_ divergence: Divergence) {
    let event = openFinding(divergence.rule, at: divergence.timeNanoseconds)
    putList(.cpus, divergence.cpus) { $0.out.put(PerfettoField.Annotation.unsigned, UInt64(clamping: $1)) }
    put(.callback, sentence: divergence.callback ?? "none")
    put(.expected, sentence: divergence.expected)
    put(.explanation, sentence: divergence.explanation)
    putList(.events, divergence.events) {
      let entry = PerfettoField.Annotation.entry
      $0.put(.cpu, UInt64(clamping: $1.cpu), as: entry)
      $0.put(.timeNanoseconds, $1.timeNanoseconds, as: entry)
      $0.put(.type, sentence: $1.type, as: entry)
    }
    close(event)
  }

  private mutating func openFinding(_ name: String, at time: UInt64) -> OpenEvent {
    let event = openEvent(PerfettoField.EventType.instant, at: time, track: Self.findingsTrack)
    out.put(PerfettoField.Event.category, PerfettoCategory.finding.id)
    out.put(rendered: renderedName(name))
    return event
  }

  private mutating func putList<Element>(
    _ key: PerfettoKey, _ elements: [Element], put: (inout PerfettoRenderer, Element) -> Void
  ) {
    let list = out.open(PerfettoField.Event.annotation)
    out.put(PerfettoField.Annotation.nameID, key.rawValue)
    for element in elements {
      let place = out.open(PerfettoField.Annotation.element)
      put(&self, element)
      out.close(place)
    }
    out.close(list)
  }
}
