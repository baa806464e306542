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
bool claimed;        /* the qsd's `pending` */
bool locked;         /* the csd's LOCK */
bool isQueued;       /* CPU 1's queue holds the csd */

/* For each call, whether it was made, and whether a run has started since. */
bool online = true, isRising;
hidden byte noLostRequest, neverWaits;
byte asked, answered;

#define sends(cpu) pending[cpu] = pending[cpu] | SINGLE

/* generic_smp_call_function_single_interrupt(), then the trampoline, which swaps `pending` before it calls the function. */
active [CPUS] proctype handler() {
  bool has;
end:
  do
  :: interrupt(SINGLE);
     private;
     d_step { has = isQueued && _pid == 1; isQueued = isQueued && _pid != 1 };
     private;  /* online: no warning */
     if
     :: has ->
        ;
     :: !has
     fi;
     returnFromInterrupt
  od
}
