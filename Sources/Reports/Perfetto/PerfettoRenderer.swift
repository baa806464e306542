internal import CallHistories
public import TraceTypes

/// Renders a replay as a trace for ui.perfetto.dev, in Perfetto's own protobuf, while it is read.
///
/// For each CPU a track of what it did, handlers and the callbacks in them, and one of the calls that it made, with an arrow
/// from each call to each of its callbacks; and one track of findings. What was not seen is not drawn: a callback whose end
/// nobody saw is a point, and says so. Packets come in any order of time, as Perfetto wants them; those of a CPU's track come in
/// the order of its events, so that also those of one time nest.
///
/// Memory is bounded: by the number of CPUs, and by 65,536 names of each sort.
public struct PerfettoRenderer {
  /// What a time can be at most: Perfetto's have a sign.
  static let latestTime = UInt64(Int64.max)

  /// The rendered packets so far. The owner takes them out when there are enough.
  public var bytes: [UInt8] {
    get { out.bytes }
    _modify { yield &out.bytes }
  }

  var out = ProtobufWriter()
  /// Entries of the tables that the packet at hand is the first to use.
  var new = ProtobufWriter()
  private var eventNames = PerfettoTexts(table: PerfettoField.Interned.eventNames)
  private var texts = PerfettoTexts(table: PerfettoField.Interned.texts)
  /// The names of callbacks as events' names, and what is said of call sites and tasks.
  var callbackNames = PieceCache()
  var callsites = PieceCache()
  var tasks = PieceCache()
  var heads = PieceTable(count: PerfettoRenderer.headCount)
  var states = PieceTable(count: PerfettoRenderer.stateCount)
  var handlerNames = PieceTable(count: EventKind.allCases.count)
  var origins = PieceTable(count: 2)
  var calledFrom = PerfettoFlows()
  var ranOn = PerfettoFlows()

  let names: any AddressNaming
  let comm: (Int32) -> String?
  private var hasTracks: [Bool] = []
  /// By CPU: how many slices have begun too late to be drawn, and how many before.
  var undrawnDepth: [Int: Int] = [:]
  /// Events too late to be drawn.
  var undrawn: UInt64 = 0

  /// - Parameters:
  ///   - clock: the name of the trace's clock, or nil where it is not known.
  ///   - comm: gives the name of a task, once there is one.
  public init(names: any AddressNaming, clock: String?, comm: @escaping (Int32) -> String?) {
    self.names = names
    self.comm = comm
    putTables()
    putTrack(Self.groupTrack, name: "IPIs", description: Self.sentence(onClock: clock), ordersChildren: true)
    putTrack(Self.findingsTrack, name: "Findings", parent: Self.groupTrack, rank: 0)
  }

  /// What the times of a trace are.
  static func sentence(onClock clock: String?) -> String {
    guard let clock else { return "Times are nanoseconds of the trace's clock, which it does not name." }
    let name = VisibleText.escape(clock)
    return TraceClock.countsNanoseconds(clock)
      ? "Times are nanoseconds of the trace's clock \(name)."
      : "Times are ticks of the trace's clock \(name), although they are shown as nanoseconds."
  }

  // MARK: Tracks

  static let groupTrack: UInt64 = 1
  static let findingsTrack: UInt64 = 2

  /// The track of what a CPU did.
  static func doings(of cpu: UInt16) -> UInt64 { 16 + UInt64(cpu) * 2 }
  /// The track of the calls that it made.
  static func calls(of cpu: UInt16) -> UInt64 { 17 + UInt64(cpu) * 2 }

  mutating func ensureTracks(of cpu: UInt16) {
    while hasTracks.count <= Int(cpu) { hasTracks.append(false) }
    if hasTracks[Int(cpu)] { return }
    hasTracks[Int(cpu)] = true
    putTrack(Self.doings(of: cpu), name: "CPU \(cpu)", parent: Self.groupTrack, rank: 1 + UInt64(cpu) * 2)
    putTrack(Self.calls(of: cpu), name: "CPU \(cpu) calls", parent: Self.groupTrack, rank: 2 + UInt64(cpu) * 2)
  }

  private mutating func putTrack(
    _ uuid: UInt64, name: String, parent: UInt64? = nil, rank: UInt64? = nil, description: String? = nil,
    ordersChildren: Bool = false
  ) {
    let packet = out.open(PerfettoField.packet)
    out.put(PerfettoField.Packet.sequence, Self.sequence)
    let track = out.open(PerfettoField.Packet.trackDescriptor)
    out.put(PerfettoField.Track.uuid, uuid)
    out.put(PerfettoField.Track.name, name)
    if let parent { out.put(PerfettoField.Track.parent, parent) }
    if let rank { out.put(PerfettoField.Track.rank, rank) }
    if let description { out.put(PerfettoField.Track.description, description) }
    if ordersChildren { out.put(PerfettoField.Track.childOrdering, PerfettoField.Track.explicitOrdering) }
    out.close(track)
    out.close(packet)
  }

  // MARK: Packets

  private static let sequence: UInt64 = 1

  /// The first packet: whatever came before in the file has nothing to do with this, and the names that all use.
  private mutating func putTables() {
    let packet = out.open(PerfettoField.packet)
    out.put(PerfettoField.Packet.sequence, Self.sequence)
    out.put(
      PerfettoField.Packet.sequenceFlags, PerfettoField.Flags.stateCleared | PerfettoField.Flags.needsState)
    out.put(PerfettoField.Packet.isFirstOnSequence, 1)
    let tables = out.open(PerfettoField.Packet.internedData)
    for category in PerfettoCategory.allCases {
      PerfettoTexts.put(
        category.rawValue, id: category.id, table: PerfettoField.Interned.categories, to: &out)
    }
    for key in PerfettoKey.allCases {
      PerfettoTexts.put(key.name, id: key.rawValue, table: PerfettoField.Interned.annotationNames, to: &out)
    }
    out.close(tables)
    out.close(packet)
  }

  struct OpenEvent {
    var packet: Int
    var event: Int
  }

  mutating func openEvent(_ type: UInt64, at time: UInt64, track: UInt64) -> OpenEvent {
    let packet = out.open(PerfettoField.packet)
    out.put(PerfettoField.Packet.timestamp, time)
    out.put(PerfettoField.Packet.sequence, Self.sequence)
    out.put(PerfettoField.Packet.sequenceFlags, PerfettoField.Flags.needsState)
    let event = out.open(PerfettoField.Packet.trackEvent)
    out.put(PerfettoField.Event.type, type)
    out.put(PerfettoField.Event.track, track)
    return OpenEvent(packet: packet, event: event)
  }

  mutating func close(_ open: OpenEvent) {
    out.close(open.event)
    if !new.bytes.isEmpty {
      out.put(PerfettoField.Packet.internedData, new.bytes)
      new.bytes.removeAll(keepingCapacity: true)
    }
    out.close(open.packet)
  }

  // MARK: Names and texts

  /// The field of an event's name.
  mutating func renderedName(_ name: String) -> [UInt8] {
    let shown = VisibleText.escape(name)
    let id = eventNames.id(of: shown, new: &new)
    return ProtobufWriter.rendered {
      if let id { $0.put(PerfettoField.Event.nameID, id) } else { $0.put(PerfettoField.Event.name, shown) }
    }
  }

  mutating func putCallbackName(_ address: UInt64) {
    if callbackNames.append(address, to: &out.bytes) { return }
    let piece = renderedName(names.text(address))
    callbackNames.add(address, piece, to: &out.bytes)
  }

  /// An annotation that is one of few texts.
  /// - Parameter field: what of the message around it it is: an event's annotation, or an entry of one.
  mutating func rendered(
    _ key: PerfettoKey, _ text: String, as field: UInt64 = PerfettoField.Event.annotation
  ) -> [UInt8] {
    let shown = VisibleText.escape(text)
    let id = texts.id(of: shown, new: &new)
    return ProtobufWriter.rendered {
      let annotation = $0.open(field)
      $0.put(PerfettoField.Annotation.nameID, key.rawValue)
      if let id { $0.put(PerfettoField.Annotation.textID, id) } else { $0.put(PerfettoField.Annotation.text, shown) }
      $0.close(annotation)
    }
  }

  mutating func put(_ key: PerfettoKey, _ value: UInt64, as field: UInt64 = PerfettoField.Event.annotation) {
    let annotation = out.open(field)
    out.put(PerfettoField.Annotation.nameID, key.rawValue)
    out.put(PerfettoField.Annotation.unsigned, value)
    out.close(annotation)
  }

  /// An annotation that is written out: a text that comes once.
  mutating func put(_ key: PerfettoKey, sentence: String, as field: UInt64 = PerfettoField.Event.annotation) {
    let annotation = out.open(field)
    out.put(PerfettoField.Annotation.nameID, key.rawValue)
    out.put(PerfettoField.Annotation.text, VisibleText.escape(sentence, limit: VisibleText.sentenceLimit))
    out.close(annotation)
  }
}
