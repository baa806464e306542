import Glibc

/// How a recording is divided into pieces, each a trace file of its own.
public struct PieceOptions: Sendable, Equatable {
  /// A new piece begins when the pages of the current one have as many bytes.
  public var bytes: UInt64
  /// How many pieces are kept; nil for all.
  public var kept: Int?

  public init(bytes: UInt64, kept: Int? = nil) {
    self.bytes = bytes
    self.kept = kept
  }
}

/// Names the pieces of a recording, `OUTPUT.000001` and so on, and removes the oldest ones.
///
/// The numbers go on behind those that are there. Only pieces of this recording are removed.
struct RecordingPieces {
  let options: PieceOptions
  private let place: OutputPlace
  private var number: Int
  private var written: [OutputPlace] = []

  init(_ options: PieceOptions, place: OutputPlace) {
    self.options = options
    self.place = place
    let prefix = place.name + "."
    let numbers = names(in: place.directory).compactMap { name -> Int? in
      guard name.hasPrefix(prefix) else { return nil }
      let digits = name.dropFirst(prefix.count)
      return digits.utf8.count >= 6 && digits.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(digits) : nil
    }
    number = numbers.max() ?? 0
  }

  /// The place of the next piece.
  mutating func next() -> OutputPlace {
    number += 1
    let digits = String(number)
    return place.sibling("\(place.name).\(String(repeating: "0", count: max(6 - digits.count, 0)))\(digits)")
  }

  /// The number of the piece whose place was asked for last.
  var current: Int { number }

  /// Takes note of a piece that is complete, and removes the one that is too old now.
  mutating func completed(_ piece: OutputPlace) {
    written.append(piece)
    guard let kept = options.kept, written.count > kept else { return }
    let oldest = written.removeFirst()
    unlinkat(oldest.directory.number, oldest.name, 0)
  }

  /// How many of the pieces are there.
  var count: Int { written.count }
}
