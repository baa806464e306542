/// Whether the terminal report uses colour.
public enum TerminalStyle: Sendable {
  /// Text only.
  case plain
  /// With the escape sequences of ANSI terminals for bold and colour.
  case ansi

  /// What a colour stands for. Words or signs always say the same.
  enum Role {
    case heading, good, bad, doubtful, faint, strong

    fileprivate var code: String {
      switch self {
      case .heading: "1;36"
      case .good: "1;32"
      case .bad: "1;31"
      case .doubtful: "1;33"
      case .faint: "2"
      case .strong: "1"
      }
    }
  }

  /// The text in the role's colour. It must be escaped already: this is the only place that writes escape sequences.
  func paint(_ text: String, _ role: Role) -> String {
    switch self {
    case .plain: text
    case .ansi: text.isEmpty ? text : "\u{1b}[\(role.code)m\(text)\u{1b}[0m"
    }
  }
}
