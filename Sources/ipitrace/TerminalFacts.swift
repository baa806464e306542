import Glibc

/// What a descriptor that may be a terminal can show.
struct TerminalFacts {
  /// Columns, or nil when it is no terminal.
  var width: Int?
  /// False where it is no terminal, where NO_COLOR is set and not empty, and where TERM is `dumb`.
  var wantsColour: Bool

  init(descriptor: CInt) {
    guard isatty(descriptor) == 1 else {
      (width, wantsColour) = (nil, false)
      return
    }
    var size = winsize()
    let known = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    width = known ? Int(size.ws_col) : nil
    wantsColour = (Self.variable("NO_COLOR") ?? "").isEmpty && Self.variable("TERM") != "dumb"
  }

  private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
