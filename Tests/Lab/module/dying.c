// SPDX-License-Identifier: (GPL-2.0 OR MIT)
//
// Calls that reach a CPU when it takes no interrupt any more and is not marked offline yet.
//
// A CPU goes offline while all others are stopped. They give up what they run, then all switch their interrupts off,
// each when it sees that it is to do so, and then the one that goes runs its dying stage. A CPU that is in a timer's
// interrupt at that moment sees it late: what its handler queues meanwhile finds a target that is as good as gone, and
// only the dying stage will run it. Nothing that waits can get there: no thread but the stoppers runs any more.

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/random.h>

#include "ipitruth.h"

enum {
  // A target that has not run a call for that long has its interrupts off. No error if not: the call just runs early.
  PATIENCE_NANOSECONDS = 500 * NSEC_PER_USEC,
  // The handler stays for that long, and comes back soon: so it is likely to be there at the moment that matters.
  STAY_NANOSECONDS = 500 * NSEC_PER_USEC,
  TIMER_NANOSECONDS = 50 * NSEC_PER_USEC,
  CAUGHT_EACH = 6,
};

static atomic_t stopping;

// The csd that a CPU's handler queues first, again and again: once the dying stage has run it, it must be free. Where
// nothing runs it, it stays locked, and whoever queues it next finds out.
static struct {
  call_single_data_t csd;
  const struct call *user;
} first[MOST_CPUS];

static int dying_cpu(void) {
  return nr_cpu_ids - 1;
}

static bool is_leaving(void) {
  return cpu_online(dying_cpu()) && !cpu_active(dying_cpu());
}

static bool has_run(const struct call *call) {
  return READ_ONCE(call->ran_at[dying_cpu()]) != 0;
}

static const struct call *call_first(int source) {
  struct call *call = new_call(timer_async_kind, BIT_ULL(dying_cpu()));

  if (!call) return NULL;
  if (first[source].user && !has_run(first[source].user)) {
    make_own_async(call);
    return call;
  }
  first[source].user = call;
  INIT_CSD(&first[source].csd, kinds[call->kind].callback, call);
  make_async(call, &first[source].csd);
  return call;
}

static bool call_next(enum kind kind) {
  struct call *call = new_call(kind, BIT_ULL(dying_cpu()));

  if (!call) return false;
  if (kind == timer_irq_work_kind)
    make_own_irq_work(call);
  else
    make_own_async(call);
  return true;
}

static bool is_answered(const struct call *call) {
  const u64 until = trace_clock_local() + PATIENCE_NANOSECONDS;

  while (!has_run(call)) {
    if (trace_clock_local() > until) return false;
    cpu_relax();
  }
  return true;
}

// As long as this handler runs, the target cannot be marked offline: this CPU has not switched its interrupts off.
static void call_while_stopped(int source) {
  const struct call *call;
  int i;

  spin(STAY_NANOSECONDS);
  call = call_first(source);
  if (!call || is_answered(call)) return;
  for (i = 1; i < CAUGHT_EACH; i++) {
    if (!call_next(i % 2 ? timer_irq_work_kind : timer_async_kind)) return;
    spin(get_random_u32_below(20000));
  }
}

static enum hrtimer_restart timer_of_stop(struct hrtimer *timer) {
  struct lane *lane = container_of(timer, struct lane, timer);

  if (atomic_read(&stopping) || !is_leaving()) return HRTIMER_NORESTART;
  if (!strncmp(current->comm, "migration/", 10)) call_while_stopped(lane->cpu);
  hrtimer_forward_now(timer, ns_to_ktime(TIMER_NANOSECONDS + lane->cpu * 7 * NSEC_PER_USEC));
  return HRTIMER_RESTART;
}

// Between times the thread calls as well: what comes before and after is served as usual.
static void calls_at_dying(struct lane *lane) {
  static const enum kind single[] = {single_wait_kind, single_nowait_kind, async_kind};

  hrtimer_init(&lane->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
  lane->timer.function = timer_of_stop;
  while (!atomic_read(&stopping)) {
    if (is_leaving() && !hrtimer_active(&lane->timer))
      hrtimer_start(&lane->timer, ns_to_ktime(TIMER_NANOSECONDS), HRTIMER_MODE_REL_PINNED_HARD);
    if (!call_once(lane, single[get_random_u32_below(ARRAY_SIZE(single))], BIT_ULL(dying_cpu()), 0)) break;
    usleep_range(1000, 3000);
  }
  hrtimer_cancel(&lane->timer);
}

static bool has_caught(int index) {
  for (; index < atomic_read(&call_count); index++)
    if (atomic64_read(&calls[index].dying)) return true;
  return false;
}

// `rounds` is how often the dying stage is to find a call; the moment is missed now and then.
void dying(int rounds) {
  struct lane *lanes[MOST_CPUS] = {};
  int left = 3 * rounds, cpu;

  atomic_set(&stopping, 0);
  memset(first, 0, sizeof first);
  for (cpu = 0; cpu < dying_cpu(); cpu++) lanes[cpu] = start_lane(cpu, calls_at_dying, 1, NULL, NULL);
  for (; rounds > 0 && left > 0; left--) {
    const int before = atomic_read(&call_count);

    leave_and_come_back(dying_cpu(), 1);
    rounds -= has_caught(before);
  }
  atomic_set(&stopping, 1);
  for (cpu = 0; cpu < dying_cpu(); cpu++) end_lane(lanes[cpu]);
}
