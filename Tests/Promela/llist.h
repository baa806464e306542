/*
 * llist-2014: a lock-less queue for each CPU. Source: the mail of 23 May 2014, on what kernel/smp.c of 3.15 does.
 * A model defines CSDS first, and what a CPU without hotplug need not know; csd 0 is none.
 */

/* The first node of each CPU's queue; behind each node the next, whether it is locked, and the call that it is for. */
byte head[CPUS];
byte next[CSDS + 1];
bool locked[CSDS + 1];
byte callOf[CSDS + 1];

#ifdef ORDER
/* For each call and CPU: the calls that were queued there before, and had not started. */
byte ahead[CALLS * CPUS];
hidden byte orderInBatch;
hidden byte other;

#define notesOrder(call, cpu) \
  other = 0; \
  do \
  :: other < CALLS -> \
     if \
     :: other != call && has(queued[other] & ~started[other], cpu) -> \
        ahead[call * CPUS + cpu] = ahead[call * CPUS + cpu] | bitOf(other) \
     :: else \
     fi; \
     other++ \
  :: else -> break \
  od;

#define checksOrder(call, cpu) \
  other = 0; \
  do \
  :: other < CALLS -> \
     promise(orderInBatch, !has(ahead[call * CPUS + cpu], other) || has(started[other], cpu)); \
     other++ \
  :: else -> break \
  od; \
  ahead[call * CPUS + cpu] = 0;
#else
#define notesOrder(call, cpu)
#define checksOrder(call, cpu)
#endif

/* csd_lock(), in its two steps; the filling; llist_add(). */
#define locks(csd) !locked[csd]; d_step { locked[csd] = true }
#define fills(csd, call) d_step { callOf[csd] = call }
#define adds(csd, call, cpu) \
    notesOrder(call, cpu) \
    queued[call] = queued[call] | bitOf(cpu); \
    next[csd] = head[cpu]; \
    head[cpu] = csd

#define sends(vector, cpu) pending[cpu] = pending[cpu] | vector

/* smp_call_function_single() from `me` to `cpu`, which stays online while it lasts. */
inline single(me, csd, call, cpu, waits) {
  callBegins(me);
  private;  /* it takes its csd */
  private;  /* the target is online */
  locks(csd);
  fills(csd, call);
  d_step { adds(csd, call, cpu); wasEmpty = (next[csd] == 0) };
  if
  :: d_step { wasEmpty -> sends(SINGLE, cpu); wasEmpty = false };
     !waits || !locked[csd]
  :: !wasEmpty && (!waits || !locked[csd])
  fi;
  d_step {
    promise(waitsForAll, !waits || has(finished[call], cpu));
    if
    :: waits -> next[csd] = 0  /* it was on the stack */
    :: else
    fi;
    callEnds(me)
  }
}

/* smp_call_function_many() to two CPUs, waiting: the second csd is the one behind the first. */
inline manyOfTwo(me, csd, call, one, two) {
  callBegins(me);
  private;  /* more than one is online */
  private;  /* the mask */
  locks(csd);
  fills(csd, call);
  d_step { adds(csd, call, one) };
  locks(csd + 1);
  fills(csd + 1, call);
  d_step { adds(csd + 1, call, two) };
  d_step { sends(MANY, one); sends(MANY, two) };
  !locked[csd];
  !locked[csd + 1];
  private;  /* nothing to run here */
  d_step { promise(waitsForAll, has(finished[call], one) && has(finished[call], two)); callEnds(me) }
}

/* llist_del_all() and llist_reverse_order(), into `batch`. */
#define takesAll(cpu) \
  node = head[cpu]; \
  head[cpu] = 0; \
  do \
  :: node != 0 -> \
     last = next[node]; \
     next[node] = batch; \
     batch = node; \
     node = last \
  :: else -> break \
  od
hidden byte node, last;
#define takes(cpu) d_step { takesAll(cpu) }

/*
 * What a flush does with what it has taken: run the function, then unlock the csd; the next is read before. No inline,
 * because Spin tells the head of a loop at the start of one from the same one come back to.
 */
#define runs(cpu) \
  do \
  :: d_step { batch != 0 -> checksOrder(callOf[batch], cpu) checksPlace(cpu) starts(callOf[batch], cpu) }; \
     d_step { finishes(callOf[batch], cpu) }; \
     d_step { last = batch; batch = next[last]; locked[last] = false } \
  :: batch == 0 -> break \
  od
