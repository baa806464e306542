/// The text of an event's format file, reduced to what a recorder needs and put together anew.
///
/// The texts of a file may be anything, and libtraceevent, which is made for the kernel's own, can crash on others: most of its
/// code is for the print format, which is left out here.
struct FormatText {
  let name: String
  /// What libtraceevent is given.
  let text: String

  /// The longest declaration of a field, in characters.
  private static let longest = 256

  /// - Returns: nil for what no kernel writes.
  /// - Complexity: O(length of the text).
  init?(_ bytes: [UInt8]) {
    var name: String?
    var text = ""
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false) {
      let words = line.drop { $0 == "\t" || $0 == " " }
      if words.isEmpty {
        text += "\n"
      } else if words.hasPrefix("print fmt:") {
        break
      } else if words.hasPrefix("name: ") {
        let value = words.dropFirst(6)
        guard name == nil, !value.isEmpty, value.allSatisfy(Self.isOfWord) else { return nil }
        name = String(value)
        text += "name: \(value)\n"
      } else if words.hasPrefix("ID: ") {
        guard let id = UInt16(words.dropFirst(4)) else { return nil }
        text += "ID: \(id)\n"
      } else if words == "format:" {
        text += "format:\n"
      } else {
        guard words.hasPrefix("field:"), let field = Self.field(words.dropFirst(6)) else { return nil }
        text += field
      }
    }
    guard let name else { return nil }
    self.name = name
    self.text = text + "\nprint fmt: \"\"\n"
  }

  private static func isOfWord(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || character == "_")
  }

  /// `char comm[16];	offset:8;	size:16;	signed:0;`
  private static func field(_ line: Substring) -> String? {
    let parts = line.split(separator: ";").map { $0.drop { $0 == "\t" || $0 == " " } }
    guard let declaration = parts.first, declaration.count <= longest, isDeclaration(declaration) else { return nil }
    var text = "\tfield:\(declaration);"
    for part in parts.dropFirst() where !part.isEmpty {
      let pair = part.split(separator: ":", omittingEmptySubsequences: false)
      guard pair.count == 2, ["offset", "size", "signed"].contains(pair[0]), let value = UInt16(pair[1]) else {
        return nil
      }
      text += "\t\(pair[0]):\(value);"
    }
    return text + "\n"
  }

  /// A type and a name: words, stars, and one pair of brackets with a word in it.
  private static func isDeclaration(_ text: Substring) -> Bool {
    guard let first = text.first, isOfWord(first), text.allSatisfy({ isOfWord($0) || " *[]".contains($0) }) else {
      return false
    }
    let brackets = text.filter { $0 == "[" || $0 == "]" }
    guard brackets.isEmpty || brackets == "[]" else { return false }
    return text.split(whereSeparator: { " *".contains($0) }).count >= 2
  }
}
