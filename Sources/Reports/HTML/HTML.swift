/// A piece of HTML that is whole and safe by construction.
///
/// What is written in the source is taken as it is. A string put in between needs a label that says what it is, and all of
/// the labels escape; without a label only HTML and numbers are accepted. So text of a trace can't get into a page
/// unescaped.
struct HTML: ExpressibleByStringInterpolation, Sendable {
  private(set) var text: String

  init() { text = "" }

  /// For the compiler only: what stands in the source is trusted.
  init(stringLiteral value: String) { text = value }

  init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }

    mutating func appendLiteral(_ literal: String) { text += literal }

    /// A name or another short text, of whatever origin.
    mutating func appendInterpolation(name: String) { text += HTML.escape(VisibleText.escape(name)) }

    /// A text of a sentence or more, of whatever origin.
    mutating func appendInterpolation(sentence: String) {
      text += HTML.escape(VisibleText.escape(sentence, limit: VisibleText.sentenceLimit))
    }

    /// A text that ``VisibleText`` or ``Words`` has made visible already.
    mutating func appendInterpolation(visible: String) { text += HTML.escape(visible) }

    mutating func appendInterpolation(_ html: HTML) { text += html.text }

    mutating func appendInterpolation(_ value: Int) { text += String(value) }

    mutating func appendInterpolation(_ value: UInt64) { text += String(value) }

    /// A coordinate, to a hundredth.
    mutating func appendInterpolation(_ value: Double) { text += HTML.coordinate(value) }
  }

  static func += (left: inout HTML, right: HTML) { left.text += right.text }

  /// Escapes what has a meaning in HTML, in text as well as in quoted attributes.
  fileprivate static func escape(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Two decimals, without trailing zeros and without a locale. What is no number, or far off any page, becomes 0.
  fileprivate static func coordinate(_ value: Double) -> String {
    guard value.isFinite, value.magnitude < 1e9 else { return "0" }
    let hundredths = Int((value * 100).rounded())
    let magnitude = hundredths.magnitude
    var text = "\(hundredths < 0 ? "-" : "")\(magnitude / 100)"
    if magnitude % 100 != 0 {
      text += ".\(magnitude / 10 % 10)"
      if magnitude % 10 != 0 { text += "\(magnitude % 10)" }
    }
    return text
  }
}

extension Sequence<HTML> {
  /// The pieces one after the other.
  func joined() -> HTML {
    var result = HTML()
    for piece in self { result += piece }
    return result
  }
}
