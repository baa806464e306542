/*
 * scenario queue-error
 * claim Who finds the target offline takes back what is pending, and with it the request of who came meanwhile and was told 0.
 * source mail of 2 April 2014: "This must not be called on offline CPUs"
 * cpus 3
 * offline 1
 * cpu 0: queue 1 q f -> 0|-ENXIO
 * cpu 2: up 1; queue 1 q f -> 0
 * engine queue-2014 violates noLostRequest,neverWaits  # spin
 *
 * scenario queue-again
 * claim A request made while the function runs spins until it ends; with the swap behind the function it is lost instead.
 * source mail of 2 April 2014: "async = non waiting for any other IPI completion"
 * cpus 2
 * cpu 0: queue 1 q f -> 0; queue 1 q f -> 0; queue 1 q f -> 0
 * engine queue-2014 violates neverWaits  # spin -DAGAIN
 * engine queue-2014:swap-after violates noLostRequest,neverWaits  # spin -DAGAIN -DSWAPS_AFTER
 */

#ifdef AGAIN
#define CPUS 2
#define CALLS 3
#else
#define CPUS 3
#define CALLS 2
#endif
#include "cpus.h"

/* queue-2014, on the base of 3.15: a qsd with its one csd, which goes to CPU 1 alone. */
bool claimed;   /* the qsd's `pending` */
bool locked;    /* LOCK of its csd */
byte callOf;    /* the call that it is queued for */
bool isQueued;  /* whether CPU 1's queue holds it */

/* CPU 1 is down at the start of queue-error, until CPU 2 brings it up. */
#ifdef AGAIN
bool online = true, takesInterrupts = true;
#else
bool online, takesInterrupts;
#endif
bool rising;

/* The requests that were made, and those since which a run has started. */
byte made;
byte served;
hidden byte noLostRequest, neverWaits, atMostOneQueued;

/* generic_smp_call_function_single_interrupt(), and in it the trampoline, which swaps before it calls the function. */
active [CPUS] proctype handler() provided (takesInterrupts || _pid != 1) {
  bool taken;
end:
  do
  :: interrupt(SINGLE);
     private;
     d_step { taken = isQueued; isQueued = false };
     private;  /* marked online: no warning */
     if
     :: taken;
#ifndef SWAPS_AFTER
        d_step { claimed = false };
#endif
        d_step { served = served | made; starts(callOf, 1) };
        d_step { finishes(callOf, 1) };
#ifdef SWAPS_AFTER
        d_step { claimed = false };
#endif
        private;  /* the trampoline returns */
        d_step { locked = false; taken = false };
        private   /* nothing else was taken */
     :: !taken
     fi;
     returnFromInterrupt
  od
}

/* smp_queue_function_single(), then generic_exec_single() */
inline request(call) {
  d_step { made = made | bitOf(call) };
  if
  :: claimed  /* coalesced: 0 */
  :: d_step { !claimed -> claimed = true };
     private;  /* func is stored */
     private;  /* preempt_disable() */
     if
     :: d_step { online -> promise(neverWaits, !locked) };  /* nobody else locks it meanwhile */
        !locked;
        d_step { locked = true };
        d_step { callOf = call };
        d_step { promise(atMostOneQueued, !isQueued); isQueued = true; queued[call] = queued[call] | bitOf(1) };
        /* The queue was empty, for nothing else is ever on it. */
        d_step { pending[1] = pending[1] | (online || rising -> SINGLE : 0) };
        private;  /* nothing to wait for */
        private   /* 0 */
     :: !online;
        d_step { claimed = false };
        d_step { made = made & ~bitOf(call); served = served & ~bitOf(call) }  /* -ENXIO */
     fi
  fi
}

active proctype task0() provided (!handling[0]) {
  request(0);
#ifdef AGAIN
  request(1);
  request(2);
#endif
  private;
end:
  false
}

#ifndef AGAIN
active proctype task2() provided (!handling[2]) {
  d_step { rising = true };
  online;
  request(1);
  private;
end:
  false
}

active proctype task1() provided (!handling[1]) {
end:
  d_step { rising -> online = true };
  d_step { rising = false; takesInterrupts = true }
end_up:
  false
}
#endif

#ifndef COUNT
active proctype observer() {
end:
  timeout -> promise(noLostRequest, !(made & ~served))
}
#endif
