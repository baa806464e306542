extension LockLess2014 {
  static let description = EngineDescription(
    name: "llist-2014",
    sentence: "A lock-less queue per CPU, and a flush of it when the CPU goes offline.",
    source:
      "mail of 23 May 2014, \"CPU hotplug, smp: Flush any pending IPI callbacks before CPU offline\"; 3.15 and 3.16",
    groups: [
      EngineDescription.Group(
        name: "flush",
        choices: [
          EngineDescription.Choice(
            name: "dying", sentence: "A CPU that goes offline flushes its queue in the dying stage."),
          EngineDescription.Choice(name: "none", sentence: "What waits for a late IPI stays on the queue."),
        ]),
      EngineDescription.Group(
        name: "form",
        choices: [
          EngineDescription.Choice(name: "merged", sentence: "As in 3.16: one flush, with a flag for the warning."),
          EngineDescription.Choice(
            name: "mail", sentence: "As mailed: the handler takes the queue to print it, and then flushes."),
          EngineDescription.Choice(name: "before", sentence: "As in 3.15, before the mail."),
          EngineDescription.Choice(
            name: "since-5.8", sentence: "As merged, but the warning asks whether anything was taken."),
        ]),
      EngineDescription.Group(
        name: "stop",
        choices: [
          EngineDescription.Choice(
            name: "one-stage", sentence: "stop_machine() lets all CPUs turn interrupts off in any order, as in 3.15."),
          EngineDescription.Choice(
            name: "two-stages",
            sentence: "The CPU that goes turns interrupts off last: another patch, which the mail builds on."),
        ]),
    ],
    make: { chosen in
      guard let flush = Flush(rawValue: chosen[0]), let form = Form(rawValue: chosen[1]),
        let stop = Stop(rawValue: chosen[2])
      else { return nil }
      return .lockLess2014(LockLess2014(flush: flush, form: form, stop: stop))
    })
}
