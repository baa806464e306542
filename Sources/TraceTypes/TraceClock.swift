/// What is known of the kernel's trace clocks, by their names.
public enum TraceClock {
  /// Whether all CPUs read one and the same clock, so that any difference of times is a difference of moments.
  ///
  /// `local`, `perf`, `uptime` and the processor's own counters are kept by each CPU; how well they agree is up to the machine.
  public static func isShared(_ name: String?) -> Bool {
    switch name {
    case "global", "counter", "mono", "mono_raw", "boot", "tai": true
    default: false
    }
  }

  /// Whether it counts nanoseconds: a processor's counter and a counter of events are no time.
  public static func countsNanoseconds(_ name: String?) -> Bool {
    switch name {
    case "counter", "x86-tsc", "ppc-tb": false
    default: true
    }
  }
}
