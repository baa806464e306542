import CTracefs
import Glibc
import TraceTypes

/// The kernel's descriptions of the events that were recorded, read by libtraceevent.
struct RecordedFormats: Sendable {
  /// A system of events with the texts of their format files.
  typealias System = (name: String, formats: [[UInt8]])

  struct Field: Sendable {
    var offset: Int
    var size: Int
    var isText: Bool
    /// It says where in the record its content lies: from the record's start, or from its own end.
    var isDynamic: Bool
    var isRelative: Bool
  }

  /// Where the fields of one event lie, as far as a recorder must know.
  struct Layout: Sendable {
    /// Offsets of 64-bit addresses of code.
    var addresses: [Int] = []
    /// Offsets of the other 64-bit numbers; a csd's is among them.
    var numbers: [Int] = []
    /// All fields that have a place of their own.
    var fields: [Field] = []
    /// Offsets of (pid, comm) pairs, and the length of a comm.
    var tasks: [(pid: Int, comm: Int, length: Int)] = []
    var use = Use.other

    /// What an event says about the task that caused it.
    enum Use: Sendable {
      case other
      /// A call was queued, or an interrupt sent.
      case sends
      case switches
    }
  }

  /// In the order in which the events were switched on.
  let systems: [System]
  /// Event id → layout.
  private(set) var layouts: [UInt16: Layout] = [:]
  /// The names of the events that the texts describe, `system:name`.
  private(set) var names: [String] = []
  private var fields: [String: Set<String>] = [:]

  /// - Throws: ``CaptureError/setupFailed(_:_:)``.
  init(of kinds: [EventKind], events: String) throws(CaptureError) {
    var systems: [System] = []
    for kind in kinds {
      let path = "\(events)/\(kind.system)/\(kind.name)/format"
      guard let text = TextFile.bytes(path) else { throw .setupFailed("reading \(path)", errno) }
      if let index = systems.firstIndex(where: { $0.name == kind.system }) {
        systems[index].formats.append(text)
      } else {
        systems.append((kind.system, [text]))
      }
    }
    try self.init(systems)
  }

  /// - Throws: ``CaptureError/setupFailed(_:_:)``.
  init(_ systems: [System]) throws(CaptureError) {
    self.systems = systems
    guard let parser = tep_alloc() else { throw .setupFailed("reading event formats", ENOMEM) }
    defer { tep_free(parser) }
    tep_set_loglevel(TEP_LOG_NONE)
    tep_set_long_size(parser, Int32(MemoryLayout<Int>.size))
    for system in systems {
      for text in system.formats {
        guard let format = FormatText(text) else { continue }
        _ = tep_parse_event(parser, format.text, UInt(format.text.utf8.count), system.name)
        guard let event = tep_find_event_by_name(parser, system.name, format.name) else { continue }
        let qualified = "\(system.name):\(format.name)"
        names.append(qualified)
        layouts[UInt16(truncatingIfNeeded: event.pointee.id)] = layout(of: event, named: qualified)
      }
    }
  }

  /// Event → fields that an analysis needs and that are not there.
  func missingFields(of kinds: [EventKind]) -> [(kind: EventKind, fields: [String])] {
    kinds.compactMap { kind in
      let known = fields[kind.qualifiedName] ?? []
      let missing = CaptureEvents.neededFields(kind).filter { !known.contains($0) }
      return missing.isEmpty ? nil : (kind, missing)
    }
  }

  private mutating func layout(of event: UnsafeMutablePointer<tep_event>, named name: String) -> Layout {
    var layout = Layout()
    for list in [event.pointee.format.common_fields, event.pointee.format.fields] {
      var next = list
      while let field = next?.pointee {
        next = field.next
        guard field.offset >= 0, field.size > 0, let name = field.name else { continue }
        let (offset, size) = (Int(field.offset), Int(field.size))
        let isText = field.flags & UInt(TEP_FIELD_IS_STRING.rawValue) != 0
        let isDynamic = field.flags & UInt(TEP_FIELD_IS_DYNAMIC.rawValue) != 0
        let isRelative = field.flags & UInt(TEP_FIELD_IS_RELATIVE.rawValue) != 0
        layout.fields.append(
          Field(offset: offset, size: size, isText: isText, isDynamic: isDynamic, isRelative: isRelative))
        let text = String(cString: name)
        fields[self.names.last ?? "", default: []].insert(text)
        if size == 8, !isDynamic {
          if CaptureEvents.addressFields.contains(text) {
            layout.addresses.append(offset)
          } else {
            layout.numbers.append(offset)
          }
        }
      }
    }
    for side in ["prev", "next"] {
      if let pid = tep_find_field(event, side + "_pid"), let comm = tep_find_field(event, side + "_comm"),
        pid.pointee.size == 4, pid.pointee.offset >= 0, comm.pointee.offset >= 0, (1...64).contains(comm.pointee.size)
      {
        layout.tasks.append((Int(pid.pointee.offset), Int(comm.pointee.offset), Int(comm.pointee.size)))
      }
    }
    switch name {
    case EventKind.ipiSendCPU.qualifiedName, EventKind.ipiSendCPUMask.qualifiedName, EventKind.ipiRaise.qualifiedName:
      layout.use = .sends
    case EventKind.schedSwitch.qualifiedName: layout.use = .switches
    default: break
    }
    return layout
  }
}
