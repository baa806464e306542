// SPDX-License-Identifier: (GPL-2.0 OR MIT)
//
// Scenarios in which the target is held, so that the order in its queue is known, or takes no interrupts.

#include <linux/delay.h>
#include <linux/sched.h>

#include "ipitruth.h"

static void one_call(struct lane *lane) {
  make_call(lane, lane->call);
}

static void async_of_argument(struct lane *lane) {
  make_async(lane->call, lane->argument);
}

static void irq_work_of_argument(struct lane *lane) {
  make_irq_work(lane->call, lane->argument);
}

static int other_cpu(int target, int skip) {
  return (target + 1 + skip % (nr_cpu_ids - 1)) % nr_cpu_ids;
}

// Who holds a CPU must not be on it himself.
static void stay_off(int target) {
  set_cpus_allowed_ptr(current, cpumask_of(other_cpu(target, nr_cpu_ids - 2)));
}

// Puts a callback on the target that runs until the gate is opened. Whatever was in its queue is out of it then.
static struct call *hold_target(int source, int target, struct gate *gate) {
  struct call *call = new_call(hold_kind, BIT_ULL(target));

  if (!call) return NULL;
  call->gate = gate;
  run_lane(source, one_call, 1, call, NULL);
  wait_reached(gate);
  return call;
}

// Ends the hold. Was the gate not opened in time, nothing is known of the order in the queue.
static void release_target(struct call *hold) {
  const int target = first_of(hold->targets);
  struct call *call;

  open_gate(hold->gate);
  while (atomic_read(&hold->runs[target]) == 0) usleep_range(50, 100);
  if (atomic_read(&hold->gate->expired) == 0) return;
  for (call = hold; call < &calls[atomic_read(&call_count)]; call++) call->place = ANYWHERE;
}

static struct call *place_call(int source, enum kind kind, int target, enum place place) {
  struct call *call = new_call(kind, BIT_ULL(target));

  if (!call) return NULL;
  call->place = place;
  if (kind == slow_kind) call->spin_nanoseconds = SLOW_NANOSECONDS;
  run_lane(source, one_call, 1, call, NULL);
  return call;
}

// Every CPU but the target queues one node, one after the other; two more wait for theirs. The first one only is to
// have sent an IPI. With `slow` the first is a callback of 5 ms, and all others stand behind it.
static void coalesce(int target, bool slow) {
  static const enum kind order[] = {async_kind, single_nowait_kind, irq_work_kind, many_nowait_kind, mask_nowait_kind};
  struct gate gate = {};
  struct lane *waiting[2] = {};
  struct call *hold;
  int i;

  stay_off(target);
  hold = hold_target(other_cpu(target, 0), target, &gate);
  if (!hold) return;
  place_call(other_cpu(target, 0), slow ? slow_kind : async_kind, target, FIRST);
  for (i = 1; i < nr_cpu_ids - 1; i++)
    place_call(other_cpu(target, i), order[i % ARRAY_SIZE(order)], target, BEHIND);
  for (i = 0; i < 2; i++) {
    struct call *call = new_call(i == 0 ? single_wait_kind : many_wait_kind, BIT_ULL(target));

    if (!call) break;
    // Whether it gets there before the gate opens is not known, since it does not return before.
    waiting[i] = start_lane(other_cpu(target, i), one_call, 1, call, NULL);
    usleep_range(1000, 2000);
  }
  release_target(hold);
  for (i = 0; i < 2; i++) end_lane(waiting[i]);
}

void coalescing(int rounds) {
  int round;

  for (round = 0; round < rounds; round++) coalesce(round % nr_cpu_ids, false);
}

void slow_ahead(int rounds) {
  int round;

  for (round = 0; round < rounds; round++) coalesce(round % nr_cpu_ids, true);
}

// What is queued already is refused, and queued again when it has run.
void busy(int rounds) {
  int round;

  for (round = 0; round < rounds; round++) {
    const int target = round % nr_cpu_ids, source = other_cpu(target, round);
    struct gate gate = {};
    struct call *hold, *first, *work, *second;

    stay_off(target);
    hold = hold_target(source, target, &gate);
    if (!hold) return;
    first = place_call(source, async_busy_kind, target, FIRST);
    work = place_call(source, irq_work_busy_kind, target, BEHIND);
    second = new_call(async_busy_kind, BIT_ULL(target));
    if (first && second) run_lane(source, async_of_argument, 1, second, &first->csd);
    second = new_call(irq_work_busy_kind, BIT_ULL(target));
    if (work && second) run_lane(source, irq_work_of_argument, 1, second, &work->work);
    release_target(hold);
  }
}

static void switch_interrupts_off(struct lane *lane) {
  struct gate *gate = lane->argument;
  unsigned long flags;
  u64 began;

  local_irq_save(flags);
  began = trace_clock_local();
  atomic_inc(&gate->reached);
  spin(OFF_NANOSECONDS);
  note("interrupts_off", lane->cpu, began, trace_clock_local());
  local_irq_restore(flags);
}

// Calls at a CPU that takes no interrupt for 20 ms.
void late(int rounds) {
  static const enum kind order[] = {single_wait_kind, async_kind, many_wait_kind, single_nowait_kind, irq_work_kind};
  int round, i;

  for (round = 0; round < rounds; round++) {
    const int target = round % nr_cpu_ids;
    struct lane *lanes[ARRAY_SIZE(order)] = {};
    struct gate gate = {};
    struct lane *off;

    stay_off(target);
    off = start_lane(target, switch_interrupts_off, 1, NULL, &gate);
    if (!off) return;
    wait_reached(&gate);
    for (i = 0; i < ARRAY_SIZE(order) && i < nr_cpu_ids - 1; i++) {
      struct call *call = new_call(order[i], BIT_ULL(target));

      if (call) lanes[i] = start_lane(other_cpu(target, i), one_call, 1, call, NULL);
    }
    for (i = 0; i < ARRAY_SIZE(order); i++) end_lane(lanes[i]);
    end_lane(off);
  }
}
