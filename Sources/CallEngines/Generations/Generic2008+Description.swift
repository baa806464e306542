extension Generic2008 {
  static let description = EngineDescription(
    name: "generic-2008",
    sentence: "An allocated csd per call, a locked queue per CPU, and one queue that all CPUs share.",
    source: "mail of 30 April 2008, \"Add generic helpers for arch IPI function calls\"; 2.6.26",
    groups: [
      group("fallback", Fallback.self) { fallback in
        switch fallback {
        case .wait: "As merged: who gets no memory waits, with the csd on the stack."
        case .enomem: "Who gets no memory is refused."
        case .globalLock: "Idea 1: one call at a time; the others spin on a lock."
        case .targetMask: "Idea 2: a call whose caller or target is targeted already spins."
        case .targetCounters: "Idea 3: a call whose caller is targeted already spins."
        case .allocatedFree: "Idea 4: as idea 2 or 3, but for calls that get memory."
        case .pollOwnQueue: "Idea 5: who waits runs what waits for it."
        }
      },
      group("record", Record.self) { record in
        switch record {
        case .mask: "Of allocated-free: over idea 2."
        case .counters: "Of allocated-free: over idea 3."
        }
      },
      group("spin", Spin.self) { spin in
        switch spin {
        case .interruptsOn: "Of ideas 1 to 4: who may not proceed spins with interrupts on, whatever they were."
        case .interruptsAsFound: "Of ideas 1 to 4: who may not proceed leaves interrupts as they are."
        }
      },
      group("polled", Polled.self) { polled in
        switch polled {
        case .bothQueues: "Of poll-own-queue: what waits on the shared queue is run as well."
        case .ownQueue: "Of poll-own-queue: only the CPU's own queue is run."
        }
      },
      group("quiesced", Quiesced.self) { quiesced in
        switch quiesced {
        case .targets: "As merged: the targets quiesce before the stack of a multi-CPU call goes."
        case .everyone: "All CPUs quiesce before the stack of a multi-CPU call goes."
        }
      },
      group("rcu", GracePeriod.self) { period in
        switch period {
        case .classic: "A grace period waits for walkers, and for every CPU inside a call."
        case .preemptible: "A grace period waits for walkers only."
        }
      },
      group("onlining", Onlining.self) { onlining in
        switch onlining {
        case .locked: "A CPU is marked online under the shared queue's lock."
        case .unlocked: "A CPU is marked online without a lock."
        }
      },
    ],
    make: { chosen in
      guard let fallback = Fallback(rawValue: chosen[0]), let record = Record(rawValue: chosen[1]),
        let spin = Spin(rawValue: chosen[2]), let polled = Polled(rawValue: chosen[3]),
        let quiesced = Quiesced(rawValue: chosen[4]), let gracePeriod = GracePeriod(rawValue: chosen[5]),
        let onlining = Onlining(rawValue: chosen[6])
      else { return nil }
      var engine = Generic2008(fallback: fallback)
      // A choice that would change nothing is a mistake.
      if record != engine.record, fallback != .allocatedFree { return nil }
      if spin != engine.spin, engine.gate == .none { return nil }
      if polled != engine.polled, fallback != .pollOwnQueue { return nil }
      engine.record = record
      engine.spin = spin
      engine.polled = polled
      engine.quiesced = quiesced
      engine.gracePeriod = gracePeriod
      engine.onlining = onlining
      return .generic2008(engine)
    })

  /// The choices of an enumeration, in its order.
  private static func group<Choices: CaseIterable & RawRepresentable<String>>(
    _ name: String, _ choices: Choices.Type, sentence: (Choices) -> String
  ) -> EngineDescription.Group {
    EngineDescription.Group(
      name: name,
      choices: choices.allCases.map { EngineDescription.Choice(name: $0.rawValue, sentence: sentence($0)) })
  }
}
