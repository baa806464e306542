public import CallHistories
import TraceTypes

extension PerfettoRenderer {
  /// Appends a call: a point on its CPU's track of calls, from which an arrow leads to each callback that was seen.
  ///
  /// Where a callback seems to begin when it was queued or before, no arrow is drawn: it would point backwards.
  /// - Complexity: O(number of targets).
  public mutating func append(_ call: CompletedCall, targets: Span<QueuedCall>) {
    guard call.began <= Self.latestTime else {
      undrawn += 1
      return
    }
    ensureTracks(of: call.source)
    let event = openEvent(PerfettoField.EventType.instant, at: call.began, track: Self.calls(of: call.source))
    putHead(call)
    putCallbackName(call.function)
    putCallsite(call)
    putTask(call.pid)
    if let movedOn = call.callerMovedOn, movedOn >= call.began {
      put(.callerWentOnAfterNanoseconds, movedOn - call.began)
    }
    if let started = call.localStarted, started >= call.began {
      put(.runsInPlaceAfterNanoseconds, started - call.began)
    }
    if targets.count > 0 { putTargets(targets) }
    for index in targets.indices { putFlow(targets[index]) }
    close(event)
  }

  private mutating func putTargets(_ targets: Span<QueuedCall>) {
    let list = out.open(PerfettoField.Event.annotation)
    out.put(PerfettoField.Annotation.nameID, PerfettoKey.targets.rawValue)
    for index in targets.indices {
      let target = targets[index]
      let element = out.open(PerfettoField.Annotation.element)
      put(.cpu, UInt64(target.target), as: PerfettoField.Annotation.entry)
      putState(target)
      if let started = target.started, started >= target.queued {
        put(.startsAfterNanoseconds, started - target.queued, as: PerfettoField.Annotation.entry)
      }
      out.close(element)
    }
    out.close(list)
  }

  private mutating func putFlow(_ target: QueuedCall) {
    // What is concluded and was not seen has no callback of its own.
    guard !target.inferred, let started = target.started, started <= Self.latestTime else { return }
    let flow = calledFrom.number(
      cpu: target.target, csd: target.csd, function: target.function, started: started)
    guard started > target.queued else { return }
    out.put(PerfettoField.Event.flow, fixed: flow)
  }

  // MARK: Pieces

  static let headCount = CallKind.allCases.count * 6

  /// What the kind of a call and its waiting say.
  private mutating func putHead(_ call: CompletedCall) {
    let waits = call.waits.map { $0 ? 1 : 2 } ?? 0
    let place = Int(call.kind.rawValue) * 6 + waits * 2 + (call.mayBeSeveral ? 1 : 0)
    if heads.append(place, to: &out.bytes) { return }
    var piece = ProtobufWriter.rendered { $0.put(PerfettoField.Event.category, PerfettoCategory.call.id) }
    piece += rendered(.kind, call.kind.name)
    piece += rendered(.waits, ["unknown", "yes", "no"][waits])
    if call.mayBeSeveral { piece += rendered(.mayBeSeveral, "yes") }
    heads.add(place, piece, to: &out.bytes)
  }

  private static let types = CallType.allCases.count + 1
  private static let reasons = UndecidedReason.allCases.count + 1
  static let stateCount = types * Kick.allCases.count * CallOutcome.allCases.count * reasons * 2

  private mutating func putState(_ target: QueuedCall) {
    var place = target.type.map { Int($0.rawValue) } ?? Self.types - 1
    place = place * Kick.allCases.count + Int(target.kick.rawValue)
    place = place * CallOutcome.allCases.count + Int(target.outcome.rawValue)
    place = place * Self.reasons + (target.reason.map { Int($0.rawValue) } ?? Self.reasons - 1)
    place = place * 2 + (target.inferred ? 1 : 0)
    if states.append(place, to: &out.bytes) { return }
    let entry = PerfettoField.Annotation.entry
    let (outcome, reason) = CallLineRenderer.outcome(target)
    var piece = rendered(.type, target.type?.name ?? "unknown", as: entry)
    piece += rendered(.kick, target.kick.name, as: entry)
    piece += rendered(.outcome, outcome, as: entry)
    if let reason { piece += rendered(.reason, reason, as: entry) }
    states.add(place, piece, to: &out.bytes)
  }

  private mutating func putCallsite(_ call: CompletedCall) {
    // A call that only ran in place has none.
    if call.kind == .local { return }
    if callsites.append(call.callsite, to: &out.bytes) { return }
    let piece = rendered(.callsite, call.callsite == 0 ? "unknown" : names.text(call.callsite))
    callsites.add(call.callsite, piece, to: &out.bytes)
  }

  private mutating func putTask(_ pid: Int32) {
    let key = UInt64(UInt32(bitPattern: pid))
    if tasks.append(key, to: &out.bytes) { return }
    var piece = ProtobufWriter.rendered {
      let annotation = $0.open(PerfettoField.Event.annotation)
      $0.put(PerfettoField.Annotation.nameID, PerfettoKey.pid.rawValue)
      $0.put(PerfettoField.Annotation.signed, UInt64(bitPattern: Int64(pid)))
      $0.close(annotation)
    }
    piece += rendered(.task, comm(pid) ?? "unknown")
    tasks.add(key, piece, to: &out.bytes)
  }
}
