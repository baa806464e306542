/// What the recorder knew about the machine and the recording, and an analysis cannot fetch later.
///
/// It travels inside the trace file as lines of text, `ipitrace.KEY: VALUE`, among the per-CPU statistics that trace-cmd
/// stores as text as well. So `trace-cmd report --stat` shows it, and a file that `trace-cmd convert` wrote still has it.
public struct CaptureFacts: Sendable, Equatable {
  public static let linePrefix = "ipitrace."

  /// The version of this form.
  public var version = 1
  /// Events that were switched on, by qualified name.
  public var enabledEvents: [String] = []
  /// Events that were asked for and that the kernel does not have.
  public var missingEvents: [String] = []
  public var possible: CPUMask?
  public var online: CPUMask?
  public var isolated: CPUMask?
  public var nohzFull: CPUMask?
  /// The CPUs that were recorded, or nil for all.
  public var recorded: CPUMask?
  /// NUMA node → its CPUs.
  public var nodes: [Int: CPUMask] = [:]
  /// CPU → the lowest CPU of the core that it is a thread of. Those that were offline when the recording began are missing.
  public var cores: [Int: Int] = [:]
  /// CPU → events lost, as the ring buffer counted them.
  public var lostEvents: [Int: UInt64] = [:]
  /// The recorder's own threads; empty where that was not written down.
  public var recorderThreads: [Int32] = []
  /// The CPUs that the recorder was told to run on, or nil for any.
  public var recorderCPUs: CPUMask?
  /// How often a thread of the recorder began to run; nil where that can't be seen.
  public var recorderWakeups: UInt64?
  /// IPIs that the recorder sent itself; nil where that can't be seen.
  public var recorderInterrupts: UInt64?
  /// The number of the piece of a recording that was written in pieces, from 1.
  public var piece: Int?
  /// The recorder was killed: what each CPU did last is missing.
  public var isRecovered = false

  public init() {}

  /// One line per fact, each with ``linePrefix`` and ended by a newline.
  public var text: String {
    var lines = ["version: \(version)"]
    lines.append("events: \(enabledEvents.joined(separator: " "))")
    lines.append("missing: \(missingEvents.joined(separator: " "))")
    for (key, mask) in [
      ("possible", possible), ("online", online), ("isolated", isolated), ("nohz_full", nohzFull),
      ("recorded", recorded),
    ] {
      if let mask { lines.append("\(key): \(mask.list)") }
    }
    for node in nodes.keys.sorted() { lines.append("node\(node): \(nodes[node]?.list ?? "")") }
    let threads = Dictionary(grouping: cores.keys) { cores[$0] ?? $0 }
    for core in threads.keys.sorted() { lines.append("core\(core): \(CPUMask(threads[core] ?? []).list)") }
    for cpu in lostEvents.keys.sorted() { lines.append("lost\(cpu): \(lostEvents[cpu] ?? 0)") }
    if !recorderThreads.isEmpty { lines.append("recorder: \(recorderThreads.map(String.init).joined(separator: " "))") }
    if let recorderCPUs { lines.append("recorder_cpus: \(recorderCPUs.list)") }
    if let recorderWakeups { lines.append("recorder_wakeups: \(recorderWakeups)") }
    if let recorderInterrupts { lines.append("recorder_interrupts: \(recorderInterrupts)") }
    if let piece { lines.append("piece: \(piece)") }
    if isRecovered { lines.append("recovered: 1") }
    return lines.map { Self.linePrefix + $0 + "\n" }.joined()
  }

  /// Takes the facts out of a text that may hold other lines as well. Unknown keys and malformed values are left out.
  /// - Returns: nil when the text has no line of ours.
  /// - Complexity: O(length of the text).
  public init?(text: some StringProtocol) {
    var found = false
    for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix(Self.linePrefix) {
      let body = line.dropFirst(Self.linePrefix.count)
      guard let colon = body.firstIndex(of: ":") else { continue }
      let value = body[body.index(after: colon)...].drop(while: { $0 == " " })
      found = true
      take(key: String(body[..<colon]), value: String(value))
    }
    if !found { return nil }
  }

  /// The kernel's own limit; as many masks are kept.
  private static let mostNodes = 1_024
  /// Machines have up to 8.
  private static let mostThreads = 64

  private static let mostRecorderThreads = 64

  private mutating func takeCore(_ core: Int, threads: String) {
    // One line a core: no list is read twice, however often it is there.
    guard cores[core] == nil, let threads = CPUMask(list: threads)?.cpus, threads.first == core else { return }
    for cpu in threads.prefix(Self.mostThreads) where cores[cpu] == nil { cores[cpu] = core }
  }

  private mutating func take(key: String, value: String) {
    switch key {
    case "version": version = Int(value) ?? version
    case "events": enabledEvents = value.split(separator: " ").map(String.init)
    case "missing": missingEvents = value.split(separator: " ").map(String.init)
    case "possible": possible = CPUMask(list: value)
    case "online": online = CPUMask(list: value)
    case "isolated": isolated = CPUMask(list: value)
    case "nohz_full": nohzFull = CPUMask(list: value)
    case "recorded": recorded = CPUMask(list: value)
    case "recorder":
      recorderThreads = value.split(separator: " ").prefix(Self.mostRecorderThreads).compactMap { Int32($0) }
    case "recorder_cpus": recorderCPUs = CPUMask(list: value)
    case "recorder_wakeups": recorderWakeups = UInt64(value)
    case "recorder_interrupts": recorderInterrupts = UInt64(value)
    case "piece": piece = Int(value)
    case "recovered": isRecovered = value == "1"
    default:
      if key.hasPrefix("node"), let node = Int(key.dropFirst(4)), (0..<Self.mostNodes).contains(node) {
        nodes[node] = CPUMask(list: value)
      } else if key.hasPrefix("core"), let core = Int(key.dropFirst(4)), (0...CPUMask.highestCPU).contains(core) {
        takeCore(core, threads: value)
      } else if key.hasPrefix("lost"), let cpu = Int(key.dropFirst(4)), cpu >= 0, let count = UInt64(value) {
        lostEvents[cpu] = count
      }
    }
  }
}
