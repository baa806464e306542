/// Makes text that comes from a trace safe to show: every report sends every such string through here.
///
/// A trace holds names that anybody could choose (a process name is any 15 bytes), and a saved result may come from
/// anywhere. So what could move a cursor, colour a terminal, turn the direction of writing, hide, or pile up on its
/// neighbours is shown as a visible escape: `\n`, `\t`, `\r`, or `\u{1b}` with the scalar in hex. A backslash becomes
/// `\\`, so that an escape cannot be faked. Letters of scripts written from right to left are escaped too: they
/// rearrange the digits beside them.
public enum VisibleText {
  /// The longest text of a name, in columns.
  public static let nameLimit = 160
  /// The longest text of a sentence, in columns.
  public static let sentenceLimit = 2_000

  /// The text with everything invisible or misleading escaped, and cut to the limit.
  ///
  /// What is cut is said: `first part…(+120)`, where the number counts the scalars left out.
  /// - Parameter limit: in columns of a terminal; the mark of the cut comes on top.
  /// - Complexity: O(length of the text).
  public static func escape(_ text: String, limit: Int = nameLimit) -> String {
    var result = ""
    var columns = 0
    var scalars = text.unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
      let piece = escape(scalar)
      columns += width(of: piece)
      if columns > limit {
        var rest = 1
        while scalars.next() != nil { rest += 1 }
        return result + "…(+\(rest))"
      }
      result += piece
    }
    return result
  }

  /// The text with only that escaped which a terminal or the direction of writing obeys: for the last step before a
  /// terminal, where some parts were escaped already and others never were. Line ends stay what they are.
  /// - Complexity: O(length of the text).
  public static func disarm(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { isObeyed($0) && $0 != "\n" }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      result += isObeyed(scalar) && scalar != "\n" ? escape(scalar) : String(Character(scalar))
    }
    return result
  }

  /// Whether it is obeyed rather than seen: control characters, ends of lines, what turns the direction of writing, and all
  /// that has no width.
  static func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value >= 0x20, scalar.value < 0x7f { return false }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return true
    default: return scalar.properties.isDefaultIgnorableCodePoint
    }
  }

  /// The columns that a text takes in a terminal, once it is escaped.
  /// - Complexity: O(length of the text).
  static func width(of escaped: String) -> Int {
    var columns = 0
    for scalar in escaped.unicodeScalars { columns += isWide(scalar) ? 2 : 1 }
    return columns
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\n": return "\\n"
    case "\t": return "\\t"
    case "\r": return "\\r"
    case "\\": return "\\\\"
    case " "..."~": return String(Character(scalar))
    default: break
    }
    // U+FFFD stands for bytes that were no UTF-8: it is visible itself, but not every font tells it from others.
    if scalar == "\u{fffd}" || isRightToLeft(scalar) || !isVisible(scalar) {
      return "\\u{\(String(scalar.value, radix: 16))}"
    }
    return String(Character(scalar))
  }

  private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.properties.isDefaultIgnorableCodePoint { return false }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
      .letterNumber, .otherNumber, .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation, .mathSymbol, .currencySymbol, .modifierSymbol,
      .otherSymbol, .spacingMark:
      return true
    // Spaces that are not U+0020 look like it. Marks pile up on the character before them.
    case .spaceSeparator, .lineSeparator, .paragraphSeparator, .nonspacingMark, .enclosingMark, .control, .format,
      .surrogate, .privateUse, .unassigned:
      return false
    @unknown default:
      return false
    }
  }

  /// The blocks of the scripts that are written from right to left.
  private static func isRightToLeft(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0590...0x08FF, 0xFB1D...0xFDFF, 0xFE70...0xFEFF, 0x10800...0x10FFF, 0x1E800...0x1EFFF: true
    default: false
    }
  }

  /// The blocks whose characters take two columns in a terminal.
  private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case ..<0x1100: false
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
      0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
      true
    default: false
    }
  }
}
