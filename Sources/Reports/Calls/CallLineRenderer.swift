public import CallHistories
public import TraceTypes

/// Renders complete calls as JSON, one object a line: the form `ipitrace-calls/1`.
///
/// Unknown is `null`, never 0 and never absent. A line is put together from few pieces: what stands between two numbers is
/// rendered once and kept, because call sites, tasks and outcomes are few and calls many.
public struct CallLineRenderer {
  /// The rendered lines so far. The owner takes them out when there are enough.
  public var bytes: [UInt8] = []

  private let names: any AddressNaming
  private let comm: (Int32) -> String?
  /// The name of a callback, and what follows it; the same for call sites and tasks.
  private var callbacks = PieceCache()
  private var callsites = PieceCache()
  private var tasks = PieceCache()
  private var states = PieceTable(count: CallLinePieces.stateCount)
  private var ends = PieceTable(count: CallLinePieces.endCount)
  private var digits = DecimalDigits()
  private let pieces = CallLinePieces()

  /// - Parameter comm: gives the name of a task, once there is one.
  public init(names: any AddressNaming, comm: @escaping (Int32) -> String?) {
    self.names = names
    self.comm = comm
  }

  /// Appends one line.
  /// - Complexity: O(number of targets).
  public mutating func append(_ call: CompletedCall, targets: Span<QueuedCall>) {
    put(pieces.heads[Int(call.kind.rawValue)])
    digits.append(UInt64(call.source), to: &bytes)
    putTask(call.pid)
    putCallback(call.function)
    putCallsite(call.callsite)
    put(pieces.waits[(call.waits.map { $0 ? 1 : 2 } ?? 0) * 2 + (call.mayBeSeveral ? 1 : 0)])
    for index in targets.indices {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      put(targets[index])
    }
    if let started = call.localStarted {
      if targets.count > 0 { bytes.append(UInt8(ascii: ",")) }
      put(pieces.target)
      digits.append(UInt64(call.source), to: &bytes)
      put(pieces.local)
      digits.append(started, to: &bytes)
      put(pieces.ended)
      digits.append(call.localEnded, to: &bytes)
      put(pieces.localEnd)
    }
    put(pieces.end)
  }

  @inline(__always)
  private mutating func put(_ piece: Range<Int>) { pieces.store.append(piece, to: &bytes) }

  private mutating func put(_ target: QueuedCall) {
    put(pieces.target)
    digits.append(UInt64(target.target), to: &bytes)
    put(pieces.queued)
    digits.append(target.queued, to: &bytes)
    states.append(CallLinePieces.statePlace(target), to: &bytes) { CallLinePieces.state(target) }
    digits.append(target.started, to: &bytes)
    put(pieces.ended)
    digits.append(target.ended, to: &bytes)
    ends.append(CallLinePieces.endPlace(target), to: &bytes) { CallLinePieces.end(target) }
  }

  private mutating func putTask(_ pid: Int32) {
    let key = UInt64(UInt32(bitPattern: pid))
    if tasks.append(key, to: &bytes) { return }
    let name = comm(pid).map(JSONText.quoted) ?? Array("null".utf8)
    tasks.add(key, Array(",\"pid\":\(pid),\"comm\":".utf8) + name + Array(",\"callback\":".utf8), to: &bytes)
  }

  private mutating func putCallback(_ address: UInt64) {
    if callbacks.append(address, to: &bytes) { return }
    callbacks.add(address, JSONText.quoted(names.text(address)) + Array(",\"callsite\":".utf8), to: &bytes)
  }

  private mutating func putCallsite(_ address: UInt64) {
    if callsites.append(address, to: &bytes) { return }
    let name = address == 0 ? Array("null".utf8) : JSONText.quoted(names.text(address))
    callsites.add(address, name + Array(",\"waits\":".utf8), to: &bytes)
  }

  /// The outcome's name and its reason. A callback that never ran, though it must have, is pending for ever.
  static func outcome(_ call: QueuedCall) -> (String, String?) {
    switch call.outcome {
    case .ran: ("ran", call.reason?.name ?? (call.inferred ? "inferredFromFlush" : nil))
    case .pending: ("pending", call.reason?.name)
    case .lost: ("pending", "lostCallback")
    case .undecided, .open: ("undecided", call.reason?.name)
    }
  }
}

/// What stands between the numbers of a line.
private struct CallLinePieces {
  private(set) var store = PieceStore()
  /// By call kind.
  let heads: [Range<Int>]
  /// By what is known of waiting, and by whether there may be several calls.
  let waits: [Range<Int>]
  let target, queued, ended, local, localEnd, end: Range<Int>

  init() {
    var store = PieceStore()
    heads = CallKind.allCases.map { store.add("{\"kind\":\"\($0.name)\",\"source\":".utf8) }
    waits = ["null", "true", "false"].flatMap { waits in
      [false, true].map { store.add("\(waits),\"mayBeSeveral\":\($0),\"targets\":[".utf8) }
    }
    target = store.add("{\"cpu\":".utf8)
    queued = store.add(",\"queuedNanoseconds\":".utf8)
    ended = store.add(",\"endedNanoseconds\":".utf8)
    local = store.add(
      ",\"queuedNanoseconds\":null,\"type\":null,\"typeEvidence\":[],\"kick\":\"none\",\"startedNanoseconds\":".utf8)
    localEnd = store.add(",\"outcome\":\"ran\",\"reason\":null}".utf8)
    end = store.add("]}\n".utf8)
    self.store = store
  }

  // MARK: Type and kick

  private static let types = CallType.allCases.count + 1
  private static let evidences = 16
  static let stateCount = types * evidences * Kick.allCases.count

  static func statePlace(_ target: QueuedCall) -> Int {
    let type = target.type.map { Int($0.rawValue) } ?? types - 1
    return (type * evidences + Int(target.typeEvidence.rawValue) % evidences) * Kick.allCases.count
      + Int(target.kick.rawValue)
  }

  static func state(_ target: QueuedCall) -> [UInt8] {
    let type = target.type.map { "\"\($0.name)\"" } ?? "null"
    let evidence = target.typeEvidence.names.map { "\"\($0)\"" }.joined(separator: ",")
    return Array(
      ",\"type\":\(type),\"typeEvidence\":[\(evidence)],\"kick\":\"\(target.kick.name)\",\"startedNanoseconds\":".utf8)
  }

  // MARK: Outcome

  private static let reasons = UndecidedReason.allCases.count + 1
  static let endCount = CallOutcome.allCases.count * reasons * 2

  static func endPlace(_ target: QueuedCall) -> Int {
    let reason = target.reason.map { Int($0.rawValue) } ?? reasons - 1
    return (Int(target.outcome.rawValue) * reasons + reason) * 2 + (target.inferred ? 1 : 0)
  }

  static func end(_ target: QueuedCall) -> [UInt8] {
    let (outcome, reason) = CallLineRenderer.outcome(target)
    return Array(",\"outcome\":\"\(outcome)\",\"reason\":\(reason.map { "\"\($0)\"" } ?? "null")}".utf8)
  }
}
