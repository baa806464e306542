import Glibc
import Synchronization

/// What this machine offers to tests that record for real.
public enum LiveKernel {
  public static let instances = "/sys/kernel/tracing/instances"

  /// Whether recordings can be made here: root, and tracefs.
  public static var canRecord: Bool { geteuid() == 0 && access(instances, W_OK) == 0 }

  public static var hasTraceCmd: Bool { RunningProgram.run("trace-cmd", ["--help"]) != nil }

  /// Whether a mount namespace of one's own can be had: not in a change-root whose root is no mount point.
  public static var canMountPrivately: Bool { RunningProgram.run("unshare", ["-m", "true"])?.status == 0 }

  /// The instances that recorders left behind.
  public static var staleRecorders: [String] {
    listing(instances).filter { name in
      guard name.hasPrefix("ipitrace-"), let process = Int32(name.dropFirst("ipitrace-".count)) else { return false }
      return kill(process, 0) != 0
    }
  }

  /// Whether there is another CPU to call.
  public static var hasSeveralCPUs: Bool { sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 }
}

/// Threads that change one address space, so that the kernel must make cross-CPU calls.
public final class CrossCallLoad: Sendable {
  private let stops = Atomic<Bool>(false)
  private let running = Atomic<Int>(0)

  public init(threads: Int = 4) {
    for _ in 0..<threads {
      running.add(1, ordering: .sequentiallyConsistent)
      var thread = pthread_t()
      let this = Unmanaged.passRetained(self).toOpaque()
      let error = pthread_create(
        &thread, nil,
        { argument in
          Unmanaged<CrossCallLoad>.fromOpaque(argument!).takeRetainedValue().work()
          return nil
        }, this)
      precondition(error == 0, "no thread")
      pthread_detach(thread)
    }
  }

  private func work() {
    let length = 16 * 4096
    while !stops.load(ordering: .relaxed) {
      let memory = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
      memset(memory, 1, length)
      mprotect(memory, 4096, PROT_READ)
      munmap(memory, length)
    }
    running.subtract(1, ordering: .sequentiallyConsistent)
  }

  /// Ends the load, and waits for that.
  public func stop() {
    stops.store(true, ordering: .sequentiallyConsistent)
    while running.load(ordering: .sequentiallyConsistent) > 0 { usleep(1_000) }
  }
}
