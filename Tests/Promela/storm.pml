/*
 * scenario storm
 * claim CPUs that call each other, all waiting, all get their answers.
 * source kernel/smp.c of 3.15
 * cpus 3
 * cpu 0: many 1-2 f wait
 * cpu 1: single 2 g wait
 * engine llist-2014  # spin -DORDER
 *
 * scenario storm-of-three
 * claim So do three, of which each calls another.
 * source kernel/smp.c of 3.15
 * cpus 3
 * cpu 0: many 1-2 f wait
 * cpu 1: single 2 g wait
 * cpu 2: single 0 h wait
 * engine llist-2014  # spin -DORDER -DTHREE
 *
 * scenario storm-large
 * claim The same, larger: by this one Tests/Benchmarks/explore compares speeds.
 * source kernel/smp.c of 3.15
 * cpus 3
 * cpu 0: many 1-2 f wait
 * cpu 1: single 2 g wait
 * cpu 2: many 0-1 h wait
 * engine llist-2014  # spin -DORDER -DLARGE
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

#ifdef THREE
active proctype task2() provided (!handling[2]) {
  bool wasEmpty;
  single(2, 4, 2, 0, true);
  private;
end:
  false
}
#endif

#ifdef LARGE
active proctype task2() provided (!handling[2]) {
  manyOfTwo(2, 4, 2, 0, 1);
  private;
end:
  false
}
#endif

#ifndef COUNT
active proctype observer() {
end:
  timeout ->
  promise(noLostCallback, queued[0] == finished[0] && queued[1] == finished[1] && queued[2] == finished[2])
}
#endif
