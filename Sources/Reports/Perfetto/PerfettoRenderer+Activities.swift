public import CallHistories
public import TraceTypes

extension PerfettoRenderer {
  /// Appends a piece of what a CPU did: a begin or end of a slice, or a point where the other one was not seen.
  public mutating func append(_ piece: CPUActivity) {
    guard piece.nanoseconds <= Self.latestTime else { return leaveOut(piece) }
    ensureTracks(of: piece.cpu)
    let track = Self.doings(of: piece.cpu)
    switch piece.step {
    case .ended:
      close(openEvent(PerfettoField.EventType.sliceEnd, at: piece.nanoseconds, track: track))
      return
    case .began: putBegin(piece, openEvent(PerfettoField.EventType.sliceBegin, at: piece.nanoseconds, track: track))
    case .beganOnly, .endedOnly:
      putBegin(piece, openEvent(PerfettoField.EventType.instant, at: piece.nanoseconds, track: track))
    }
  }

  private mutating func putBegin(_ piece: CPUActivity, _ event: OpenEvent) {
    let isCallback = piece.kind == .csdFunctionEntry || piece.kind == .csdFunctionExit
    let category = isCallback ? PerfettoCategory.callback : .handler
    out.put(PerfettoField.Event.category, category.id)
    if isCallback { putCallbackName(piece.function) } else { putHandlerName(piece.kind) }
    if isCallback, piece.step != .endedOnly, !piece.isQueued { putOrigin(runsInPlace: piece.csd == 0) }
    switch piece.step {
    case .beganOnly: out.put(rendered: rendered(.end, "not seen: \(piece.unseenEnd?.name ?? "unknown")"))
    case .endedOnly: out.put(rendered: rendered(.begin, "not seen"))
    case .began, .ended: break
    }
    if piece.isQueued {
      let flow = ranOn.number(
        cpu: piece.cpu, csd: piece.csd, function: piece.function, started: piece.nanoseconds)
      out.put(PerfettoField.Event.terminatingFlow, fixed: flow)
    }
    close(event)
  }

  /// Beyond the latest time that can be drawn all that begins and ends is left out, and what is open there ends with it.
  private mutating func leaveOut(_ piece: CPUActivity) {
    let cpu = Int(piece.cpu)
    switch piece.step {
    case .began: undrawnDepth[cpu, default: 0] += 1
    case .ended where undrawnDepth[cpu, default: 0] > 0: undrawnDepth[cpu, default: 0] -= 1
    case .ended:
      let event = openEvent(
        PerfettoField.EventType.sliceEnd, at: Self.latestTime, track: Self.doings(of: piece.cpu))
      out.put(rendered: rendered(.end, "later than can be drawn"))
      close(event)
    case .beganOnly, .endedOnly: break
    }
    undrawn += 1
  }

  private mutating func putHandlerName(_ kind: EventKind) {
    if handlerNames.append(Int(kind.rawValue), to: &out.bytes) { return }
    let piece = renderedName(Self.name(of: kind))
    handlerNames.add(Int(kind.rawValue), piece, to: &out.bytes)
  }

  /// Where a callback comes from that no call of the trace leads to.
  private mutating func putOrigin(runsInPlace: Bool) {
    let place = runsInPlace ? 1 : 0
    if origins.append(place, to: &out.bytes) { return }
    let piece = rendered(.queued, runsInPlace ? "no: it runs in place" : "not in this trace")
    origins.add(place, piece, to: &out.bytes)
  }

  /// The kernel's name of a handler.
  private static func name(of kind: EventKind) -> String {
    switch kind {
    case .callFunctionSingleEntry, .callFunctionSingleExit: "call_function_single"
    case .callFunctionEntry, .callFunctionExit: "call_function"
    case .rescheduleEntry, .rescheduleExit: "reschedule"
    case .irqWorkEntry, .irqWorkExit: "irq_work"
    default: kind.name
    }
  }

  /// Appends a stretch in which a CPU's events were lost: a slice, or a point where the trace does not tell both ends.
  public mutating func append(_ gap: TraceGap) {
    var ends = [gap.afterNanoseconds, gap.beforeNanoseconds]
    for index in ends.indices { if let time = ends[index], time > Self.latestTime { ends[index] = nil } }
    guard let time = ends[0] ?? ends[1] else {
      undrawn += 1
      return
    }
    ensureTracks(of: gap.cpu)
    let track = Self.doings(of: gap.cpu)
    let end = ends[0] == nil ? nil : ends[1].map { max($0, time) }
    let type = end == nil ? PerfettoField.EventType.instant : PerfettoField.EventType.sliceBegin
    let event = openEvent(type, at: time, track: track)
    out.put(PerfettoField.Event.category, PerfettoCategory.lost.id)
    out.put(rendered: renderedName("events lost"))
    if let lost = gap.lostEvents { put(.lostEvents, lost) } else { out.put(rendered: rendered(.lostEvents, "unknown")) }
    if ends[0] == nil { out.put(rendered: rendered(.begin, "not known")) }
    if ends[1] == nil { out.put(rendered: rendered(.end, "not known")) }
    close(event)
    if let end { close(openEvent(PerfettoField.EventType.sliceEnd, at: end, track: track)) }
  }
}
