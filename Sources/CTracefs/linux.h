// What Linux offers to a recorder, and Swift's Glibc module does not.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

// glibc declares splice(2), copy_file_range(2), sync_file_range(2) and pipe2(2) only for _GNU_SOURCE, which the Glibc
// module is built without; hence by number.

// Moves bytes between a pipe and a file without copying them through user space. Both ends at their own positions.
static inline ssize_t ipitrace_splice(int from, int to, size_t length, _Bool nonblocking) {
  const unsigned int move = 1, nonblock = 2;
  return syscall(SYS_splice, from, NULL, to, NULL, length, move | (nonblocking ? nonblock : 0));
}

static inline ssize_t ipitrace_copy_file_range(int from, int to, size_t length) {
  return syscall(SYS_copy_file_range, from, NULL, to, NULL, length, 0u);
}

// Begins to write to the disk what of a file is not there yet.
static inline void ipitrace_begin_write_back(int file) {
  const unsigned int write = 2;
  syscall(SYS_sync_file_range, file, (off_t)0, (off_t)0, write);
}

// A pipe whose ends are closed on exec.
static inline int ipitrace_pipe(int ends[2], _Bool nonblocking) {
  return (int)syscall(SYS_pipe2, ends, O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0));
}

// Sets how many bytes a pipe holds.
static inline int ipitrace_set_pipe_size(int pipe, int bytes) {
  const int setPipeSize = 1031;
  return fcntl(pipe, setPipeSize, bytes);
}

// Flags that glibc, too, declares only for _GNU_SOURCE, or that Swift does not import.
static inline int ipitrace_path_only(void) { return __O_PATH; }
static inline int ipitrace_remove_directory(void) { return AT_REMOVEDIR; }

// openat(2), which is variadic.
static inline int ipitrace_open_at(int directory, const char *path, int flags, mode_t mode) {
  return openat(directory, path, flags | O_CLOEXEC, mode);
}

// Takes a lock that lasts as long as the open file; fails when somebody else has it.
static inline int ipitrace_lock(int file, _Bool waits) { return flock(file, LOCK_EX | (waits ? 0 : LOCK_NB)); }

// Binds the calling thread, and those it starts, to the CPUs of a mask of `size` bytes.
static inline int ipitrace_set_affinity(const void *mask, size_t size) {
  return (int)syscall(SYS_sched_setaffinity, 0, size, mask);
}

static inline int ipitrace_get_affinity(void *mask, size_t size) {
  return (int)syscall(SYS_sched_getaffinity, 0, size, mask);
}

static inline pid_t ipitrace_thread_id(void) { return (pid_t)syscall(SYS_gettid); }

// Starts a process that waits for a byte on `gate` before it becomes `path`, and gives up when `gate` closes without one.
// When exec fails, errno is written to `report`; both descriptors must be closed on exec.
//
// Not posix_spawn, because that returns only after exec: a recording would begin after its command. And Swift does not
// offer fork. Between fork and exec only calls that are safe in a signal handler are made.
static inline pid_t ipitrace_fork_held(
    const char *path, char *const arguments[], char *const environment[], int gate, int gateOpener, int report,
    const sigset_t *ignored, const struct rlimit *fileLimit) {
  pid_t child = fork();
  if (child != 0) return child;

  // Of this process's signal handlers exec makes defaults. What the caller found ignored stays ignored.
  for (int number = 1; number < 32; number++) {
    if (number == SIGKILL || number == SIGSTOP) continue;
    signal(number, sigismember(ignored, number) == 1 ? SIG_IGN : SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setrlimit(RLIMIT_NOFILE, fileLimit);
  close(gateOpener);

  char byte;
  ssize_t count;
  do count = read(gate, &byte, 1); while (count < 0 && errno == EINTR);
  if (count != 1) _exit(125);

  execve(path, arguments, environment);
  int error = errno;
  if (write(report, &error, sizeof error) != (ssize_t)sizeof error) _exit(125);
  _exit(error == ENOENT ? 127 : 126);
}
