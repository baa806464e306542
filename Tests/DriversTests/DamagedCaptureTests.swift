import TestSupport
import Testing
import TraceDecoding
import TraceTypes
import Verdicts

/// Real captures that are cut off or changed: one clear error, or a result that can be trusted as far as it goes.
///
/// In a debug build few places are looked at. IPITRACE_TEST_CAPTURES names a folder of more captures, IPITRACE_TEST_PLACES
/// the number of places.
@Suite struct DamagedCaptureTests {
  static let captures = CapturedTrace.names + CapturedTrace.moreNames

  #if DEBUG
    private static let places = 10
  #else
    private static let places = 500
  #endif

  private func open(_ capture: String) throws -> DamagedCapture {
    try DamagedCapture(capture.hasPrefix("/") ? capture : Fixtures.path("captures/" + capture))
  }

  @Test(arguments: captures) func aFileThatIsCutOff(_ capture: String) throws {
    var random = RepeatableRandom.forTest()
    let places = RepeatableRandom.places(Self.places)
    let file = try open(capture)
    let whole = file.replay(changing: [:])
    try #require(!whole.isRefused && whole.found.isEmpty)
    var boundaries = file.sections.boundaries.flatMap { [$0 - 1, $0, $0 + 1] }
    if boundaries.count > 4 * places { boundaries = Array(boundaries.shuffled(using: &random).prefix(4 * places)) }
    let lengths = Set(boundaries + (0..<places).map { _ in random.below(file.original.count) })
      .filter { $0 >= 0 && $0 < file.original.count }
    for length in lengths.sorted(by: >) {
      let replay = file.replay(cutTo: length)
      let comment: Comment = "cut to \(length) of \(file.original.count), seed \(random.seed)"
      if let error = replay.error {
        #expect(!error.expected.isEmpty && !error.found.isEmpty && error.location.file.hasSuffix(".dat"), comment)
        // What the file's beginning does not tell, nothing behind it can mend.
        continue
      }
      #expect(replay.found.isEmpty, comment)
      #expect(replay.verdict?.addsUp == true, comment)
      let names = replay.health.map(\.name)
      #expect(replay.digest == whole.digest || names.contains("truncated"), comment)
    }
  }

  /// One changed byte can make a recording that a wrong kernel could have made: an event type that is another one's, one of two
  /// bits that say whether interrupts were off, the last digits of an address. There are no checksums that would tell. So a few
  /// divergences are found here, never where the reader or the builder has named damage; of the rest, how many is printed.
  private static let largestShare = 0.03

  @Test(arguments: captures) func aByteThatIsChanged(_ capture: String) throws {
    var random = RepeatableRandom.forTest()
    let file = try open(capture)
    let whole = file.replay(changing: [:])
    var tally: [String: Int] = [:]
    for _ in 0..<RepeatableRandom.places(Self.places) {
      let place = random.below(file.original.count)
      let byte = file.original[place]
      let changed = random.chance(0.5) ? byte ^ 1 << UInt8(random.below(8)) : byte &+ UInt8(1 + random.below(255))
      let replay = file.replay(changing: [place: changed])
      tally[Self.outcome(replay, whole), default: 0] += 1
      let text = "byte \(place) from \(byte) to \(changed), seed \(random.seed)"
      let namesDamage = replay.health.contains { $0.name == "impossibleEvents" } || replay.provesDamage
      check(replay, text, mayDiverge: !namesDamage)
    }
    let share = Double(tally["diverges"] ?? 0) / Double(max(100, tally.values.reduce(0, +)))
    #expect(share <= Self.largestShare, "\(tally), seed \(random.seed)")
    print("\(capture), one byte changed: \(tally.sorted { $0.key < $1.key })")
  }

  @Test(arguments: captures) func manyBytesThatAreChanged(_ capture: String) throws {
    var random = RepeatableRandom.forTest()
    let file = try open(capture)
    let whole = file.replay(changing: [:])
    var tally: [String: Int] = [:]
    for _ in 0..<RepeatableRandom.places(Self.places) / 5 {
      var changes: [Int: UInt8] = [:]
      for _ in 0..<500 { changes[random.below(file.original.count)] = UInt8(truncatingIfNeeded: random.next()) }
      let replay = file.replay(changing: changes)
      tally[Self.outcome(replay, whole), default: 0] += 1
      check(replay, "500 bytes, seed \(random.seed)")
    }
    print("\(capture), 500 bytes changed: \(tally.sorted { $0.key < $1.key })")
  }

  private func check(_ replay: DamagedReplay, _ text: String, mayDiverge: Bool = false) {
    if let error = replay.error {
      #expect(!error.expected.isEmpty && !error.found.isEmpty, "\(text)")
      return
    }
    #expect(replay.verdict?.addsUp == true, "\(text)")
    #expect(
      mayDiverge || replay.found.isEmpty, "\(text): \(replay.health.map(\.name)) \(replay.found.map { "\($0.rule)" })")
  }

  private static func outcome(_ replay: DamagedReplay, _ whole: DamagedReplay) -> String {
    if replay.isRefused { return "refused" }
    if !replay.found.isEmpty { return "diverges" }
    if replay.health.count > whole.health.count { return "named" }
    return replay.digest == whole.digest ? "without effect" : "not noticed"
  }
}
