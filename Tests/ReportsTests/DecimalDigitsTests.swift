import TestSupport
import Testing

@testable import Reports

@Suite("Numbers in lines of calls")
struct DecimalDigitsTests {
  private static func text(_ values: [UInt64?]) -> String {
    var digits = DecimalDigits()
    var bytes: [UInt8] = []
    for value in values {
      digits.append(value, to: &bytes)
      bytes.append(UInt8(ascii: " "))
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What is kept of one number must not show in the next, whichever has more digits.
  @Test func numbersAreWrittenAsEver() {
    var random = RepeatableRandom(seed: 6)
    var values: [UInt64?] = [
      0, 9, 10, 999_999_999, 1_000_000_000, 1_000_000_001, nil, 999_999_999_999_999_999, 1_000_000_000_000_000_000,
      .max, 0, 12_000_000_034, 12_999_999_999, 13_000_000_000, 12_000_000_000,
    ]
    for _ in 0..<2_000 { values.append(random.next() >> UInt64(random.below(64))) }
    #expect(Self.text(values) == values.map { ($0.map { "\($0)" } ?? "null") + " " }.joined())
  }
}

@Suite("Rendered pieces")
struct PieceCacheTests {
  /// More keys than the cache remembers lately, again and again: each has its own piece.
  @Test func everyKeyHasItsPiece() {
    var cache = PieceCache()
    var random = RepeatableRandom(seed: 7)
    var rendered: Set<UInt64> = []
    for _ in 0..<5_000 {
      let key = UInt64(random.below(500)) &* 0x1_0000_0001
      var bytes: [UInt8] = []
      if !cache.append(key, to: &bytes) {
        let isNew = rendered.insert(key).inserted
        #expect(isNew)
        cache.add(key, Array("<\(key)>".utf8), to: &bytes)
      }
      #expect(bytes == Array("<\(key)>".utf8))
    }
    #expect(rendered.count == 500)
  }

  @Test func aTableRendersEachPlaceOnce() {
    var table = PieceTable(count: 3)
    var renders = 0
    var bytes: [UInt8] = []
    for place in [2, 0, 2, 2, 0] {
      table.append(place, to: &bytes) {
        renders += 1
        return Array("\(place)".utf8)
      }
    }
    #expect(String(decoding: bytes, as: UTF8.self) == "20220")
    #expect(renders == 2)
  }
}
