// SPDX-License-Identifier: (GPL-2.0 OR MIT)
//
// What the files of the module share: what is written down of a call, and how calls are made.

#ifndef IPITRUTH_H
#define IPITRUTH_H

#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/smp.h>
#include <linux/trace_clock.h>

// A gate that nobody opens, by a mistake in here, must not hold the machine up; but an emulated CPU may well be kept
// waiting for a second by the machine that emulates it.
#define GATE_NANOSECONDS (3ULL * NSEC_PER_SEC)

enum {
  MOST_CALLS = 20000,
  MOST_NOTES = 256,
  MOST_CPUS = 64,
  MOST_ROUNDS = 10000,
  SLOW_NANOSECONDS = 5 * NSEC_PER_MSEC,
  OFF_NANOSECONDS = 20 * NSEC_PER_MSEC,
};

// K(kind, function of the kernel that is called, whether it waits)
#define KINDS(K) \
  K(single_wait, single, 1) \
  K(single_nowait, single, 0) \
  K(self_wait, single, 1) \
  K(self_nowait, single, 0) \
  K(async, async, 0) \
  K(async_self, async, 0) \
  K(async_again, async, 0) \
  K(async_busy, async, 0) \
  K(many_wait, many, 1) \
  K(many_nowait, many, 0) \
  K(each_wait, each, 1) \
  K(each_nowait, each, 0) \
  K(mask_wait, mask, 1) \
  K(mask_nowait, mask, 0) \
  K(cond_wait, cond, 1) \
  K(cond_nowait, cond, 0) \
  K(any_wait, any, 1) \
  K(any_nowait, any, 0) \
  K(irq_work, irq_work, 0) \
  K(irq_work_busy, irq_work, 0) \
  K(irq_work_self, irq_work, 0) \
  K(nested_outer, async, 0) \
  K(nested_inner, async, 0) \
  K(timer_async, async, 0) \
  K(timer_irq_work, irq_work, 0) \
  K(hold, single, 0) \
  K(slow, async, 0)

enum kind {
#define KIND(name, api, waits) name##_kind,
  KINDS(KIND)
#undef KIND
  KIND_COUNT
};

// A callback that comes to it spins until it is opened.
struct gate {
  atomic_t reached;
  atomic_t open;
  // Nobody opened it in time.
  atomic_t expired;
};

// Where a call was put by a scenario that knows the target's queue, because it holds the target.
enum place { ANYWHERE, FIRST, BEHIND };

struct call {
  union {
    call_single_data_t csd;
    struct irq_work work;
  };
  // What was queued: its own csd, or that of an earlier call.
  void *queued;
  enum kind kind;
  enum place place;
  int source;
  pid_t pid;
  int result;
  // Bit N is CPU N.
  u64 targets;
  u64 condition;
  u64 online_before;
  u64 online_after;
  // Of `targets`, those that were marked offline already when they ran it: no tracepoint fires there.
  atomic64_t dying;
  u64 began;
  u64 ended;
  // What its callback does beside counting.
  struct gate *gate;
  u64 spin_nanoseconds;
  int next_target;
  u64 ran_at[MOST_CPUS];
  atomic_t runs[MOST_CPUS];
};

struct note {
  const char *what;
  int cpu;
  u64 began;
  u64 ended;
};

// What the thread of one CPU is to do.
struct lane {
  int cpu;
  int rounds;
  void (*body)(struct lane *lane);
  // For bodies that make one call.
  struct call *call;
  void *argument;
  struct cpumask mask;
  // Bit N: the kind N was called since the thread last slept.
  u32 called;
  struct hrtimer timer;
  struct completion done;
};

// What is to be known of a kind. Its callback is called ipitruth_NAME.
struct kind_facts {
  const char *name;
  const char *api;
  bool waits;
  void (*callback)(void *info);
};

// record.c: what is written down.
extern const struct kind_facts kinds[KIND_COUNT];
extern struct call *calls;
extern struct note notes[MOST_NOTES];
extern atomic_t call_count;
extern atomic_t note_count;
// Callbacks that ran with another kind's call: none, unless the kernel mixes calls up.
extern atomic_t strays;

// NULL when there have been MOST_CALLS: the scenario ends then.
struct call *new_call(enum kind kind, u64 targets);
void note(const char *what, int cpu, u64 began, u64 ended);
void spin(u64 nanoseconds);
void open_gate(struct gate *gate);
void wait_reached(struct gate *gate);

// calls.c: how calls are made.
// 0 until who loads the module says where the function is.
extern ulong irq_work_queue_on_address;
u64 online(void);
int first_of(u64 targets);
// Queue a csd or an irq_work that may be another call's: then that one's callback runs, if at all.
void make_async(struct call *call, call_single_data_t *csd);
void make_irq_work(struct call *call, struct irq_work *work);
void make_own_async(struct call *call);
void make_own_irq_work(struct call *call);
// Makes a call of any kind.
void make_call(struct lane *lane, struct call *call);
// Makes one call of a kind; false when there is no more room to write it down.
bool call_once(struct lane *lane, enum kind kind, u64 targets, u64 condition);
// The calls of a callback of `nested_outer`.
void make_nested_calls(struct call *outer);

// lanes.c: the threads.
int start_workers(void);
struct lane *start_lane(int cpu, void (*body)(struct lane *), int rounds, struct call *call, void *argument);
void end_lane(struct lane *lane);
void run_lane(int cpu, void (*body)(struct lane *), int rounds, struct call *call, void *argument);
void run_lanes(u64 cpus, void (*body)(struct lane *), int rounds);

// free.c: bodies that make calls freely, from all CPUs at once.
u64 random_targets(void);
void singles(struct lane *lane);
void asyncs(struct lane *lane);
void manys(struct lane *lane);
void eaches(struct lane *lane);
void conditions(struct lane *lane);
void anys(struct lane *lane);
void irq_works(struct lane *lane);
void nests(struct lane *lane);
void mixture(struct lane *lane);

// held.c: scenarios in which the target is held, so that the order in its queue is known.
void coalescing(int rounds);
void slow_ahead(int rounds);
void busy(int rounds);
void late(int rounds);

// hotplug.c: a CPU that leaves and comes back while it is called.
void leave_and_come_back(int target, int rounds);
void hotplug(int rounds);

// dying.c: calls that only the dying stage of the CPU runs.
void dying(int rounds);

#endif
