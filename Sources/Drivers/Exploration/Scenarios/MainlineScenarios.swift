extension ScenarioLibrary {
  static let mainline = """
    scenario mainline-wait
    claim A waiting call returns after its function has run; two CPUs that call each other both get their answers.
    source kernel/smp.c of 6.12, smp_call_function_single()
    cpus 2
    cpu 0: single 1 f wait -> 0
    cpu 1: single 0 f wait -> 0
    engine mainline holds noWarning,noRefusal

    scenario mainline-irqs-off
    claim Two CPUs that wait for each other with interrupts off wait for ever: that is what the warning is for.
    source kernel/smp.c of 6.12: "Can deadlock when called with interrupts disabled"
    cpus 2
    cpu 0: irqs-off; single 1 f wait; irqs-on
    cpu 1: irqs-off; single 0 f wait; irqs-on
    engine mainline violates noDeadlock,noWarning

    scenario mainline-irqs-off-one
    claim If one of them has interrupts on, it answers, and both come through; the warning comes all the same.
    source kernel/smp.c of 6.12
    cpus 2
    cpu 0: irqs-off; single 1 f wait; irqs-on
    cpu 1: single 0 f wait
    engine mainline violates noWarning

    scenario mainline-irqs-off-many
    claim It is no different for calls to several CPUs.
    source kernel/smp.c of 6.12, smp_call_function_many_cond()
    cpus 2
    cpu 0: irqs-off; many 1 f wait; irqs-on
    cpu 1: irqs-off; each 0-1 f wait; irqs-on
    engine mainline violates noDeadlock,noWarning

    scenario mainline-irqs-off-shared-csd
    claim A call that does not wait waits for the CPU's csd, and with interrupts off two such deadlock as well.
    source kernel/smp.c of 6.12: "when !@wait we can deadlock due to csd_lock()"
    cpus 2
    cpu 0: irqs-off; single 1 f; single 1 g; irqs-on
    cpu 1: irqs-off; single 0 f; single 0 g; irqs-on
    engine mainline violates noDeadlock,noWarning

    scenario mainline-irqs-off-async
    claim A call with the caller's own csd can be made with interrupts off: it never waits, and nothing deadlocks.
    source kernel/smp.c of 6.12, smp_call_function_single_async()
    cpus 2
    cpu 0: irqs-off; async 1 a f -> 0; async 1 b g -> 0; irqs-on
    cpu 1: irqs-off; async 0 c f -> 0; async 0 d g -> 0; irqs-on
    engine mainline holds noWarning,noRefusal

    scenario mainline-handler-wait
    claim A function that makes a waiting call deadlocks with the one that it interrupted between adding and kicking.
    source kernel/smp.c of 6.12: "we can deadlock when we interrupt between llist_add() and arch_send_call_function_ipi*()"
    cpus 2
    function f: single 1 g wait
    cpu 0: single 1 h wait
    cpu 1: single 0 f
    engine mainline violates noDeadlock,noLostCallback,noWarning

    scenario mainline-handler-shared-csd
    claim A function that makes a call with the CPU's csd deadlocks with, or corrupts, the one that it interrupted.
    source kernel/smp.c of 6.12: "the interrupt context uses the same csd storage"
    cpus 2
    function f: single 1 g
    cpu 0: single 1 h
    cpu 1: single 0 f
    engine mainline violates noDeadlock,noCSDReuse,noWarning,noLostCallback

    scenario mainline-handler-async
    claim A function can call back with a csd of its own.
    source kernel/smp.c of 6.12, smp_call_function_single_async()
    cpus 2
    function f: async 1 a g -> 0
    cpu 0: single 1 h wait
    cpu 1: single 0 f wait
    engine mainline holds noWarning,noRefusal

    scenario mainline-busy
    claim A csd that is still locked is refused with -EBUSY; unlocked before its function runs, it can be used again there.
    source kernel/smp.c of 6.12, smp_call_function_single_async()
    cpus 2
    function f: async 0 a g -> 0
    cpu 0: async 1 a f -> 0; async 1 b h -> 0; async 1 b h -> 0|-EBUSY
    engine mainline violates noRefusal holds noWarning

    scenario mainline-busy-race
    claim Two CPUs that use one csd at once both find it unlocked: the caller has to keep them apart.
    source kernel/smp.c of 6.12: "responsible for synchronizing it such that the IPIs performed on the @csd are serialized"
    cpus 3
    cpu 0: async 2 a f
    cpu 1: async 2 a f
    engine mainline violates noCSDReuse,noRefusal

    scenario mainline-nxio
    claim A CPU that is offline or does not exist gives -ENXIO, and leaves the csd unlocked.
    source kernel/smp.c of 6.12, generic_exec_single()
    cpus 3
    offline 2
    cpu 0: single 2 f wait -> -ENXIO; single 3 f -> -ENXIO; async -1 a f -> -ENXIO; async 2 a f -> -ENXIO; single 1 f -> 0
    engine mainline violates noRefusal holds noWarning

    scenario mainline-self
    claim A call to the own CPU runs in place with interrupts off, waiting or not, and needs no IPI.
    source kernel/smp.c of 6.12, generic_exec_single()
    cpus 2
    cpu 0: single 0 f wait -> 0; single 0 f -> 0; async 0 a f -> 0; any 0-1 f wait -> 0; each 0 f wait; wakeup 0 t
    engine mainline holds noInterrupt,noWarning,noRefusal

    scenario mainline-any
    claim smp_call_function_any() takes a CPU of the own node before others: CPU 2, which idles polling. None: -ENXIO.
    source kernel/smp.c of 6.12, smp_call_function_any()
    cpus 4
    node 1: 1-3
    offline 1
    cpu 2: idle
    cpu 3: any 0-2 f wait -> 0; any 1 f -> -ENXIO
    engine mainline violates noRefusal holds noInterrupt,noWarning

    scenario mainline-classes
    claim A flush runs SYNC before ASYNC and IRQ_WORK, and those before wakeups, whatever came first.
    source kernel/smp.c of 6.12, __flush_smp_call_function_queue()
    cpus 3
    cpu 0: wakeup 2 t; irq-work 2 w f; async 2 a f
    cpu 1: single 2 f wait
    engine mainline

    scenario mainline-order
    claim What is of one class runs in the order of adding; all wakeups run as one.
    source kernel/smp.c of 6.12, llist_reverse_order()
    cpus 2
    cpu 0: wakeup 1 t; async 1 a f; async 1 b f; irq-work 1 w f; wakeup 1 u
    engine mainline

    scenario mainline-irq-work
    claim A work that is pending is not queued again, and the run to come covers every request; while it runs it can be.
    source kernel/irq_work.c of 6.12, irq_work_claim(): "everything we did before is visible"
    cpus 3
    cpu 0: irq-work 2 w f; irq-work 2 w f
    cpu 1: irq-work 2 w f
    engine mainline holds noWarning,noRefusal

    scenario mainline-irq-work-self
    claim On its own CPU a work is put on another list and raises another vector; queued by its own function, it runs again.
    source kernel/irq_work.c of 6.12, __irq_work_queue_local()
    cpus 2
    function f: irq-work 0 w g
    cpu 0: irq-work 0 w f; irq-work 0 v g
    cpu 1: irq-work 0 v g
    engine mainline holds noWarning,noRefusal

    scenario mainline-irq-work-offline
    claim irq_work_queue_on() warns of an offline CPU and queues all the same: the work never runs, and stays pending.
    source kernel/irq_work.c of 6.12, irq_work_queue_on()
    cpus 2
    offline 1
    cpu 0: irq-work 1 w f
    engine mainline violates noLostCallback,noWarning

    scenario mainline-polling
    claim A CPU that idles polling is woken by NEED_RESCHED: no IPI, and what was queued runs.
    source kernel/sched/core.c of 6.12, call_function_single_prep_ipi()
    cpus 2
    cpu 0: single 1 f wait
    cpu 1: idle
    engine mainline holds noInterrupt,noWarning,noOfflineWarning

    scenario mainline-polling-many
    claim One CPU whose queue was empty is looked at for polling; with two, both get an IPI that they do not need.
    source kernel/smp.c of 6.12, smp_call_function_many_cond()
    cpus 3
    cpu 0: many 1-2 f wait
    cpu 1: idle
    cpu 2: idle
    engine mainline violates noInterrupt

    scenario mainline-polling-many-one
    claim With one CPU in the mask, or one left of it, there is no IPI.
    source kernel/smp.c of 6.12, smp_call_function_many_cond()
    cpus 3
    cpu 0: each 0-2 f wait if 0-1
    cpu 1: idle
    engine mainline holds noInterrupt

    scenario mainline-polling-race
    claim Nothing is lost whenever the kick comes: before polling, while it polls, while it leaves idle, and behind.
    source kernel/sched/idle.c of 6.12: "clearing polling needs to be visible before doing these things"
    cpus 3
    cpu 0: async 1 a f; single 1 g wait
    cpu 1: irqs-on; idle; idle
    cpu 2: async 1 b f
    engine mainline holds noWarning

    scenario mainline-polling-wakeup
    claim A wakeup of a polling CPU needs no IPI either.
    source kernel/sched/core.c of 6.12, ttwu_queue_wakelist()
    cpus 2
    cpu 0: wakeup 1 t; wakeup 1 u
    cpu 1: idle
    engine mainline

    scenario mainline-coalescing
    claim Who finds the queue not empty sends no IPI, and its function runs all the same.
    source kernel/smp.c of 6.12, __smp_call_single_queue()
    cpus 3
    cpu 0: single 2 f wait
    cpu 1: many 0,2 f wait
    engine mainline

    scenario mainline-cond
    claim CPUs for which the condition is false are neither called nor waited for, the own one as well.
    source kernel/smp.c of 6.12, smp_call_function_many_cond()
    cpus 3
    cpu 0: each 0-2 f wait if 2; many 1-2 g wait if 1
    cpu 1: each 0-2 h wait if none
    engine mainline holds noWarning,noRefusal

    scenario mainline-storm
    claim Three CPUs that call each other, all waiting, all get their answers.
    source kernel/smp.c of 6.12
    cpus 3
    cpu 0: each 0-2 f wait
    cpu 1: single 2 g wait
    cpu 2: single 0 g wait
    engine mainline holds noWarning,noRefusal

    scenario mainline-dying
    claim What waits for a late IPI is run by the flush on dying; nobody warns, and what comes later is refused.
    source kernel/smp.c of 6.12, smpcfd_dying_cpu()
    cpus 2
    cpu 0: async 1 a f -> 0; irq-work 1 w f; wakeup 1 t; down 1; single 1 g wait -> -ENXIO
    engine mainline violates noRefusal holds noOfflineWarning,noWarning

    scenario mainline-dying-irq-work
    claim The CPU that goes runs the works that it queued for itself.
    source kernel/smp.c of 6.12, smpcfd_dying_cpu(): irq_work_run()
    cpus 2
    cpu 0: down 1
    cpu 1: irq-work 1 w f
    engine mainline holds noOfflineWarning,noWarning

    scenario mainline-dying-wait
    claim A caller that waits, or that sends to several, is not caught by a CPU that goes.
    source kernel/smp.c of 6.12; kernel/stop_machine.c
    cpus 3
    cpu 0: down 2
    cpu 1: many 0,2 f wait; single 2 f wait -> 0|-ENXIO
    engine mainline holds noOfflineWarning,noWarning

    scenario mainline-offline-warning
    claim A work queued for a CPU that is offline but not yet dead is run there, with the warning, if the IPI finds it alive.
    source kernel/smp.c of 6.12: "IPI on offline CPU"
    cpus 3
    cpu 0: down 2
    cpu 1: irq-work 2 w f
    engine mainline violates noOfflineWarning,noLostCallback,noWarning,noneOnOfflineCPU

    scenario mainline-up
    claim A CPU that comes back finds its queue empty and its csds unlocked.
    source kernel/smp.c of 6.12, smpcfd_prepare_cpu()
    cpus 2
    cpu 0: async 1 a f -> 0; down 1; up 1; async 1 a g -> 0; single 1 h wait -> 0
    engine mainline holds noOfflineWarning,noWarning,noRefusal
    """
}
