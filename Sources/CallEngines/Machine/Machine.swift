public import BasicContainers

/// CPUs on which an engine runs: interrupts, IPIs under way, hotplug, locks, queues, csds, and a stack of programs per CPU.
///
/// The whole state is a flat array of small numbers, so that it can be stored, compared and hashed whatever the engine. An
/// engine moves it by atomic steps, one CPU at a time; see ``Engine``. What no engine reads, but what is checked, is in it as
/// well: which call was queued where, and ran how often.
public struct Machine: ~Copyable {
  public internal(set) var layout: MachineLayout
  public internal(set) var workload: Workload

  var cells: UniqueArray<Int32>
  /// What the last steps came to, for who asked for it. Whoever reads it empties it.
  public internal(set) var notes: UniqueArray<Note>
  let takesNotes: Bool
  /// What the last step changed, for taking it back: the cell in the upper half, its old value in the lower. (Not a struct:
  /// Swift 6.3's compiler does not survive a private one in here.)
  private var changes: UniqueArray<UInt64>
  /// The sum of all cells' fingerprints.
  public private(set) var hash: UInt64 = 0
  /// Whether changes are kept, and the hash is up to date.
  private let isTracking: Bool
  /// Whether what no engine reads is kept: what csds are used for, and what became of calls. A replay has its own books.
  let keepsBooks: Bool

  /// Which properties the last step violated.
  public internal(set) var violations: PropertySet = []
  /// Which outcome a step takes that can end in several ways, from 0.
  public var choice = 0
  /// Whether the last step took a lock.
  public internal(set) var tookLock = false
  /// How many outcomes the last step had.
  public internal(set) var outcomes = 1
  /// What happened, as data; only kept while ``isNarrating``.
  public internal(set) var happenings: [Happening] = []
  public var isNarrating = false
  /// Faults for tests, by which a check is checked. See ``Redirect``.
  public var redirects: [Redirect] = []

  /// - Parameters:
  ///   - isTracking: whether every step can be taken back.
  ///   - keepsBooks: whether calls and csds are watched. Without, nothing that rests on it is ever violated.
  ///   - takesNotes: whether ``notes`` are taken.
  init(
    layout: MachineLayout, workload: Workload, isTracking: Bool, keepsBooks: Bool = true, takesNotes: Bool = false
  ) {
    self.layout = layout
    self.workload = workload
    self.isTracking = isTracking
    self.keepsBooks = keepsBooks
    self.takesNotes = takesNotes
    notes = UniqueArray()
    cells = UniqueArray(repeating: 0, count: layout.cellCount)
    changes = UniqueArray()
  }

  // MARK: Cells

  public func value(of cell: Int) -> Int32 { cells[cell] }

  @inline(__always) func get(_ cell: Int) -> Int32 { cells[cell] }
  @inline(__always) func getInt(_ cell: Int) -> Int { Int(cells[cell]) }
  @inline(__always) func isSet(_ cell: Int) -> Bool { cells[cell] != 0 }

  @inline(__always) mutating func set(_ cell: Int, _ value: Int32) {
    let old = cells[cell]
    if old == value { return }
    cells[cell] = value
    if isTracking { track(cell, old: old, new: value) }
  }

  @inline(__always) mutating func set(_ cell: Int, _ value: Int) { set(cell, Int32(truncatingIfNeeded: value)) }

  /// Sets cells that lie one behind the other to 0.
  @inline(__always) mutating func clear(_ first: Int, count: Int) {
    if isTracking {
      for cell in first..<first &+ count { set(cell, 0) }
    } else {
      var span = cells.mutableSpan
      for cell in first..<first &+ count { span[cell] = 0 }
    }
  }

  private mutating func track(_ cell: Int, old: Int32, new: Int32) {
    changes.append(UInt64(truncatingIfNeeded: cell) << 32 | UInt64(UInt32(truncatingIfNeeded: old)))
    hash = hash &- Self.fingerprint(cell, old) &+ Self.fingerprint(cell, new)
  }

  /// A number that a cell's value adds to the hash; 0 for 0.
  @inline(__always) private static func fingerprint(_ cell: Int, _ value: Int32) -> UInt64 {
    if value == 0 { return 0 }
    var mixed = UInt64(truncatingIfNeeded: cell) << 32 | UInt64(UInt32(truncatingIfNeeded: value))
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  // MARK: Taking back, storing, loading

  /// Takes back everything since the last call of this or of ``commit()``.
  public mutating func takeBack(hash oldHash: UInt64) {
    var index = changes.count
    while index > 0 {
      index &-= 1
      let change = changes[index]
      cells[Int(truncatingIfNeeded: change >> 32)] = Int32(truncatingIfNeeded: change)
    }
    changes.removeAll(keepingCapacity: true)
    hash = oldHash
  }

  /// Lets everything since the last call of this or of ``takeBack(hash:)`` stand.
  public mutating func commit() { changes.removeAll(keepingCapacity: true) }

  /// Raises the widths of the cells that the last step changed to what their values need, in bits.
  public func raise(_ widths: inout [Int]) {
    for index in 0..<changes.count {
      let cell = Int(truncatingIfNeeded: changes[index] >> 32)
      widths[cell] = max(widths[cell], StatePacking.width(of: cells[cell]))
    }
  }

  /// Writes what the last step changed into a packed copy of the state before it, which begins at `start`.
  /// - Returns: nil, or a cell whose value does not fit.
  /// - Complexity: O(cells changed).
  public func patch(
    _ packed: inout UniqueArray<UInt64>, at start: Int, _ packing: borrowing StatePacking
  ) -> Int? {
    var index = 0
    let count = changes.count
    while index < count {
      let cell = Int(truncatingIfNeeded: changes[index] >> 32)
      let value = UInt64(truncatingIfNeeded: cells[cell])
      let place = packing.places[cell]
      guard value & ~place.mask == 0 else { return cell }
      let word = start &+ place.word
      packed[word] = packed[word] & ~(place.mask << place.shift) | value << place.shift
      index &+= 1
    }
    return nil
  }

  /// Appends the whole state.
  /// - Returns: nil, or a cell whose value does not fit.
  public func pack(into packed: inout UniqueArray<UInt64>, _ packing: borrowing StatePacking) -> Int? {
    let start = packed.count
    for _ in 0..<packing.wordCount { packed.append(0) }
    for cell in 0..<layout.cellCount {
      let place = packing.places[cell]
      let value = UInt64(truncatingIfNeeded: cells[cell])
      guard value & ~place.mask == 0 else { return cell }
      packed[start + place.word] |= value << place.shift
    }
    return nil
  }

  /// Takes the packed state that begins at `start` and has this hash. Only what differs from `loaded`, the packed form of the
  /// present state, is unpacked.
  public mutating func load(
    _ packed: borrowing UniqueArray<UInt64>, at start: Int, hash newHash: UInt64,
    over loaded: inout UniqueArray<UInt64>, _ packing: borrowing StatePacking
  ) {
    var word = 0
    while word < packing.wordCount {
      let new = packed[start &+ word]
      var differing = new ^ loaded[word]
      if differing != 0 {
        loaded[word] = new
        repeat {
          let cell = packing.cellOfBit[word &* 64 &+ differing.trailingZeroBitCount]
          let place = packing.places[cell]
          cells[cell] = Int32(truncatingIfNeeded: new >> place.shift & place.mask)
          differing &= ~(place.mask << place.shift)
        } while differing != 0
      }
      word &+= 1
    }
    changes.removeAll(keepingCapacity: true)
    hash = newHash
  }

  // MARK: Happenings

  @inline(__always) mutating func note(_ kind: Note.Kind, _ subject: Int = 0, cpu: Int = 0) {
    guard takesNotes else { return }
    notes.append(
      Note(kind: kind, subject: Int32(truncatingIfNeeded: subject), cpu: Int32(truncatingIfNeeded: cpu)))
  }

  /// Forgets all notes.
  @inline(__always) public mutating func forgetNotes() { notes.removeAll(keepingCapacity: true) }

  @inline(__always) mutating func happened(_ happening: @autoclosure () -> Happening) {
    if isNarrating { happenings.append(happening()) }
  }

  @inline(__always) mutating func violate(_ property: Property) { violations.insert(property) }

  /// Forgets what the last step reported.
  public mutating func forgetReports() {
    violations = []
    outcomes = 1
    tookLock = false
    if isNarrating { happenings.removeAll(keepingCapacity: true) }
  }

  /// Lets a step end in one of several ways; which, is ``choice``.
  mutating func choose(of count: Int) -> Int {
    outcomes = count
    return choice
  }
}
