// ipiload: makes the kernel send cross-CPU calls, from user space and in bounded amounts.
//
// Each mode leans on one reason for which the kernel interrupts other CPUs:
//   membarrier  calls to many CPUs at once, and with a CPU named, to a single one
//   shootdown   TLB flushes: calls to many, from several CPUs at the same time
//   wakeups     wakeups of tasks on other CPUs: the queue of pending wakeups, or only a reschedule IPI
//   affinity    migrations: the stopper threads of the CPUs are woken
//   hotplug     one CPU taken offline and online again (needs root)
//   patching    a tracepoint switched on and off: the kernel patches its text, and all CPUs must notice (needs root)
//   mixed       all but the last two, one after the other
//
// Every loop ends: at the number of rounds, at the deadline, and no wait is longer than a tenth of a second.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MAX_THREADS = 256, MAX_SECONDS = 3600, MAX_HOTPLUGS = 100, MAX_PATCHINGS = 10000, WAIT_MILLISECONDS = 100 };

// What one run was asked for. The CPUs are those this process may use, in ascending order.
struct plan {
  uint64_t rounds;
  int64_t deadline_nanoseconds;
  int threads;
  int cpus[CPU_SETSIZE];
  int cpu_count;
};

struct worker {
  const struct plan *plan;
  void (*body)(struct worker *self);
  int index;
  uint64_t done;
  pthread_t thread;
};

// One rally of a ping-pong: both players share it, each on a cache line that no other pair uses.
struct pair {
  _Alignas(64) _Atomic uint32_t turn;
  int pipes[2][2];
};

static struct worker workers[MAX_THREADS];
static struct pair pairs[MAX_THREADS / 2];

_Noreturn static void fail(const char *what) {
  fprintf(stderr, "ipiload: %s: %s\n", what, strerror(errno));
  exit(1);
}

_Noreturn static void usage(void) {
  fputs("usage: ipiload membarrier|shootdown|wakeups|affinity|mixed [-s SECONDS] [-n ROUNDS] [-t THREADS]\n"
        "       ipiload hotplug CPU TIMES\n"
        "       ipiload patching TIMES\n"
        "Ends after SECONDS (1) or when each thread has done ROUNDS (no limit), whichever is first.\n"
        "THREADS (one per CPU) are spread over the CPUs this process may use.\n",
        stderr);
  exit(2);
}

static int64_t now_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool goes_on(const struct worker *self) {
  return self->done < self->plan->rounds && now_nanoseconds() < self->plan->deadline_nanoseconds;
}

// Failing is no error: the CPU may be offline by now, and then the thread runs wherever it may.
static void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

static int cpu_of(const struct plan *plan, int index) {
  return plan->cpus[index % plan->cpu_count];
}

static bool membarrier(int command, unsigned flags, int cpu) {
  return syscall(SYS_membarrier, command, flags, cpu) == 0;
}

// The kernel interrupts only CPUs that run this address space at that moment, so every thread stays busy.
static void membarriers(struct worker *self) {
  static const int commands[] = {
    MEMBARRIER_CMD_PRIVATE_EXPEDITED,
    MEMBARRIER_CMD_GLOBAL_EXPEDITED,
    MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE,
  };
  const int kinds = sizeof commands / sizeof commands[0];
  pin(cpu_of(self->plan, self->index));
  for (; goes_on(self); self->done++) {
    const int kind = (int)(self->done % (unsigned)(kinds + 1));
    if (kind < kinds) {
      membarrier(commands[kind], 0, 0);
    } else {
      const int target = cpu_of(self->plan, self->index + 1 + (int)(self->done % 64));
      membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, MEMBARRIER_CMD_FLAG_CPU, target);
    }
    // Only every second thread calls back to back: with all of them calling, no CPU would be interrupted in user mode.
    if (self->index % 2 == 1) {
      const int64_t until = now_nanoseconds() + 50000;
      while (now_nanoseconds() < until) { }
    }
  }
}

// The threads share the address space and run on different CPUs: what one unmaps, all the others must flush.
static void shootdowns(struct worker *self) {
  enum { PAGES = 16 };
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  pin(cpu_of(self->plan, self->index));
  for (; goes_on(self); self->done++) {
    char *area = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED) fail("mmap");
    for (int i = 0; i < PAGES; i++) area[(size_t)i * page] = 1;
    if (mprotect(area, PAGES * page / 2, PROT_READ) != 0) fail("mprotect");
    if (munmap(area, PAGES * page) != 0) fail("munmap");
  }
}

static void futex_wait(_Atomic uint32_t *word, uint32_t seen) {
  const struct timespec limit = {.tv_nsec = WAIT_MILLISECONDS * 1000000};
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, &limit, NULL, 0);
}

static void play_futex(struct worker *self, struct pair *pair, uint32_t side, uint64_t rounds) {
  for (uint64_t i = 0; i < rounds && goes_on(self);) {
    const uint32_t turn = atomic_load(&pair->turn);
    if (turn % 2 != side) {
      futex_wait(&pair->turn, turn);
      continue;
    }
    atomic_store(&pair->turn, turn + 1);
    syscall(SYS_futex, &pair->turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    self->done++;
    i++;
  }
}

static void play_pipe(struct worker *self, struct pair *pair, uint32_t side, uint64_t rounds) {
  char ball = 0;
  for (uint64_t i = 0; i < rounds && goes_on(self); i++) {
    struct pollfd mine = {.fd = pair->pipes[side][0], .events = POLLIN};
    if (poll(&mine, 1, WAIT_MILLISECONDS) != 1) continue;
    if (read(mine.fd, &ball, 1) != 1) fail("read");
    if (write(pair->pipes[1 - side][1], &ball, 1) != 1) fail("write");
    self->done++;
  }
}

// The partners of a pair are half the CPUs apart: where there are several sockets, they do not share a cache, and it is
// such wakeups that go through the target's call queue. A thread without a partner has nothing to do.
static void wakeups(struct worker *self) {
  const int half = self->plan->threads / 2;
  if (self->index >= 2 * half) return;
  const uint32_t side = self->index < half ? 0 : 1;
  struct pair *pair = &pairs[self->index % half];
  pin(cpu_of(self->plan, self->index));
  while (goes_on(self)) {
    play_futex(self, pair, side, 256);
    play_pipe(self, pair, side, 256);
  }
}

static void affinities(struct worker *self) {
  for (; goes_on(self); self->done++) pin(cpu_of(self->plan, self->index + (int)(self->done % 4096)));
}

static void *work(void *argument) {
  struct worker *self = argument;
  self->body(self);
  return NULL;
}

static void prepare_membarrier(void) {
  membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
  membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0);
  membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
  membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0);
}

static void prepare_pairs(const struct plan *plan) {
  for (int i = 0; i < plan->threads / 2; i++) {
    atomic_store(&pairs[i].turn, 0);
    for (int side = 0; side < 2; side++)
      if (pipe(pairs[i].pipes[side]) != 0) fail("pipe");
    if (write(pairs[i].pipes[0][1], "", 1) != 1) fail("write");
  }
}

static void release_pairs(const struct plan *plan) {
  for (int i = 0; i < plan->threads / 2; i++)
    for (int side = 0; side < 2; side++)
      for (int end = 0; end < 2; end++) close(pairs[i].pipes[side][end]);
}

static uint64_t run(void (*body)(struct worker *), const struct plan *plan) {
  uint64_t done = 0;
  for (int i = 0; i < plan->threads; i++) {
    workers[i] = (struct worker){.plan = plan, .body = body, .index = i};
    errno = pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    if (errno != 0) fail("pthread_create");
  }
  for (int i = 0; i < plan->threads; i++) {
    pthread_join(workers[i].thread, NULL);
    done += workers[i].done;
  }
  return done;
}

static void write_switch(const char *path, bool on) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0 || write(file, on ? "1" : "0", 1) != 1) fail(path);
  close(file);
}

static void switch_cpu(int cpu, bool online) {
  char path[64];
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/online", cpu);
  write_switch(path, online);
}

static int hotplug(int cpu, int times) {
  const struct timespec pause = {.tv_nsec = WAIT_MILLISECONDS * 1000000};
  for (int i = 0; i < times; i++) {
    switch_cpu(cpu, false);
    nanosleep(&pause, NULL);
    switch_cpu(cpu, true);
    nanosleep(&pause, NULL);
  }
  printf("ipiload: hotplug: CPU %d offline and online, %d times\n", cpu, times);
  return 0;
}

// In an instance of its own, and of an event that hardly ever happens: what is wanted is the patching, not the events.
static int patching(int times) {
  static const char instance[] = "/sys/kernel/tracing/instances/ipiload";
  static const char event[] = "/sys/kernel/tracing/instances/ipiload/events/signal/signal_deliver/enable";
  const struct timespec pause = {.tv_nsec = 1000000};
  if (mkdir(instance, 0700) != 0) fail(instance);
  for (int i = 0; i < times; i++) {
    write_switch(event, true);
    nanosleep(&pause, NULL);
    write_switch(event, false);
    nanosleep(&pause, NULL);
  }
  if (rmdir(instance) != 0) fail(instance);
  printf("ipiload: patching: a tracepoint on and off, %d times\n", times);
  return 0;
}

static const struct mode {
  const char *name;
  void (*body)(struct worker *);
} modes[] = {
  {"membarrier", membarriers},
  {"shootdown", shootdowns},
  {"wakeups", wakeups},
  {"affinity", affinities},
};
enum { MODES = sizeof modes / sizeof modes[0] };

static long number(const char *text, long least, long most) {
  char *end;
  errno = 0;
  const long value = strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || value < least || value > most) {
    fprintf(stderr, "ipiload: '%s' is not a number from %ld to %ld\n", text, least, most);
    exit(2);
  }
  return value;
}

int main(int argc, char **argv) {
  if (argc < 2) usage();
  const char *name = argv[1];
  if (strcmp(name, "hotplug") == 0) {
    if (argc != 4) usage();
    return hotplug((int)number(argv[2], 0, CPU_SETSIZE - 1), (int)number(argv[3], 1, MAX_HOTPLUGS));
  }

  if (strcmp(name, "patching") == 0) {
    if (argc != 3) usage();
    return patching((int)number(argv[2], 1, MAX_PATCHINGS));
  }

  struct plan plan = {.rounds = UINT64_MAX};
  int64_t seconds = 1;
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) fail("sched_getaffinity");
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET(cpu, &allowed)) plan.cpus[plan.cpu_count++] = cpu;
  plan.threads = plan.cpu_count < MAX_THREADS ? plan.cpu_count : MAX_THREADS;

  optind = 2;
  for (int option; (option = getopt(argc, argv, "s:n:t:")) != -1;) {
    switch (option) {
      case 's': seconds = number(optarg, 1, MAX_SECONDS); break;
      case 'n': plan.rounds = (uint64_t)number(optarg, 1, LONG_MAX); break;
      case 't': plan.threads = (int)number(optarg, 1, MAX_THREADS); break;
      default: usage();
    }
  }
  if (optind != argc) usage();

  const bool mixed = strcmp(name, "mixed") == 0;
  bool known = false;
  uint64_t done[MODES] = {0};
  const int64_t start = now_nanoseconds();
  const int64_t share = seconds * 1000000000 / (mixed ? MODES : 1);
  prepare_membarrier();
  prepare_pairs(&plan);
  for (int i = 0; i < MODES; i++) {
    if (!mixed && strcmp(name, modes[i].name) != 0) continue;
    known = true;
    plan.deadline_nanoseconds = now_nanoseconds() + share;
    done[i] = run(modes[i].body, &plan);
  }
  release_pairs(&plan);
  if (!known) usage();

  printf("ipiload: %s: %d threads on %d CPUs, %lld ms, rounds:", name, plan.threads, plan.cpu_count,
         (long long)((now_nanoseconds() - start) / 1000000));
  for (int i = 0; i < MODES; i++)
    if (mixed || done[i] != 0) printf(" %s %llu", modes[i].name, (unsigned long long)done[i]);
  putchar('\n');
  return 0;
}
