public import Verdicts

/// Costs that a user gives, for the recording's own.
///
/// What is left out stays as the recording has it. Where the recording has too few and another item stands in for it, that
/// is the given one, if it was given.
public struct GivenCosts: Sendable, Equatable {
  /// More than anybody edits.
  static let mostPoints = 10_000

  private let source: String
  private let items: [CostModel.Item: CostModel.Distribution]

  /// Judges what a file holds.
  /// - Parameter source: what a report calls the file.
  /// - Throws: ``CostsError``, which names the item.
  /// - Complexity: O(number of points).
  public init(_ table: CostTable, source: String) throws(CostsError) {
    var items: [CostModel.Item: CostModel.Distribution] = [:]
    for given in table.items {
      guard let item = CostModel.Item(rawValue: given.name) else {
        throw CostsError(item: given.name, reason: "there is no cost of this name")
      }
      guard items[item] == nil else { throw CostsError(item: given.name, reason: "it is there twice") }
      items[item] = try Self.distribution(given)
    }
    self.items = items
    // A file may be called like that.
    self.source = source == CostModel.measured ? "./\(source)" : source
  }

  private static func distribution(_ given: CostTable.Item) throws(CostsError) -> CostModel.Distribution {
    func wrong(_ reason: String) -> CostsError { CostsError(item: given.name, reason: reason) }
    guard !given.points.isEmpty else { throw wrong("it has no points") }
    guard given.points.count <= mostPoints else {
      throw wrong("it has \(given.points.count) points, expected at most \(mostPoints)")
    }
    var points: [CostModel.Distribution.Point] = []
    for (index, point) in given.points.enumerated() {
      let place = "points[\(index)]"
      guard point.share >= 0, point.share <= 1 else {
        throw wrong("\(place).share is \(point.share), expected 0 to 1")
      }
      guard point.nanoseconds >= 0, point.nanoseconds <= Double(CostModel.longestNanoseconds) else {
        throw wrong(
          "\(place).nanoseconds is \(point.nanoseconds), expected 0 to \(CostModel.longestNanoseconds), an hour")
      }
      if index > 0 {
        let last = given.points[index - 1]
        guard point.share >= last.share else {
          throw wrong("\(place).share is \(point.share), after \(last.share): shares have to ascend")
        }
        guard point.nanoseconds >= last.nanoseconds else {
          throw wrong(
            "\(place).nanoseconds is \(point.nanoseconds), after \(last.nanoseconds): what a larger share does not exceed "
              + "can't be shorter")
        }
      }
      points.append(
        CostModel.Distribution.Point(perMille: perMille(point.share), nanoseconds: point.nanoseconds))
    }
    return CostModel.Distribution(points: points, count: 0, isAssumed: given.isAssumed)
  }

  /// To a millionth of a thousandth, so that what was saved comes back as it was: 0.57 · 1,000 is not 570.
  private static func perMille(_ share: Double) -> Double { (share * 1e9).rounded() / 1e6 }

  /// The costs to simulate with.
  public func model(measured: CostModel) -> CostModel {
    var model = CostModel(source: source) { item in
      if let given = items[item] { return given }
      guard measured[item].isAssumed, var other = item.substitute.flatMap({ items[$0] }) else { return measured[item] }
      other.isAssumed = true
      return other
    }
    model.recordedDelivery = measured.recordedDelivery
    model.fastFarDelivery = measured.fastFarDelivery
    return model
  }
}

/// Why given costs can't be used.
public struct CostsError: Error, Equatable, CustomStringConvertible {
  /// The item's name, as it was given.
  public var item: String
  /// One clause, without a final stop.
  public var reason: String

  public var description: String { "\"\(item)\": \(reason)" }
}

extension CostModel {
  /// As a file holds them.
  public var table: CostTable {
    CostTable(
      items: Item.allCases.map { item in
        CostTable.Item(
          name: item.rawValue, sentence: item.sentence, isAssumed: self[item].isAssumed, count: self[item].count,
          points: self[item].points.map {
            CostTable.Point(share: $0.perMille / 1_000, nanoseconds: $0.nanoseconds)
          })
      })
  }
}
