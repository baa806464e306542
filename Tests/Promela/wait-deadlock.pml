/*
 * scenario wait-deadlock
 * claim Two CPUs that call each other with interrupts off and without memory wait for ever.
 * source mail of 30 April 2008: "you could deadlock between two CPUs each waiting for each others IPI ack"
 * cpus 2
 * allocation fails
 * cpu 0: irqs-off; single 1 f; irqs-on
 * cpu 1: irqs-off; single 0 g; irqs-on
 * engine generic-2008:wait violates noDeadlock  # spin -DOFF
 * engine generic-2008:poll-own-queue,single-queue  # spin -DOFF -DPOLLS
 *
 * scenario wait-interrupts-on
 * claim With interrupts on they get their answers.
 * source kernel/smp.c of 2.6.26
 * cpus 2
 * allocation fails
 * cpu 0: single 1 f
 * cpu 1: single 0 g
 * engine generic-2008:wait  # spin
 */

#define CPUS 2
#define CALLS 2
#include "cpus.h"

/*
 * generic-2008: a queue with a lock for each CPU. One call goes to each CPU, so a queue has one place: 0, or the call
 * + 1. Its csd is on the caller's stack, for there is no memory, and has WAIT set until the target has run it.
 */
byte queue[CPUS];
bool locked[CPUS];
bool waits[CALLS];

/* generic_smp_call_function_single_interrupt(): what a target does; with `poll-own-queue` also who waits. */
#define runsQueue(cpu, leaves) \
  do \
  :: d_step { queue[cpu] == 0 -> leaves } -> break \
  :: d_step { queue[cpu] != 0 -> true }; \
     d_step { !locked[cpu] -> locked[cpu] = true }; \
     d_step { taken = queue[cpu]; queue[cpu] = 0; locked[cpu] = false }; \
     d_step { starts(taken - 1, cpu) }; \
     d_step { finishes(taken - 1, cpu) }; \
     d_step { waits[taken - 1] = false; taken = 0 }; \
     private  /* no other has been taken with it */ \
  od

active [CPUS] proctype handler() {
  byte taken;
end:
  do
  :: interrupt(SINGLE);
     runsQueue(_pid, handling[_pid] = false)
  od
}

#define me (_pid - CPUS)
#define target (1 - me)

/* smp_call_function_single(), which was not to wait. */
active [CPUS] proctype task() provided (!handling[me]) {
  bool wasEmpty, wasDisabled;
#ifdef POLLS
  byte taken;
#endif
#ifdef OFF
  d_step { disabled[me] = true };
#endif
  private;  /* the call begins */
  private;  /* the target is another CPU, and online */
  d_step { waits[me] = true };  /* for kmalloc() fails */
  /* generic_exec_single() */
  d_step { !locked[target] -> locked[target] = true; wasDisabled = disabled[me]; disabled[me] = true };
  d_step { wasEmpty = queue[target] == 0; queue[target] = me + 1; queued[me] = queued[me] | bitOf(target) };
  d_step { locked[target] = false; disabled[me] = wasDisabled; wasDisabled = false };
  if
  :: d_step { wasEmpty -> pending[target] = pending[target] | SINGLE; wasEmpty = false }
  :: !wasEmpty
  fi;
  do
  :: d_step { !waits[me] -> true } -> break
#ifdef POLLS
  :: d_step { waits[me] && queue[me] != 0 -> wasDisabled = disabled[me]; disabled[me] = true };
     runsQueue(me, disabled[me] = wasDisabled; wasDisabled = false)
#endif
  od;
  promise(waitsForAll, has(finished[me], target));
#ifdef OFF
  d_step { disabled[me] = false };
#endif
  private;
end:
  false
}

/* Who waits with interrupts off would run what is queued for it. */
#define isStuck(cpu) (disabled[cpu] || handling[cpu])

#ifndef COUNT
active proctype observer() {
end:
  timeout -> promise(noLostCallback, queued[0] == finished[0] && queued[1] == finished[1] || isStuck(0) || isStuck(1))
}
#endif
