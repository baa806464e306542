extension ScenarioLibrary {
  static let crossCall2022 = """
    scenario xcall-sync
    claim A SYNC call to one CPU returns after its function has run there.
    source mail of 14 April 2022: "will not return immediately until all the destination CPUs have executed func()"
    cpus 2
    cpu 0: xcall 1 f sync -> 0
    engine xcall-2022 holds noWarning,noRefusal

    scenario xcall-async
    claim ASYNC calls return once they are queued, and every one of them runs; the second waits for the csd of the first.
    source mail of 14 April 2022
    cpus 2
    cpu 0: xcall 1 f async -> 0; xcall 1 g async -> 0
    engine xcall-2022 holds noWarning,noRefusal

    scenario xcall-irqs-off
    claim "Normally this interface cannot be used with interrupts disabled": two CPUs that do deadlock, SYNC against SYNC.
    source mail of 14 April 2022
    cpus 2
    cpu 0: irqs-off; xcall 1 f sync; irqs-on
    cpu 1: irqs-off; xcall 0 f sync; irqs-on
    engine xcall-2022 violates noDeadlock,noWarning

    scenario xcall-irqs-off-async
    claim ASYNC is no better once a csd is used again: the first call is queued, the second waits for its csd.
    source mail of 14 April 2022
    cpus 2
    cpu 0: irqs-off; xcall 1 f async; xcall 1 g async; irqs-on
    cpu 1: irqs-off; xcall 0 f async; xcall 0 g async; irqs-on
    engine xcall-2022 violates noDeadlock,noWarning

    scenario xcall-private-irqs-off
    claim With a private csd, ASYNC can be called with interrupts off: it never waits.
    source mail of 14 April 2022: "it can be called from contexts with disabled interrupts"
    cpus 2
    cpu 0: irqs-off; xcall-private 1 a f async -> 0; irqs-on
    cpu 1: irqs-off; xcall-private 0 b f async -> 0; irqs-on
    engine xcall-2022 holds noWarning,noRefusal

    scenario xcall-private-sync-irqs-off
    claim With a private csd and SYNC it cannot: two CPUs wait for each other, and no warning says so.
    source mail of 14 April 2022
    cpus 2
    cpu 0: irqs-off; xcall-private 1 a f sync; irqs-on
    cpu 1: irqs-off; xcall-private 0 b f sync; irqs-on
    engine xcall-2022 violates noDeadlock holds noWarning

    scenario xcall-private-handler
    claim A handler can call back with a private csd.
    source mail of 14 April 2022
    cpus 2
    function f: xcall-private 0 b g async -> 0
    cpu 0: xcall-private 1 a f async -> 0
    engine xcall-2022 holds noWarning,noRefusal

    scenario xcall-private-busy
    claim A private csd that is still locked is refused with -EBUSY, whatever the type; the first call runs all the same.
    source mail of 14 April 2022; kernel/smp.c of 6.12, smp_call_function_single_async()
    cpus 2
    cpu 0: xcall-private 1 a f async -> 0; xcall-private 1 a g async -> 0|-EBUSY; xcall-private 1 a g sync -> 0|-EBUSY
    engine xcall-2022 violates noRefusal

    scenario xcall-private-offline
    claim smp_xcall_private() tells of a CPU that is offline or that does not exist, and leaves the csd unlocked.
    source kernel/smp.c of 6.12, generic_exec_single()
    cpus 3
    offline 2
    cpu 0: xcall-private 2 a f async -> -ENXIO; xcall-private 9 a f sync -> -ENXIO; xcall-private 1 a f async -> 0
    engine xcall-2022 violates noRefusal holds noWarning

    scenario xcall-all
    claim XCALL_ALL reaches every online CPU and the caller's own, and SYNC waits for all of them.
    source mail of 14 April 2022: "If cpu == -1, the cross call is for all the online CPUs"
    cpus 3
    cpu 0: xcall all f sync -> 0
    cpu 1: xcall all g async -> 0
    engine xcall-2022 holds noWarning,noRefusal

    scenario xcall-all-offline
    claim XCALL_ALL leaves an offline CPU out.
    source mail of 14 April 2022
    cpus 3
    offline 1
    cpu 0: xcall all f sync -> 0
    engine xcall-2022 holds noWarning,noRefusal

    scenario xcall-self
    claim A call to the caller's own CPU runs in place, whatever the type, and needs no interrupt.
    source mail of 14 April 2022: "run func() locally if needed"
    cpus 2
    cpu 0: xcall 0 f sync -> 0; xcall-mask 0 f async; xcall 0 f irq-work; xcall 0 f ttwu; xcall-private 0 a f async -> 0
    engine xcall-2022 holds noInterrupt,noWarning,noRefusal

    scenario xcall-invalid-cpu
    claim A CPU that does not exist gives -ENXIO and a warning.
    source mail of 14 April 2022: "Invalid cpu ID"
    cpus 2
    cpu 0: xcall 2 f sync -> -ENXIO; xcall -2 f async -> -ENXIO; xcall 250 f sync if 0 -> -ENXIO
    engine xcall-2022 violates noWarning,noRefusal holds noInterrupt

    scenario xcall-offline
    claim A call to an offline CPU succeeds and reaches nobody, SYNC or not: the mask of one CPU has nobody online in it.
    source mail of 14 April 2022: __smp_call_mask_cond(cpumask_of(cpu), …) returns nothing that could tell
    cpus 2
    offline 1
    cpu 0: xcall 1 f sync -> 0; xcall 1 f async -> 0; xcall-mask 1 f sync
    engine xcall-2022 holds noRefusal,noWarning,noInterrupt

    scenario xcall-offline-as-before
    claim smp_call_function_single(), which it replaces, told: "they are still inheriting the same semantics" does not hold.
    source mail of 14 April 2022
    cpus 2
    offline 1
    cpu 0: xcall 1 f sync -> -ENXIO
    engine xcall-2022 violates returnValues

    scenario xcall-empty
    claim An empty mask, or a condition that is false for all, calls nobody, sends nothing and waits for nothing.
    source mail of 14 April 2022
    cpus 3
    cpu 0: xcall-mask none f sync; xcall-mask 0-2 f sync if none; xcall all f sync if none; xcall 1 f sync if 2
    engine xcall-2022 holds noInterrupt,noWarning,noRefusal

    scenario xcall-cond
    claim The condition leaves CPUs out, the own one too, and the others are waited for.
    source mail of 14 April 2022
    cpus 3
    cpu 0: xcall-mask 0-2 f sync if 2 -> 0; xcall all g async if 0-1
    engine xcall-2022 holds noWarning,noRefusal

    scenario xcall-any-self
    claim smp_xcall_any() prefers the caller's own CPU: no interrupt.
    source mail of 14 April 2022: "1) current cpu if in @mask"
    cpus 4
    node 1: 2-3
    cpu 3: xcall-any 0-3 f sync -> 0
    engine xcall-2022 holds noInterrupt,noWarning,noRefusal

    scenario xcall-any-node
    claim Then it prefers a CPU of the own node: CPU 2, which idles polling, so that nobody gets an IPI.
    source mail of 14 April 2022: "2) any cpu of current node if in @mask"
    cpus 4
    node 1: 2-3
    cpu 2: idle
    cpu 3: xcall-any 0-2 f sync -> 0
    engine xcall-2022 holds noInterrupt,noWarning,noRefusal

    scenario xcall-any-other-node
    claim Then any online CPU will do, on another node: CPU 1, which idles polling.
    source mail of 14 April 2022: "3) any other online cpu in @mask"
    cpus 4
    node 1: 2-3
    offline 2
    cpu 1: idle
    cpu 3: xcall-any 1-2 f sync -> 0
    engine xcall-2022 holds noInterrupt,noWarning,noRefusal

    scenario xcall-any-none
    claim With nobody online in the mask it returns a negative status.
    source mail of 14 April 2022: "else a negative status code (if no cpus were online)"
    cpus 3
    offline 1-2
    cpu 0: xcall-any 1-2 f sync -> -ENXIO; xcall-any none f async -> -ENXIO
    engine xcall-2022 violates noRefusal,noWarning

    scenario xcall-irq-work
    claim A csd queued as IRQ_WORK is run and unlocked, because an irq_work's PENDING is a csd's LOCK, but its type stays.
    source mail of 14 April 2022; kernel/irq_work.c of 6.12, irq_work_single()
    cpus 2
    cpu 0: xcall 1 f irq-work -> 0; xcall 1 g irq-work -> 0
    engine xcall-2022 holds noWarning,noRefusal

    scenario xcall-irq-work-then-sync
    claim The type that stays makes a wakeup of the next SYNC call (0x20 | 0x10 = 0x30): lost, and its caller hangs.
    source mail of 14 April 2022; kernel/smp.c of 6.12, smp_call_function_many_cond(): the type is or-ed in
    cpus 2
    cpu 0: xcall 1 f irq-work; xcall 1 g sync
    engine xcall-2022 violates noDeadlock,noLostCallback

    scenario xcall-ttwu
    claim A csd queued as TTWU is taken for a task: its function never runs, and whoever needs the csd next hangs.
    source mail of 14 April 2022; kernel/smp.c of 6.12, the third pass
    cpus 2
    cpu 0: xcall 1 f ttwu -> 0; xcall 1 g sync
    engine xcall-2022 violates noDeadlock,noLostCallback

    scenario xcall-unknown-type
    claim A type that does not exist is taken off the queue and forgotten.
    source mail of 14 April 2022; kernel/smp.c of 6.12, the second pass
    cpus 2
    cpu 0: xcall 1 f 0x40 -> 0
    engine xcall-2022 violates noLostCallback

    scenario xcall-private-irq-work
    claim An irq_work can be queued by smp_xcall_private(): once it runs, it can be queued again.
    source mail of 14 April 2022
    cpus 2
    cpu 0: xcall-private 1 w f irq-work -> 0; xcall 1 g sync; xcall-private 1 w f irq-work -> 0|-EBUSY; xcall 1 g sync
    engine xcall-2022 holds noWarning

    scenario xcall-private-ttwu
    claim A task can be woken by smp_xcall_private() once: nothing unlocks its node, so that the next wakeup gets -EBUSY.
    source mail of 14 April 2022; kernel/sched/core.c of 6.12, sched_ttwu_pending()
    cpus 2
    cpu 0: xcall-private 1 t f ttwu -> 0; xcall all g sync; xcall-private 1 t f ttwu -> 0
    engine xcall-2022 violates noRefusal,returnValues

    scenario xcall-classes
    claim Within a flush SYNC runs before ASYNC, whatever came first.
    source kernel/smp.c of 6.12, __flush_smp_call_function_queue()
    cpus 3
    cpu 0: xcall 2 f async
    cpu 1: xcall 2 f sync
    engine xcall-2022

    scenario xcall-dying
    claim A call to a CPU that goes is run by the flush on dying, or succeeds without anybody.
    source mail of 14 April 2022
    cpus 2
    cpu 0: xcall 1 f async -> 0; down 1; xcall 1 f sync -> 0
    engine xcall-2022 holds noOfflineWarning,noRefusal
    """
}
