import BasicContainers
import CallEngines

/// The states that an exploration has reached, each once, in the order in which it reached them.
///
/// States are kept whole, not as fingerprints: what is called exhausted is exhausted.
struct StateStore: ~Copyable {
  private var packing: StatePacking
  /// Words of one packed state.
  private(set) var stride: Int
  /// The states, one behind the other, in chunks, so that growing copies nothing.
  private var chunks = UniqueArray<UniqueArray<UInt64>>()
  /// Where each state came from first.
  private var parents = UniqueArray<UInt32>()
  private var actions = UniqueArray<UInt8>()
  /// Open addressing: state + 1 in the low half, a half of its hash in the high half.
  private var table: UniqueArray<UInt64>
  private var tableMask: Int
  private(set) var count = 0
  private var candidate: UniqueArray<UInt64>
  /// The packed form of what the machine holds.
  private var loaded: UniqueArray<UInt64>

  private static let chunkShift = 14
  private static let chunkMask = 1 << chunkShift - 1

  /// - Parameter empty: the machine that states will be loaded into. What it holds must fit.
  init(packing: consuming StatePacking, empty: borrowing Machine) {
    stride = packing.wordCount
    self.packing = packing
    tableMask = 1 << 10 - 1
    table = UniqueArray(repeating: 0, count: 1 << 10)
    candidate = UniqueArray(repeating: 0, count: stride)
    loaded = UniqueArray()
    _ = empty.pack(into: &loaded, self.packing)
  }

  /// What the states take, in bytes.
  var bytes: Int {
    chunks.count * (stride * 8 << Self.chunkShift) + parents.capacity * 4 + actions.capacity + table.count * 8
  }

  /// What they take when everything that is about to grow has grown, while it does, in bytes.
  var bytesAfterGrowth: Int {
    var grown = bytes + stride * 8 << Self.chunkShift
    if parents.count * 4 > parents.capacity * 3 { grown += parents.capacity * 10 }
    if count * 16 > table.count * 11 { grown += table.count * 16 }
    return grown
  }

  // MARK: Candidates

  /// Makes the candidate a machine's whole state.
  /// - Returns: nil, or a cell whose value does not fit.
  mutating func packCandidate(from machine: borrowing Machine) -> Int? {
    var packed = UniqueArray<UInt64>()
    let cell = machine.pack(into: &packed, packing)
    candidate = packed
    return cell
  }

  /// Makes the candidate the state that was loaded last, with what a machine's last step has changed.
  /// - Returns: nil, or a cell whose value does not fit.
  mutating func patchCandidate(from machine: borrowing Machine) -> Int? {
    var offset = 0
    while offset < stride {
      candidate[offset] = loaded[offset]
      offset &+= 1
    }
    return machine.patch(&candidate, at: 0, packing)
  }

  /// Makes the candidate a packed state that begins at `start`.
  mutating func setCandidate(_ words: borrowing UniqueArray<UInt64>, at start: Int) {
    var offset = 0
    while offset < stride {
      candidate[offset] = words[start &+ offset]
      offset &+= 1
    }
  }

  func sendCandidate(to mailbox: inout Mailbox, hash: UInt64, parent: UInt32, action: UInt8) {
    mailbox.append(candidate, hash: hash, parent: parent, action: action)
  }

  /// Keeps the candidate if it is new.
  /// - Returns: the state that it is; a new one is the last.
  mutating func insertCandidate(hash: UInt64, parent: UInt32, action: UInt8) -> Int {
    let tag = hash >> 32
    var slot = Int(truncatingIfNeeded: tag) & tableMask
    while true {
      let entry = table[slot]
      if entry == 0 { break }
      if entry >> 32 == tag {
        let state = Int(truncatingIfNeeded: entry & 0xffff_ffff) &- 1
        if isCandidate(state) { return state }
      }
      slot = (slot &+ 1) & tableMask
    }
    table[slot] = tag << 32 | UInt64(truncatingIfNeeded: count &+ 1)
    appendCandidate()
    parents.append(parent)
    actions.append(action)
    if count &* 4 > tableMask &* 3 { growTable() }
    return count &- 1
  }

  private mutating func appendCandidate() {
    if count & Self.chunkMask == 0 { chunks.append(UniqueArray(minimumCapacity: stride << Self.chunkShift)) }
    let chunk = count >> Self.chunkShift
    var offset = 0
    while offset < stride {
      chunks[chunk].append(candidate[offset])
      offset &+= 1
    }
    count &+= 1
  }

  private func isCandidate(_ state: Int) -> Bool {
    let chunk = state >> Self.chunkShift
    let start = (state & Self.chunkMask) &* stride
    var offset = 0
    while offset < stride {
      if chunks[chunk][start &+ offset] != candidate[offset] { return false }
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

  // MARK: States

  /// Where a state came from first, as it was told.
  func parent(of state: Int) -> UInt32 { parents[state] }
  func action(of state: Int) -> UInt8 { actions[state] }

  /// Loads a state into the machine, which holds what was loaded last, or zeros.
  mutating func load(_ state: Int, into machine: inout Machine) {
    let start = (state & Self.chunkMask) &* stride
    // Out of the way, since chunks and packing are lent from the same store.
    var current = UniqueArray<UInt64>()
    swap(&current, &loaded)
    machine.load(chunks[state >> Self.chunkShift], at: start, over: &current, packing)
    swap(&current, &loaded)
  }

  // MARK: Packing anew

  /// Packs all states anew, with room for a value that did not fit. The hashes stay: they are the cells', not the words'.
  /// - Complexity: O(states). Widths only grow, so it happens a few times.
  mutating func makeRoom(for value: Int32, in cell: Int) {
    let newPacking = StatePacking(widths: packing.widths(withRoomFor: value, in: cell))
    var newChunks = UniqueArray<UniqueArray<UInt64>>()
    for chunk in 0..<chunks.count {
      var repacked = UniqueArray<UInt64>(minimumCapacity: newPacking.wordCount << Self.chunkShift)
      for start in Swift.stride(from: 0, to: chunks[chunk].count, by: stride) {
        packing.repack(chunks[chunk], at: start, into: &repacked, newPacking)
      }
      newChunks.append(repacked)
    }
    var newLoaded = UniqueArray<UInt64>()
    packing.repack(loaded, at: 0, into: &newLoaded, newPacking)
    loaded = newLoaded
    chunks = newChunks
    stride = newPacking.wordCount
    packing = newPacking
    candidate = UniqueArray(repeating: 0, count: stride)
  }
}
