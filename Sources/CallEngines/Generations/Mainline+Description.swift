extension Mainline {
  static let description = EngineDescription(
    name: "mainline",
    sentence: "One lock-less queue per CPU for calls, irq_works and wakeups, and a flush in three passes.",
    source: "kernel/smp.c, kernel/irq_work.c and kernel/sched of 6.12; so since 5.8",
    groups: [],
    make: { _ in .mainline(Mainline()) })
}
