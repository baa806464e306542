internal import Glibc

/// Random numbers that come again with the same seed, so that a failure can be repeated.
///
/// The algorithm is splitmix64.
public struct RepeatableRandom: RandomNumberGenerator, Sendable {
  public let seed: UInt64
  private var state: UInt64

  public init(seed: UInt64) {
    self.seed = seed
    state = seed
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var result = state
    result = (result ^ (result >> 30)) &* 0xbf58_476d_1ce4_e5b9
    result = (result ^ (result >> 27)) &* 0x94d0_49bb_1331_11eb
    return result ^ (result >> 31)
  }

  /// A number below the bound.
  public mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

  /// Whether something happens that has this probability.
  public mutating func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }
}

extension RepeatableRandom {
  /// For a random test: the same seed each run, one that depends on the test's name. IPITRACE_TEST_SEED names another, or is
  /// `random`. A test names the seed where it fails.
  public static func forTest(_ name: String = #function) -> RepeatableRandom { RepeatableRandom(seed: testSeed(name)) }

  /// The seed of ``forTest(_:)``.
  public static func testSeed(_ name: String = #function) -> UInt64 {
    guard let wanted = getenv("IPITRACE_TEST_SEED").map({ String(cString: $0) }) else {
      return ScriptNames.address(of: name) & UInt64(UInt32.max)
    }
    return UInt64(wanted) ?? UInt64.random(in: 0...UInt64(UInt32.max))
  }

  /// How many random places or changes a test looks at: IPITRACE_TEST_PLACES, or this many.
  public static func places(_ usual: Int) -> Int {
    getenv("IPITRACE_TEST_PLACES").flatMap { Int(String(cString: $0)) } ?? usual
  }

  /// The same for a test of a module that `make test-release` tests in full: without optimisation it is slow, and looks at
  /// fewer.
  public static func places(_ usual: Int, unoptimised few: Int) -> Int {
    #if DEBUG
      places(few)
    #else
      places(usual)
    #endif
  }
}
