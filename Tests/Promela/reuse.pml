/*
 * scenario reuse
 * claim An entry put back at the tail takes a walker that stands on it past the others, and one is lost; at the head none is.
 * source mail of 17 February 2009: "avoids skipping over entries like would have happened had we placed the new entry at the end"
 * cpus 4
 * cpu 0: many 1-2 f; many 1,3 f
 * cpu 3: many 1-2 g
 * engine percpu-2009:tail,mail violates noLostCallback  # spin -DTAIL -DMAIL
 * engine percpu-2009:tail,merged violates noLostCallback  # spin -DTAIL
 * engine percpu-2009:head,mail  # spin -DMAIL
 * engine percpu-2009:head,merged  # spin
 *
 * scenario reuse-waits
 * claim As mailed, a call that waits returns when the last target to come has run the function, and another may still be in it.
 * source mail of 17 February 2009: the references are dropped before the function runs
 * cpus 3
 * cpu 0: many 1-2 f wait
 * engine percpu-2009:head,mail violates waitsForAll  # spin -DWAITS -DMAIL
 * engine percpu-2009:head,merged  # spin -DWAITS
 */

#ifdef WAITS
#define CPUS 3
#define CALLS 1
#else
#define CPUS 4
#define CALLS 3
#endif
#include "cpus.h"

/* percpu-2009: one queue that all CPUs share, of one entry for each CPU; entry 0 is none. */
#define ENTRIES (CPUS + 1)
byte first;
byte next[ENTRIES];
bool queueLocked;
/* call_function_data */
/* LOCK and WAIT of its csd */
bool used[ENTRIES];
bool waited[ENTRIES];
bool locked[ENTRIES];
byte mask[ENTRIES];
byte references[ENTRIES];
byte callOf[ENTRIES];

hidden byte node;

/* list_add_rcu(), list_add_tail_rcu() */
#define atHead(entry) next[entry] = first; first = entry
#define atTail(entry) \
  next[entry] = 0; \
  if \
  :: first == 0 -> first = entry \
  :: else -> \
     node = first; \
     do \
     :: next[node] != 0 -> node = next[node] \
     :: else -> break \
     od; \
     next[node] = entry \
  fi
#ifdef TAIL
#define adds(entry) atTail(entry)
#else
#define adds(entry) atHead(entry)
#endif

/* list_del_rcu(): where the entry itself points, it still does. */
#define unlinks(entry) \
  if \
  :: first == entry -> first = next[entry] \
  :: else -> \
     node = first; \
     do \
     :: next[node] != entry -> node = next[node] \
     :: else -> break \
     od; \
     next[node] = next[entry] \
  fi

/* generic_smp_call_function_interrupt(): walks without the queue's lock. */
active [CPUS] proctype handler() {
  byte entry, call;
  bool isLast, ends;
end:
  do
  :: interrupt(MANY);
     d_step { entry = first };
     do
     :: entry == 0 -> break
     :: d_step { entry != 0 && !locked[entry] -> locked[entry] = true };
        if
        :: d_step { !has(mask[entry], _pid) -> locked[entry] = false }
        :: d_step { has(mask[entry], _pid) ->
             mask[entry] = mask[entry] & ~bitOf(_pid);
             call = callOf[entry]
#ifdef MAIL
             ; references[entry]--;
             isLast = references[entry] == 0;
             ends = isLast && waited[entry]
#endif
           };
           d_step { locked[entry] = false };
#ifdef MAIL
           if
           :: d_step { isLast && !queueLocked -> queueLocked = true };
              d_step { unlinks(entry) };
              d_step { queueLocked = false };
              d_step { used[entry] = false; isLast = false }
           :: !isLast
           fi;
           d_step { starts(call, _pid) };
           d_step { finishes(call, _pid); call = 0 };
           if
           :: !ends
           :: d_step { ends -> waited[entry] = false; ends = false }
           fi
#else
           d_step { starts(call, _pid) };
           d_step { finishes(call, _pid); call = 0 };
           d_step { !locked[entry] -> locked[entry] = true };
           d_step { references[entry]--; isLast = references[entry] == 0 };
           if
           :: d_step { isLast && !queueLocked -> queueLocked = true };
              d_step { unlinks(entry) };
              d_step { queueLocked = false };
              d_step { locked[entry] = false };
              d_step { used[entry] = false; isLast = false }
           :: d_step { !isLast -> locked[entry] = false }
           fi
#endif
        fi;
        entry = next[entry]
     od;
     returnFromInterrupt
  od
}

/* The IPI goes to the CPUs that the entry's mask still has by then. */
#define sends(cpu, cpus) pending[cpu] = pending[cpu] | (has(cpus, cpu) -> MANY : 0)
#if CPUS == 4
#define sendsToMask(cpus) sends(0, cpus); sends(1, cpus); sends(2, cpus); sends(3, cpus)
#else
#define sendsToMask(cpus) sends(0, cpus); sends(1, cpus); sends(2, cpus)
#endif

#ifdef MAIL
#define isAnswered(entry) !waited[entry]
#else
#define isAnswered(entry) !used[entry]
#endif

/* smp_call_function_many() */
inline many(me, call, targets, count, waits) {
  private;  /* the call begins */
  private;  /* two are online */
  d_step { !used[me + 1] -> used[me + 1] = true; waited[me + 1] = false };
  d_step { !locked[me + 1] -> locked[me + 1] = true; disabled[me] = true };
  d_step { waited[me + 1] = waits; callOf[me + 1] = call; mask[me + 1] = targets; references[me + 1] = count };
  d_step { !queueLocked -> queueLocked = true };
  d_step { queued[call] = queued[call] | targets; adds(me + 1) };
  d_step { queueLocked = false };
  d_step { locked[me + 1] = false; disabled[me] = false };
  d_step { sendsToMask(mask[me + 1]) };
  d_step { !waits || isAnswered(me + 1) -> promise(waitsForAll, !waits || finished[call] == (targets)) }
}

active proctype task0() provided (!handling[0]) {
#ifdef WAITS
  many(0, 0, bitOf(1) | bitOf(2), 2, true);
#else
  many(0, 0, bitOf(1) | bitOf(2), 2, false);
  many(0, 1, bitOf(1) | bitOf(3), 2, false);
#endif
  private;
end:
  false
}

#ifdef WAITS
#define allHaveRun (queued[0] == finished[0])
#else
#define allHaveRun (queued[0] == finished[0] && queued[1] == finished[1] && queued[2] == finished[2])

active proctype task3() provided (!handling[3]) {
  many(3, 2, bitOf(1) | bitOf(2), 2, false);
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
