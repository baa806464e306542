import BasicContainers
import CallEngines

/// The states that an exploration has reached, each once, in the order in which it reached them.
///
/// States are kept whole, not as fingerprints: what is called exhausted is exhausted.
struct StateStore: ~Copyable {
  /// Words of one packed state.
  let stride: Int
  /// All states, one behind the other.
  private(set) var words = UniqueArray<UInt64>()
  /// Where each state came from first.
  private var parents = UniqueArray<UInt32>()
  private var actions = UniqueArray<UInt8>()
  private var hashes = UniqueArray<UInt64>()
  /// Open addressing: state + 1 in the low half, the upper half of its hash in the high half.
  private var table: UniqueArray<UInt64>
  private var tableMask: Int
  private(set) var count = 0

  /// More states have no number.
  static let maximumCount = Int(UInt32.max) - 1

  init(stride: Int) {
    self.stride = stride
    tableMask = (1 << 12) - 1
    table = UniqueArray(repeating: 0, count: 1 << 12)
  }

  /// What the states take, in bytes.
  var bytes: Int {
    words.capacity * 8 + parents.capacity * 4 + actions.capacity + hashes.capacity * 8 + table.count * 8
  }

  /// What one more state costs at most in the near future, in bytes: everything may be about to double.
  var bytesAfterGrowth: Int {
    let grows = words.capacity < words.count + stride || count * 2 >= tableMask
    return grows ? bytes * 2 + bytes / 2 : bytes
  }

  /// Where the next candidate's words have to be put; see ``insertCandidate(hash:parent:action:)``.
  var candidateStart: Int { count &* stride }

  /// Makes the next candidate a copy of a state.
  mutating func beginCandidate(from state: Int) {
    let start = count &* stride
    let source = state &* stride
    if words.count < start &+ stride {
      for offset in 0..<stride { words.append(words[source &+ offset]) }
    } else {
      for offset in 0..<stride { words[start &+ offset] = words[source &+ offset] }
    }
  }

  /// Lets a machine write what its last step changed into the candidate.
  /// - Returns: false if the state cannot be packed.
  mutating func patchCandidate(from machine: borrowing Machine) -> Bool {
    machine.patch(&words, at: count &* stride)
  }

  /// Appends a machine's whole state as the next candidate. Only the first state comes like that.
  mutating func packCandidate(from machine: borrowing Machine) -> Bool { machine.pack(into: &words) }

  /// Keeps the candidate if it is new.
  /// - Returns: whether it is.
  mutating func insertCandidate(hash: UInt64, parent: Int, action: UInt8) -> Bool {
    let tag = hash >> 32
    var slot = Int(truncatingIfNeeded: tag) & tableMask
    while true {
      let entry = table[slot]
      if entry == 0 { break }
      if entry >> 32 == tag, isCandidate(Int(truncatingIfNeeded: entry & 0xffff_ffff) &- 1) { return false }
      slot = (slot &+ 1) & tableMask
    }
    table[slot] = tag << 32 | UInt64(truncatingIfNeeded: count &+ 1)
    parents.append(UInt32(truncatingIfNeeded: parent))
    actions.append(action)
    hashes.append(hash)
    count &+= 1
    if count &* 2 > tableMask { growTable() }
    return true
  }

  private func isCandidate(_ state: Int) -> Bool {
    let one = state &* stride
    let other = count &* stride
    var offset = 0
    while offset < stride {
      if words[one &+ offset] != words[other &+ offset] { return false }
      offset &+= 1
    }
    return true
  }

  private mutating func growTable() {
    let newMask = tableMask &* 2 &+ 1
    var grown = UniqueArray<UInt64>(repeating: 0, count: newMask &+ 1)
    for index in 0...tableMask {
      let entry = table[index]
      if entry == 0 { continue }
      var slot = Int(truncatingIfNeeded: entry >> 32) & newMask
      while grown[slot] != 0 { slot = (slot &+ 1) & newMask }
      grown[slot] = entry
    }
    table = grown
    tableMask = newMask
  }

  func hash(of state: Int) -> UInt64 { hashes[state] }
  func parent(of state: Int) -> Int { Int(parents[state]) }
  func action(of state: Int) -> UInt8 { actions[state] }

  /// The actions that lead from the first state to this one.
  /// - Complexity: O(depth).
  func path(to state: Int) -> [UInt8] {
    var path: [UInt8] = []
    var current = state
    while current != 0 {
      path.append(actions[current])
      current = parent(of: current)
    }
    return path.reversed()
  }

  /// Loads a state into a machine.
  func load(_ state: Int, into machine: inout Machine) {
    machine.load(words, at: state &* stride, hash: hashes[state])
  }
}
