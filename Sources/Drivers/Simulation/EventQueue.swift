import BasicContainers

/// What is to happen in a simulation, earliest first; of two at one time, what was entered first.
///
/// A binary heap. It holds what is under way only: one entry for each CPU that is at work, and one for each interrupt on its way.
struct EventQueue: ~Copyable {
  enum Kind: UInt8 {
    /// A CPU goes on, unless it was given something else to do meanwhile; see `Entry.token`.
    case step
    /// Interrupts have reached a CPU.
    case arrival
  }

  struct Entry {
    var time: UInt64
    var order: UInt64
    var cpu: Int32
    /// What tells an entry that is out of date.
    var token: UInt32
    var kind: Kind

    @inline(__always) func isBefore(_ other: Entry) -> Bool {
      time != other.time ? time < other.time : order < other.order
    }
  }

  private var heap = UniqueArray<Entry>()
  private var order: UInt64 = 0

  init() {}

  var isEmpty: Bool { heap.count == 0 }
  /// The earliest entry's time; `UInt64.max` if there is none.
  @inline(__always) var nextTime: UInt64 { heap.count == 0 ? .max : heap[0].time }

  /// - Complexity: O(log entries).
  mutating func add(_ kind: Kind, cpu: Int, at time: UInt64, token: UInt32) {
    order &+= 1
    let entry = Entry(time: time, order: order, cpu: Int32(truncatingIfNeeded: cpu), token: token, kind: kind)
    heap.append(entry)
    var place = heap.count &- 1
    while place > 0 {
      let parent = (place &- 1) &>> 1
      if !entry.isBefore(heap[parent]) { break }
      heap[place] = heap[parent]
      place = parent
    }
    heap[place] = entry
  }

  /// - Complexity: O(log entries).
  /// - Precondition: not empty.
  mutating func removeFirst() -> Entry {
    let first = heap[0]
    let last = heap.removeLast()
    let count = heap.count
    if count == 0 { return first }
    var place = 0
    while true {
      var child = place &* 2 &+ 1
      if child >= count { break }
      if child &+ 1 < count, heap[child &+ 1].isBefore(heap[child]) { child &+= 1 }
      if !heap[child].isBefore(last) { break }
      heap[place] = heap[child]
      place = child
    }
    heap[place] = last
    return first
  }
}
