// SPDX-License-Identifier: (GPL-2.0 OR MIT)
//
// How calls are made: each is written down around the kernel's function.

#include <linux/delay.h>
#include <linux/module.h>

#include "ipitruth.h"

// The kernel does not export it; whoever loads the module looks it up in /proc/kallsyms.
ulong irq_work_queue_on_address;
module_param_named(irq_work_queue_on, irq_work_queue_on_address, ulong, 0444);
MODULE_PARM_DESC(irq_work_queue_on, "address of irq_work_queue_on()");

static bool callback_of_condition(int cpu, void *info) {
  return ((struct call *)info)->condition >> cpu & 1;
}

u64 online(void) {
  return *(const u64 *)cpumask_bits(cpu_online_mask);
}

int first_of(u64 targets) {
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

void make_async(struct call *call, call_single_data_t *csd) {
  call->queued = csd;
  enter(call);
  leave(call, smp_call_function_single_async(first_of(call->targets), csd));
}

void make_own_async(struct call *call) {
  INIT_CSD(&call->csd, kinds[call->kind].callback, call);
  make_async(call, &call->csd);
}

void make_irq_work(struct call *call, struct irq_work *work) {
  bool queued;

  call->queued = work;
  enter(call);
  queued = queue_irq_work(work, first_of(call->targets));
  leave(call, queued ? 0 : -EBUSY);
}

void make_own_irq_work(struct call *call) {
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

void make_call(struct lane *lane, struct call *call) {
  if (!strcmp(kinds[call->kind].api, "async"))
    make_own_async(call);
  else if (!strcmp(kinds[call->kind].api, "irq_work"))
    make_own_irq_work(call);
  else
    make(lane, call);
}

// Two calls of one callback in a row, the first one to some CPUs, the second to others or to the caller alone, leave
// just the events of one call to all of them: no recording can tell. So the thread sleeps before the second, which is
// an event between them.
static void stand_apart(struct lane *lane, enum kind kind) {
  BUILD_BUG_ON(KIND_COUNT > 32);
  if (lane->called & BIT(kind)) {
    const unsigned long before = current->nvcsw;

    // A short sleep may be over before the thread has left the CPU.
    do usleep_range(50, 100);
    while (current->nvcsw == before);
    lane->called = 0;
  }
  lane->called |= BIT(kind);
}

bool call_once(struct lane *lane, enum kind kind, u64 targets, u64 condition) {
  struct call *call = new_call(kind, targets);

  if (!call) return false;
  stand_apart(lane, kind);
  call->condition = condition;
  make_call(lane, call);
  return true;
}

void make_nested_calls(struct call *outer) {
  const int here = smp_processor_id();
  struct call *call = new_call(nested_inner_kind, BIT_ULL(outer->next_target));

  if (!call) return;
  make_own_async(call);
  call = new_call(nested_inner_kind, BIT_ULL(here));
  if (call) make_own_async(call);
}
