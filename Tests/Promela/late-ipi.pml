/*
 * scenario late-ipi
 * claim A callback whose IPI comes after its CPU is gone is lost without the flush on dying, and never with it.
 * source mail of 23 May 2014: "an IPI sent much earlier might arrive late on the target CPU"
 * cpus 2
 * cpu 0: single 1 f; down 1
 * engine llist-2014:none,before violates noLostCallback,noneOnOfflineCPU,noOfflineWarning  # spin -DFORM=BEFORE
 * engine llist-2014:none,mail violates noLostCallback,noOfflineWarning  # spin -DFORM=MAIL
 * engine llist-2014:none,merged violates noLostCallback,noneOnOfflineCPU holds noOfflineWarning  # spin -DFORM=MERGED
 * engine llist-2014:dying,before violates noOfflineWarning  # spin -DFORM=BEFORE -DFLUSHES
 * engine llist-2014:dying,mail violates noOfflineWarning  # spin -DFORM=MAIL -DFLUSHES
 * engine llist-2014:dying,mail,two-stages violates noOfflineWarning  # spin -DFORM=MAIL -DFLUSHES -DTWO_STAGES
 * engine llist-2014:dying,merged holds noOfflineWarning  # spin -DFORM=MERGED -DFLUSHES
 */

#define BEFORE 0
#define MAIL 1
#define MERGED 2

#define CPUS 2
#define CALLS 1
#define CSDS 1
#include "cpus.h"

/*
 * stop_machine(): every CPU comes in when its task is between two calls; when all have, all turn their interrupts off,
 * and with TWO_STAGES the one that goes does so last; when all have, it is marked offline and runs the dying stage;
 * then all go on. Until it plays dead it takes interrupts.
 */
#define ONLINE 0
#define DYING 1
#define LEAVING 2
#define DEAD 3
byte state[CPUS];
#define OUTSIDE 0
#define ENTERED 1
#define INTERRUPTS_OFF 2
#define MARKED 3
#define STAGE_OVER 4
byte progress[CPUS];
/* The CPU that is to go, + 1. */
byte leaver;
bool calling[CPUS];
bool stopped[CPUS];

#define callBegins(me) d_step { calling[me] = true }
#define callEnds(me) calling[me] = false

#define marked(cpu) (state[cpu] != ONLINE)
bool warned;
hidden byte noneOnOfflineCPU, noOfflineWarning;
#define warns promise(noOfflineWarning, false); warned = true
#define checksPlace(cpu) promise(noneOnOfflineCPU, state[cpu] < LEAVING);

#include "llist.h"

active [CPUS] proctype handler() {
  byte batch;
end:
  do
  :: interrupt(SINGLE);
     private;
#if FORM == MAIL
     /* It looks first, and takes the queue in order to print it. */
     if
     :: d_step { !marked(_pid) || warned -> true }
     :: d_step { marked(_pid) && !warned -> true };
        d_step { warns };
        d_step { takesAll(_pid); batch = 0 }
     fi;
     takes(_pid);
#elif FORM == BEFORE
     takes(_pid);
     d_step {
       if
       :: marked(_pid) && !warned -> warns
       :: else
       fi
     };
#else
     /* It asks for a queue that is not empty, after having emptied it. */
     takes(_pid);
     d_step {
       if
       :: marked(_pid) && !warned && head[_pid] != 0 -> warns
       :: else
       fi
     };
#endif
     runs(_pid);
     returnFromInterrupt
  od
}

active proctype task0() provided (!handling[0] && !stopped[0]) {
  bool wasEmpty;
  single(0, 1, 0, 1, false);
  d_step { leaver == 0 -> leaver = 2 };
  d_step { state[1] == DEAD && progress[0] == OUTSIDE && progress[1] == OUTSIDE -> leaver = 0 };
  private;
end:
  false
}

#ifdef TWO_STAGES
#define BEFORE_IT INTERRUPTS_OFF
#else
#define BEFORE_IT ENTERED
#endif
#define cpu (_pid - 3)
#define came(other, far) (state[other] > DYING || progress[other] >= far)

active [CPUS] proctype stopper() provided (!handling[cpu]) {
  byte batch;
end:
  do
  :: d_step {
       leaver != 0 && state[leaver - 1] == ONLINE &&
       progress[cpu] == OUTSIDE && state[cpu] == ONLINE && !disabled[cpu] && !calling[cpu] ->
       progress[cpu] = ENTERED;
       stopped[cpu] = true
     };
     if
     :: d_step {
          leaver != cpu + 1 && came(0, ENTERED) && came(1, ENTERED) ->
          disabled[cpu] = true;
          progress[cpu] = INTERRUPTS_OFF
        };
        d_step {
          leaver == 0 || progress[leaver - 1] >= STAGE_OVER || state[leaver - 1] >= LEAVING ->
          disabled[cpu] = false;
          progress[cpu] = OUTSIDE;
          stopped[cpu] = false
        }
     :: d_step {
          leaver == cpu + 1 && came(cpu, ENTERED) && came(1 - cpu, BEFORE_IT) ->
          disabled[cpu] = true;
          progress[cpu] = INTERRUPTS_OFF
        };
        d_step { came(0, INTERRUPTS_OFF) && came(1, INTERRUPTS_OFF) -> state[cpu] = DYING; progress[cpu] = MARKED };
        private;
#ifdef FLUSHES
        private;
        takes(cpu);
        runs(cpu);
#endif
        atomic { progress[cpu] = STAGE_OVER; state[cpu] = LEAVING; disabled[cpu] = false };
        /* An IPI that comes here finds a CPU that is marked offline; one that comes later, nobody. */
        d_step {
          state[cpu] = DEAD;
          progress[cpu] = OUTSIDE;
          pending[cpu] = 0;
          disabled[cpu] = true;
          stopped[cpu] = false
        }
     fi
  od
}

#ifndef COUNT
active proctype observer() {
end:
  timeout -> promise(noLostCallback, queued[0] == finished[0] || state[1] != DEAD && (disabled[1] || handling[1]))
}
#endif
