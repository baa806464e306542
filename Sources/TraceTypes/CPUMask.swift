/// A set of CPUs, of any size.
public struct CPUMask: Hashable, Sendable {
  /// Bit i of word w is CPU 64·w + i. Without trailing zero words, so that equal sets are equal values.
  public private(set) var words: [UInt64] = []

  /// Larger CPU numbers are refused wherever a list is parsed. The kernel's own limit is 8,192.
  public static let highestCPU = 65_535

  public init() {}

  public init(_ cpus: some Sequence<Int>) {
    for cpu in cpus { insert(cpu) }
  }

  /// - Precondition: `cpu` is within 0 … ``highestCPU``.
  public mutating func insert(_ cpu: Int) {
    precondition(cpu >= 0 && cpu <= Self.highestCPU, "CPU \(cpu) is out of range")
    while words.count <= cpu / 64 { words.append(0) }
    words[cpu / 64] |= 1 << UInt64(cpu % 64)
  }

  public mutating func remove(_ cpu: Int) {
    guard contains(cpu) else { return }
    words[cpu / 64] &= ~(1 << UInt64(cpu % 64))
    while words.last == 0 { words.removeLast() }
  }

  public func contains(_ cpu: Int) -> Bool {
    cpu >= 0 && cpu / 64 < words.count && words[cpu / 64] >> UInt64(cpu % 64) & 1 == 1
  }

  public var isEmpty: Bool { words.isEmpty }

  public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// The CPUs in ascending order.
  public var cpus: [Int] {
    var result: [Int] = []
    for (index, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        result.append(index * 64 + rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    }
    return result
  }

  /// Parses the kernel's list form: `0-3,7,9-10`. The empty string is the empty set.
  /// - Returns: nil for anything else, and for CPUs above ``highestCPU``.
  public init?(list: some StringProtocol) {
    for part in list.split(separator: ",", omittingEmptySubsequences: true) {
      let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
      guard let first = Self.number(ends[0]), let last = ends.count == 2 ? Self.number(ends[1]) : first, first <= last
      else { return nil }
      for cpu in first...last { insert(cpu) }
    }
  }

  private static func number(_ text: some StringProtocol) -> Int? {
    let digits = text.drop(while: \.isWhitespace)
    var value = 0
    var seen = false
    for character in digits {
      if character.isWhitespace { break }
      guard let digit = character.wholeNumberValue, character.isASCII else { return nil }
      value = value * 10 + digit
      seen = true
      if value > highestCPU { return nil }
    }
    return seen ? value : nil
  }

  /// The kernel's list form: `0-3,7,9-10`.
  public var list: String {
    var parts: [String] = []
    var run: ClosedRange<Int>?
    func close(_ range: ClosedRange<Int>?) {
      guard let range else { return }
      parts.append(range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)")
    }
    for cpu in cpus {
      if let current = run, cpu == current.upperBound + 1 {
        run = current.lowerBound...cpu
      } else {
        close(run)
        run = cpu...cpu
      }
    }
    close(run)
    return parts.joined(separator: ",")
  }
}
