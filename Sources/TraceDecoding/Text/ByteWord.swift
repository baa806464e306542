/// Eight bytes of text in one word, the first in its lowest bits, so that questions about all of them take a few steps.
///
/// Where a text is shorter than a word, what stands behind it is loaded as well, and has to be readable.
struct ByteWord {
  let bits: UInt64

  @inline(__always)
  init(bits: UInt64) { self.bits = bits }

  @inline(__always)
  init(at place: UnsafePointer<UInt8>) {
    bits = UInt64(littleEndian: UnsafeRawPointer(place).loadUnaligned(as: UInt64.self))
  }

  /// The word of a text of at most eight bytes.
  @inline(__always)
  init(_ text: StaticString) {
    var bits: UInt64 = 0
    for index in 0..<text.utf8CodeUnitCount { bits |= UInt64(text.utf8Start[index]) &<< UInt64(index &* 8) }
    self.bits = bits
  }

  @inline(__always)
  private static func all(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

  /// The word with nothing behind its first bytes; all of it for 8 and more.
  @inline(__always)
  func prefix(_ count: Int) -> UInt64 { bits & Self.mask(count) }

  /// A mask of the first bytes; of all for 8 and more.
  @inline(__always)
  static func mask(_ count: Int) -> UInt64 { count >= 8 ? .max : (1 &<< UInt64(truncatingIfNeeded: count &* 8)) &- 1 }

  // MARK: Where something stands

  /// Bytes by their uppermost bits. Only the lowest that is set is certain.
  struct Marks {
    let bits: UInt64

    /// The number of bytes before the first that is marked; 8 when none is.
    @inline(__always)
    var first: Int { bits.trailingZeroBitCount &>> 3 }

    @inline(__always)
    static func | (one: Marks, other: Marks) -> Marks { Marks(bits: one.bits | other.bits) }
  }

  /// The bytes that are this one.
  @inline(__always)
  func marks(of byte: UInt8) -> Marks {
    let different = bits ^ Self.all(byte)
    return Marks(bits: (different &- Self.all(1)) & ~different & 0x8080_8080_8080_8080)
  }

  /// The bytes that are no decimal digits.
  @inline(__always)
  var noDigits: Marks {
    // A digit is 0 to 9 here, and stays below 128 with 118 more.
    let values = bits ^ Self.all(0x30)
    return Marks(bits: ((values &+ Self.all(118)) | values) & 0x8080_8080_8080_8080)
  }

  /// The bytes that are no hexadecimal digits.
  @inline(__always)
  var noHexadecimalDigits: Marks {
    // A letter of either case is 1 to 6 here: not above 6, and not 0.
    let letters = (bits | Self.all(0x20)) ^ Self.all(0x60)
    let noLetters = (letters &+ Self.all(121)) | letters | ~(letters &+ Self.all(127))
    return Marks(bits: noDigits.bits & noLetters)
  }

  /// The number of bytes before the first that is not 0.
  @inline(__always)
  var leadingZeros: Int { bits.trailingZeroBitCount &>> 3 }

  // MARK: Numbers

  /// The value of so many decimal digits, which the word begins with.
  /// - Precondition: `count` is 1 to 8, and ``noDigits`` comes no earlier.
  @inline(__always)
  func decimal(_ count: Int) -> UInt64 {
    // The missing ones become zeros in front. Then pairs, fours and all eight are put together.
    var value = (bits ^ Self.all(0x30)) &<< UInt64(truncatingIfNeeded: 64 &- count &* 8)
    value = (value &* 10 &+ value &>> 8) & 0x00ff_00ff_00ff_00ff
    value = (value &* 100 &+ value &>> 16) & 0x0000_ffff_0000_ffff
    return (value &* 10_000 &+ value &>> 32) & 0xffff_ffff
  }

  /// The value of so many hexadecimal digits, which the word begins with.
  /// - Precondition: `count` is 1 to 8, and ``noHexadecimalDigits`` comes no earlier.
  @inline(__always)
  func hexadecimal(_ count: Int) -> UInt64 {
    // Letters have bit 6; the lowest four bits of the first are 1.
    var value = (bits & Self.all(0x0f)) &+ (bits &>> 6 & 0x0101_0101_0101_0101) &* 9
    value = value &<< UInt64(truncatingIfNeeded: 64 &- count &* 8)
    value = (value &<< 4 | value &>> 8) & 0x00ff_00ff_00ff_00ff
    value = (value &<< 8 | value &>> 16) & 0x0000_ffff_0000_ffff
    return (value &<< 16 | value &>> 32) & 0xffff_ffff
  }
}
