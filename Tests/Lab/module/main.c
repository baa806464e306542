// SPDX-License-Identifier: (GPL-2.0 OR MIT)
//
// ipitruth: makes known cross-CPU calls of every kind and writes down what truly happened to each of them.
//
// The files in this directory are under either of two licences, GPL-2.0 or MIT, since they run inside the kernel.
//
// Write "SCENARIO [ROUNDS]" to /proc/ipitruth: the calls are made before the write returns. Read it: one line a call,
// from all scenarios since "clear" was written. None of it comes from the kernel's tracing: who called is what the
// caller writes down around its call, and who ran is counted by the callback itself, on the CPU that it runs on.
// Each kind of call has a callback of its own, so that a line here and a call in a recording are joined by the
// callback's name, the source and the time: calls of one kind from one source never overlap.
//
// The module stays until the machine is switched off: callbacks may still be queued, so it has no way out.

#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "ipitruth.h"

static const char *const places[] = {"-", "first", "behind"};

static DEFINE_MUTEX(running);

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
  {"dying", dying},
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
  seq_printf(out, " condition=%llx online=%llx,%llx ret=%d began=%llu ended=%llu place=%s csd=%px dying=%llx ran=",
             call->condition, call->online_before, call->online_after, call->result, call->began, call->ended,
             places[call->place], call->queued, (u64)atomic64_read(&call->dying));
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
