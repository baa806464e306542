/// How long the recorder sleeps between two looks at the buffers.
///
/// It never waits for the kernel to wake it: a reader that blocks makes the kernel raise an interrupt for its wakeup
/// inside the very probes that are recorded. So it looks by the clock, the faster the fuller it finds the buffers.
struct PollPace: Equatable {
  static let shortest: Int32 = 5
  static let longest: Int32 = 100

  /// Milliseconds until the next look.
  private(set) var milliseconds: Int32 = 20

  /// Takes what the last look brought: how full the fullest buffer was, in percent of its size.
  mutating func looked(fullestPercent: Int) {
    if fullestPercent >= 50 {
      milliseconds = Self.shortest
    } else if fullestPercent >= 20 {
      milliseconds = max(milliseconds / 2, Self.shortest)
    } else if fullestPercent < 10 {
      milliseconds = min(milliseconds * 2, Self.longest)
    }
  }
}
