extension Mainline {
  static let description = EngineDescription(
    name: "mainline",
    sentence: "One lock-less queue per CPU for calls, irq_works and wakeups, and a flush in three passes.",
    source: "kernel/smp.c, kernel/irq_work.c and kernel/sched of 6.12; so since 5.8",
    groups: [
      EngineDescription.Group(
        name: "polling",
        choices: [
          EngineDescription.Choice(
            name: "polling", sentence: "A CPU that idles polling is kicked by NEED_RESCHED, without an IPI."),
          EngineDescription.Choice(name: "no-polling", sentence: "Every kick is an IPI."),
        ]),
      EngineDescription.Group(
        name: "wakeups",
        choices: [
          EngineDescription.Choice(name: "ttwu-queue", sentence: "A wakeup on another CPU is a node on its queue."),
          EngineDescription.Choice(
            name: "no-ttwu-queue",
            sentence: "The waker locks the other CPU's run queue, puts the task there and sends a reschedule IPI."),
        ]),
      EngineDescription.Group(
        name: "masks",
        choices: [
          EngineDescription.Choice(
            name: "mask-several", sentence: "A call to several CPUs kicks one like a call to one, more by a mask IPI."),
          EngineDescription.Choice(
            name: "mask-never", sentence: "It kicks each like a call to one, when it has queued for all."),
          EngineDescription.Choice(
            name: "mask-always", sentence: "It kicks even one by a mask IPI, without a look at who polls."),
        ]),
      EngineDescription.Group(
        name: "deferral",
        choices: [
          EngineDescription.Choice(name: "no-deferral", sentence: "Whoever adds to an empty queue kicks."),
          EngineDescription.Choice(
            name: "deferral",
            sentence: "A call that can be deferred tells a target in user space to look when it enters the kernel."),
          EngineDescription.Choice(
            name: "deferral-naive", sentence: "It does so behind the add, and nobody else looks for the mark."),
          EngineDescription.Choice(
            name: "deferral-late",
            sentence: "It does so behind the add; who cannot be deferred looks for the mark, at times too early."),
        ]),
    ],
    make: { chosen in
      guard let polling = Polling(rawValue: chosen[0]), let wakeups = Wakeups(rawValue: chosen[1]),
        let masks = Masks(rawValue: chosen[2]), let deferral = Deferral(rawValue: chosen[3])
      else { return nil }
      return .mainline(Mainline(polling: polling, wakeups: wakeups, masks: masks, deferral: deferral))
    })
}
