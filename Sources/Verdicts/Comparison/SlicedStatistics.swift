public import CallHistories
public import TraceTypes

/// Counts calls by slices of time, so that it is known by how much a recording varies in itself.
///
/// How long a recording will be is not known while it is read. So slices begin short, and whenever there are more than
/// ``maximumSlices`` of them, neighbours are merged two by two. A slice begins at a multiple of its length, which is a power of
/// two: slices of two recordings can be brought to one length by merging further.
///
/// What is counted is what ``CallStatistics`` counts under the same names, so that a recording and its saved result agree.
/// Memory grows with the number of different callbacks and CPUs, up to a limit, and not with the number of calls.
public struct SlicedStatistics: Sendable {
  /// The most slices that are kept; once there were more, at least half as many remain.
  public static let maximumSlices = 128
  /// How many different callbacks and CPUs are told apart; what comes later is counted in the whole only.
  package static let keptCallbacks = 1_024
  package static let keptCPUs = 1_024
  /// The first slices are 2^12 ns long.
  private static let firstShift: UInt64 = 12

  /// What is counted of one callback, one CPU, or the whole, in one slice.
  package struct Cell: Sendable {
    package var calls: UInt64 = 0
    package var interrupts: UInt64 = 0
    /// Calls of which it is not known what made the target look.
    package var unknownKicks: UInt64 = 0
    package var callbacks: UInt64 = 0
    package var callbackTime: UInt64 = 0
    package var handlers: UInt64 = 0
    package var handlerTime: UInt64 = 0
    package var reschedules: UInt64 = 0
    package var delay = SliceHistogram()
    package var run = SliceHistogram()

    package init() {}

    package mutating func add(_ other: Cell) {
      calls &+= other.calls
      interrupts &+= other.interrupts
      unknownKicks &+= other.unknownKicks
      callbacks &+= other.callbacks
      callbackTime = callbackTime.plus(other.callbackTime)
      handlers &+= other.handlers
      handlerTime = handlerTime.plus(other.handlerTime)
      reschedules &+= other.reschedules
      delay.add(other.delay)
      run.add(other.run)
    }
  }

  /// What is counted of all slices together, where a slice's histogram is too coarse.
  package struct Durations: Sendable {
    var delayRecorder = DurationRecorder()
    var runRecorder = DurationRecorder()

    package var delay: DurationSummary { delayRecorder.summary }
    package var run: DurationSummary { runRecorder.summary }
  }

  /// Something that is counted by itself.
  package enum Key: Hashable, Sendable {
    case total
    case callback(Int)
    case cpu(Int)
  }

  /// One stretch of time.
  package struct Slice: Sendable {
    package var total = Cell()
    /// By number; shorter than the number of callbacks where none of the later ones was seen.
    package var callbacks: ContiguousArray<Cell> = []
    package var cpus: ContiguousArray<Cell> = []

    package init() {}

    package func cell(_ key: Key) -> Cell? {
      switch key {
      case .total: total
      case .callback(let number): number < callbacks.count ? callbacks[number] : nil
      case .cpu(let number): number < cpus.count ? cpus[number] : nil
      }
    }

    mutating func update(_ key: Key, _ change: (inout Cell) -> Void) {
      switch key {
      case .total: change(&total)
      case .callback(let number):
        Self.extend(&callbacks, to: number)
        change(&callbacks[number])
      case .cpu(let number):
        Self.extend(&cpus, to: number)
        change(&cpus[number])
      }
    }

    private static func extend(_ cells: inout ContiguousArray<Cell>, to number: Int) {
      if number >= cells.count { cells.append(contentsOf: repeatElement(Cell(), count: number + 1 - cells.count)) }
    }

    package mutating func add(_ other: Slice) {
      total.add(other.total)
      for number in other.callbacks.indices { update(.callback(number)) { $0.add(other.callbacks[number]) } }
      for number in other.cpus.indices { update(.cpu(number)) { $0.add(other.cpus[number]) } }
    }
  }

  /// A slice is 2 to the power of this long, in nanoseconds.
  package private(set) var shift = firstShift
  /// The number of the first slice: its begin divided by its length.
  package private(set) var first: UInt64 = 0
  package private(set) var slices: ContiguousArray<Slice> = []
  /// By the callback's number.
  package private(set) var callbackNames: [String] = []
  package private(set) var isCrowded = false
  package private(set) var total = Durations()
  package private(set) var callbackDurations: ContiguousArray<Durations> = []
  package private(set) var cpuDurations: ContiguousArray<Durations> = []

  private let name: @Sendable (UInt64) -> String
  private var numbersByName: [String: Int] = [:]
  /// By function; functions of one name have one number.
  private var functionTable = InternTable(limit: 4 * keptCallbacks)
  private var functionNumbers: ContiguousArray<Int?> = []
  private var cpuTable = InternTable(limit: keptCPUs)

  /// - Parameter name: what a callback is called; two that are called the same are one.
  public init(name: @escaping @Sendable (UInt64) -> String) { self.name = name }

  /// The CPUs that were seen, by their number here.
  package var cpus: [Int] { cpuTable.keys.map { Int($0.0) } }

  // MARK: Taking

  /// Counts one complete call.
  public mutating func add(_ call: CompletedCall, targets: Span<QueuedCall>) {
    for index in targets.indices { add(targets[index]) }
    guard let started = call.localStarted, let ended = call.localEnded, ended >= started,
      let callback = callbackNumber(call.function)
    else { return }
    recordRun(ended - started, callback: callback, at: slice(at: started))
  }

  private mutating func add(_ call: QueuedCall) {
    let callback = callbackNumber(call.function)
    let cpu = cpuNumber(call.target)
    let isIPI = call.kick == .ipi || call.kick == .maskIPI
    let isUnknown = call.kick == .unknown || call.kick == .undecided
    let started = call.inferred ? nil : call.started
    let delay = started.flatMap { $0 >= call.queued ? $0 - call.queued : nil }
    let place = slice(at: call.queued)
    func count(_ cell: inout Cell) {
      cell.calls &+= 1
      if isIPI { cell.interrupts &+= 1 }
      if isUnknown { cell.unknownKicks &+= 1 }
      if let delay { cell.delay.record(delay) }
    }
    count(&slices[place].total)
    if let callback { slices[place].update(.callback(callback), count) }
    if let cpu { slices[place].update(.cpu(cpu), count) }
    if let delay {
      total.delayRecorder.record(delay)
      if let callback { callbackDurations[callback].delayRecorder.record(delay) }
      if let cpu { cpuDurations[cpu].delayRecorder.record(delay) }
    }

    let run = started.flatMap { start in call.ended.flatMap { $0 >= start ? $0 - start : nil } }
    let ranAt = slice(at: started ?? call.queued)
    if call.outcome == .ran {
      func interrupt(_ cell: inout Cell) {
        cell.callbacks &+= 1
        cell.callbackTime = cell.callbackTime.plus(run ?? 0)
      }
      interrupt(&slices[ranAt].total)
      if let cpu { slices[ranAt].update(.cpu(cpu), interrupt) }
    }
    guard let run, delay != nil else { return }
    slices[ranAt].total.run.record(run)
    total.runRecorder.record(run)
    if let callback { recordRun(run, callback: callback, at: ranAt) }
  }

  private mutating func recordRun(_ run: UInt64, callback: Int, at place: Int) {
    slices[place].update(.callback(callback)) { $0.run.record(run) }
    callbackDurations[callback].runRecorder.record(run)
  }

  /// Counts a callback that no event queued.
  public mutating func addUnqueued(_ event: TraceEvent) {
    update(cpu: event.cpu, at: event.nanoseconds) { $0.callbacks &+= 1 }
  }

  /// Times a callback that no event queued.
  public mutating func addUnqueuedEnd(_ event: TraceEvent, started: UInt64) {
    guard event.nanoseconds >= started else { return }
    let run = event.nanoseconds - started
    update(cpu: event.cpu, at: started) { $0.callbackTime = $0.callbackTime.plus(run) }
    if let callback = callbackNumber(event.function) { recordRun(run, callback: callback, at: slice(at: started)) }
  }

  /// Counts a handler.
  public mutating func addHandler(_ kind: HandlerKind, cpu: UInt16, start: UInt64, end: UInt64) {
    let time = end >= start ? end - start : 0
    switch kind {
    case .crossCall:
      update(cpu: cpu, at: start) {
        $0.handlers &+= 1
        $0.handlerTime = $0.handlerTime.plus(time)
      }
    case .reschedule: update(cpu: cpu, at: start) { $0.reschedules &+= 1 }
    case .irqWork: break
    }
  }

  private mutating func update(cpu: UInt16, at time: UInt64, _ change: (inout Cell) -> Void) {
    let place = slice(at: time)
    change(&slices[place].total)
    if let cpu = cpuNumber(cpu) { slices[place].update(.cpu(cpu), change) }
  }

  // MARK: Numbers

  private mutating func callbackNumber(_ function: UInt64) -> Int? {
    guard let number = functionTable.number(function, 0) else {
      isCrowded = true
      return nil
    }
    if number < functionNumbers.count { return functionNumbers[number] }
    let name = name(function)
    var group = numbersByName[name]
    if group == nil, callbackNames.count < Self.keptCallbacks {
      group = callbackNames.count
      numbersByName[name] = group
      callbackNames.append(name)
      callbackDurations.append(Durations())
    }
    if group == nil { isCrowded = true }
    functionNumbers.append(group)
    return group
  }

  private mutating func cpuNumber(_ cpu: UInt16) -> Int? {
    guard let number = cpuTable.number(UInt64(cpu), 0) else {
      isCrowded = true
      return nil
    }
    if number == cpuDurations.count { cpuDurations.append(Durations()) }
    return number
  }

  // MARK: Slices

  /// The place of the slice that holds a time, in ``slices``.
  /// - Complexity: O(number of slices) for a new one, and for all of them together O(log length of the recording).
  private mutating func slice(at time: UInt64) -> Int {
    var number = time >> shift
    if number >= first, number - first < UInt64(slices.count) { return Int(number - first) }
    if slices.isEmpty {
      first = number
      slices.append(Slice())
      return 0
    }
    while max(number, first + UInt64(slices.count - 1)) - min(number, first) >= UInt64(Self.maximumSlices) {
      coarsen()
      number = time >> shift
    }
    while number < first {
      slices.insert(Slice(), at: 0)
      first -= 1
    }
    while number >= first + UInt64(slices.count) { slices.append(Slice()) }
    return Int(number - first)
  }

  /// Merges neighbours, so that slices are twice as long.
  private mutating func coarsen() {
    shift += 1
    var merged: ContiguousArray<Slice> = []
    merged.reserveCapacity(slices.count / 2 + 1)
    for (index, slice) in slices.enumerated() {
      if index > 0, (first + UInt64(index)) & 1 == 1 {
        merged[merged.count - 1].add(slice)
      } else {
        merged.append(slice)
      }
    }
    slices = merged
    first >>= 1
  }
}

extension UInt64 {
  /// The sum, or the largest value where it would be larger.
  fileprivate func plus(_ other: UInt64) -> UInt64 {
    let sum = addingReportingOverflow(other)
    return sum.overflow ? .max : sum.partialValue
  }
}
