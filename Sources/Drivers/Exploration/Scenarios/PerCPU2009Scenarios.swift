extension ScenarioLibrary {
  static let perCPU2009 = """
    scenario skipped-entry
    claim With reuse at the tail a walker that stands on a reused entry skips others, and a callback is lost: the walker runs \
    the entry's new call before its IPI is sent, so that none is sent. (Interrupts are off to keep the case small.)
    source mail of 17 February 2009: "avoids skipping over entries like would have happened had we placed the new entry at the end"
    cpus 3
    cpu 0: irqs-off; many 1-2 f wait; many 1-2 f wait; irqs-on
    cpu 1: irqs-off; many 0,2 g; irqs-on
    engine percpu-2009:tail,mail violates noLostCallback,waitsForAll,orderInBatch,visitsOnce
    engine percpu-2009:tail,merged violates noLostCallback,orderInBatch,visitsOnce

    scenario visited-twice
    claim With reuse at the head a walker meets entries twice and none is lost; new calls run before older ones.
    source mail of 17 February 2009: "visiting entries twice is not a problem, since we remove our cpu from the entry's cpumask"
    cpus 3
    cpu 0: irqs-off; many 1-2 f wait; many 1-2 f wait; irqs-on
    cpu 1: irqs-off; many 0,2 g; irqs-on
    engine percpu-2009:head,mail violates visitsOnce,waitsForAll,orderInBatch
    engine percpu-2009:head,merged violates visitsOnce,orderInBatch

    scenario newest-first
    claim Without any reuse the head already costs the order in which calls of several sources run; the tail keeps it.
    source kernel/smp.c of 2.6.30
    cpus 3
    cpu 0: many 1-2 f wait
    cpu 1: many 0,2 g wait
    engine percpu-2009:head,merged violates orderInBatch holds visitsOnce,noWarning
    engine percpu-2009:tail,merged holds visitsOnce,noWarning

    scenario returns-too-early
    claim As mailed, the last target to drop its reference ends the wait after its own run, with others still running; as merged \
    references are dropped after the run.
    source mail of 17 February 2009, generic_smp_call_function_interrupt()
    cpus 3
    cpu 0: many 1-2 f wait
    engine percpu-2009:head,mail violates waitsForAll holds noWarning
    engine percpu-2009:head,merged holds noWarning

    scenario reused-before-the-run
    claim An entry that is used again before the functions of its last call have run harms neither call.
    source mail of 17 February 2009: "copy the entry to their local stack and freeing it for re-use before we call the function"
    cpus 3
    cpu 0: many 1-2 f; many 1-2 g
    engine percpu-2009:head,mail holds noWarning
    engine percpu-2009:head,merged holds noWarning

    scenario busy-csd-data
    claim A second call that does not wait gets the CPU's csd when the target has begun (mail) or finished (merged) the first.
    source mail of 17 February 2009, csd_lock()
    cpus 2
    cpu 0: single 1 f; single 1 g
    engine percpu-2009:head,mail holds noWarning
    engine percpu-2009:head,merged holds noWarning

    scenario stack-csd
    claim Waiting calls from the stack, in both directions, all end, and nobody touches a stack that is gone.
    source mail of 17 February 2009, smp_call_function_single()
    cpus 2
    cpu 0: single 1 f wait; single 1 f
    cpu 1: single 0 g wait
    engine percpu-2009:head,mail holds noWarning
    engine percpu-2009:head,merged holds noWarning

    scenario lock-over-two-calls
    claim A caller makes two calls that do not wait with a lock held that the function takes: as mailed they go through, as merged \
    the second one waits for the first function to end, for ever.
    source mail of 17 February 2009: "freeing it for re-use before we call the function"
    cpus 2
    function f: lock L; unlock L
    cpu 0: lock L; single 1 f; single 1 f; unlock L
    engine percpu-2009:head,mail holds noWarning
    engine percpu-2009:head,merged violates noDeadlock holds noWarning

    scenario lock-over-two-many
    claim The same with calls to several CPUs.
    source mail of 17 February 2009: "freeing it for re-use before we call the function"
    cpus 3
    function f: lock L; unlock L
    cpu 0: lock L; many 1-2 f; many 1-2 f; unlock L
    engine percpu-2009:head,mail holds noWarning
    engine percpu-2009:head,merged violates noDeadlock holds noWarning

    scenario calls-from-functions
    claim Functions that call back without waiting block each other as merged, where a csd is locked until its function ends; \
    as mailed they do not.
    source mail of 17 February 2009: "freeing it for re-use before we call the function"
    cpus 2
    function f: single 0 h
    function g: single 1 h
    cpu 0: irqs-off; single 1 f; irqs-on
    cpu 1: irqs-off; single 0 g; irqs-on
    engine percpu-2009:head,mail violates noWarning
    engine percpu-2009:head,merged violates noDeadlock,noWarning

    scenario wait-with-interrupts-off
    claim Two waiting calls with interrupts off wait for each other for ever: why the warning exists.
    source kernel/smp.c of 2.6.30: "Can deadlock when called with interrupts disabled"
    cpus 2
    cpu 0: irqs-off; single 1 f wait; irqs-on
    cpu 1: irqs-off; single 0 g wait; irqs-on
    engine percpu-2009:head,mail violates noDeadlock,noWarning
    engine percpu-2009:head,merged violates noDeadlock,noWarning

    scenario many-with-interrupts-off
    claim The same with calls to several CPUs.
    source kernel/smp.c of 2.6.30: "Can deadlock when called with interrupts disabled"
    cpus 3
    cpu 0: irqs-off; many 1-2 f wait; irqs-on
    cpu 1: irqs-off; many 0,2 g wait; irqs-on
    engine percpu-2009:head,mail violates noDeadlock,noWarning,waitsForAll,orderInBatch
    engine percpu-2009:head,merged violates noDeadlock,noWarning,orderInBatch

    scenario two-with-interrupts-off
    claim Calls that do not wait deadlock with interrupts off as well, from the second on: it waits for the CPU's csd.
    source kernel/smp.c of 2.6.30: "Can deadlock when called with interrupts disabled"
    cpus 2
    cpu 0: irqs-off; single 1 f; single 1 f; irqs-on
    cpu 1: irqs-off; single 0 g; single 0 g; irqs-on
    engine percpu-2009:head,mail violates noDeadlock,noWarning
    engine percpu-2009:head,merged violates noDeadlock,noWarning

    scenario one-with-interrupts-off
    claim A single one does not.
    source kernel/smp.c of 2.6.30
    cpus 2
    cpu 0: irqs-off; single 1 f; irqs-on
    cpu 1: irqs-off; single 0 g; irqs-on
    engine percpu-2009:head,mail violates noWarning
    engine percpu-2009:head,merged violates noWarning

    scenario interrupted-csd-lock
    claim A function that makes a call of its own meets its CPU's csd in the hands of the task that it has interrupted: it waits \
    for ever, or both use it.
    source kernel/smp.c of 2.6.30: "must not call this function … from a hardware interrupt handler"
    cpus 2
    function h: single 1 g
    cpu 0: single 1 f
    cpu 1: single 0 h
    engine percpu-2009:head,mail violates noDeadlock,noCSDReuse,noLostCallback,noWarning
    engine percpu-2009:head,merged violates noDeadlock,noCSDReuse,noLostCallback,noWarning

    scenario interrupted-many
    claim The same with the entry: as merged the interrupted caller's lock can be cleared by the other call's last target, so \
    that it returns before its own targets have run.
    source kernel/smp.c of 2.6.30: "must not call this function … from a hardware interrupt handler"
    cpus 3
    function h: many 1-2 g
    cpu 0: many 1-2 f wait
    cpu 1: single 0 h
    engine percpu-2009:head,mail violates noDeadlock,noCSDReuse,noLostCallback,waitsForAll,noWarning
    engine percpu-2009:head,merged violates noDeadlock,noCSDReuse,noLostCallback,waitsForAll,noWarning

    scenario own-csd
    claim Neither form notices that a caller fills its own csd again too early: as merged csd_lock() waits, but behind the damage.
    source mail of 17 February 2009, __smp_call_function_single()
    cpus 2
    cpu 0: async 1 X f; async 1 X g
    engine percpu-2009:head,mail violates noCSDReuse
    engine percpu-2009:head,merged violates noCSDReuse

    scenario each-cpu
    claim on_each_cpu() runs the others first, then its own CPU.
    source kernel/softirq.c of 2.6.30
    cpus 3
    cpu 0: each 0-2 f wait
    engine percpu-2009:head,mail violates waitsForAll holds noWarning
    engine percpu-2009:head,merged holds noWarning

    scenario late-ipi-2009
    claim A callback whose IPI comes after its CPU is gone is lost, or runs on a CPU that is marked offline.
    source mail of 23 May 2014, of an engine that had not changed in this
    cpus 2
    cpu 0: single 1 f; down 1
    engine percpu-2009:head,mail violates noLostCallback,noneOnOfflineCPU
    engine percpu-2009:head,merged violates noLostCallback,noneOnOfflineCPU

    scenario late-ipi-many-2009
    claim The entry of a call that was lost so stays locked, and its owner's next call waits for ever.
    source mail of 23 May 2014, of an engine that had not changed in this
    cpus 3
    cpu 0: many 1-2 f; down 1; up 1; many 1-2 f
    engine percpu-2009:head,mail violates noLostCallback,noneOnOfflineCPU,noDeadlock
    engine percpu-2009:head,merged violates noLostCallback,noneOnOfflineCPU,noDeadlock

    scenario source-goes
    claim A CPU that goes offline with its entry still queued has its mask freed under the walkers as merged; the mail frees \
    nothing, since it asks for CONFIG_CPU_HOTPLUG, which does not exist.
    source mail of 17 February 2009, hotplug_cfd()
    cpus 3
    cpu 0: many 1-2 f
    cpu 1: down 0
    engine percpu-2009:head,mail holds noWarning
    engine percpu-2009:head,merged violates noCSDReuse

    scenario source-returns
    claim When that CPU comes up again, the mail's form hands walkers a new mask that nobody has written to.
    source mail of 17 February 2009, hotplug_cfd()
    cpus 3
    cpu 0: many 1-2 f
    cpu 1: down 0; up 0
    engine percpu-2009:head,mail violates noCSDReuse
    engine percpu-2009:head,merged violates noCSDReuse

    scenario coming-up
    claim A call made while a CPU comes up reaches it or leaves it out; without memory for its mask it does not come up.
    source mail of 17 February 2009, hotplug_cfd() and ipi_call_lock()
    cpus 3
    offline 2
    allocation either
    cpu 0: up 2
    cpu 1: many 0,2 f wait
    engine percpu-2009:head,mail violates waitsForAll holds noWarning
    engine percpu-2009:head,merged holds noWarning
    """
}
