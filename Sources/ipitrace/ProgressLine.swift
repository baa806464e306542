import Glibc
import Reports

/// A line on standard error that says how far long work is: shown only on a terminal, and only once a second has passed.
struct ProgressLine {
  private let begun = ContinuousClock.now
  private let isShown = isatty(STDERR_FILENO) == 1
  private let count: Int
  private var position = 0

  /// - Parameter count: how many explorations there are.
  init(count: Int) { self.count = count }

  /// Goes on to the next exploration.
  /// - Returns: what it calls with its number of states; nil if nothing is to be shown.
  mutating func next(_ name: String) -> (@Sendable (Int) -> Void)? {
    position += 1
    guard isShown else { return nil }
    let begun = begun
    let head = count > 1 ? "\(position)/\(count) " : ""
    let name = VisibleText.escape(name, limit: 50)
    let show: @Sendable (Int) -> Void = { states in
      guard ContinuousClock.now - begun > .seconds(1) else { return }
      Self.write("\r\u{1b}[K\(head)\(name): \(states) states")
    }
    show(0)
    return show
  }

  /// Leaves the line empty.
  func clear() {
    if isShown, ContinuousClock.now - begun > .seconds(1) { Self.write("\r\u{1b}[K") }
  }

  private static func write(_ text: String) {
    let bytes = Array(text.utf8)
    // Where standard error can't be written to, there is nobody left to tell.
    _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
