import BasicContainers
import CallEngines

/// The states that an exploration has reached, each once, in the order in which it reached them.
///
/// States are kept whole, not as fingerprints: what is called exhausted is exhausted.
struct StateStore: ~Copyable {
  private var packing: StatePacking
  /// Words of one record: its head, and the packed state.
  private(set) var stride: Int
  /// The records, one behind the other, in chunks, so that growing copies nothing.
  private var chunks = UniqueArray<UniqueArray<UInt64>>()
  /// Open addressing: state + 1 in the low half, a half of its hash in the high half.
  private var table: UniqueArray<UInt64>
  private var tableMask: Int
  private(set) var count = 0
  /// The packed form of what the machine holds.
  private var loaded: UniqueArray<UInt64>

  private static let chunkShift = 14
  private static let chunkMask = 1 << chunkShift - 1

  /// - Parameter empty: the machine that states will be loaded into. What it holds must fit.
  init(packing: consuming StatePacking, empty: borrowing Machine) {
    stride = packing.wordCount + StateRecord.headWords
    self.packing = packing
    tableMask = 1 << 10 - 1
    table = UniqueArray(repeating: 0, count: 1 << 10)
    loaded = UniqueArray()
    _ = empty.pack(into: &loaded, self.packing)
  }

  /// What the states take, in bytes.
  var bytes: Int { chunks.count * (stride * 8 << Self.chunkShift) + table.count * 8 }

  /// What they take when everything that is about to grow has grown, while it does, in bytes.
  var bytesAfterGrowth: Int {
    let grown = bytes + stride * 8 << Self.chunkShift
    return count * 16 > table.count * 11 ? grown + table.count * 16 : grown
  }

  // MARK: Records on their way

  /// Writes the state that was loaded last, with what a machine's last step has changed, as a record behind others.
  /// - Returns: nil, or a cell whose value does not fit; then nothing is written.
  func write(
    _ machine: borrowing Machine, parent: UInt32, action: UInt8, to records: inout StateRecords
  ) -> Int? {
    let start = records.beginRecord(stride)
    var offset = 0
    while offset < stride &- StateRecord.headWords {
      records.words[start &+ StateRecord.headWords &+ offset] = loaded[offset]
      offset &+= 1
    }
    if let cell = machine.patch(&records.words, at: start &+ StateRecord.headWords, packing) { return cell }
    records.words[start] = machine.hash
    records.words[start &+ 1] = StateRecord.origin(parent: parent, action: action)
    records.endRecord()
    return nil
  }

  /// Reads what will be needed to keep records, so that it comes from memory for all of them at once.
  func prepare(for records: borrowing StateRecords, _ range: Range<Int>) {
    var touched: UInt64 = 0
    for record in range {
      let tag = records.words[record &* stride] >> 32
      touched |= table[Int(truncatingIfNeeded: tag) & tableMask]
    }
    // The same once more, now that the slots are here, for the records that they name.
    for record in range {
      let tag = records.words[record &* stride] >> 32
      let entry = table[Int(truncatingIfNeeded: tag) & tableMask]
      if entry >> 32 == tag, entry != 0 {
        let state = Int(truncatingIfNeeded: entry & 0xffff_ffff) &- 1
        touched |= chunks[state >> Self.chunkShift][(state & Self.chunkMask) &* stride]
      }
    }
    Self.keep(touched)
  }

  /// Lets the compiler think that a value is used.
  @inline(never) private static func keep(_ value: UInt64) {}

  /// Keeps a record if its state is new.
  /// - Returns: the state that it is; a new one is the last.
  mutating func insert(_ record: Int, of records: borrowing StateRecords) -> Int {
    let start = record &* stride
    let tag = records.words[start] >> 32
    var slot = Int(truncatingIfNeeded: tag) & tableMask
    while true {
      let entry = table[slot]
      if entry == 0 { break }
      if entry >> 32 == tag {
        let state = Int(truncatingIfNeeded: entry & 0xffff_ffff) &- 1
        if isState(state, in: records.words, at: start) { return state }
      }
      slot = (slot &+ 1) & tableMask
    }
    table[slot] = tag << 32 | UInt64(truncatingIfNeeded: count &+ 1)
    append(records.words, at: start)
    if count &* 4 > tableMask &* 3 { growTable() }
    return count &- 1
  }

  private mutating func append(_ words: borrowing UniqueArray<UInt64>, at start: Int) {
    if count & Self.chunkMask == 0 { chunks.append(UniqueArray(repeating: 0, count: stride << Self.chunkShift)) }
    let chunk = count >> Self.chunkShift
    let end = (count & Self.chunkMask) &* stride
    var offset = 0
    while offset < stride {
      chunks[chunk][end &+ offset] = words[start &+ offset]
      offset &+= 1
    }
    count &+= 1
  }

  private func isState(_ state: Int, in words: borrowing UniqueArray<UInt64>, at start: Int) -> Bool {
    let chunk = state >> Self.chunkShift
    let own = (state & Self.chunkMask) &* stride
    if chunks[chunk][own] != words[start] { return false }
    var offset = StateRecord.headWords
    while offset < stride {
      if chunks[chunk][own &+ offset] != words[start &+ offset] { return false }
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

  /// Where a state came from first: a parent, as it was told, and an action.
  func origin(of state: Int) -> (parent: UInt32, action: UInt8) {
    let word = chunks[state >> Self.chunkShift][(state & Self.chunkMask) &* stride &+ 1]
    return (UInt32(truncatingIfNeeded: word), UInt8(truncatingIfNeeded: word >> 32))
  }

  /// Loads a state into the machine, which holds what was loaded last.
  mutating func load(_ state: Int, into machine: inout Machine) {
    let start = (state & Self.chunkMask) &* stride
    let chunk = state >> Self.chunkShift
    // Out of the way, since chunks and packing are lent from the same store.
    var current = UniqueArray<UInt64>()
    swap(&current, &loaded)
    machine.load(
      chunks[chunk], at: start &+ StateRecord.headWords, hash: chunks[chunk][start], over: &current, packing)
    swap(&current, &loaded)
  }

  // MARK: Packing anew

  /// Packs all states anew, with room for values that did not fit. The hashes stay: they are the cells', not the words'.
  /// - Complexity: O(states). Widths only grow, so it happens a few times.
  mutating func makeRoom(for values: [(cell: Int, value: Int32)]) {
    let newPacking = StatePacking(widths: packing.widths(withRoomFor: values))
    let newStride = newPacking.wordCount + StateRecord.headWords
    for chunk in 0..<chunks.count {
      var repacked = UniqueArray<UInt64>(repeating: 0, count: newStride << Self.chunkShift)
      for record in 0..<min(1 << Self.chunkShift, count - chunk << Self.chunkShift) {
        let (from, to) = (record * stride, record * newStride)
        for word in 0..<StateRecord.headWords { repacked[to + word] = chunks[chunk][from + word] }
        packing.repack(
          chunks[chunk], at: from + StateRecord.headWords, into: &repacked, at: to + StateRecord.headWords, newPacking)
      }
      chunks[chunk] = repacked
    }
    var newLoaded = UniqueArray<UInt64>(repeating: 0, count: newPacking.wordCount)
    packing.repack(loaded, at: 0, into: &newLoaded, at: 0, newPacking)
    loaded = newLoaded
    stride = newStride
    packing = newPacking
  }
}
