public import TraceTypes

/// What ends certainty: lost events, hotplug, and the end of the trace.
extension HistoryBuilder {
  // MARK: Lost events

  public mutating func gapBegan(_ gap: TraceGap) {
    let cpu = Int(gap.cpu)
    ensure(cpu: cpu)
    unsettle(cpu: cpu)
    cpus[cpu].seen = true

    // As a source: whatever it was doing, its kick was not seen.
    for level in 0..<4 where slots[cpu * 4 + level].phase != .closed {
      let slot = cpu * 4 + level
      var node = calls[slots[slot].call].firstNode
      while node >= 0 {
        nodes[Int(node)].marks.insert(.sourceGap)
        node = nodes[Int(node)].nextInCall
      }
      close(slot: slot, at: gap.beforeNanoseconds ?? QueuedCall.never, undecidedKick: .unknown)
    }

    // As a target: what was queued may have run unseen.
    abandonFlush(cpu: cpu, reason: .targetGap)
    cpus[cpu].otherHandlerStart = QueuedCall.never
    var node = cpus[cpu].firstPending
    while node >= 0 {
      nodes[Int(node)].marks.insert(.targetGap)
      node = nodes[Int(node)].nextOnTarget
    }
    // A call that is queued while the gap lasts may run in it as well.
    cpus[cpu].gapEnd = max(cpus[cpu].gapEnd, gap.beforeNanoseconds ?? QueuedCall.never)
  }

  // MARK: Hotplug

  mutating func hotplugStepEntered(_ event: TraceEvent) {
    guard event.target >= 0, event.target <= CPUMask.highestCPU else { return }
    let cpu = Int(event.target)
    ensure(cpu: cpu)
    cpus[cpu].hotplugAim = Int64(bitPattern: event.callsite)
    guard cpus[cpu].hotplug != .changing else { return }
    cpus[cpu].hotplug = .changing
    unsettle(cpu: cpu)
    abandonFlushUnlessRunning(cpu: cpu)
    var node = cpus[cpu].firstPending
    while node >= 0 {
      nodes[Int(node)].marks.insert(.hotplug)
      node = nodes[Int(node)].nextOnTarget
    }
  }

  mutating func hotplugStepExited(_ event: TraceEvent) {
    guard event.target >= 0, event.target <= CPUMask.highestCPU else { return }
    let cpu = Int(event.target)
    guard cpu < cpus.count, cpus[cpu].hotplug == .changing else { return }
    let reached = Int64(bitPattern: event.callsite)
    let aim = cpus[cpu].hotplugAim
    guard reached == aim else { return }
    // State 0 is CPUHP_OFFLINE; any other aim that is reached leaves the CPU running.
    cpus[cpu].hotplug = aim == 0 ? .offline : .none
    settled(cpu: cpu, at: event.nanoseconds)
  }

  private mutating func abandonFlushUnlessRunning(cpu: Int) {
    if cpus[cpu].flush < 0 { cpus[cpu].previousFlushKnown = false } else { flushes[Int(cpus[cpu].flush)].reason = .hotplug }
  }

  // MARK: The end

  /// Ends the trace: what is open is closed, with the reason, and every call is handed on.
  public mutating func finish() {
    for slot in slots.indices where slots[slot].phase != .closed {
      close(slot: slot, at: QueuedCall.never, undecidedKick: .unknown)
    }
    for cpu in cpus.indices { abandonFlush(cpu: cpu, reason: .traceEnd) }
    while calls.count > 0 {
      let sequence = calls.head
      calls[sequence].localOpen = false
      calls[sequence].slotOpen = false
      var node = calls[sequence].firstNode
      while node >= 0 {
        let next = nodes[Int(node)].nextInCall
        closeAtEnd(node, pending: .pending, reason: nil)
        node = next
      }
      completeCalls()
    }
  }
}
