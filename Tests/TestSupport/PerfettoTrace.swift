/// A trace for Perfetto, read back: as its documentation says that it is read, and not as we write it.
///
/// Events are ordered by time, those of one time as in the file; ends end the latest begin of their track.
public struct PerfettoTrace {
  public enum Value: Hashable, Sendable {
    case number(UInt64)
    case text(String)
    case list([Value])
    case dictionary([String: Value])

    public subscript(key: String) -> Value? { if case .dictionary(let members) = self { members[key] } else { nil } }
    public subscript(index: Int) -> Value? {
      if case .list(let elements) = self, elements.indices.contains(index) { elements[index] } else { nil }
    }
  }

  public enum Kind: UInt64, Sendable {
    case begin = 1
    case end
    case instant
  }

  public struct Track: Sendable {
    public var name = ""
    public var parent: UInt64?
    public var rank: UInt64?
    public var description: String?
  }

  public struct Event: Sendable {
    public var kind: Kind
    public var time: UInt64
    public var track: UInt64
    public var name = ""
    public var categories: [String] = []
    public var annotations: [String: Value] = [:]
    public var flows: [UInt64] = []
    public var terminatingFlows: [UInt64] = []
  }

  /// A begin with its end, or a point.
  public struct Slice: Sendable {
    public var event: Event
    public var end: UInt64?
    public var depth: Int
  }

  public struct Invalid: Error, CustomStringConvertible {
    public var description: String
  }

  public private(set) var tracks: [UInt64: Track] = [:]
  public private(set) var events: [Event] = []
  /// Every text that a person gets to see.
  public private(set) var texts: [String] = []

  private var eventNames: [UInt64: String] = [:]
  private var categories: [UInt64: String] = [:]
  private var annotationNames: [UInt64: String] = [:]
  private var annotationTexts: [UInt64: String] = [:]

  public init(_ bytes: [UInt8]) throws {
    for (index, packet) in try ProtobufReader.fields(of: bytes).enumerated() {
      guard packet.number == 1, let content = packet.bytes else { throw Invalid(description: "no packet") }
      try read(packet: try ProtobufReader.fields(of: content), isFirst: index == 0)
    }
    events = events.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
  }

  private mutating func read(packet: [ProtobufReader.Field], isFirst: Bool) throws {
    // Tables count before the event, wherever they stand.
    for field in packet where field.number == 12 { try readTables(try fields(field)) }
    let flags = packet.first { $0.number == 13 }?.varint ?? 0
    if isFirst, flags & 1 == 0 { throw Invalid(description: "the first packet does not clear the state") }
    if !isFirst, flags & 1 != 0 { throw Invalid(description: "the state is cleared amidst") }
    guard packet.first(where: { $0.number == 10 })?.varint == 1 else { throw Invalid(description: "no sequence") }
    for field in packet {
      switch field.number {
      case 60: try readTrack(try fields(field))
      case 11:
        guard flags & 2 != 0, let time = packet.first(where: { $0.number == 8 })?.varint, time <= UInt64(Int64.max)
        else { throw Invalid(description: "an event without time or state") }
        try readEvent(try fields(field), time: time)
      case 8, 10, 12, 13, 87: break
      default: throw Invalid(description: "unknown field \(field.number) of a packet")
      }
    }
  }

  private func fields(_ field: ProtobufReader.Field) throws -> [ProtobufReader.Field] {
    guard let bytes = field.bytes else { throw Invalid(description: "field \(field.number) is no message") }
    return try ProtobufReader.fields(of: bytes)
  }

  private mutating func text(_ field: ProtobufReader.Field) throws -> String {
    guard let bytes = field.bytes, let text = String(validating: bytes, as: UTF8.self) else {
      throw Invalid(description: "field \(field.number) is no UTF-8")
    }
    texts.append(text)
    return text
  }

  private mutating func readTables(_ tables: [ProtobufReader.Field]) throws {
    for table in tables {
      let entry = try fields(table)
      guard entry.count == 2, let id = entry[0].varint, id > 0, entry[0].number == 1, entry[1].number == 2 else {
        throw Invalid(description: "an entry of table \(table.number)")
      }
      let name = try text(entry[1])
      let old: String? =
        switch table.number {
        case 1: categories.updateValue(name, forKey: id)
        case 2: eventNames.updateValue(name, forKey: id)
        case 3: annotationNames.updateValue(name, forKey: id)
        case 29: annotationTexts.updateValue(name, forKey: id)
        default: throw Invalid(description: "unknown table \(table.number)")
        }
      if let old { throw Invalid(description: "\(id) of table \(table.number) was \(old), and is \(name)") }
    }
  }

  private mutating func readTrack(_ fields: [ProtobufReader.Field]) throws {
    var track = Track()
    var uuid: UInt64?
    for field in fields {
      switch field.number {
      case 1: uuid = field.varint
      case 2: track.name = try text(field)
      case 5: track.parent = field.varint
      case 11: guard field.varint == 3 else { throw Invalid(description: "an ordering") }
      case 12: track.rank = field.varint
      case 14: track.description = try text(field)
      default: throw Invalid(description: "unknown field \(field.number) of a track")
      }
    }
    guard let uuid, tracks.updateValue(track, forKey: uuid) == nil else { throw Invalid(description: "a track twice") }
    if let parent = track.parent, tracks[parent] == nil { throw Invalid(description: "a track without its parent") }
  }

  private mutating func readEvent(_ fields: [ProtobufReader.Field], time: UInt64) throws {
    guard let kind = fields.first(where: { $0.number == 9 })?.varint.flatMap(Kind.init(rawValue:)),
      let track = fields.first(where: { $0.number == 11 })?.varint, tracks[track] != nil
    else { throw Invalid(description: "an event without type or track") }
    var event = Event(kind: kind, time: time, track: track)
    for field in fields {
      switch field.number {
      case 3: event.categories.append(try known(categories, field))
      case 4:
        let (name, value) = try annotation(try self.fields(field))
        if event.annotations.updateValue(value, forKey: name) != nil { throw Invalid(description: "\(name) twice") }
      case 9, 11: break
      case 10: event.name = try known(eventNames, field)
      case 23: event.name = try text(field)
      case 47: event.flows.append(try fixed(field))
      case 48: event.terminatingFlows.append(try fixed(field))
      default: throw Invalid(description: "unknown field \(field.number) of an event")
      }
    }
    if kind != .end, event.name.isEmpty || event.categories.count != 1 { throw Invalid(description: "no name") }
    events.append(event)
  }

  private func known(_ table: [UInt64: String], _ field: ProtobufReader.Field) throws -> String {
    guard let id = field.varint, let name = table[id] else { throw Invalid(description: "an unknown name") }
    return name
  }

  private func fixed(_ field: ProtobufReader.Field) throws -> UInt64 {
    guard let value = field.fixed64 else { throw Invalid(description: "a flow of another type") }
    return value
  }

  private mutating func annotation(_ fields: [ProtobufReader.Field]) throws -> (String, Value) {
    var name = ""
    var members: [String: Value]?
    var elements: [Value]?
    var value: Value?
    for field in fields {
      switch field.number {
      case 1: name = try known(annotationNames, field)
      case 3, 4: value = field.varint.map(Value.number)
      case 6: value = .text(try text(field))
      case 11:
        let (key, member) = try annotation(try self.fields(field))
        if (members ?? [:])[key] != nil { throw Invalid(description: "\(key) twice") }
        members = (members ?? [:]).merging([key: member]) { $1 }
      case 12: elements = (elements ?? []) + [try annotation(try self.fields(field)).1]
      case 17: value = .text(try known(annotationTexts, field))
      default: throw Invalid(description: "unknown field \(field.number) of an annotation")
      }
    }
    guard let found = value ?? members.map(Value.dictionary) ?? elements.map(Value.list) else {
      return (name, .list([]))
    }
    return (name, found)
  }

  // MARK: What it means

  public func name(ofTrackOf event: Event) -> String { tracks[event.track]?.name ?? "" }

  /// All begins with their ends, and points, in the order of time.
  /// - Throws: ``Invalid`` when they do not nest, or an end or begin has none.
  public func slices() throws -> [Slice] {
    var slices: [Slice] = []
    var open: [UInt64: [Int]] = [:]
    for event in events {
      switch event.kind {
      case .begin:
        slices.append(Slice(event: event, end: nil, depth: open[event.track]?.count ?? 0))
        open[event.track, default: []].append(slices.count - 1)
      case .end:
        guard let begin = open[event.track]?.popLast() else {
          throw Invalid(description: "an end without begin on \(name(ofTrackOf: event)) at \(event.time)")
        }
        slices[begin].end = event.time
      case .instant: slices.append(Slice(event: event, end: event.time, depth: open[event.track]?.count ?? 0))
      }
    }
    if let left = open.values.first(where: { !$0.isEmpty }) {
      throw Invalid(description: "no end of \(slices[left[0]].event)")
    }
    return slices
  }

  /// The arrows: from which event to which.
  /// - Throws: ``Invalid`` when one begins twice, ends twice, or has only one end.
  public func arrows() throws -> [(from: Event, to: Event)] {
    var begins: [UInt64: Event] = [:]
    var arrows: [(from: Event, to: Event)] = []
    for event in events {
      for flow in event.flows where begins.updateValue(event, forKey: flow) != nil {
        throw Invalid(description: "an arrow begins twice")
      }
      for flow in event.terminatingFlows {
        guard let from = begins.removeValue(forKey: flow) else {
          throw Invalid(description: "an arrow without begin to \(event.name) at \(event.time)")
        }
        arrows.append((from, event))
      }
    }
    if let left = begins.values.first { throw Invalid(description: "an arrow without end from \(left)") }
    return arrows
  }
}
