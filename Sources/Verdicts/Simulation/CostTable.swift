/// The costs of a simulation as a file holds them, schema `ipitrace-costs/1`: made to be edited and given back.
///
/// A file that is given back may hold fewer items than one that was saved, and of each item only what has no obvious value:
/// its name and its points. Whether the names and numbers make sense is not judged here.
public struct CostTable: Codable, Sendable, Equatable {
  public static let schemaName = "ipitrace-costs/1"

  /// A point of the line that stands for a distribution: this share of all durations is no longer than that.
  public struct Point: Codable, Sendable, Equatable {
    /// 0 … 1.
    public var share: Double
    public var nanoseconds: Double

    public init(share: Double, nanoseconds: Double) {
      self.share = share
      self.nanoseconds = nanoseconds
    }
  }

  public struct Item: Codable, Sendable, Equatable {
    /// The cost's one name: `delivery`, `handlerEntry`, `callback`…
    public var name: String
    /// What it is, in a sentence; nothing reads it.
    public var sentence: String
    /// Too few were measured, so that a stated value, or another item's, stands in.
    public var isAssumed: Bool
    /// How many durations it rests on, its own or those of what stands in; 0 where there are none. Nothing reads it.
    public var count: UInt64
    /// Shares ascend, and durations with them. One point is a constant; before the first one and behind the last one the
    /// line is level.
    public var points: [Point]

    public init(name: String, sentence: String, isAssumed: Bool, count: UInt64, points: [Point]) {
      self.name = name
      self.sentence = sentence
      self.isAssumed = isAssumed
      self.count = count
      self.points = points
    }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      name = try values.decode(String.self, forKey: .name)
      sentence = try values.decodeIfPresent(String.self, forKey: .sentence) ?? ""
      isAssumed = try values.decodeIfPresent(Bool.self, forKey: .isAssumed) ?? false
      count = try values.decodeIfPresent(UInt64.self, forKey: .count) ?? 0
      points = try values.decode([Point].self, forKey: .points)
    }
  }

  public var schema: String
  public var items: [Item]

  public init(items: [Item]) {
    schema = Self.schemaName
    self.items = items
  }
}
