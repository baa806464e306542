import TraceTypes

/// The beginnings of lines that were read lately. Most lines begin like one shortly before, so that task, thread and CPU need
/// no second reading; and few different contexts occur.
///
/// What is found is what was read of the very same bytes.
struct KnownHeads: ~Copyable {
  /// Task, thread and CPU: `          <idle>-0       [002] ` with the blank behind the bracket, or `  <idle>-0         2`.
  struct Beginning {
    /// Its bytes; in the third and the fourth word, what does not belong to it is 0.
    fileprivate var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    fileprivate var masks: (UInt64, UInt64) = (0, 0)
    /// 0 in a place that nothing was put into.
    var length = 0
    /// Blanks before the task's name, and the columns of both.
    var blanks = 0
    var columns = 0
    var pid: Int32 = 0
    var cpu: UInt16 = 0
  }

  private static let beginningCount = 256
  private static let contextCount = 64
  /// Lengths between which a beginning can be found again.
  private static let lengths = 16...32
  private static let multiplier: UInt64 = 0x9e37_79b9_7f4a_7c15

  private let beginnings: UnsafeMutablePointer<Beginning>
  private let contexts: UnsafeMutablePointer<(text: UInt64, flags: ContextFlags)>

  init() {
    beginnings = .allocate(capacity: Self.beginningCount)
    beginnings.initialize(repeating: Beginning(), count: Self.beginningCount)
    contexts = .allocate(capacity: Self.contextCount)
    // No context is an empty text.
    contexts.initialize(repeating: (0, []), count: Self.contextCount)
  }

  deinit {
    beginnings.deallocate()
    contexts.deallocate()
  }

  // MARK: Beginnings

  /// What is known of the beginning of a line, or nil.
  /// - Parameter start: a line's start; 32 bytes from there are looked at.
  @inline(__always)
  func beginning(at start: UnsafePointer<UInt8>) -> Beginning? {
    let words = Self.words(at: start)
    let known = beginnings[Self.place(of: words)]
    guard known.length > 0, known.words.0 == words.0, known.words.1 == words.1,
      known.words.2 == words.2 & known.masks.0, known.words.3 == words.3 & known.masks.1
    else { return nil }
    // Where a digit ends it, another one would make another number.
    return known.columns == LineHead.commColumns || start[known.length] &- UInt8(ascii: "0") > 9 ? known : nil
  }

  /// Takes a beginning, unless it is too short or too long to be found again.
  /// - Parameter columns: those of the name: 16, and it ends with a blank, or 8, and it ends with the CPU's last digit.
  func take(at start: UnsafePointer<UInt8>, length: Int, blanks: Int, columns: Int, pid: Int32, cpu: UInt16) {
    guard Self.lengths.contains(length) else { return }
    var words = Self.words(at: start)
    let place = Self.place(of: words)
    let masks = (ByteWord.mask(length - 16), ByteWord.mask(max(0, length - 24)))
    words.2 &= masks.0
    words.3 &= masks.1
    beginnings[place] = Beginning(
      words: words, masks: masks, length: length, blanks: blanks, columns: columns, pid: pid, cpu: cpu)
  }

  @inline(__always)
  private static func words(at start: UnsafePointer<UInt8>) -> (UInt64, UInt64, UInt64, UInt64) {
    (
      ByteWord(at: start).bits, ByteWord(at: start + 8).bits, ByteWord(at: start + 16).bits,
      ByteWord(at: start + 24).bits
    )
  }

  /// Of the word in which the beginning ends, what can be the CPU's number counts as well: of the fourth, or, where the name
  /// has 8 columns, of the third.
  @inline(__always)
  private static func place(of words: (UInt64, UInt64, UInt64, UInt64)) -> Int {
    var mixed = words.0 ^ words.1 &* 3
    if words.2 & 0xff == UInt64(UInt8(ascii: "-")) {
      mixed ^= words.2 &* 5 ^ (words.3 & ByteWord.mask(5)) &* 7
    } else {
      mixed ^= (words.2 & ByteWord.mask(4)) &* 5
    }
    return Int(truncatingIfNeeded: (mixed &* multiplier) &>> 56)
  }

  // MARK: Contexts

  /// What a context's letters mean, if that is known: `d.h1.` and a blank.
  /// - Parameters:
  ///   - word: what the line says from there.
  ///   - count: the letters, at most 7.
  @inline(__always)
  func context(_ word: ByteWord, count: Int) -> ContextFlags? {
    let text = word.prefix(count)
    let known = contexts[Self.place(of: text)]
    return known.text == text ? known.flags : nil
  }

  func take(_ flags: ContextFlags, of word: ByteWord, count: Int) {
    guard count > 0, count < 8 else { return }
    let text = word.prefix(count)
    contexts[Self.place(of: text)] = (text, flags)
  }

  @inline(__always)
  private static func place(of text: UInt64) -> Int { Int(truncatingIfNeeded: (text &* multiplier) &>> 58) }
}
