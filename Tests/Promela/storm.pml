/*
 * scenario storm
 * claim Three CPUs that call each other, all waiting, all get their answers.
 * source kernel/smp.c of 3.15
 * cpus 3
 * cpu 0: many 1-2 f wait
 * cpu 1: single 2 g wait
 * cpu 2: single 0 g wait
 * engine llist-2014  # spin -DORDER
 *
 * With -DLARGE it is the scenario of Tests/Benchmarks, and CPU 2 calls both of the others.
 */

#define CPUS 3
#define CALLS 3
#define CSDS 5
#include "cpus.h"
#define callBegins(me) private
#define callEnds(me)
#define checksPlace(cpu)
#include "llist.h"

active [CPUS] proctype handler() {
  byte batch;
end:
  do
  :: if
     :: interrupt(SINGLE)
     :: interrupt(MANY)
     fi;
     private;
     takes(_pid);
     private;  /* online: no warning */
     runs(_pid);
     returnFromInterrupt
  od
}

active proctype task0() provided (!handling[0]) {
  manyOfTwo(0, 1, 0, 1, 2);
  private;
end:
  false
}

active proctype task1() provided (!handling[1]) {
  bool wasEmpty;
  single(1, 3, 1, 2, true);
  private;
end:
  false
}

active proctype task2() provided (!handling[2]) {
#ifdef LARGE
  manyOfTwo(2, 4, 2, 0, 1);
#else
  bool wasEmpty;
  single(2, 4, 2, 0, true);
#endif
  private;
end:
  false
}

#ifndef COUNT
active proctype observer() {
end:
  timeout -> promise(noLostCallback, queued[0] == finished[0] && queued[1] == finished[1] && queued[2] == finished[2])
}
#endif
