/*
 * scenario skipped-entry
 * claim With reuse at the tail a walker that stands on a reused entry skips others, and a callback is lost.
 * source mail of 17 February 2009: "avoids skipping over entries like would have happened had we placed the new entry at the end"
 * cpus 3
 * cpu 0: irqs-off; many 1-2 f wait; many 1-2 f wait; irqs-on
 * cpu 1: irqs-off; many 0,2 g; irqs-on
 * engine percpu-2009:tail,mail violates noLostCallback,waitsForAll,orderInBatch,visitsOnce  # spin -DTAIL -DMAIL
 * engine percpu-2009:tail,merged violates noLostCallback,orderInBatch,visitsOnce  # spin -DTAIL
 *
 * scenario visited-twice
 * claim With reuse at the head a walker meets entries twice, and none is lost.
 * source mail of 17 February 2009: "visiting entries twice is not a problem, since we remove our cpu from the entry's cpumask"
 * cpus 3
 * cpu 0: irqs-off; many 1-2 f wait; many 1-2 f wait; irqs-on
 * cpu 1: irqs-off; many 0,2 g; irqs-on
 * engine percpu-2009:head,mail violates visitsOnce,waitsForAll,orderInBatch  # spin -DMAIL
 * engine percpu-2009:head,merged violates visitsOnce,orderInBatch  # spin
 *
 * scenario returns-too-early
 * claim As mailed, the last target to drop its reference ends the wait after its own run, with others still running.
 * source mail of 17 February 2009, generic_smp_call_function_interrupt()
 * cpus 3
 * cpu 0: many 1-2 f wait
 * engine percpu-2009:head,mail violates waitsForAll holds visitsOnce  # spin -DMAIL -DONE
 * engine percpu-2009:head,merged holds visitsOnce  # spin -DONE
 */

#define CPUS 3
#ifdef ONE
#define CALLS 1
#else
#define CALLS 3
#endif
#include "cpus.h"

/* percpu-2009: one queue that all CPUs share. CPU c's entry is node c + 1; node 0 is the list's head. */
#define NODES (CPUS + 1)
byte next[NODES];
bool queueLocked;
/* call_function_data: LOCK and WAIT of its csd, its own lock, mask, references; and the call that it is filled for. */
bool used[NODES];
bool waited[NODES];
bool locked[NODES];
byte mask[NODES];
byte references[NODES];
byte callOf[NODES];

/* On which node each CPU's walker stands, and what it has met. An entry is filled until it is unlinked. */
byte at[CPUS];
byte visited[CPUS];
bool filled[NODES];
/* For each call and CPU: the calls that were on the queue for it before. */
byte ahead[CALLS * CPUS];
hidden byte visitsOnce, orderInBatch;
hidden byte node, other;

/* list_add_rcu() or list_add_tail_rcu(): first the entry points on, for who stands on it, too; then it is linked. */
#define findsLast \
  node = 0; \
  do \
  :: next[node] != 0 -> node = next[node] \
  :: else -> break \
  od
#ifdef TAIL
#define pointsOn(entry) next[entry] = 0
#define links(entry) findsLast; next[node] = entry
#else
#define pointsOn(entry) next[entry] = next[0]
#define links(entry) next[0] = entry
#endif

/* list_del_rcu(): where the entry itself points, it still does. */
#define unlinks(entry) \
  node = 0; \
  do \
  :: next[node] != entry -> node = next[node] \
  :: else -> break \
  od; \
  next[node] = next[entry]; \
  filled[entry] = false

#define notesOrder(call, cpu) \
  if \
  :: has(queued[call], cpu) && has(mask[node], cpu) -> \
     ahead[call * CPUS + cpu] = ahead[call * CPUS + cpu] | bitOf(callOf[node]) \
  :: else \
  fi
#define notesOrders(call) \
  node = next[0]; \
  do \
  :: node != 0 -> \
     notesOrder(call, 0); \
     notesOrder(call, 1); \
     notesOrder(call, 2); \
     node = next[node] \
  :: else -> break \
  od

/* To the node behind; what nobody stands on any more points nowhere, so that equal states are equal. */
#define standsOn(cpu, entry) (cpu != _pid && at[cpu] == entry)
#define follows \
  node = at[_pid]; \
  at[_pid] = next[node]; \
  if \
  :: node != 0 && !filled[node] && !standsOn(0, node) && !standsOn(1, node) && !standsOn(2, node) -> next[node] = 0 \
  :: else \
  fi

#define beginsIf(guard, which) \
  d_step { \
    guard -> \
    call = which; \
    isLast = isLast && waits; \
    waits = isLast; \
    other = 0; \
    do \
    :: other < CALLS -> \
       promise(orderInBatch, !has(ahead[call * CPUS + _pid], other) || has(started[other], _pid)); \
       other++ \
    :: else -> break \
    od; \
    ahead[call * CPUS + _pid] = 0; \
    starts(call, _pid) \
  }

/* generic_smp_call_function_interrupt(): walks without the queue's lock. */
#define me at[_pid]
active [CPUS] proctype handler() {
  byte call;
  bool isLast, waits;
idle:
end:
  do
  :: interrupt(MANY);
     do
     :: d_step { !(isLast && waits) -> follows };
        if
        :: d_step { me == 0 -> visited[_pid] = 0; handling[_pid] = false };
           goto idle
        :: d_step { me != 0 && !locked[me] -> locked[me] = true };
           d_step { promise(visitsOnce, !has(visited[_pid], me)); visited[_pid] = visited[_pid] | bitOf(me) };
           if
           :: d_step { !has(mask[me], _pid) -> locked[me] = false }
           :: d_step { has(mask[me], _pid) -> mask[me] = mask[me] & ~bitOf(_pid) };
#ifdef MAIL
              /* The reference is dropped, and the last one unlinks and unlocks the entry, before the function runs. */
              d_step { references[me]--; isLast = references[me] == 0; waits = waited[me]; call = callOf[me] };
              d_step { locked[me] = false };
              if
              :: d_step { isLast && !queueLocked -> queueLocked = true };
                 d_step { unlinks(me) };
                 d_step { queueLocked = false };
                 d_step { used[me] = false };
                 beginsIf(true, call)
              :: beginsIf(!isLast, call)
              fi;
              d_step { finishes(call, _pid); call = 0 }
#else
              /* And here after it. */
              d_step { locked[me] = false };
              beginsIf(true, callOf[me]);
              d_step { finishes(call, _pid); call = 0 };
              d_step { !locked[me] -> locked[me] = true };
              d_step { references[me]--; isLast = references[me] == 0 };
              if
              :: d_step { isLast && !queueLocked -> queueLocked = true };
                 d_step { unlinks(me) };
                 d_step { queueLocked = false };
                 d_step { locked[me] = false };
                 d_step { used[me] = false; isLast = false }
              :: d_step { !isLast -> locked[me] = false }
              fi
#endif
           fi
        fi
     /* csd_complete(), of whoever's entry it is by now */
     :: d_step { isLast && waits -> waited[me] = false; isLast = false; waits = false }
     od
  od
}
#undef me

#ifdef MAIL
#define isAnswered(entry) !waited[entry]
#else
#define isAnswered(entry) !used[entry]
#endif

/* The IPI goes to the CPUs that the entry's mask still has by then. */
#define sends(cpu, cpus) pending[cpu] = pending[cpu] | (has(cpus, cpu) -> MANY : 0)
#define sendsIf(guard, entry) d_step { guard -> sends(0, mask[entry]); sends(1, mask[entry]); sends(2, mask[entry]) }

#define fillsIf(guard, entry, call, cpus) \
  d_step { guard -> callOf[entry] = call; mask[entry] = cpus; references[entry] = 2; filled[entry] = true }

/* smp_call_function_many() to two CPUs; whether interrupts were on before. */
inline many(me, call, cpus, doesWait, wereOn) {
  private;  /* the call begins */
  private;  /* two are online */
  !used[me + 1];
  d_step { used[me + 1] = true; waited[me + 1] = false; disabled[me] = true };
  d_step { !locked[me + 1] -> locked[me + 1] = true };
#ifdef MAIL
  if
  :: d_step { doesWait -> waited[me + 1] = true };
     fillsIf(doesWait, me + 1, call, cpus)
  :: fillsIf(!doesWait, me + 1, call, cpus)
  fi;
#else
  fillsIf(true, me + 1, call, cpus);
#endif
  d_step { !queueLocked -> queueLocked = true };
  d_step { pointsOn(me + 1) };
  d_step { queued[call] = queued[call] | (cpus); notesOrders(call); links(me + 1) };
  d_step { queueLocked = false };
  d_step { locked[me + 1] = false; disabled[me] = !wereOn };
  if
  :: sendsIf(doesWait, me + 1);
     d_step { isAnswered(me + 1) -> promise(waitsForAll, finished[call] == (cpus)) }
  :: sendsIf(!doesWait, me + 1)
  fi
}

active proctype task0() provided (!handling[0]) {
#ifdef ONE
  many(0, 0, bitOf(1) | bitOf(2), true, true);
#else
  d_step { disabled[0] = true };
  many(0, 0, bitOf(1) | bitOf(2), true, false);
  many(0, 1, bitOf(1) | bitOf(2), true, false);
  d_step { disabled[0] = false };
#endif
  private;
end:
  false
}

#ifdef ONE
#define allHaveRun (queued[0] == finished[0])
#else
#define allHaveRun (queued[0] == finished[0] && queued[1] == finished[1] && queued[2] == finished[2])

active proctype task1() provided (!handling[1]) {
  d_step { disabled[1] = true };
  many(1, 2, bitOf(0) | bitOf(2), false, false);
  d_step { disabled[1] = false };
  private;
end:
  false
}
#endif

#ifndef COUNT
active proctype observer() {
end:
  timeout -> promise(noLostCallback, allHaveRun)
}
#endif
