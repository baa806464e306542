/// What of a text is written as `\uXXXX` in JSON, although JSON would take it as it is.
///
/// A result is looked at in terminals and editors too: there it must not colour, turn or hide anything. Whoever parses it gets
/// the same names.
enum JSONText {
  /// The same document, with escapes for what is not to be seen.
  ///
  /// - Precondition: the bytes are JSON as an encoder writes it: what is below U+0020 stands between values only.
  /// - Complexity: O(number of bytes).
  static func escapingInvisible(_ json: [UInt8]) -> [UInt8] {
    guard json.contains(where: { $0 >= 0x7f }) else { return json }
    var result: [UInt8] = []
    result.reserveCapacity(json.count)
    for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
      if scalar.value >= 0x7f, VisibleText.isObeyed(scalar) {
        appendEscape(scalar, to: &result)
      } else {
        result.append(contentsOf: UTF8.encode(scalar)!)
      }
    }
    return result
  }

  /// A JSON string with its quotes.
  static func quoted(_ text: String) -> [UInt8] {
    var result: [UInt8] = [UInt8(ascii: "\"")]
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += [UInt8(ascii: "\\"), UInt8(ascii: scalar)]
      case _ where VisibleText.isObeyed(scalar): appendEscape(scalar, to: &result)
      default: result.append(contentsOf: UTF8.encode(scalar)!)
      }
    }
    result.append(UInt8(ascii: "\""))
    return result
  }

  /// Two escapes for what lies beyond U+FFFF, as JSON has it.
  private static func appendEscape(_ scalar: Unicode.Scalar, to bytes: inout [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    for unit in UTF16.encode(scalar)! {
      bytes += [UInt8(ascii: "\\"), UInt8(ascii: "u")]
      for shift in [12, 8, 4, 0] { bytes.append(digits[Int(unit >> shift & 15)]) }
    }
  }
}
