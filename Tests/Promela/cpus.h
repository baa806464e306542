/*
 * CPUs with interrupts, and what is promised about calls. A model defines CPUS and CALLS first.
 *
 * On each CPU a handler goes before the task: every process of a CPU is `provided` that no handler runs there. One
 * d_step, or one statement, is one atomic step. Spin's -o3 keeps it from merging statements into one.
 */

/* A promise is an assertion that names its property, as ipitrace does. The variables are never set, and in no state. */
#define promise(property, condition) assert((condition) || property)
hidden byte noLostCallback, noneRunTwice, noneOnWrongCPU, waitsForAll;

/*
 * A step that only the CPU itself can see. ipitrace has them too; so the numbers of states can be compared. Spin leaves
 * out some that say `true`.
 */
#define private _pid >= 0

#define bitOf(number) (1 << (number))
#define has(mask, number) ((mask) & bitOf(number))

/* IPIs that were sent and not taken: one bit for each vector. */
#define SINGLE 1
#define MANY 2
byte pending[CPUS];
/* A task, or what stands for one, has turned interrupts off. */
bool disabled[CPUS];
/* A handler runs, which no interrupt interrupts, and the task stands still. */
bool handling[CPUS];

/* For each call, the CPUs for which it was queued, where it has started, and where it has finished. */
byte queued[CALLS];
byte started[CALLS];
byte finished[CALLS];

#define interrupt(vector) \
  d_step { \
    !disabled[_pid] && (pending[_pid] & vector) -> \
    pending[_pid] = pending[_pid] & ~vector; \
    handling[_pid] = true \
  }

#define returnFromInterrupt handling[_pid] = false

#define starts(call, cpu) \
  promise(noneOnWrongCPU, has(queued[call], cpu)); \
  promise(noneRunTwice, !has(started[call], cpu)); \
  started[call] = started[call] | bitOf(cpu)

#define finishes(call, cpu) finished[call] = finished[call] | bitOf(cpu)
