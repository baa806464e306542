extension ScenarioLibrary {
  /// What would become of mainline if it were different.
  static let mainlineVariants =
    mainlineKickVariants + mainlineWakeupVariants + mainlineDeferralVariants

  private static let mainlineKickVariants = """
    scenario mainline-no-polling
    claim Without the look at who polls a CPU that idles gets an IPI, and nothing else is different.
    source kernel/smp.c of 6.12, send_call_function_single_ipi()
    cpus 2
    cpu 0: single 1 f wait; wakeup 1 t; many 1 g
    cpu 1: idle
    engine mainline violates noInterrupt holds noWarning,noRefusal
    engine mainline:no-polling violates noInterrupt holds noWarning,noRefusal

    scenario mainline-no-polling-one
    claim The one kick of a CPU that idles is an IPI exactly if nobody looks who polls.
    source kernel/smp.c of 6.12, send_call_function_single_ipi()
    cpus 2
    cpu 0: single 1 f wait
    cpu 1: idle
    engine mainline holds noInterrupt
    engine mainline:no-polling violates noInterrupt
    engine mainline:mask-always holds noInterrupt
    engine mainline:no-ttwu-queue holds noInterrupt

    scenario mainline-no-polling-race
    claim Nothing is lost whenever an IPI comes to a CPU that idles, or is about to.
    source kernel/sched/idle.c of 6.12
    cpus 3
    cpu 0: async 1 a f; single 1 g wait
    cpu 1: irqs-on; idle
    cpu 2: async 1 b f
    engine mainline:no-polling holds noWarning
    engine mainline:no-polling,mask-never holds noWarning

    scenario mainline-mask-never
    claim Kicked one by one, two CPUs that poll need no IPI; with a mask they get one.
    source kernel/smp.c of 6.12, smp_call_function_many_cond()
    cpus 3
    cpu 0: many 1-2 f wait
    cpu 1: idle
    cpu 2: idle
    engine mainline violates noInterrupt
    engine mainline:mask-always violates noInterrupt
    engine mainline:mask-never holds noInterrupt
    engine mainline:mask-never,no-polling violates noInterrupt

    scenario mainline-mask-always
    claim A mask IPI for one CPU is an IPI for one that polls.
    source kernel/smp.c of 6.12, smp_call_function_many_cond()
    cpus 3
    cpu 0: each 0-2 f wait if 0-1
    cpu 1: idle
    engine mainline holds noInterrupt
    engine mainline:mask-never holds noInterrupt
    engine mainline:mask-always violates noInterrupt

    scenario mainline-masks-storm
    claim However several CPUs are kicked, all calls come through, and who finds a queue not empty relies on another's kick.
    source kernel/smp.c of 6.12
    cpus 3
    cpu 0: many 1-2 f wait
    cpu 1: many 0,2 g wait
    cpu 2: idle
    engine mainline holds noWarning,noRefusal
    engine mainline:mask-never holds noWarning,noRefusal
    engine mainline:mask-always holds noWarning,noRefusal

    scenario mainline-masks-dying
    claim None of the ways to kick several is caught by a CPU that goes.
    source kernel/smp.c of 6.12; kernel/stop_machine.c
    cpus 3
    cpu 0: many 1-2 f; down 2
    engine mainline holds noOfflineWarning,noWarning
    engine mainline:mask-never holds noOfflineWarning,noWarning
    engine mainline:mask-always holds noOfflineWarning,noWarning


    """

  private static let mainlineWakeupVariants = """
    scenario mainline-wakers
    claim Without the queue wakers wait for the run queue's lock: what the queue was made against. One places a task at a time.
    source kernel/sched/core.c of 6.12, ttwu_queue()
    cpus 3
    cpu 0: wakeup 2 t
    cpu 1: wakeup 2 u
    engine mainline violates serialisedPerTarget holds noWarning,noRefusal
    engine mainline:no-ttwu-queue violates neverWaits holds serialisedPerTarget,noWarning,noRefusal

    scenario mainline-wakers-one-task
    claim Who finds a task being woken leaves it at that; whoever wakes it wakes it for both.
    source kernel/sched/core.c of 6.12, try_to_wake_up()
    cpus 3
    cpu 0: wakeup 2 t; wakeup 2 t
    cpu 1: wakeup 2 t
    engine mainline:no-ttwu-queue violates neverWaits holds noWarning,noRefusal

    scenario mainline-wakeup-polling
    claim A CPU that idles polling needs no reschedule IPI; without the look at who polls it gets one.
    source kernel/sched/core.c of 6.12, resched_curr(): "wake_idle_without_ipi"
    cpus 2
    cpu 0: wakeup 1 t
    cpu 1: idle
    engine mainline holds noInterrupt
    engine mainline:no-ttwu-queue holds noInterrupt
    engine mainline:no-ttwu-queue,no-polling violates noInterrupt

    scenario mainline-wakeup-ends-idle
    claim Whoever idles is woken with the task: by NEED_RESCHED, or by a reschedule IPI that brings it.
    source kernel/sched/core.c of 6.12, resched_curr()
    cpus 2
    cpu 0: lock A; wakeup 1 t; lock A
    cpu 1: idle; unlock A
    engine mainline holds noInterrupt
    engine mainline:no-ttwu-queue holds noInterrupt
    engine mainline:no-ttwu-queue,no-polling violates noInterrupt

    scenario mainline-wakeup-self
    claim A wakeup on the own CPU needs no IPI, and waits for the wakers of others if there is no queue.
    source kernel/sched/core.c of 6.12, resched_curr()
    cpus 2
    cpu 0: wakeup 0 t; wakeup 0 u
    engine mainline holds noInterrupt
    engine mainline:no-ttwu-queue holds noInterrupt

    scenario mainline-wakers-irqs-off
    claim Whoever holds a run queue's lock waits for nobody, so that wakeups with interrupts off, and in handlers, come to an end.
    source kernel/sched/core.c of 6.12, try_to_wake_up()
    cpus 2
    function f: wakeup 0 t; wakeup 1 u
    cpu 0: irqs-off; wakeup 1 v; async 1 a f; irqs-on; wakeup 0 x
    cpu 1: single 0 f wait; wakeup 0 y
    engine mainline holds noWarning,noRefusal
    engine mainline:no-ttwu-queue violates neverWaits holds noWarning,noRefusal

    scenario mainline-wakeup-mixed
    claim Wakeups that are not queued owe nothing to the queue: no call loses its kick to one.
    source kernel/smp.c and kernel/sched/core.c of 6.12
    cpus 3
    cpu 0: wakeup 2 t; single 2 f wait
    cpu 1: async 2 a f; wakeup 2 u
    cpu 2: irqs-on; idle
    engine mainline:no-ttwu-queue violates neverWaits holds noWarning,noRefusal
    engine mainline:no-ttwu-queue,no-polling violates neverWaits holds noWarning,noRefusal

    scenario mainline-wakeup-offline
    claim With or without the queue, no task is woken on a CPU that is offline.
    source kernel/sched/core.c of 6.12, ttwu_queue_cond(), select_task_rq()
    cpus 3
    cpu 0: down 2
    cpu 1: wakeup 2 t -> 0|-ENXIO; wakeup 2 u -> 0|-ENXIO
    engine mainline violates noRefusal holds noOfflineWarning,noWarning
    engine mainline:no-ttwu-queue violates noRefusal holds noOfflineWarning,noWarning


    """

  private static let mainlineDeferralVariants = """
    scenario mainline-deferral
    claim What is deferred runs when the target enters the kernel, whenever it does; what comes while it is there is kicked.
    source NO_HZ_FULL, context tracking: a question asked of mainline
    cpus 2
    cpu 0: async 1 a f defer -> 0; irq-work 1 w g defer -> 0; wakeup 1 t defer -> 0
    cpu 1: user; kernel; user; kernel
    engine mainline violates noInterrupt holds noWarning,noRefusal
    engine mainline:deferral violates noInterrupt holds noWarning,noRefusal
    engine mainline:deferral-late violates noInterrupt holds noWarning,noRefusal
    engine mainline:deferral-naive violates noInterrupt holds noWarning,noRefusal

    scenario mainline-deferral-for-ever
    claim A CPU that stays in user space gets no IPI, and runs nothing of what was deferred: that is what deferral is.
    source NO_HZ_FULL, context tracking
    cpus 2
    cpu 0: async 1 a f defer -> 0; async 1 b g defer -> 0
    cpu 1: user
    engine mainline violates noInterrupt
    engine mainline:deferral violates noLostCallback holds noInterrupt,noWarning,noRefusal
    engine mainline:deferral-late violates noLostCallback holds noInterrupt
    engine mainline:deferral-naive violates noLostCallback holds noInterrupt

    scenario mainline-deferral-busy
    claim The csd of a deferred call stays locked: whoever uses it again gets -EBUSY until the target enters the kernel.
    source kernel/smp.c of 6.12, smp_call_function_single_async()
    cpus 2
    cpu 0: async 1 a f defer -> 0; async 1 a f defer -> -EBUSY
    cpu 1: user
    engine mainline:deferral violates noLostCallback,noRefusal holds noInterrupt

    scenario mainline-deferral-behind
    claim Behind a deferred call the queue is not empty: a call that waits sends no IPI, and waits for ever, if nobody knows why.
    source kernel/smp.c of 6.12, __smp_call_single_queue(): the kick is owed by who finds the queue empty
    cpus 2
    cpu 0: async 1 a f defer; single 1 g wait
    cpu 1: user
    engine mainline:deferral holds noWarning,noRefusal
    engine mainline:deferral-late holds noWarning,noRefusal
    engine mainline:deferral-naive violates noDeadlock,noLostCallback

    scenario mainline-deferral-race
    claim Looking for the mark is not enough: between the add of a call and its mark, who cannot wait finds neither.
    source kernel/smp.c of 6.12, __smp_call_single_queue()
    cpus 3
    cpu 0: async 2 a f defer
    cpu 1: single 2 g wait
    cpu 2: user
    engine mainline violates noInterrupt
    engine mainline:deferral violates noLostCallback
    engine mainline:deferral-late violates noDeadlock,noLostCallback
    engine mainline:deferral-naive violates noDeadlock,noLostCallback

    scenario mainline-deferral-race-many
    claim It is no different for calls to several CPUs, each of which looks for the mark of each target.
    source kernel/smp.c of 6.12, smp_call_function_many_cond()
    cpus 3
    cpu 0: async 2 a f defer; irq-work 2 w f defer
    cpu 1: many 0,2 g wait
    cpu 2: user
    engine mainline:deferral violates noLostCallback
    engine mainline:deferral,mask-never violates noLostCallback
    engine mainline:deferral-late violates noDeadlock,noLostCallback
    engine mainline:deferral-naive violates noDeadlock,noLostCallback

    scenario mainline-deferral-entry
    claim A target that enters the kernel between the mark and the add has used the mark up; the look behind the add finds that.
    source NO_HZ_FULL, context tracking
    cpus 3
    cpu 0: async 2 a f defer
    cpu 1: async 2 b g defer; single 2 h wait
    cpu 2: user; kernel; user; kernel
    engine mainline:deferral holds noWarning,noRefusal
    engine mainline:deferral,no-polling,mask-never holds noWarning,noRefusal

    scenario mainline-deferral-entry-once
    claim The same where the target then stays in the kernel: nothing is left on a queue that nobody looks at.
    source NO_HZ_FULL, context tracking
    cpus 3
    cpu 0: async 2 a f defer; async 2 c f defer
    cpu 1: irq-work 2 b g defer
    cpu 2: user; kernel
    engine mainline:deferral holds noWarning,noRefusal

    scenario mainline-deferral-waits
    claim A call that waits is never deferred: its caller would spin until the target enters the kernel.
    source kernel/smp.c of 6.12, csd_lock_wait()
    cpus 2
    cpu 0: single 1 f wait defer; many 1 g wait defer
    cpu 1: user
    engine mainline:deferral holds noWarning,noRefusal
    engine mainline:deferral-late holds noWarning,noRefusal
    engine mainline:deferral-naive violates noDeadlock,noLostCallback

    scenario mainline-deferral-own-csd
    claim Nor is one that does not wait, but uses a csd of its CPU: the next such call spins on that.
    source kernel/smp.c of 6.12, csd_lock()
    cpus 2
    cpu 0: single 1 f defer; single 1 g defer
    cpu 1: user
    engine mainline:deferral holds noWarning,noRefusal
    engine mainline:deferral-naive violates noDeadlock,noLostCallback

    scenario mainline-deferral-own-csd-many
    claim It is no different for calls to several CPUs, whose csds are one for each pair.
    source kernel/smp.c of 6.12, smp_call_function_many_cond()
    cpus 3
    cpu 0: many 1-2 f defer; many 2 g defer
    cpu 1: user
    cpu 2: user
    engine mainline:deferral holds noWarning,noRefusal
    engine mainline:deferral-naive violates noDeadlock,noLostCallback

    scenario mainline-deferral-interrupt
    claim Any interrupt is a way into the kernel: what was deferred runs before the interrupt's own handler.
    source kernel/entry/common.c of 6.12, irqentry_enter()
    cpus 2
    cpu 0: async 1 a f defer; wakeup 1 t
    cpu 1: user
    engine mainline:deferral,no-ttwu-queue holds noWarning,noRefusal
    engine mainline:deferral holds noWarning,noRefusal

    scenario mainline-deferral-dying
    claim stop_machine() brings every CPU into the kernel, and the one that goes loses nothing of what was deferred.
    source kernel/stop_machine.c of 6.12
    cpus 3
    cpu 0: async 1 a f defer -> 0; async 2 b f defer -> 0; down 1
    cpu 1: user
    cpu 2: user
    engine mainline:deferral holds noOfflineWarning,noWarning
    engine mainline:deferral-naive holds noOfflineWarning,noWarning
    """
}
