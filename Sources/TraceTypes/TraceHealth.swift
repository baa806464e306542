/// What is wrong with a trace, counted and never thrown: named counters, each for one CPU or for the whole trace.
public struct TraceHealth: Sendable, Equatable {
  public enum Severity: String, Sendable, Codable, Comparable {
    /// Worth knowing; no answer depends on it.
    case info
    /// Something is missing, and some questions can't be answered.
    case dataLoss
    /// The file contradicts itself; what could not be read is left out.
    case error

    public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

    private var rank: Int {
      switch self {
      case .info: 0
      case .dataLoss: 1
      case .error: 2
      }
    }
  }

  public struct Item: Sendable, Equatable {
    /// The counter's name in lower camel case; scripts rely on it.
    public var name: String
    /// The CPU concerned, or nil for the whole trace.
    public var cpu: Int?
    public var count: UInt64
    public var severity: Severity
    /// One sentence: what it means and what to do about it.
    public var remedy: String

    public init(name: String, cpu: Int? = nil, count: UInt64 = 1, severity: Severity, remedy: String) {
      self.name = name
      self.cpu = cpu
      self.count = count
      self.severity = severity
      self.remedy = remedy
    }
  }

  /// In the order in which they were first seen.
  public private(set) var items: [Item] = []

  public init() {}

  /// Adds to the counter with the item's name and CPU.
  /// - Complexity: O(number of counters).
  public mutating func add(_ item: Item) {
    if let index = items.firstIndex(where: { $0.name == item.name && $0.cpu == item.cpu }) {
      let sum = items[index].count.addingReportingOverflow(item.count)
      items[index].count = sum.overflow ? .max : sum.partialValue
    } else {
      items.append(item)
    }
  }

  public mutating func merge(_ other: TraceHealth) {
    for item in other.items { add(item) }
  }

  public var worst: Severity? { items.map(\.severity).max() }
}
