/// Times and contestants as single numbers, in the order in which the merge delivers: by time, and at equal times by CPU.
///
/// The upper bits of a key are the time since a beginning, the lower ones are the contestant's number. Who comes first is the
/// least foreseeable thing in a merge, and of two plain numbers the smaller one is found without a branch.
///
/// Times beyond what the upper bits can tell are *far*: their keys are greater than all others but say nothing of their order.
/// They come up years after the beginning, or in a damaged file; then the merge begins anew.
struct MergeKeys {
  private let contestantBits: UInt64
  private let begin: UInt64
  /// The first time that is too far.
  private let farthest: UInt64

  /// - Parameters:
  ///   - begin: no time is earlier.
  ///   - contestants: how many there are.
  init(from begin: UInt64, contestants: Int) {
    precondition(contestants > 0 && contestants <= 1 << 32, "too many contestants")
    self.begin = begin
    contestantBits = UInt64(Int.bitWidth - (contestants - 1).leadingZeroBitCount)
    farthest = (UInt64.max >> contestantBits) - 1
  }

  /// - Precondition: the time is not before the beginning.
  @inline(__always)
  func key(_ time: UInt64, _ contestant: Int) -> UInt64 {
    min(time &- begin, farthest) &<< contestantBits | UInt64(truncatingIfNeeded: contestant)
  }

  /// From this key on, all that a key tells is that its time is far.
  var firstFar: UInt64 { farthest &<< contestantBits }
}
