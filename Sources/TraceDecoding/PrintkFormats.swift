/// The kernel's constant strings to which records point.
///
/// The kernel's counterpart is `printk_formats` in tracefs: a line `0xADDRESS : "TEXT"` per string.
enum PrintkFormats {
  /// The addresses of the strings with one of the given texts, in the order of the file.
  /// - Complexity: O(length of the text · number of texts wanted).
  static func addresses(of wanted: [String], in text: [UInt8]) -> [(address: UInt64, text: String)] {
    var result: [(address: UInt64, text: String)] = []
    for line in text.split(separator: UInt8(ascii: "\n")) {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
      var number = line[..<colon].trimmed
      if number.starts(with: "0x".utf8) { number = number.dropFirst(2) }
      var value = line[(colon + 1)...].trimmed
      if value.first == UInt8(ascii: "\"") { value = value.dropFirst() }
      if value.last == UInt8(ascii: "\"") { value = value.dropLast() }
      guard let address = number.hexadecimal, let match = wanted.first(where: { value.elementsEqual($0.utf8) })
      else { continue }
      result.append((address, match))
    }
    return result
  }
}
