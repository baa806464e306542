import CallHistories

/// The rules of a flush, told once more and in another way: every assignment of types and every order of adds is tried.
struct FlushOracle {
  /// What some order of adds and some types explain.
  struct Explained: OptionSet {
    let rawValue: Int
    /// The order of running, whoever kicked.
    static let order = Explained(rawValue: 1)
    /// The order of running and the kicks.
    static let all = Explained(rawValue: 2)
  }

  /// Tries everything.
  /// - Parameter members: in the order of running; at most five.
  static func explain(_ members: [FlushMember], kicked: (FlushMember) -> Bool) -> Explained {
    // Wakeups are run by one callback behind everything else, so a second one is never seen.
    let wakeups = members.indices.filter { members[$0].knowledge == .wakeup }
    if wakeups.count > 1 { return [] }
    let unknown = members.indices.filter { members[$0].knowledge == .unknown }
    let kickers = members.indices.filter { kicked(members[$0]) }
    var result: Explained = []
    var order: [Int] = []

    func tryOrders(latestBegin: UInt64) {
      if order.count == members.count {
        for choice in 0..<(1 << unknown.count) {
          var isSync = 0
          for (bit, member) in unknown.enumerated() where choice >> bit & 1 == 1 { isSync |= 1 << member }
          guard runs(order, isSync: isSync) else { continue }
          result.insert(.order)
          if kickers.isEmpty || kickers == [order[0]] { result.insert(.all) }
          if result == [.order, .all] { return }
        }
        return
      }
      for next in members.indices where !order.contains(next) && members[next].addedBy >= latestBegin {
        order.append(next)
        tryOrders(latestBegin: max(latestBegin, members[next].queued))
        order.removeLast()
        if result == [.order, .all] { return }
      }
    }

    /// Whether nodes added in this order run as 0, 1, 2, …
    func runs(_ order: [Int], isSync: Int) -> Bool {
      var next = 0
      for node in order where isSync >> node & 1 == 1 {
        if node != next { return false }
        next += 1
      }
      for node in order where isSync >> node & 1 == 0 && members[node].knowledge != .wakeup {
        if node != next { return false }
        next += 1
      }
      for node in wakeups {
        if node != next { return false }
        next += 1
      }
      return true
    }

    tryOrders(latestBegin: 0)
    return result
  }
}
