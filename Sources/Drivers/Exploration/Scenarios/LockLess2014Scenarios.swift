extension ScenarioLibrary {
  static let lockLess2014 = [lockLess2014Hotplug, lockLess2014Waiters, lockLess2014Calls].joined(separator: "\n")

  /// What becomes of callbacks whose target goes offline, and what is warned of.
  private static let lockLess2014Hotplug = """
    scenario late-ipi
    claim A callback whose IPI comes after its CPU is gone is lost without the flush on dying, and never with it.
    source mail of 23 May 2014: "an IPI sent much earlier might arrive late on the target CPU"
    cpus 2
    cpu 0: single 1 f; down 1
    engine llist-2014:none,before violates noLostCallback,noneOnOfflineCPU,noOfflineWarning
    engine llist-2014:none,before,two-stages violates noLostCallback,noneOnOfflineCPU,noOfflineWarning
    engine llist-2014:none,mail violates noLostCallback,noOfflineWarning
    engine llist-2014:none,merged violates noLostCallback,noneOnOfflineCPU holds noOfflineWarning
    engine llist-2014:none,since-5.8 violates noLostCallback,noneOnOfflineCPU,noOfflineWarning
    engine llist-2014:dying,before violates noOfflineWarning
    engine llist-2014:dying,mail violates noOfflineWarning
    engine llist-2014:dying,mail,two-stages violates noOfflineWarning
    engine llist-2014:dying,merged holds noOfflineWarning
    engine llist-2014:dying,merged,two-stages holds noOfflineWarning
    engine llist-2014:dying,since-5.8 holds noOfflineWarning

    scenario late-ipi-three
    claim The same from two sources, of which one has interrupts off.
    source mail of 23 May 2014
    cpus 3
    cpu 0: single 1 f; down 1
    cpu 2: irqs-off; async 1 c g -> 0|-ENXIO; irqs-on
    engine llist-2014:none,before violates noLostCallback,noneOnOfflineCPU
    engine llist-2014:dying,mail,two-stages
    engine llist-2014:dying,merged holds noOfflineWarning

    scenario late-ipi-next
    claim Without the flush, whoever locks the csd of the lost callback next spins for ever, with the CPU up again.
    source mail of 23 May 2014
    cpus 2
    cpu 0: single 1 f; down 1; up 1; single 1 g
    engine llist-2014:none,before violates noDeadlock,noLostCallback,noneOnOfflineCPU
    engine llist-2014:none,mail violates noDeadlock,noLostCallback
    engine llist-2014:none,merged violates noDeadlock,noLostCallback,noneOnOfflineCPU
    engine llist-2014:dying,before
    engine llist-2014:dying,mail,two-stages
    engine llist-2014:dying,merged

    scenario late-ipi-next-target
    claim It spins for ever whatever its target: the csd is the source's one and only.
    source mail of 23 May 2014
    cpus 3
    cpu 0: single 1 f; down 1; single 2 g
    engine llist-2014:none,before violates noDeadlock,noLostCallback,noneOnOfflineCPU
    engine llist-2014:none,mail violates noDeadlock,noLostCallback
    engine llist-2014:none,merged violates noDeadlock,noLostCallback,noneOnOfflineCPU
    engine llist-2014:dying,mail,two-stages
    engine llist-2014:dying,merged

    scenario never-empty-again
    claim Without the flush a CPU comes back with its queue not empty, and nobody kicks it: another source hangs.
    source mail of 23 May 2014
    cpus 3
    cpu 0: single 1 f; down 1; up 1
    cpu 2: single 1 g wait -> 0|-ENXIO
    engine llist-2014:none,before violates noDeadlock,noLostCallback,noneOnOfflineCPU
    engine llist-2014:dying,before
    engine llist-2014:dying,mail,two-stages
    engine llist-2014:dying,merged

    scenario printed-is-lost
    claim What was left on a queue is run by the next call to several; what the mail's warning printed is gone.
    source mail of 23 May 2014: "llist_del_all" in the handler's warning, and again in the flush
    cpus 3
    cpu 0: single 1 f; down 1; up 1; many 1-2 g wait
    engine llist-2014:none,before violates noneOnOfflineCPU,noOfflineWarning
    engine llist-2014:none,merged violates noneOnOfflineCPU holds noOfflineWarning
    engine llist-2014:none,since-5.8 violates noneOnOfflineCPU,noOfflineWarning
    engine llist-2014:none,mail violates noLostCallback,noOfflineWarning
    engine llist-2014:dying,mail,two-stages violates noOfflineWarning
    engine llist-2014:dying,merged holds noOfflineWarning

    scenario warned-once
    claim The mail's handler loses what it warns of; it warns once, and runs on an offline CPU what comes there later.
    source mail of 23 May 2014
    cpus 2
    cpu 0: async 1 a f; down 1; up 1; async 1 b g; down 1
    engine llist-2014:none,mail violates noLostCallback,orderInBatch,noneOnOfflineCPU,noOfflineWarning
    engine llist-2014:none,merged violates noLostCallback,noneOnOfflineCPU holds noOfflineWarning
    engine llist-2014:dying,mail,two-stages violates noOfflineWarning
    engine llist-2014:dying,merged holds noOfflineWarning

    scenario up-canceled
    claim When a CPU is refused, the mail lets the caller flush its own queue, and its handler overtakes it.
    source mail of 23 May 2014, hotplug_cfd()
    cpus 3
    offline 2
    allocation fails
    cpu 0: up 2
    cpu 1: async 0 a f; async 0 b g
    engine llist-2014:dying,mail violates orderInBatch
    engine llist-2014:dying,before
    engine llist-2014:dying,merged

    scenario freed-while-queued
    claim The csds of a CPU's calls to several are freed when it is dead, and may still be on a queue.
    source kernel/smp.c of 3.15, hotplug_cfd()
    cpus 3
    cpu 0: down 1
    cpu 1: many 0,2 f
    engine llist-2014:none,before violates noCSDReuse
    engine llist-2014:dying,mail,two-stages violates noCSDReuse
    engine llist-2014:dying,merged violates noCSDReuse
    """

  /// Whether who waits can be caught by a CPU that goes.
  private static let lockLess2014Waiters = """
    scenario waiter-in-task
    claim A task that waits cannot be caught: stop_machine() waits for it, with or without the flush.
    source mail of 23 May 2014; kernel/stop_machine.c
    cpus 3
    cpu 0: single 1 f wait -> 0|-ENXIO; many 1-2 g wait
    cpu 2: down 1
    engine llist-2014:none,before holds noOfflineWarning
    engine llist-2014:none,before,two-stages holds noOfflineWarning
    engine llist-2014:none,mail holds noOfflineWarning
    engine llist-2014:none,merged holds noOfflineWarning
    engine llist-2014:dying,mail,two-stages
    engine llist-2014:dying,merged

    scenario waiter-with-interrupts-off
    claim A task that waits with interrupts off cannot be caught either.
    source mail of 23 May 2014; kernel/stop_machine.c
    cpus 3
    cpu 0: irqs-off; single 1 f wait -> 0|-ENXIO; irqs-on
    cpu 2: down 1
    engine llist-2014:none,before violates noWarning holds noOfflineWarning
    engine llist-2014:none,mail violates noWarning holds noOfflineWarning
    engine llist-2014:dying,mail,two-stages violates noWarning
    engine llist-2014:dying,merged violates noWarning

    scenario waiter-in-handler
    claim A handler that waits for the CPU that goes is never lost, but hangs with it unless there are two stages.
    source mail of 23 May 2014: "2 separate stages to disable interrupts"
    cpus 3
    function h: single 1 f wait
    cpu 2: single 0 h; down 1
    engine llist-2014:none,before violates noDeadlock
    engine llist-2014:none,before,two-stages
    engine llist-2014:dying,mail,two-stages
    engine llist-2014:dying,merged violates noDeadlock
    engine llist-2014:dying,merged,two-stages

    scenario waiter-on-target
    claim A handler that waits on the CPU that goes hangs in either way of stopping.
    source kernel/stop_machine.c
    cpus 2
    function h: single 0 f wait
    cpu 0: single 1 h; down 1
    engine llist-2014:none,before,two-stages violates noDeadlock,noLostCallback,noneOnOfflineCPU
    engine llist-2014:dying,mail,two-stages violates noDeadlock
    engine llist-2014:dying,merged violates noDeadlock

    scenario async-in-handler
    claim A handler's call that does not wait is caught without the flush, also with two stages, and never with it.
    source mail of 23 May 2014
    cpus 3
    function h: async 1 c f
    cpu 2: single 0 h; down 1
    engine llist-2014:none,before violates noLostCallback,noneOnOfflineCPU
    engine llist-2014:none,before,two-stages violates noLostCallback,noneOnOfflineCPU
    engine llist-2014:dying,mail,two-stages
    engine llist-2014:dying,merged holds noOfflineWarning
    engine llist-2014:dying,merged,two-stages holds noOfflineWarning
    """

  /// The calls, without hotplug.
  private static let lockLess2014Calls = """
    scenario storm
    claim CPUs that call each other, all waiting, all get their answers.
    source kernel/smp.c of 3.15
    cpus 3
    cpu 0: many 1-2 f wait
    cpu 1: single 2 g wait
    engine llist-2014 holds noWarning

    scenario storm-two
    claim Two CPUs that call each other several times, waiting or not, lose nothing.
    source kernel/smp.c of 3.15
    cpus 2
    cpu 0: single 1 f; single 1 g wait; single 1 h
    cpu 1: async 0 c g; single 0 h wait
    engine llist-2014 holds noWarning

    scenario masks
    claim A call to several, to each and to any reaches whom it promises to reach, waiting or not.
    source kernel/smp.c of 3.15
    cpus 3
    cpu 0: each 0-2 f wait; each 0-1 g; any 0-1 h wait -> 0
    cpu 1: any 0,2 k wait -> 0
    engine llist-2014 holds noWarning

    scenario offline-targets
    claim A call to a CPU that is offline, or does not exist, returns -ENXIO; a mask's offline CPUs are left out.
    source kernel/smp.c of 3.15
    cpus 3
    offline 2
    cpu 0: single 2 f -> -ENXIO; single 9 f wait -> -ENXIO; single -1 f -> -ENXIO
    cpu 0: async 2 c f -> -ENXIO; any 2 f -> -ENXIO
    cpu 0: many 1-2 f wait -> 0; each 0-2 f wait -> 0; single 0 f -> 0; any 1-2 f wait -> 0
    engine llist-2014

    scenario interrupts-off
    claim Two CPUs that wait for each other with interrupts off wait for ever; the engine warns of the first.
    source kernel/smp.c of 3.15
    cpus 2
    cpu 0: irqs-off; single 1 f wait; irqs-on
    cpu 1: irqs-off; single 0 f wait; irqs-on
    engine llist-2014:before violates noDeadlock,noWarning
    engine llist-2014 violates noDeadlock,noWarning

    scenario interrupts-off-async
    claim With csds of their own and nothing to wait for they do not.
    source kernel/smp.c of 3.15
    cpus 2
    cpu 0: irqs-off; async 1 c f; irqs-on
    cpu 1: irqs-off; async 0 d f; irqs-on
    engine llist-2014 holds noWarning

    scenario async-again
    claim A second asynchronous call with the same csd spins until the first has run: there is no -EBUSY yet.
    source kernel/smp.c of 3.15
    cpus 2
    cpu 0: async 1 c f; async 1 c g
    engine llist-2014 violates neverWaits

    scenario async-shared
    claim Two callers of one csd have to keep out of each other's way: csd_lock() is a test and then a set.
    source kernel/smp.c of 3.15
    cpus 3
    cpu 0: async 2 c f
    cpu 1: async 2 c g
    engine llist-2014 violates noCSDReuse,neverWaits,noWarning

    scenario handler-takes-csd
    claim A handler's call takes its CPU's own csd between a task's test and set, and one of the two is lost.
    source kernel/smp.c of 3.15
    cpus 3
    function h: single 2 g
    cpu 0: single 1 f
    cpu 1: async 0 c h
    engine llist-2014 violates noCSDReuse,noDeadlock,noLostCallback,noWarning
    """
}
