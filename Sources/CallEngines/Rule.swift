/// A rule of the cross-call engine that a trace can be held against.
///
/// The raw value is the rule's one name: in JSON, on the command line, in headings and in tests.
public enum Rule: String, CaseIterable, Sendable {
  case lostCallback
  case missedByFlush
  case wrongCPU
  case ranTwice
  case classOrder
  case fifoOrder
  case kickMissing
  case kickNotOwed
  case kickWithoutQueue
  case polledNotIdle
  case csdReused
  case forbiddenContext
  case addToOffline
  case missedByDyingFlush
  case localRun

  public enum Severity: String, Sendable {
    /// Work is lost, done twice or done in the wrong place.
    case critical
    /// Work is late, or done out of order.
    case major
    /// An interrupt too many.
    case minor
  }

  public var severity: Severity {
    switch self {
    case .lostCallback, .wrongCPU, .ranTwice, .kickMissing, .polledNotIdle, .csdReused, .addToOffline: .critical
    case .missedByFlush, .missedByDyingFlush, .classOrder, .fifoOrder, .forbiddenContext, .localRun: .major
    case .kickNotOwed, .kickWithoutQueue: .minor
    }
  }

  /// What the engine does, in one sentence.
  public var sentence: String {
    switch self {
    case .lostCallback:
      "A node that was on the queue when a flush took it runs in that flush; none is left behind."
    case .missedByFlush:
      "A flush takes the whole queue, so a node that was added before it runs in it and not in a later one."
    case .wrongCPU:
      "A callback runs on the CPU whose queue its node was added to."
    case .ranTwice:
      "A node that was added once runs once."
    case .classOrder:
      "Within a flush all SYNC callbacks run first, then ASYNC and IRQ_WORK, and all wakeups last."
    case .fifoOrder:
      "Within a flush the callbacks of one class run in the order in which their nodes were added."
    case .kickMissing:
      "Whoever adds a node to an empty queue kicks the target, by an IPI or by NEED_RESCHED if it idles polling."
    case .kickNotOwed:
      "Whoever adds a node to a queue that is not empty does not kick the target: somebody else's kick is under way."
    case .kickWithoutQueue:
      "A cross-call IPI is sent only after a node was added to the target's empty queue."
    case .polledNotIdle:
      "Only a target that idles polling is kicked without an IPI: nobody else looks at NEED_RESCHED in time."
    case .csdReused:
      "A csd stays locked until its callback is due, and is queued again only after that."
    case .forbiddenContext:
      "A call that waits, or that takes a csd which callers share, is made by a task with interrupts on."
    case .addToOffline:
      "A call to a CPU that is offline is refused, and nothing is queued."
    case .missedByDyingFlush:
      "A CPU that goes offline runs what is on its queue before it is gone; nothing waits until it comes back."
    case .localRun:
      "A call to the own CPU is not queued: it runs in place, with interrupts off."
    }
  }

  /// Where the rule comes from: the kernel version that was read, file and function.
  public var source: String {
    switch self {
    case .lostCallback, .missedByFlush:
      "6.12 kernel/smp.c __flush_smp_call_function_queue(): llist_del_all() takes all"
    case .wrongCPU: "6.12 kernel/smp.c __smp_call_single_queue(): llist_add() to per_cpu(call_single_queue, cpu)"
    case .ranTwice: "6.12 kernel/smp.c __flush_smp_call_function_queue(): every node is unlinked before it runs"
    case .classOrder: "6.12 kernel/smp.c __flush_smp_call_function_queue(): the three passes over the list"
    case .fifoOrder: "6.12 kernel/smp.c __flush_smp_call_function_queue(): llist_reverse_order()"
    case .kickMissing, .kickNotOwed:
      "6.12 kernel/smp.c __smp_call_single_queue() and smp_call_function_many_cond(): if (llist_add()) kick"
    case .kickWithoutQueue: "6.12 kernel/smp.c send_call_function_single_ipi() and its two callers"
    case .polledNotIdle:
      "6.12 kernel/smp.c send_call_function_single_ipi(); kernel/sched/core.c call_function_single_prep_ipi()"
    case .csdReused: "6.12 kernel/smp.c csd_lock() before every add, csd_unlock() in __flush_smp_call_function_queue()"
    case .forbiddenContext:
      "6.12 kernel/smp.c smp_call_function_single() and smp_call_function_many_cond(): the warnings at their heads"
    case .addToOffline:
      "6.12 kernel/smp.c generic_exec_single(): -ENXIO, and smp_call_function_many_cond(): the mask and cpu_online_mask"
    case .missedByDyingFlush:
      "6.12 kernel/smp.c smpcfd_dying_cpu(); the second 2014 mail, which introduced it"
    case .localRun:
      "6.12 kernel/smp.c generic_exec_single() and smp_call_function_many_cond(): local_irq_save() around func"
    }
  }
}
