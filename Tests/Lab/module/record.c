// SPDX-License-Identifier: (GPL-2.0 OR MIT)
//
// What is written down: by who calls, and by the callbacks themselves.

#include <linux/delay.h>

#include "ipitruth.h"

struct call *calls;
struct note notes[MOST_NOTES];
atomic_t call_count;
atomic_t note_count;
atomic_t strays;

void spin(u64 nanoseconds) {
  const u64 until = trace_clock_local() + nanoseconds;

  while (trace_clock_local() < until) cpu_relax();
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

void open_gate(struct gate *gate) {
  atomic_set_release(&gate->open, 1);
}

void wait_reached(struct gate *gate) {
  while (atomic_read(&gate->reached) == 0) usleep_range(50, 100);
}

void note(const char *what, int cpu, u64 began, u64 ended) {
  const int index = atomic_inc_return(&note_count) - 1;

  if (index < MOST_NOTES) notes[index] = (struct note){.what = what, .cpu = cpu, .began = began, .ended = ended};
}

// What every callback does: it leaves its mark in the call that it was given.
static void ran(struct call *call, enum kind kind) {
  const int cpu = smp_processor_id();

  call->ran_at[cpu] = trace_clock_local();
  if (!cpu_online(cpu)) atomic64_or(BIT_ULL(cpu), &call->dying);
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

const struct kind_facts kinds[KIND_COUNT] = {
#define KIND(name, api, waits) {#name, #api, waits, ipitruth_##name},
  KINDS(KIND)
#undef KIND
};

struct call *new_call(enum kind kind, u64 targets) {
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
