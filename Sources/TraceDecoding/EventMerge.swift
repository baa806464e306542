import TraceTypes

/// What is between two blocks: every CPU's batch, and whose event comes next.
///
/// CPUs that have no more events leave, so that every batch here has events but the one that a ``Pause`` asks for.
final class EventMerge {
  /// Why the merge stopped.
  struct Pause {
    /// Whose event was moved last.
    var contestant: Int
    /// That event has a mask, which its batch holds.
    var hasMask = false
    /// The batch is exhausted: the next one has to be given, or the contestant taken out, before the merge goes on.
    var needsBatch = false
  }

  private(set) var streams: [CPUStream]
  /// The batch of each stream.
  private let batches: UnsafeMutablePointer<EventBatch>
  private var keys = MergeKeys(from: 0, contestants: 1)
  /// Of three contestants or more.
  private var tree: LoserTree?

  /// - Parameters:
  ///   - streams: in the order of their CPUs.
  ///   - first: the first batch of each.
  init(_ streams: [CPUStream], _ first: [EventBatch]) {
    precondition(streams.count == first.count, "a stream without a batch")
    self.streams = streams
    batches = .allocate(capacity: max(1, first.count))
    batches.initialize(from: first, count: first.count)
    sort()
  }

  deinit {
    tree?.deallocate()
    batches.deallocate()
  }

  var isEmpty: Bool { streams.isEmpty }

  func maskWords(of contestant: Int) -> UnsafeBufferPointer<UInt64> { batches[contestant].maskWords }

  /// Gives a contestant its next batch.
  func give(_ batch: EventBatch, to contestant: Int) {
    precondition(contestant < streams.count, "no such contestant")
    batches[contestant] = batch
    tree?.replaceWinnersKey(keys.key(batch.next.pointee.nanoseconds, contestant))
  }

  /// Takes out a contestant that has no more events.
  /// - Complexity: O(number of contestants).
  func takeOut(_ contestant: Int) {
    streams.remove(at: contestant)
    for index in contestant..<streams.count { batches[index] = batches[index + 1] }
    sort()
  }

  /// Makes keys that have room for what comes next.
  private func sort() {
    tree?.deallocate()
    tree = nil
    // Two are compared as they are.
    guard streams.count > 2 else { return }
    var begin = UInt64.max
    for index in streams.indices { begin = min(begin, batches[index].next.pointee.nanoseconds) }
    keys = MergeKeys(from: begin, contestants: streams.count)
    tree = LoserTree(streams.indices.map { keys.key(batches[$0].next.pointee.nanoseconds, $0) })
  }

  /// Moves events in their order until the block is full, or there is something to do between two events.
  /// - Returns: what there is to do, or nil when the block is full.
  /// - Precondition: there are contestants.
  /// - Complexity: O(number of events moved · log number of contestants).
  func move(into block: inout EventBlock) -> Pause? {
    let capacity = block.capacity
    return block.edit { output in
      output.withUnsafeMutableBufferPointer { room, count in
        guard let base = room.baseAddress else { return nil }
        var place = base + count
        let pause = move(to: &place, until: base + max(count, min(capacity, room.count)))
        count = place - base
        return pause
      }
    }
  }

  private func move(
    to place: inout UnsafeMutablePointer<TraceEvent>, until full: UnsafeMutablePointer<TraceEvent>
  ) -> Pause? {
    switch streams.count {
    case 1: return moveOnly(to: &place, until: full)
    case 2: return moveOfTwo(to: &place, until: full)
    default:
      while place != full {
        if let pause = moveOfMany(to: &place, until: full) { return pause }
        // In years of events, or damaged ones, times come up for which the keys have no room: then others are made.
        if place != full { sort() }
      }
      return nil
    }
  }

  private func moveOnly(
    to place: inout UnsafeMutablePointer<TraceEvent>, until full: UnsafeMutablePointer<TraceEvent>
  ) -> Pause? {
    var next = batches[0].next
    let end = batches[0].end
    var hasMask = false
    while place != full, next != end, !hasMask {
      place.initialize(to: next.pointee)
      hasMask = next.pointee.kind.hasMask
      place += 1
      next += 1
    }
    batches[0].next = next
    return hasMask || next == end ? Pause(contestant: 0, hasMask: hasMask, needsBatch: next == end) : nil
  }

  /// Who comes first is the least foreseeable thing in a merge: of two it is found without a branch.
  private func moveOfTwo(
    to place: inout UnsafeMutablePointer<TraceEvent>, until full: UnsafeMutablePointer<TraceEvent>
  ) -> Pause? {
    var first = batches[0].next
    let firstEnd = batches[0].end
    var second = batches[1].next
    let secondEnd = batches[1].end
    var target = place
    var pause: Pause?
    while target != full {
      let step = second.pointee.nanoseconds < first.pointee.nanoseconds ? 1 : 0
      let event = step == 1 ? second : first
      target.initialize(to: event.pointee)
      target += 1
      second += step
      first += 1 - step
      let hasMask = event.pointee.kind.hasMask
      if first == firstEnd || second == secondEnd || hasMask {
        pause = Pause(contestant: step, hasMask: hasMask, needsBatch: first == firstEnd || second == secondEnd)
        break
      }
    }
    batches[0].next = first
    batches[1].next = second
    place = target
    return pause
  }

  /// - Returns: nil when the block is full, or the keys have no more room.
  private func moveOfMany(
    to place: inout UnsafeMutablePointer<TraceEvent>, until full: UnsafeMutablePointer<TraceEvent>
  ) -> Pause? {
    guard var tree else { preconditionFailure("many contestants without a tree") }
    let batches = self.batches
    let keys = self.keys
    let far = keys.firstFar
    var target = place
    var pause: Pause?
    // Event by event: a CPU seldom has several before another one has its next.
    while target != full, tree.winnersKey < far {
      let index = tree.winner
      let event = batches[index].next
      target.initialize(to: event.pointee)
      target += 1
      let next = event + 1
      batches[index].next = next
      let hasMask = event.pointee.kind.hasMask
      guard next != batches[index].end else {
        pause = Pause(contestant: index, hasMask: hasMask, needsBatch: true)
        break
      }
      tree.replaceWinnersKey(keys.key(next.pointee.nanoseconds, index))
      if hasMask {
        pause = Pause(contestant: index, hasMask: true)
        break
      }
    }
    self.tree = tree
    place = target
    return pause
  }
}
