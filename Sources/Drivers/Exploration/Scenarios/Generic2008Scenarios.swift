extension ScenarioLibrary {
  static let generic2008 =
    generic2008Deadlocks + "\n" + generic2008Costs + "\n" + generic2008Assumptions + "\n" + generic2008Promises

  /// The deadlock that the mail is about, and which remedy ends it.
  private static let generic2008Deadlocks = """
    scenario wait-deadlock
    claim Two CPUs that call each other with interrupts off and without memory wait for ever; each idea ends that, if \
    who spins for the gate turns interrupts on.
    source mail of 30 April 2008: "you could deadlock between two CPUs each waiting for each others IPI ack"
    cpus 2
    allocation fails
    cpu 0: irqs-off; single 1 f; irqs-on
    cpu 1: irqs-off; single 0 g; irqs-on
    engine generic-2008:wait violates noDeadlock
    engine generic-2008:enomem violates noRefusal
    engine generic-2008:global-lock holds serialised,noRefusal
    engine generic-2008:global-lock,irqs-as-found violates noDeadlock
    engine generic-2008:target-mask holds serialisedPerTarget,noRefusal
    engine generic-2008:target-mask,irqs-as-found violates noDeadlock
    engine generic-2008:target-counters holds noRefusal
    engine generic-2008:target-counters,irqs-as-found violates noDeadlock
    engine generic-2008:allocated-free,over-mask holds noRefusal
    engine generic-2008:allocated-free,over-mask,irqs-as-found violates noDeadlock
    engine generic-2008:allocated-free,over-counters holds noRefusal
    engine generic-2008:allocated-free,over-counters,irqs-as-found violates noDeadlock
    engine generic-2008:poll-own-queue holds noRefusal
    engine generic-2008:poll-own-queue,single-queue holds noRefusal

    scenario wait-with-interrupts-on
    claim Without memory but with interrupts on nobody waits for ever, whatever the fallback.
    source mail of 30 April 2008: "If irqs are disabled, you could deadlock"
    cpus 2
    allocation fails
    cpu 0: single 1 f
    cpu 1: single 0 g
    engine generic-2008:wait holds noWarning
    engine generic-2008:enomem violates noRefusal
    engine generic-2008:global-lock holds serialised
    engine generic-2008:global-lock,irqs-as-found holds serialised
    engine generic-2008:target-mask holds serialisedPerTarget
    engine generic-2008:target-mask,irqs-as-found holds serialisedPerTarget
    engine generic-2008:target-counters
    engine generic-2008:target-counters,irqs-as-found
    engine generic-2008:allocated-free,over-mask
    engine generic-2008:allocated-free,over-counters
    engine generic-2008:poll-own-queue

    scenario wait-deadlock-by-chance
    claim With interrupts off it is enough that memory may be missing.
    source mail of 30 April 2008: "it PROBABLY would not occur in practice. But still no good enough"
    cpus 2
    allocation either
    cpu 0: irqs-off; single 1 f; irqs-on
    cpu 1: irqs-off; single 0 g; irqs-on
    engine generic-2008:wait violates noDeadlock
    engine generic-2008:enomem violates noRefusal
    engine generic-2008:global-lock
    engine generic-2008:target-mask
    engine generic-2008:target-counters
    engine generic-2008:allocated-free,over-mask
    engine generic-2008:allocated-free,over-counters
    engine generic-2008:poll-own-queue

    scenario wait-ring
    claim Three CPUs in a ring, interrupts off, no memory: as with two.
    source mail of 30 April 2008
    cpus 3
    allocation fails
    cpu 0: irqs-off; single 1 f; irqs-on
    cpu 1: irqs-off; single 2 g; irqs-on
    cpu 2: irqs-off; single 0 h; irqs-on
    engine generic-2008:wait violates noDeadlock
    engine generic-2008:enomem violates noRefusal
    engine generic-2008:global-lock holds serialised
    engine generic-2008:target-mask violates serialised holds serialisedPerTarget
    engine generic-2008:target-counters violates serialised
    engine generic-2008:allocated-free,over-mask
    engine generic-2008:allocated-free,over-counters
    engine generic-2008:poll-own-queue

    scenario waiting-calls-interrupts-off
    claim Calls that wait anyway, with interrupts off, which nobody may make: refusing helps nothing, the ideas do.
    source mail of 30 April 2008: "you are not allowed to call the smp_call_function() with irqs disabled"
    cpus 2
    cpu 0: irqs-off; single 1 f wait; irqs-on
    cpu 1: irqs-off; single 0 g wait; irqs-on
    engine generic-2008:wait violates noDeadlock,noWarning
    engine generic-2008:enomem violates noDeadlock,noWarning
    engine generic-2008:global-lock
    engine generic-2008:target-mask
    engine generic-2008:target-counters
    engine generic-2008:allocated-free,over-mask
    engine generic-2008:allocated-free,over-counters
    engine generic-2008:poll-own-queue

    scenario waiting-many-calls-interrupts-off
    claim The same through the shared queue. Idea 4 lets these calls in, for they have memory, and they wait: it loses \
    what ideas 2 and 3 keep. Idea 5 has to poll the shared queue too, which is no CPU's own.
    source mail of 30 April 2008: "it polls its own list (with irqs disabled)"
    cpus 3
    cpu 0: irqs-off; many 1,2 f wait; irqs-on
    cpu 1: irqs-off; many 0,2 g wait; irqs-on
    engine generic-2008:wait violates noDeadlock
    engine generic-2008:enomem violates noDeadlock
    engine generic-2008:global-lock holds serialised
    engine generic-2008:target-mask
    engine generic-2008:target-counters
    engine generic-2008:allocated-free,over-mask violates noDeadlock
    engine generic-2008:allocated-free,over-counters violates noDeadlock
    engine generic-2008:poll-own-queue
    engine generic-2008:poll-own-queue,single-queue violates noDeadlock

    """

  /// What the remedies cost where there is no deadlock to be feared.
  private static let generic2008Costs = """
    scenario memory-at-hand
    claim With memory nobody waits and nothing is refused; ideas 1 to 3 wait all the same, idea 4 doesn't.
    source mail of 30 April 2008: "CPUs can proceed freely if their allocation succeeded"
    cpus 2
    cpu 0: irqs-off; single 1 f; irqs-on
    cpu 1: irqs-off; single 0 g; irqs-on
    engine generic-2008:wait violates serialised holds noRefusal
    engine generic-2008:enomem violates serialised holds noRefusal
    engine generic-2008:global-lock holds serialised,noRefusal
    engine generic-2008:target-mask holds serialised,noRefusal
    engine generic-2008:target-counters holds serialised,noRefusal
    engine generic-2008:allocated-free,over-mask violates serialised holds noRefusal
    engine generic-2008:allocated-free,over-counters violates serialised holds noRefusal
    engine generic-2008:poll-own-queue violates serialised holds noRefusal

    scenario one-target-two-callers
    claim Two calls to one target: ideas 1 and 2 make one wait for the other, ideas 3 and 5 do not.
    source mail of 30 April 2008: "concurrent smp_call_function()s to proceed even if their lists of target CPUs overlap"
    cpus 3
    allocation fails
    cpu 0: single 2 f
    cpu 1: single 2 g
    engine generic-2008:wait violates serialised,serialisedPerTarget
    engine generic-2008:enomem violates noRefusal
    engine generic-2008:global-lock holds serialised,serialisedPerTarget
    engine generic-2008:target-mask holds serialised,serialisedPerTarget
    engine generic-2008:target-counters violates serialised,serialisedPerTarget
    engine generic-2008:allocated-free,over-mask holds serialisedPerTarget
    engine generic-2008:allocated-free,over-counters violates serialisedPerTarget
    engine generic-2008:poll-own-queue violates serialised,serialisedPerTarget

    scenario one-target-with-memory
    claim The same with memory: idea 4 is as free as no gate at all.
    source mail of 30 April 2008: "CPUs can proceed freely if their allocation succeeded"
    cpus 3
    cpu 0: single 2 f
    cpu 1: single 2 g
    engine generic-2008:wait violates serialised,serialisedPerTarget
    engine generic-2008:global-lock holds serialised,serialisedPerTarget
    engine generic-2008:target-mask holds serialised,serialisedPerTarget
    engine generic-2008:target-counters violates serialised,serialisedPerTarget
    engine generic-2008:allocated-free,over-mask violates serialised,serialisedPerTarget
    engine generic-2008:allocated-free,over-counters violates serialised,serialisedPerTarget

    scenario two-targets
    claim Two calls to two targets: only idea 1 makes one wait for the other.
    source mail of 30 April 2008: "may proceed if it is not a current target and if none of its target CPUs are [...]"
    cpus 3
    allocation fails
    cpu 0: single 1 f
    cpu 2: single 0 g
    engine generic-2008:global-lock holds serialised
    engine generic-2008:target-mask violates serialised holds serialisedPerTarget
    engine generic-2008:target-counters violates serialised holds serialisedPerTarget

    """

  /// What the remedies take for granted, and where that is not so.
  private static let generic2008Assumptions = """
    scenario callback-that-calls
    claim A callback that makes a call: ideas 1 to 4 deadlock, for its CPU is targeted, and the gate closed, until it \
    returns. Without a gate nothing happens, the first caller having interrupts on.
    source mail of 30 April 2008, refuted: "that will obviously work"
    cpus 2
    allocation fails
    function f: single 0 g
    cpu 0: single 1 f wait
    engine generic-2008:wait
    engine generic-2008:enomem violates noRefusal
    engine generic-2008:global-lock violates noDeadlock,noLostCallback
    engine generic-2008:target-mask violates noDeadlock,noLostCallback
    engine generic-2008:target-counters violates noDeadlock,noLostCallback
    engine generic-2008:allocated-free,over-mask violates noDeadlock,noLostCallback
    engine generic-2008:allocated-free,over-counters violates noDeadlock,noLostCallback
    engine generic-2008:poll-own-queue

    scenario callback-that-calls-with-memory
    claim The same with memory: ideas 1 to 3 deadlock still, where the merged code does not even wait.
    source mail of 30 April 2008
    cpus 2
    function f: single 0 g
    cpu 0: single 1 f wait
    engine generic-2008:wait
    engine generic-2008:enomem
    engine generic-2008:global-lock violates noDeadlock,noLostCallback
    engine generic-2008:target-mask violates noDeadlock,noLostCallback
    engine generic-2008:target-counters violates noDeadlock,noLostCallback
    engine generic-2008:allocated-free,over-mask
    engine generic-2008:allocated-free,over-counters
    engine generic-2008:poll-own-queue

    scenario callbacks-that-call-each-other
    claim A callback is a caller with interrupts off: tasks with interrupts on deadlock, but for refusing and idea 5.
    source mail of 30 April 2008: "The callee is in irq context"
    cpus 2
    allocation fails
    function f: single 0 h
    function g: single 1 k
    cpu 0: single 1 f
    cpu 1: single 0 g
    engine generic-2008:wait violates noDeadlock,noLostCallback
    engine generic-2008:enomem violates noRefusal
    engine generic-2008:global-lock violates noDeadlock,noLostCallback
    engine generic-2008:target-mask violates noDeadlock,noLostCallback
    engine generic-2008:target-counters violates noDeadlock,noLostCallback
    engine generic-2008:allocated-free,over-mask violates noDeadlock,noLostCallback
    engine generic-2008:allocated-free,over-counters violates noDeadlock,noLostCallback
    engine generic-2008:poll-own-queue

    scenario caller-holds-callback-lock
    claim A caller that holds, with interrupts off, a lock that a callback takes: idea 5 runs the callback in the caller, \
    ideas 1 to 4 let its interrupt in; both deadlock. That is a new prohibition: to wait, with one caller's \
    interrupts on, does not.
    source mail of 30 April 2008, refuted: "but that is not a new prohibition"
    cpus 2
    allocation fails
    function g: lock A; unlock A
    cpu 0: irqs-off; lock A; single 1 f; unlock A; irqs-on
    cpu 1: single 0 g
    engine generic-2008:wait
    engine generic-2008:enomem violates noRefusal
    engine generic-2008:global-lock violates noDeadlock
    engine generic-2008:global-lock,irqs-as-found violates noDeadlock
    engine generic-2008:target-mask violates noDeadlock
    engine generic-2008:target-mask,irqs-as-found violates noDeadlock
    engine generic-2008:target-counters violates noDeadlock
    engine generic-2008:target-counters,irqs-as-found violates noDeadlock
    engine generic-2008:allocated-free,over-mask violates noDeadlock
    engine generic-2008:allocated-free,over-counters violates noDeadlock
    engine generic-2008:poll-own-queue violates noDeadlock

    scenario caller-holds-callback-lock-with-memory
    claim The same with memory: ideas 1 to 3 deadlock still.
    source mail of 30 April 2008
    cpus 2
    function g: lock A; unlock A
    cpu 0: irqs-off; lock A; single 1 f; unlock A; irqs-on
    cpu 1: single 0 g
    engine generic-2008:wait
    engine generic-2008:enomem
    engine generic-2008:global-lock violates noDeadlock
    engine generic-2008:target-mask violates noDeadlock
    engine generic-2008:target-counters violates noDeadlock
    engine generic-2008:allocated-free,over-mask
    engine generic-2008:allocated-free,over-counters
    engine generic-2008:poll-own-queue

    scenario caller-holds-target-lock
    claim The target spins with interrupts off for a lock that the caller holds: every fallback that waits deadlocks, \
    also with interrupts on. Only to refuse helps.
    source mail of 30 April 2008: "Why not handle memory allocation failure by pretending that the caller [...] wait"
    cpus 2
    allocation fails
    cpu 0: lock A; single 1 f; unlock A
    cpu 1: irqs-off; lock A; unlock A; irqs-on
    engine generic-2008:wait violates noDeadlock
    engine generic-2008:enomem violates noRefusal
    engine generic-2008:global-lock violates noDeadlock
    engine generic-2008:target-mask violates noDeadlock
    engine generic-2008:target-counters violates noDeadlock
    engine generic-2008:allocated-free,over-mask violates noDeadlock
    engine generic-2008:allocated-free,over-counters violates noDeadlock
    engine generic-2008:poll-own-queue violates noDeadlock

    scenario caller-holds-target-lock-with-memory
    claim The same with memory: ideas 1 to 3 deadlock, for they wait all the same.
    source mail of 30 April 2008: "defeats the purpose of your list"
    cpus 2
    cpu 0: lock A; single 1 f; unlock A
    cpu 1: irqs-off; lock A; unlock A; irqs-on
    engine generic-2008:wait
    engine generic-2008:enomem
    engine generic-2008:global-lock violates noDeadlock
    engine generic-2008:target-mask violates noDeadlock
    engine generic-2008:target-counters violates noDeadlock
    engine generic-2008:allocated-free,over-mask
    engine generic-2008:allocated-free,over-counters
    engine generic-2008:poll-own-queue

    scenario kick-owed-below
    claim A callback that waits on the CPU of a caller that has queued and not yet kicked: the queue is not empty, so it \
    sends no IPI, and the one that is owed comes after it. With memory and interrupts on, every fallback deadlocks; \
    where a gate is closed, already there.
    source kernel/smp.c of 2.6.26: "from a hardware interrupt handler" is forbidden; this is one reason why
    cpus 2
    function h: single 1 g wait
    cpu 0: single 1 f wait
    cpu 1: single 0 h
    engine generic-2008:wait violates noDeadlock,noLostCallback
    engine generic-2008:enomem violates noDeadlock,noLostCallback
    engine generic-2008:global-lock violates noDeadlock,noLostCallback
    engine generic-2008:target-mask violates noDeadlock,noLostCallback
    engine generic-2008:target-counters violates noDeadlock,noLostCallback
    engine generic-2008:allocated-free,over-mask violates noDeadlock,noLostCallback
    engine generic-2008:allocated-free,over-counters violates noDeadlock,noLostCallback
    engine generic-2008:poll-own-queue violates noDeadlock,noLostCallback

    scenario poll-inside-walk
    claim A callback that waits and polls the shared queue finds its own entry, whose bit is still set: it runs once \
    more and drops a second reference, so that another target never runs it and the caller returns too early.
    source mail of 30 April 2008, refuted: "#5 might actually work"
    cpus 3
    function f: single 0 g wait
    cpu 0: many 1,2 f wait
    engine generic-2008:wait
    engine generic-2008:poll-own-queue violates noneRunTwice,waitsForAll,noLostCallback,noWarning
    engine generic-2008:poll-own-queue,single-queue

    scenario poll-inside-flush
    claim A callback that waits and polls runs what came after, before what its flush has yet to run.
    source mail of 30 April 2008: "it polls its own list"
    cpus 2
    function f: single 0 g wait
    cpu 0: single 1 f; single 1 h; single 1 k
    engine generic-2008:wait
    engine generic-2008:poll-own-queue violates orderInBatch
    engine generic-2008:poll-own-queue,single-queue violates orderInBatch

    """

  /// What the engine promises whatever the fallback.
  private static let generic2008Promises = """
    scenario many-few-targets
    claim No online target: nothing. One: a single call. A CPU that does not exist: refused.
    source kernel/smp.c of 2.6.26, smp_call_function_mask()
    cpus 2
    cpu 0: many none f wait -> 0; many 0 f wait -> 0; many 1 g wait -> 0; single 0 h -> 0; single 5 k -> -ENXIO
    engine generic-2008 violates noRefusal
    engine generic-2008:global-lock violates noRefusal
    engine generic-2008:poll-own-queue violates noRefusal

    scenario each-cpu-2008
    claim on_each_cpu() runs the others first, then its own CPU, also when nothing could be allocated for the others.
    source kernel/softirq.c of 2.6.26
    cpus 3
    allocation either
    cpu 0: each 0-2 f wait
    engine generic-2008:wait holds noWarning
    engine generic-2008:enomem violates noRefusal holds noWarning
    engine generic-2008:global-lock holds noWarning
    engine generic-2008:target-mask holds noWarning
    engine generic-2008:poll-own-queue holds noWarning

    scenario many-calls-overlap
    claim Overlapping calls on the shared queue: none is lost, none runs twice, all are waited for.
    source kernel/smp.c of 2.6.26, generic_smp_call_function_interrupt()
    cpus 3
    cpu 0: many 1,2 f wait
    cpu 1: many 0,2 g wait
    engine generic-2008:wait holds noWarning
    engine generic-2008:global-lock holds noWarning,serialised
    engine generic-2008:target-mask holds noWarning,serialisedPerTarget
    engine generic-2008:target-counters holds noWarning

    scenario many-calls-on-stacks
    claim The same on two stacks that quiesce, one caller with interrupts off.
    source kernel/smp.c of 2.6.26, smp_call_function_mask_quiesce_stack()
    cpus 3
    allocation fails
    cpu 0: many 1,2 f
    cpu 2: irqs-off; many 0,1 g; irqs-on
    engine generic-2008:wait

    scenario stack-seen-by-outsider
    claim The targets of a call on the stack quiesce, but a CPU that is none of them may stand on the entry as well, \
    walking to one of its own: it reads a stack that is gone. All CPUs have to quiesce.
    source kernel/smp.c of 2.6.26, smp_call_function_mask_quiesce_stack()
    cpus 4
    allocation either
    cpu 0: irqs-off; many 2,3 g; many 1,2 f
    engine generic-2008:wait violates noCSDReuse
    engine generic-2008:wait,quiesce-all

    scenario freed-under-its-waiter
    claim A waiting caller reads the flags of an entry that the last walker has freed: only a grace period that waits \
    for callers too, as classic RCU's does, keeps it.
    source kernel/smp.c of 2.6.26, csd_flag_wait() and call_rcu()
    cpus 3
    cpu 0: many 1,2 f wait
    engine generic-2008:wait
    engine generic-2008:wait,rcu-preemptible violates noCSDReuse

    scenario cpu-comes-online
    claim A CPU that comes online while others call: nothing breaks, nor would anything without ipi_call_lock(), for \
    a call takes one copy of the online mask, and does so before it takes the lock.
    source kernel/smp.c of 2.6.26, ipi_call_lock()
    cpus 3
    offline 2
    cpu 0: up 2
    cpu 1: many 0,2 f wait; many 0,2 g wait
    engine generic-2008:wait
    engine generic-2008:wait,onlining-unlocked

    scenario late-ipi-allocated
    claim A call that does not wait is lost, or runs on a CPU marked offline, if its IPI is late; with ideas 1 to 3 \
    every call waits, and stop_machine() for it.
    source mail of 23 May 2014: "an IPI sent much earlier might arrive late on the target CPU"
    cpus 2
    cpu 0: single 1 f; down 1
    engine generic-2008:wait violates noLostCallback,noneOnOfflineCPU
    engine generic-2008:global-lock
    engine generic-2008:target-mask
    engine generic-2008:target-counters
    engine generic-2008:allocated-free violates noLostCallback,noneOnOfflineCPU

    scenario passed-over
    claim Who waits at a gate for a target that another CPU calls again and again may wait for ever; a counter lets both in.
    source mail of 30 April 2008, ideas 1 to 4
    cpus 3
    cpu 0: single 2 f wait
    cpu 1: single 2 f wait; repeat
    engine generic-2008:wait
    engine generic-2008:global-lock violates boundedWaiting
    engine generic-2008:target-mask violates boundedWaiting
    engine generic-2008:target-counters
    engine generic-2008:allocated-free violates boundedWaiting
    engine generic-2008:poll-own-queue
    engine percpu-2009
    engine llist-2014
    engine mainline

    scenario flooded
    claim A handler that looks again whether its queue is empty can be kept busy for ever by one caller; one that takes all at once cannot.
    source kernel/smp.c of 2.6.26, generic_smp_call_function_single_interrupt()
    cpus 3
    cpu 0: single 2 f wait
    cpu 1: single 0 f wait; repeat
    engine generic-2008:wait violates boundedWaiting
    engine generic-2008:global-lock violates boundedWaiting
    engine generic-2008:target-mask violates boundedWaiting
    engine generic-2008:target-counters violates boundedWaiting
    engine generic-2008:poll-own-queue violates boundedWaiting
    engine percpu-2009
    engine llist-2014
    engine mainline
    """
}
