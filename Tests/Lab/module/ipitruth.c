// SPDX-License-Identifier: (GPL-2.0 OR MIT)
//
// ipitruth: makes known cross-CPU calls of every kind and writes down what truly happened to each of them.
//
// This file alone is under either of two licences, GPL-2.0 or MIT, since it runs inside the kernel.
//
// Write "SCENARIO [ROUNDS]" to /proc/ipitruth: the calls are made before the write returns. Read it: one line a call,
// from all scenarios since "clear" was written. None of it comes from the kernel's tracing: who called is what the
// caller writes down around its call, and who ran is counted by the callback itself, on the CPU that it runs on.
// Each kind of call has a callback of its own, so that a line here and a call in a recording are joined by the
// callback's name, the source and the time: calls of one kind from one source never overlap.
//
// The module stays until the machine is switched off: callbacks may still be queued, so it has no way out.

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/random.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/trace_clock.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

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
static const char *const places[] = {"-", "first", "behind"};

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

// The threads are there before any CPU is held: to make one then could mean to wait for the CPU that is held.
struct worker {
  struct task_struct *thread;
  struct lane *lane;
  wait_queue_head_t wait;
};

static struct call *calls;
static struct worker workers[MOST_CPUS];
static atomic_t call_count;
static struct note notes[MOST_NOTES];
static atomic_t note_count;
// Callbacks that ran with another kind's call: none, unless the kernel mixes calls up.
static atomic_t strays;
static atomic_t stopping;
static DEFINE_MUTEX(running);

// The kernel does not export it; whoever loads the module looks it up in /proc/kallsyms.
static ulong irq_work_queue_on_address;
module_param_named(irq_work_queue_on, irq_work_queue_on_address, ulong, 0444);
MODULE_PARM_DESC(irq_work_queue_on, "address of irq_work_queue_on()");

static void spin(u64 nanoseconds) {
  const u64 until = trace_clock_local() + nanoseconds;

  while (trace_clock_local() < until) cpu_relax();
}

static void pause_randomly(u32 most_nanoseconds) {
  spin(get_random_u32_below(most_nanoseconds));
}

static void pass(struct gate *gate) {
  const u64 until = trace_clock_local() + GATE_NANOSECONDS;

  atomic_inc(&gate->reached);
  while (!atomic_read_acquire(&gate->open)) {
    cpu_relax();
    if (trace_clock_local() < until) continue;
    atomic_set(&gate->expired, 1);
    break;
  }
}

static void open_gate(struct gate *gate) {
  atomic_set_release(&gate->open, 1);
}

static void wait_reached(struct gate *gate) {
  while (atomic_read(&gate->reached) == 0) usleep_range(50, 100);
}

static void note(const char *what, int cpu, u64 began, u64 ended) {
  const int index = atomic_inc_return(&note_count) - 1;

  if (index < MOST_NOTES) notes[index] = (struct note){.what = what, .cpu = cpu, .began = began, .ended = ended};
}

static void make_nested_calls(struct call *outer);

// What every callback does: it leaves its mark in the call that it was given.
static void ran(struct call *call, enum kind kind) {
  const int cpu = smp_processor_id();

  call->ran_at[cpu] = trace_clock_local();
  if (call->kind != kind) atomic_inc(&strays);
  if (kind == nested_outer_kind) make_nested_calls(call);
  if (call->spin_nanoseconds) spin(call->spin_nanoseconds);
  if (call->gate) pass(call->gate);
  atomic_inc(&call->runs[cpu]);
}

// The callbacks. One that is given an irq_work finds its call around it. `wait` and `nowait` are not told apart by the
// callback's code but for the constant, and that keeps the compiler from folding them into one.
#define INFO_single(info) ((struct call *)(info))
#define INFO_async(info) ((struct call *)(info))
#define INFO_many(info) ((struct call *)(info))
#define INFO_each(info) ((struct call *)(info))
#define INFO_mask(info) ((struct call *)(info))
#define INFO_cond(info) ((struct call *)(info))
#define INFO_any(info) ((struct call *)(info))
#define INFO_irq_work(info) container_of((struct irq_work *)(info), struct call, work)
#define KIND(name, api, waits) \
  static noinline void ipitruth_##name(void *info) { ran(INFO_##api(info), name##_kind); }
KINDS(KIND)
#undef KIND

static const struct {
  const char *name;
  const char *api;
  bool waits;
  void (*callback)(void *info);
} kinds[] = {
#define KIND(name, api, waits) {#name, #api, waits, ipitruth_##name},
  KINDS(KIND)
#undef KIND
};

// NULL when there have been MOST_CALLS: the scenario ends then.
static struct call *new_call(enum kind kind, u64 targets) {
  const int index = atomic_fetch_inc(&call_count);
  struct call *call;

  if (index >= MOST_CALLS) {
    atomic_dec(&call_count);
    return NULL;
  }
  call = &calls[index];
  memset(call, 0, sizeof *call);
  call->kind = kind;
  call->targets = targets;
  call->source = -1;
  call->next_target = -1;
  call->queued = NULL;
  return call;
}

static bool callback_of_condition(int cpu, void *info) {
  return ((struct call *)info)->condition >> cpu & 1;
}

static u64 online(void) {
  return *(const u64 *)cpumask_bits(cpu_online_mask);
}

static int first_of(u64 targets) {
  return targets ? __ffs64(targets) : nr_cpu_ids;
}

static bool queue_irq_work(struct irq_work *work, int cpu) {
  bool (*queue_on)(struct irq_work *work, int cpu) = (void *)irq_work_queue_on_address;

  return cpu == smp_processor_id() ? irq_work_queue(work) : queue_on(work, cpu);
}

// Fills in the mask that the kernel wants from the bits that are written down.
static const struct cpumask *mask_of(struct lane *lane, u64 targets) {
  int cpu;

  cpumask_clear(&lane->mask);
  for (cpu = 0; cpu < nr_cpu_ids; cpu++)
    if (targets >> cpu & 1) cpumask_set_cpu(cpu, &lane->mask);
  return &lane->mask;
}

static void enter(struct call *call) {
  call->source = raw_smp_processor_id();
  call->pid = current->pid;
  call->online_before = online();
  call->began = trace_clock_local();
}

static void leave(struct call *call, int result) {
  call->ended = trace_clock_local();
  call->online_after = online();
  call->result = result;
}

// Queues a csd that may be another call's: then that one's callback runs, if at all.
static void make_async(struct call *call, call_single_data_t *csd) {
  call->queued = csd;
  enter(call);
  leave(call, smp_call_function_single_async(first_of(call->targets), csd));
}

static void make_own_async(struct call *call) {
  INIT_CSD(&call->csd, kinds[call->kind].callback, call);
  make_async(call, &call->csd);
}

static void make_irq_work(struct call *call, struct irq_work *work) {
  bool queued;

  call->queued = work;
  enter(call);
  queued = queue_irq_work(work, first_of(call->targets));
  leave(call, queued ? 0 : -EBUSY);
}

static void make_own_irq_work(struct call *call) {
  init_irq_work(&call->work, (void (*)(struct irq_work *))kinds[call->kind].callback);
  make_irq_work(call, &call->work);
}

// Makes the call: all but what is queued with an object of its own.
static void make(struct lane *lane, struct call *call) {
  const enum kind kind = call->kind;
  const smp_call_func_t callback = kinds[kind].callback;
  const bool waits = kinds[kind].waits;
  const struct cpumask *mask = mask_of(lane, call->targets);
  int result = 0;

  enter(call);
  switch (kind) {
  case single_wait_kind:
  case single_nowait_kind:
  case self_wait_kind:
  case self_nowait_kind:
  case hold_kind:
    result = smp_call_function_single(first_of(call->targets), callback, call, waits);
    break;
  case many_wait_kind:
  case many_nowait_kind:
    preempt_disable();
    smp_call_function_many(mask, callback, call, waits);
    preempt_enable();
    break;
  case each_wait_kind:
  case each_nowait_kind:
    on_each_cpu(callback, call, waits);
    break;
  case mask_wait_kind:
  case mask_nowait_kind:
    on_each_cpu_mask(mask, callback, call, waits);
    break;
  case cond_wait_kind:
  case cond_nowait_kind:
    on_each_cpu_cond_mask(callback_of_condition, callback, call, waits, mask);
    break;
  case any_wait_kind:
  case any_nowait_kind:
    result = smp_call_function_any(mask, callback, call, waits);
    break;
  default:
    result = -EINVAL;
  }
  leave(call, result);
}

// Two calls of one callback in a row, the first one to some CPUs, the second to others or to the caller alone, leave
// just the events of one call to all of them: no recording can tell. So the thread sleeps before the second, which is
// an event between them.
static void stand_apart(struct lane *lane, enum kind kind) {
  BUILD_BUG_ON(ARRAY_SIZE(kinds) > 32);
  if (lane->called & BIT(kind)) {
    const unsigned long before = current->nvcsw;

    // A short sleep may be over before the thread has left the CPU.
    do usleep_range(50, 100);
    while (current->nvcsw == before);
    lane->called = 0;
  }
  lane->called |= BIT(kind);
}

// Makes one call of a kind; false when there is no more room to write it down.
static bool call_once(struct lane *lane, enum kind kind, u64 targets, u64 condition) {
  struct call *call = new_call(kind, targets);

  if (!call) return false;
  stand_apart(lane, kind);
  call->condition = condition;
  if (!strcmp(kinds[kind].api, "async"))
    make_own_async(call);
  else if (!strcmp(kinds[kind].api, "irq_work"))
    make_own_irq_work(call);
  else
    make(lane, call);
  return true;
}

static void make_nested_calls(struct call *outer) {
  const int here = smp_processor_id();
  struct call *call = new_call(nested_inner_kind, BIT_ULL(outer->next_target));

  if (!call) return;
  make_own_async(call);
  call = new_call(nested_inner_kind, BIT_ULL(here));
  if (call) make_own_async(call);
}

// --- Lanes.

static int worker_thread(void *argument) {
  struct worker *worker = argument;

  for (;;) {
    struct lane *lane;

    wait_event_idle(worker->wait, (lane = smp_load_acquire(&worker->lane)));
    lane->body(lane);
    WRITE_ONCE(worker->lane, NULL);
    complete(&lane->done);
  }
}

static int start_workers(void) {
  int cpu;

  for_each_online_cpu(cpu) {
    struct worker *worker = &workers[cpu];

    if (worker->thread) continue;
    init_waitqueue_head(&worker->wait);
    worker->thread = kthread_create_on_cpu(worker_thread, worker, cpu, "ipitruth/%u");
    if (IS_ERR(worker->thread)) {
      worker->thread = NULL;
      return -ENOMEM;
    }
    wake_up_process(worker->thread);
  }
  return 0;
}

static struct lane *start_lane(int cpu, void (*body)(struct lane *), int rounds, struct call *call, void *argument) {
  struct lane *lane = kzalloc(sizeof *lane, GFP_KERNEL);

  if (!lane) return NULL;
  *lane = (struct lane){.cpu = cpu, .rounds = rounds, .body = body, .call = call, .argument = argument};
  init_completion(&lane->done);
  smp_store_release(&workers[cpu].lane, lane);
  wake_up(&workers[cpu].wait);
  return lane;
}

static void end_lane(struct lane *lane) {
  if (!lane) return;
  wait_for_completion(&lane->done);
  kfree(lane);
}

static void run_lane(int cpu, void (*body)(struct lane *), int rounds, struct call *call, void *argument) {
  end_lane(start_lane(cpu, body, rounds, call, argument));
}

static void run_lanes(u64 cpus, void (*body)(struct lane *), int rounds) {
  struct lane *lanes[MOST_CPUS] = {};
  int cpu;

  for (cpu = 0; cpu < nr_cpu_ids; cpu++)
    if (cpus >> cpu & 1) lanes[cpu] = start_lane(cpu, body, rounds, NULL, NULL);
  for (cpu = 0; cpu < nr_cpu_ids; cpu++) end_lane(lanes[cpu]);
}

// --- Bodies that make calls freely, from all CPUs at once.

static u64 random_targets(void) {
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

static void singles(struct lane *lane) {
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

static void asyncs(struct lane *lane) {
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

static void manys(struct lane *lane) {
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

static void eaches(struct lane *lane) {
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

static void conditions(struct lane *lane) {
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

static void anys(struct lane *lane) {
  int round;

  for (round = 0; round < lane->rounds; round++) {
    if (!call_once(lane, any_wait_kind, random_targets(), 0)) return;
    pause_randomly(20000);
    if (!call_once(lane, any_nowait_kind, others(lane) & get_random_u64(), 0)) return;
    pause_randomly(20000);
  }
}

static void irq_works(struct lane *lane) {
  int round, cpu;

  for (round = 0; round < lane->rounds; round++) {
    for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
      const enum kind kind = cpu == lane->cpu ? irq_work_self_kind : irq_work_kind;

      if (!call_once(lane, kind, BIT_ULL(cpu), 0)) return;
      pause_randomly(10000);
    }
  }
}

static void nests(struct lane *lane) {
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

static void mixture(struct lane *lane) {
  int round;

  for (round = 0; round < lane->rounds; round++) {
    if (!call_anyhow(lane)) return;
    pause_randomly(30000);
  }
}

// --- Scenarios in which the target is held, so that the order in its queue is known.

static void one_call(struct lane *lane) {
  struct call *call = lane->call;

  if (!strcmp(kinds[call->kind].api, "async"))
    make_own_async(call);
  else if (!strcmp(kinds[call->kind].api, "irq_work"))
    make_own_irq_work(call);
  else
    make(lane, call);
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

static void coalescing(int rounds) {
  int round;

  for (round = 0; round < rounds; round++) coalesce(round % nr_cpu_ids, false);
}

static void slow_ahead(int rounds) {
  int round;

  for (round = 0; round < rounds; round++) coalesce(round % nr_cpu_ids, true);
}

// What is queued already is refused, and queued again when it has run.
static void busy(int rounds) {
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
static void late(int rounds) {
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

// --- A CPU that leaves and comes back while it is called.

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

static void hotplug(int rounds) {
  const int target = nr_cpu_ids - 1;
  struct lane *lanes[MOST_CPUS] = {};
  int round, cpu;

  atomic_set(&stopping, 0);
  for (cpu = 0; cpu < target; cpu++) lanes[cpu] = start_lane(cpu, calls_at_hotplug, 1, NULL, NULL);
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
  atomic_set(&stopping, 1);
  for (cpu = 0; cpu < target; cpu++) end_lane(lanes[cpu]);
}

// --- The file.

static void in_lanes_single(int rounds) { run_lanes(online(), singles, rounds); }
static void in_lanes_async(int rounds) { run_lanes(online(), asyncs, rounds); }
static void in_lanes_many(int rounds) { run_lanes(online(), manys, rounds); }
static void in_lanes_each(int rounds) { run_lanes(online(), eaches, rounds); }
static void in_lanes_cond(int rounds) { run_lanes(online(), conditions, rounds); }
static void in_lanes_any(int rounds) { run_lanes(online(), anys, rounds); }
static void in_lanes_irq_work(int rounds) { run_lanes(online(), irq_works, rounds); }
static void in_lanes_nested(int rounds) { run_lanes(online(), nests, rounds); }
static void in_lanes_mixed(int rounds) { run_lanes(online(), mixture, rounds); }

static const struct {
  const char *name;
  void (*run)(int rounds);
} scenarios[] = {
  {"single", in_lanes_single},
  {"async", in_lanes_async},
  {"many", in_lanes_many},
  {"each", in_lanes_each},
  {"cond", in_lanes_cond},
  {"any", in_lanes_any},
  {"irq_work", in_lanes_irq_work},
  {"nested", in_lanes_nested},
  {"mixed", in_lanes_mixed},
  {"busy", busy},
  {"coalescing", coalescing},
  {"slow", slow_ahead},
  {"late", late},
  {"hotplug", hotplug},
};

static void clear(void) {
  atomic_set(&call_count, 0);
  atomic_set(&note_count, 0);
  atomic_set(&strays, 0);
}

static int run_scenario(const char *name, int rounds) {
  int i;

  for (i = 0; i < ARRAY_SIZE(scenarios); i++) {
    if (strcmp(scenarios[i].name, name) != 0) continue;
    scenarios[i].run(rounds);
    set_cpus_allowed_ptr(current, cpu_possible_mask);
    // Calls that nobody waits for are through long before.
    msleep(50);
    return 0;
  }
  return -EINVAL;
}

static ssize_t command(struct file *file, const char __user *text, size_t length, loff_t *offset) {
  char line[64], name[32];
  int rounds = 1, error = 0, fields;

  if (length >= sizeof line) return -EINVAL;
  if (copy_from_user(line, text, length)) return -EFAULT;
  line[length] = '\0';
  fields = sscanf(line, "%31s %d", name, &rounds);
  if (fields < 1 || rounds < 1 || rounds > MOST_ROUNDS) return -EINVAL;
  mutex_lock(&running);
  if (!strcmp(name, "clear"))
    clear();
  else
    error = run_scenario(name, rounds);
  mutex_unlock(&running);
  return error ? error : length;
}

static void show_call(struct seq_file *out, int index) {
  struct call *call = &calls[index];
  const char *separator = "";
  int cpu;

  seq_printf(out, "call seq=%d kind=%s func=ipitruth_%s addr=%px api=%s wait=%d source=%d pid=%d targets=%llx",
             index, kinds[call->kind].name, kinds[call->kind].name, kinds[call->kind].callback, kinds[call->kind].api,
             kinds[call->kind].waits, call->source, call->pid, call->targets);
  seq_printf(out, " condition=%llx online=%llx,%llx ret=%d began=%llu ended=%llu place=%s csd=%px ran=",
             call->condition, call->online_before, call->online_after, call->result, call->began, call->ended,
             places[call->place], call->queued);
  for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
    const int runs = atomic_read(&call->runs[cpu]);

    if (runs == 0) continue;
    seq_printf(out, "%s%d:%d@%llu", separator, cpu, runs, call->ran_at[cpu]);
    separator = ",";
  }
  seq_putc(out, '\n');
}

static void *start_show(struct seq_file *out, loff_t *position) {
  mutex_lock(&running);
  return *position <= atomic_read(&call_count) ? position : NULL;
}

static void *next_show(struct seq_file *out, void *item, loff_t *position) {
  ++*position;
  return *position <= atomic_read(&call_count) ? position : NULL;
}

static void stop_show(struct seq_file *out, void *item) {
  mutex_unlock(&running);
}

static int show(struct seq_file *out, void *item) {
  const loff_t position = *(loff_t *)item;
  const int note_total = min(atomic_read(&note_count), (int)MOST_NOTES);
  int i;

  if (position > 0) {
    show_call(out, position - 1);
    return 0;
  }
  seq_printf(out, "ipitruth 1 cpus=%d calls=%d notes=%d strays=%d full=%d\n", nr_cpu_ids, atomic_read(&call_count),
             note_total, atomic_read(&strays), atomic_read(&call_count) >= MOST_CALLS);
  for (i = 0; i < note_total; i++)
    seq_printf(out, "note what=%s cpu=%d began=%llu ended=%llu\n", notes[i].what, notes[i].cpu, notes[i].began,
               notes[i].ended);
  return 0;
}

static const struct seq_operations show_operations = {
  .start = start_show, .next = next_show, .stop = stop_show, .show = show,
};

static int open_file(struct inode *inode, struct file *file) {
  return seq_open(file, &show_operations);
}

static const struct proc_ops file_operations = {
  .proc_open = open_file,
  .proc_read = seq_read,
  .proc_lseek = seq_lseek,
  .proc_release = seq_release,
  .proc_write = command,
};

static int __init ipitruth_init(void) {
  if (!irq_work_queue_on_address || nr_cpu_ids < 3 || nr_cpu_ids > MOST_CPUS) return -EINVAL;
  calls = vzalloc(array_size(MOST_CALLS, sizeof *calls));
  if (!calls) return -ENOMEM;
  // From here on there is no way back: the threads stay.
  if (start_workers() != 0 || !proc_create("ipitruth", 0600, NULL, &file_operations))
    pr_err("ipitruth: no memory; there is no /proc/ipitruth\n");
  return 0;
}
module_init(ipitruth_init);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Makes known cross-CPU calls and tells what truly happened to each of them");
