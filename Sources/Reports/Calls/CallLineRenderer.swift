public import CallHistories
public import TraceTypes

/// Renders complete calls as JSON, one object a line: the form `ipitrace-calls/1`.
///
/// Unknown is `null`, never 0 and never absent. Names are escaped once and kept, because call sites are few and calls many.
public struct CallLineRenderer {
  /// The rendered lines so far. The owner takes them out when there are enough.
  public var bytes: [UInt8] = []

  private let names: any AddressNaming
  private let comm: (Int32) -> String?
  private var escapedNames: [UInt64: [UInt8]] = [:]
  private var escapedComms: [Int32: [UInt8]] = [:]

  /// More different addresses than this are escaped anew each time.
  private static let keptNames = 65_536

  /// - Parameter comm: gives the name of a task, once there is one.
  public init(names: any AddressNaming, comm: @escaping (Int32) -> String?) {
    self.names = names
    self.comm = comm
  }

  /// Appends one line.
  /// - Complexity: O(number of targets).
  public mutating func append(_ call: CompletedCall, targets: Span<QueuedCall>) {
    put("{\"kind\":\"")
    put(call.kind.name)
    put("\",\"source\":")
    put(UInt64(call.source))
    put(",\"pid\":")
    put(signed: Int64(call.pid))
    put(",\"comm\":")
    putComm(call.pid)
    put(",\"callback\":")
    putName(call.function)
    put(",\"callsite\":")
    if call.callsite == 0 { put("null") } else { putName(call.callsite) }
    put(",\"waits\":")
    put(call.waits.map { $0 ? "true" : "false" } ?? "null")
    put(",\"mayBeSeveral\":")
    put(call.mayBeSeveral ? "true" : "false")
    put(",\"targets\":[")
    for index in targets.indices {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      put(targets[index])
    }
    if let started = call.localStarted {
      if targets.count > 0 { bytes.append(UInt8(ascii: ",")) }
      put("{\"cpu\":")
      put(UInt64(call.source))
      put(",\"queuedNanoseconds\":null,\"type\":null,\"typeEvidence\":[],\"kick\":\"none\",\"startedNanoseconds\":")
      put(started)
      put(",\"endedNanoseconds\":")
      put(call.localEnded)
      put(",\"outcome\":\"ran\",\"reason\":null}")
    }
    put("]}\n")
  }

  private mutating func put(_ target: QueuedCall) {
    put("{\"cpu\":")
    put(UInt64(target.target))
    put(",\"queuedNanoseconds\":")
    put(target.queued)
    put(",\"type\":")
    put(Self.types[target.type.map { Int($0.rawValue) } ?? Self.types.count - 1])
    put(",\"typeEvidence\":[")
    put(Self.evidence[Int(target.typeEvidence.rawValue) % Self.evidence.count])
    put("],\"kick\":\"")
    put(target.kick.name)
    put("\",\"startedNanoseconds\":")
    put(target.started)
    put(",\"endedNanoseconds\":")
    put(target.ended)
    put(",\"outcome\":\"")
    let (outcome, reason) = Self.outcome(target)
    put(outcome)
    put("\",\"reason\":")
    if let reason {
      bytes.append(UInt8(ascii: "\""))
      put(reason)
      put("\"}")
    } else {
      put("null}")
    }
  }

  /// By raw value; the last is for unknown.
  private static let types = CallType.allCases.map { "\"\($0.name)\"" } + ["null"]
  private static let evidence = (0..<UInt8(16)).map { value in
    TypeEvidence(rawValue: value).names.map { "\"\($0)\"" }.joined(separator: ",")
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

  // MARK: Bytes

  private mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func put(_ value: UInt64?) {
    if let value { put(value) } else { put("null") }
  }

  private mutating func put(signed value: Int64) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    put(value.magnitude)
  }

  private mutating func put(_ value: UInt64) {
    if value < 10 {
      bytes.append(UInt8(ascii: "0") + UInt8(value))
      return
    }
    let start = bytes.count
    var rest = value
    while rest > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    }
    var low = start
    var high = bytes.count - 1
    while low < high {
      bytes.swapAt(low, high)
      low += 1
      high -= 1
    }
  }

  private mutating func putName(_ address: UInt64) {
    if let known = escapedNames[address] {
      bytes.append(contentsOf: known)
      return
    }
    let escaped = Self.quoted(names.text(address))
    if escapedNames.count < Self.keptNames { escapedNames[address] = escaped }
    bytes.append(contentsOf: escaped)
  }

  private mutating func putComm(_ pid: Int32) {
    if let known = escapedComms[pid] {
      bytes.append(contentsOf: known)
      return
    }
    let escaped = comm(pid).map(Self.quoted) ?? Array("null".utf8)
    if escapedComms.count < Self.keptNames { escapedComms[pid] = escaped }
    bytes.append(contentsOf: escaped)
  }

  /// A JSON string with its quotes; control characters as `\u00xx`.
  static func quoted(_ text: String) -> [UInt8] {
    var result: [UInt8] = [UInt8(ascii: "\"")]
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): result += [UInt8(ascii: "\\"), byte]
      case 0..<0x20, 0x7F:
        let digits = Array("0123456789abcdef".utf8)
        result += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      default: result.append(byte)
      }
    }
    result.append(UInt8(ascii: "\""))
    return JSONText.escapingInvisible(result)
  }
}
