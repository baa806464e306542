public import Verdicts

/// What things take on the machine that was recorded: whole distributions, from which a simulation draws.
public struct CostModel: Sendable, Equatable {
  /// What has a cost. A case's name is its one name, in a costs file and elsewhere.
  public enum Item: String, CaseIterable, Sendable {
    /// From an IPI's sending to the handler's begin, between CPUs whose distance is not known.
    case delivery
    /// Between CPUs that share a core: hyperthreads.
    case deliverySameCore
    /// Within a node: from one core to another, where cores are known.
    case deliverySameNode
    case deliveryOtherNode
    /// From a mask IPI's sending to a handler's begin.
    case maskDelivery
    /// From a node's queueing to the same call's next step: the next node, or the kick.
    case add
    /// From the handler's begin to the first callback's.
    case handlerEntry
    /// From a callback's end to the next one's begin.
    case nextCallback
    /// From the last callback's end to the handler's.
    case handlerExit
    /// A callback's own length, for those whose length was not seen.
    case callback
    /// An irq_work's length, or a wakeup's, which no event shows: that of a handler in which no callback was seen.
    case silentCallback
    /// From a polling target's being woken to the first callback's begin.
    case pollingWake

    /// Its place among all: asked for at every draw.
    var index: Int {
      switch self {
      case .delivery: 0
      case .deliverySameCore: 1
      case .deliverySameNode: 2
      case .deliveryOtherNode: 3
      case .maskDelivery: 4
      case .add: 5
      case .handlerEntry: 6
      case .nextCallback: 7
      case .handlerExit: 8
      case .callback: 9
      case .silentCallback: 10
      case .pollingWake: 11
      }
    }

    public var sentence: String {
      switch self {
      case .delivery: "From an IPI's sending to its handler's begin, where the distance of the CPUs is not known."
      case .deliverySameCore: "From an IPI's sending to its handler's begin, between CPUs that share a core."
      case .deliverySameNode:
        "From an IPI's sending to its handler's begin, within a NUMA node; where cores are known, from one to another."
      case .deliveryOtherNode: "From an IPI's sending to its handler's begin, from one NUMA node to another."
      case .maskDelivery: "From a mask IPI's sending to a handler's begin."
      case .add: "From the queueing of a node to the same call's next step."
      case .handlerEntry: "From a handler's begin to its first callback's."
      case .nextCallback: "From a callback's end to the next one's begin."
      case .handlerExit: "From the last callback's end to the handler's."
      case .callback: "A callback's length, where it was not seen."
      case .silentCallback: "An irq_work's or a wakeup's length, by handlers in which no callback was seen."
      case .pollingWake: "From the waking of a polling target to its first callback's begin."
      }
    }

    /// In nanoseconds; stands in where too few were measured.
    var assumed: UInt64 {
      switch self {
      case .delivery, .deliverySameCore, .deliverySameNode: 1_000
      case .deliveryOtherNode, .maskDelivery: 1_500
      case .add: 200
      case .handlerEntry: 300
      case .nextCallback: 150
      case .handlerExit: 150
      case .callback, .silentCallback: 500
      case .pollingWake: 1_000
      }
    }

    /// Another item whose measurements serve where this one has too few.
    var substitute: Item? {
      switch self {
      case .deliverySameCore, .deliverySameNode, .deliveryOtherNode, .maskDelivery: .delivery
      case .delivery, .add, .handlerEntry, .nextCallback, .handlerExit, .callback, .silentCallback, .pollingWake: nil
      }
    }
  }

  /// A distribution as a line through points: shares in thousandths, ascending from 0 to 1,000, and nanoseconds.
  public struct Distribution: Sendable, Equatable {
    public struct Point: Sendable, Equatable {
      public var perMille: Double
      public var nanoseconds: Double

      public init(perMille: Double, nanoseconds: Double) {
        self.perMille = perMille
        self.nanoseconds = nanoseconds
      }
    }

    public private(set) var points: [Point]
    /// How many durations it rests on; 0: it is assumed, or given.
    public var count: UInt64
    public var isAssumed: Bool
    /// The line at equal distances, for drawing from it.
    private var table: ContiguousArray<UInt64>

    private static let tableBits: UInt64 = 10

    /// - Precondition: at least one point; shares ascend, and nanoseconds with them. Two points at one share are a step.
    public init(points: [Point], count: UInt64, isAssumed: Bool) {
      precondition(!points.isEmpty, "a distribution of nothing")
      self.points = points
      self.count = count
      self.isAssumed = isAssumed
      table = []
      let steps = 1 << Self.tableBits
      var segment = 0
      for step in 0...steps {
        let share = Double(step) * 1_000 / Double(steps)
        while segment + 1 < points.count, points[segment + 1].perMille < share { segment += 1 }
        let from = points[segment]
        let to = points[min(segment + 1, points.count - 1)]
        let part = to.perMille > from.perMille ? (share - from.perMille) / (to.perMille - from.perMille) : 0
        let value = from.nanoseconds + (to.nanoseconds - from.nanoseconds) * min(1, max(0, part))
        table.append(UInt64(min(max(0, value), 9e18)))
      }
    }

    /// Draws from it.
    /// - Parameter random: all bits equally likely.
    @inline(__always) public func draw(_ random: UInt64) -> UInt64 {
      let index = Int(truncatingIfNeeded: random &>> (64 &- Self.tableBits))
      let low = table[index]
      let high = table[index &+ 1]
      // The bits below those that chose the place say how far between the two.
      let part = random &>> 22 & 0xffff_ffff
      let product = (high &- low).multipliedFullWidth(by: part)
      return low &+ (product.high &<< 32 | product.low &>> 32)
    }

    public var median: UInt64 { table[table.count / 2] }
    /// The share of it that does not exceed a duration, 0 … 1.
    public func share(upTo nanoseconds: UInt64) -> Double {
      Double(table.count { $0 <= nanoseconds }) / Double(table.count)
    }

    public var p10: UInt64 { table[table.count / 10] }
    public var smallest: UInt64 { table[0] }
  }

  /// Nothing costs more: an hour, in nanoseconds. So times do not run out, however many costs they add up.
  public static let longestNanoseconds: UInt64 = 3_600_000_000_000

  /// ``source`` of costs that come from the recording.
  public static let measured = "measured"

  /// ``measured``, or the name of a costs file.
  public var source: String
  private var distributions: [Distribution]
  /// Deliveries as they were recorded, whatever is drawn instead: by these it is told which of them found their target closed.
  public var recordedDelivery: Distribution
  /// What the fastest tenth of the recorded deliveries takes at most, in nanoseconds, between CPUs as far from each other as any
  /// are: an IPI that takes not much longer need not have found its target closed.
  public var fastFarDelivery: UInt64

  public init(source: String, _ distributions: (Item) -> Distribution) {
    self.source = source
    let all = Item.allCases.map(distributions)
    self.distributions = all
    recordedDelivery = all[Item.delivery.index]
    let byDistance: [Item] = [.deliverySameCore, .deliverySameNode, .deliveryOtherNode]
    fastFarDelivery = byDistance.map { all[$0.index] }.filter { !$0.isAssumed }.map(\.p10)
      .reduce(all[Item.delivery.index].p10, max)
  }

  @inline(__always) public subscript(item: Item) -> Distribution { distributions[item.index] }

  /// As a report shows them.
  public var summary: CostSummary {
    CostSummary(
      source: source,
      items: Item.allCases.map { item in
        var recorder = DurationRecorder()
        // The middle of each part of the line.
        for part in UInt64(0)..<1_024 { recorder.record(self[item].draw(part << 54 | 1 << 53)) }
        var distribution = recorder.distribution
        distribution.summary.count = self[item].count
        return CostSummary.Item(
          name: item.rawValue, sentence: item.sentence, distribution: distribution, isAssumed: self[item].isAssumed)
      })
  }
}

/// Measures costs while a recording is read.
public struct CostRecorder: Sendable {
  /// Fewer than these are no distribution.
  static let leastMeasured: UInt64 = 20

  private var recorders = CostModel.Item.allCases.map { _ in DurationRecorder() }

  public init() {}

  public mutating func record(_ item: CostModel.Item, _ nanoseconds: UInt64) {
    recorders[item.index].record(min(nanoseconds, CostModel.longestNanoseconds))
  }

  /// The shares at which a measured distribution is kept, in thousandths.
  private static let shares: [UInt64] = [
    0, 1, 5, 10, 20, 50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600, 650, 700, 750, 800, 850, 900, 920, 940,
    950, 960, 970, 980, 985, 990, 993, 995, 997, 998, 999, 1_000,
  ]

  /// Adds what another one has measured of other items.
  public mutating func take(_ other: CostRecorder) {
    for index in recorders.indices where recorders[index].count == 0 { recorders[index] = other.recorders[index] }
  }

  public var model: CostModel {
    CostModel(source: CostModel.measured) { item in
      let own = recorders[item.index]
      let used = own.count < Self.leastMeasured ? item.substitute.map { recorders[$0.index] } ?? own : own
      guard used.count >= Self.leastMeasured else {
        return CostModel.Distribution(
          points: [CostModel.Distribution.Point(perMille: 0, nanoseconds: Double(item.assumed))], count: 0,
          isAssumed: true)
      }
      let points = zip(Self.shares, used.quantiles(perMille: Self.shares)).map {
        CostModel.Distribution.Point(perMille: Double($0), nanoseconds: Double($1))
      }
      return CostModel.Distribution(points: points, count: used.count, isAssumed: own.count < Self.leastMeasured)
    }
  }
}
