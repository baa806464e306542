// SPDX-License-Identifier: (GPL-2.0 OR MIT)
//
// One thread on each CPU, which makes the calls of its lane.

#include <linux/kthread.h>
#include <linux/slab.h>

#include "ipitruth.h"

// The threads are there before any CPU is held: to make one then could mean to wait for the CPU that is held.
struct worker {
  struct task_struct *thread;
  struct lane *lane;
  wait_queue_head_t wait;
};

static struct worker workers[MOST_CPUS];

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

int start_workers(void) {
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

struct lane *start_lane(int cpu, void (*body)(struct lane *), int rounds, struct call *call, void *argument) {
  struct lane *lane = kzalloc(sizeof *lane, GFP_KERNEL);

  if (!lane) return NULL;
  *lane = (struct lane){.cpu = cpu, .rounds = rounds, .body = body, .call = call, .argument = argument};
  init_completion(&lane->done);
  smp_store_release(&workers[cpu].lane, lane);
  wake_up(&workers[cpu].wait);
  return lane;
}

void end_lane(struct lane *lane) {
  if (!lane) return;
  wait_for_completion(&lane->done);
  kfree(lane);
}

void run_lane(int cpu, void (*body)(struct lane *), int rounds, struct call *call, void *argument) {
  end_lane(start_lane(cpu, body, rounds, call, argument));
}

void run_lanes(u64 cpus, void (*body)(struct lane *), int rounds) {
  struct lane *lanes[MOST_CPUS] = {};
  int cpu;

  for (cpu = 0; cpu < nr_cpu_ids; cpu++)
    if (cpus >> cpu & 1) lanes[cpu] = start_lane(cpu, body, rounds, NULL, NULL);
  for (cpu = 0; cpu < nr_cpu_ids; cpu++) end_lane(lanes[cpu]);
}
