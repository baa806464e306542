extension PendingQueue2014 {
  static let description = EngineDescription(
    name: "queue-2014",
    sentence: "Requests that are not queued while one is pending, on top of llist-2014 as of 3.15.",
    source: "mail of 2 April 2014, \"smp: Non busy-waiting IPI queue\"; never merged",
    groups: [
      EngineDescription.Group(
        name: "form",
        choices: [
          EngineDescription.Choice(name: "mail", sentence: "As mailed, but for what else is chosen."),
          EngineDescription.Choice(
            name: "repaired",
            sentence: "unlock-first, one-word, check-first and dying: the smallest change that keeps every promise."),
        ]),
      EngineDescription.Group(
        name: "swap",
        choices: [
          EngineDescription.Choice(
            name: "swap-first", sentence: "The target swaps pending for 0 before it calls the function."),
          EngineDescription.Choice(name: "swap-after", sentence: "It does so behind the function."),
        ]),
      EngineDescription.Group(
        name: "unlock",
        choices: [
          EngineDescription.Choice(name: "unlock-after", sentence: "The flush unlocks a csd behind its function."),
          EngineDescription.Choice(
            name: "unlock-first", sentence: "It unlocks one that nobody waits for before its function, as since 4.1."),
        ]),
      EngineDescription.Group(
        name: "words",
        choices: [
          EngineDescription.Choice(name: "two-words", sentence: "The function stands beside the pending flag."),
          EngineDescription.Choice(
            name: "one-word", sentence: "The function is the pending flag; while one is pending another is refused."),
        ]),
      EngineDescription.Group(
        name: "check",
        choices: [
          EngineDescription.Choice(
            name: "check-late", sentence: "An offline target is noticed with the request pending, which is then reset."),
          EngineDescription.Choice(
            name: "check-first", sentence: "It is noticed before, and preemption is off from there on."),
        ]),
      EngineDescription.Group(
        name: "flush",
        choices: [
          EngineDescription.Choice(
            name: "none", sentence: "A CPU that goes offline leaves its queue as it is, as in 3.15."),
          EngineDescription.Choice(name: "dying", sentence: "It flushes its queue in the dying stage, as in 3.16."),
        ]),
    ],
    make: { chosen in
      guard let swap = Swap(rawValue: chosen[1]), let unlock = Unlock(rawValue: chosen[2]),
        let words = Words(rawValue: chosen[3]), let check = Check(rawValue: chosen[4]),
        let flush = LockLess2014.Flush(rawValue: chosen[5])
      else { return nil }
      if chosen[0] == "repaired" {
        return .pendingQueue2014(
          PendingQueue2014(swap: swap, unlock: .first, words: .one, check: .first, flush: .dying))
      }
      return .pendingQueue2014(
        PendingQueue2014(swap: swap, unlock: unlock, words: words, check: check, flush: flush))
    })
}
