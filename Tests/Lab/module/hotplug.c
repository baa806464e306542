// SPDX-License-Identifier: (GPL-2.0 OR MIT)
//
// A CPU that leaves and comes back while it is called.

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/random.h>

#include "ipitruth.h"

static atomic_t stopping;

static enum hrtimer_restart timer_calls(struct hrtimer *timer) {
  struct lane *lane = container_of(timer, struct lane, timer);
  const int target = nr_cpu_ids - 1;
  const bool work = get_random_u32_below(2);
  struct call *call;

  if (atomic_read(&stopping)) return HRTIMER_NORESTART;
  // An irq_work at a CPU that is known to be offline is a mistake of the caller, and the kernel says so in its log.
  call = work && !cpu_online(target) ? NULL : new_call(work ? timer_irq_work_kind : timer_async_kind, BIT_ULL(target));
  if (call) {
    if (work)
      make_own_irq_work(call);
    else
      make_own_async(call);
  }
  hrtimer_forward_now(timer, ns_to_ktime(300 * NSEC_PER_USEC + lane->cpu * 17 * NSEC_PER_USEC));
  return HRTIMER_RESTART;
}

// A timer calls from within its interrupt, which reaches moments that a thread does not, and the thread calls as well.
static void calls_at_hotplug(struct lane *lane) {
  const int target = nr_cpu_ids - 1;

  hrtimer_init(&lane->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
  lane->timer.function = timer_calls;
  hrtimer_start(&lane->timer, ns_to_ktime(NSEC_PER_MSEC), HRTIMER_MODE_REL_PINNED_HARD);
  while (!atomic_read(&stopping)) {
    static const enum kind single[] = {single_wait_kind, single_nowait_kind, async_kind};
    static const enum kind several[] = {many_wait_kind, many_nowait_kind, each_wait_kind, each_nowait_kind,
                                        mask_wait_kind, mask_nowait_kind};
    bool room;

    if (get_random_u32_below(3))
      room = call_once(lane, single[get_random_u32_below(ARRAY_SIZE(single))], BIT_ULL(target), 0);
    else
      room = call_once(lane, several[get_random_u32_below(ARRAY_SIZE(several))], random_targets() | BIT_ULL(target), 0);
    if (!room) break;
    usleep_range(500, 1500);
  }
  hrtimer_cancel(&lane->timer);
}

void leave_and_come_back(int target, int rounds) {
  int round;

  for (round = 0; round < rounds; round++) {
    u64 began;
    int error;

    msleep(30);
    began = trace_clock_local();
    error = remove_cpu(target);
    note(error ? "offline_failed" : "offline", target, began, trace_clock_local());
    msleep(30);
    began = trace_clock_local();
    error = add_cpu(target);
    note(error ? "online_failed" : "online", target, began, trace_clock_local());
  }
  msleep(30);
}

void hotplug(int rounds) {
  const int target = nr_cpu_ids - 1;
  struct lane *lanes[MOST_CPUS] = {};
  int cpu;

  atomic_set(&stopping, 0);
  for (cpu = 0; cpu < target; cpu++) lanes[cpu] = start_lane(cpu, calls_at_hotplug, 1, NULL, NULL);
  leave_and_come_back(target, rounds);
  atomic_set(&stopping, 1);
  for (cpu = 0; cpu < target; cpu++) end_lane(lanes[cpu]);
}
