// SPDX-License-Identifier: (GPL-2.0 OR MIT)
//
// Bodies that make calls freely, from all CPUs at once.

#include <linux/delay.h>
#include <linux/random.h>

#include "ipitruth.h"

static void pause_randomly(u32 most_nanoseconds) {
  spin(get_random_u32_below(most_nanoseconds));
}

u64 random_targets(void) {
  // Few targets are as frequent as many.
  return online() & (get_random_u32_below(2) ? get_random_u64() : get_random_u64() & get_random_u64());
}

static u64 others(const struct lane *lane) {
  return online() & ~BIT_ULL(lane->cpu);
}

static int random_other(const struct lane *lane) {
  const u64 mask = others(lane);
  int skip = get_random_u32_below(hweight64(mask)), cpu;

  for (cpu = 0; cpu < nr_cpu_ids; cpu++)
    if (mask >> cpu & 1 && skip-- == 0) return cpu;
  return first_of(mask);
}

void singles(struct lane *lane) {
  int round, cpu;

  for (round = 0; round < lane->rounds; round++) {
    for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
      const bool self = cpu == lane->cpu;

      if (!call_once(lane, self ? self_wait_kind : single_wait_kind, BIT_ULL(cpu), 0)) return;
      pause_randomly(20000);
      if (!call_once(lane, self ? self_nowait_kind : single_nowait_kind, BIT_ULL(cpu), 0)) return;
      pause_randomly(20000);
    }
    // No such CPU: -ENXIO.
    if (!call_once(lane, single_wait_kind, 0, 0)) return;
  }
}

static bool has_started(const struct call *call, int cpu) {
  const u64 until = trace_clock_local() + GATE_NANOSECONDS;

  while (READ_ONCE(call->ran_at[cpu]) == 0) {
    if (trace_clock_local() > until) return false;
    cpu_relax();
  }
  return true;
}

// One csd again and again, as soon as the callback before has begun: it is unlocked by then.
static bool again(struct lane *lane, struct call *owner, int times) {
  struct call *call = owner;
  int cpu;

  for (; times > 0; times--) {
    cpu = random_other(lane);
    call->targets = BIT_ULL(cpu);
    INIT_CSD(&owner->csd, kinds[async_again_kind].callback, call);
    make_async(call, &owner->csd);
    if (call->result != 0 || !has_started(call, cpu)) return false;
    if (times > 1) call = new_call(async_again_kind, 0);
    if (!call) return false;
  }
  return true;
}

void asyncs(struct lane *lane) {
  int round, cpu;

  for (round = 0; round < lane->rounds; round++) {
    struct call *owner;

    for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
      const enum kind kind = cpu == lane->cpu ? async_self_kind : async_kind;

      if (!call_once(lane, kind, BIT_ULL(cpu), 0)) return;
      pause_randomly(10000);
    }
    owner = new_call(async_again_kind, 0);
    if (!owner || !again(lane, owner, 4)) return;
  }
}

void manys(struct lane *lane) {
  int round;

  for (round = 0; round < lane->rounds; round++) {
    if (!call_once(lane, many_wait_kind, random_targets(), 0)) return;
    pause_randomly(20000);
    if (!call_once(lane, many_nowait_kind, random_targets(), 0)) return;
    pause_randomly(20000);
  }
  call_once(lane, many_wait_kind, BIT_ULL(random_other(lane)), 0);
  call_once(lane, many_nowait_kind, BIT_ULL(lane->cpu), 0);
  call_once(lane, many_wait_kind, 0, 0);
}

void eaches(struct lane *lane) {
  int round;

  for (round = 0; round < lane->rounds; round++) {
    if (!call_once(lane, each_wait_kind, online(), 0)) return;
    pause_randomly(20000);
    if (!call_once(lane, each_nowait_kind, online(), 0)) return;
    pause_randomly(20000);
    if (!call_once(lane, mask_wait_kind, random_targets(), 0)) return;
    pause_randomly(20000);
    if (!call_once(lane, mask_nowait_kind, random_targets(), 0)) return;
    pause_randomly(20000);
  }
}

void conditions(struct lane *lane) {
  int round;

  for (round = 0; round < lane->rounds; round++) {
    if (!call_once(lane, cond_wait_kind, random_targets(), get_random_u64())) return;
    pause_randomly(20000);
    if (!call_once(lane, cond_nowait_kind, online(), get_random_u64())) return;
    pause_randomly(20000);
  }
  call_once(lane, cond_wait_kind, online(), 0);
  call_once(lane, cond_wait_kind, online(), ~0ULL);
}

void anys(struct lane *lane) {
  int round;

  for (round = 0; round < lane->rounds; round++) {
    if (!call_once(lane, any_wait_kind, random_targets(), 0)) return;
    pause_randomly(20000);
    if (!call_once(lane, any_nowait_kind, others(lane) & get_random_u64(), 0)) return;
    pause_randomly(20000);
  }
}

void irq_works(struct lane *lane) {
  int round, cpu;

  for (round = 0; round < lane->rounds; round++) {
    for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
      const enum kind kind = cpu == lane->cpu ? irq_work_self_kind : irq_work_kind;

      if (!call_once(lane, kind, BIT_ULL(cpu), 0)) return;
      pause_randomly(10000);
    }
  }
}

void nests(struct lane *lane) {
  int round;

  for (round = 0; round < lane->rounds; round++) {
    const int cpu = random_other(lane);
    struct call *call = new_call(nested_outer_kind, BIT_ULL(cpu));

    if (!call) return;
    // Often the caller's own CPU: its callback then runs on the way out of the call.
    call->next_target = get_random_u32_below(2) ? lane->cpu : random_other(lane);
    make_own_async(call);
    pause_randomly(50000);
  }
}

// A call of any kind that needs nothing prepared, at any of the CPUs.
static bool call_anyhow(struct lane *lane) {
  static const enum kind choice[] = {
    single_wait_kind, single_nowait_kind, async_kind, many_wait_kind, many_nowait_kind, each_wait_kind,
    each_nowait_kind, mask_wait_kind, mask_nowait_kind, cond_wait_kind, cond_nowait_kind, any_wait_kind,
    any_nowait_kind, irq_work_kind,
  };
  const enum kind kind = choice[get_random_u32_below(ARRAY_SIZE(choice))];

  switch (kind) {
  case single_wait_kind:
  case single_nowait_kind:
  case async_kind:
  case irq_work_kind:
    return call_once(lane, kind, BIT_ULL(random_other(lane)), 0);
  default:
    return call_once(lane, kind, random_targets(), get_random_u64());
  }
}

void mixture(struct lane *lane) {
  int round;

  for (round = 0; round < lane->rounds; round++) {
    if (!call_anyhow(lane)) return;
    pause_randomly(30000);
  }
}
