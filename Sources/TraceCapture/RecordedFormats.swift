import CTracefs
import Glibc
import TraceTypes

/// The kernel's descriptions of the events that were recorded, read by libtraceevent.
final class RecordedFormats {
  /// Where the fields of one event lie.
  struct Layout {
    var kind: EventKind
    /// Offsets of 64-bit addresses of code.
    var addresses: [Int] = []
    /// Offsets of (pid, comm) pairs, and the length of a comm.
    var tasks: [(pid: Int, comm: Int, length: Int)] = []
  }

  /// The format files, in the order in which the events were switched on.
  let texts: [(kind: EventKind, text: String)]
  /// Event id → layout.
  private(set) var layouts: [UInt16: Layout] = [:]
  /// Event → fields that an analysis needs and that are not there.
  private(set) var missingFields: [(kind: EventKind, fields: [String])] = []

  /// - Parameter events: the directory `events` of tracefs.
  /// - Throws: ``CaptureError/setupFailed(_:_:)``.
  init(of kinds: [EventKind], events: String) throws(CaptureError) {
    guard let parser = tep_alloc() else { throw .setupFailed("reading event formats", ENOMEM) }
    defer { tep_free(parser) }
    tep_set_loglevel(TEP_LOG_NONE)
    tep_set_long_size(parser, Int32(MemoryLayout<Int>.size))
    var texts: [(kind: EventKind, text: String)] = []
    for kind in kinds {
      let path = "\(events)/\(kind.system)/\(kind.name)/format"
      guard let text = TextFile.text(path) else { throw .setupFailed("reading \(path)", errno) }
      texts.append((kind, text))
      // A print format that the library does not understand is no reason to go without the fields.
      _ = tep_parse_event(parser, text, UInt(text.utf8.count), kind.system)
    }
    self.texts = texts
    for kind in kinds {
      guard let event = tep_find_event_by_name(parser, kind.system, kind.name) else {
        missingFields.append((kind, CaptureEvents.neededFields(kind)))
        continue
      }
      let missing = CaptureEvents.neededFields(kind).filter { tep_find_field(event, $0) == nil }
      if !missing.isEmpty { missingFields.append((kind, missing)) }
      layouts[UInt16(truncatingIfNeeded: event.pointee.id)] = Self.layout(of: event, kind: kind)
    }
  }

  private static func layout(of event: UnsafeMutablePointer<tep_event>, kind: EventKind) -> Layout {
    var layout = Layout(kind: kind)
    for name in CaptureEvents.addressFields {
      if let field = tep_find_field(event, name), field.pointee.size == 8, field.pointee.offset >= 0 {
        layout.addresses.append(Int(field.pointee.offset))
      }
    }
    for side in ["prev", "next"] {
      if let pid = tep_find_field(event, side + "_pid"), let comm = tep_find_field(event, side + "_comm"),
        pid.pointee.size == 4, pid.pointee.offset >= 0, comm.pointee.offset >= 0, (1...64).contains(comm.pointee.size)
      {
        layout.tasks.append((Int(pid.pointee.offset), Int(comm.pointee.offset), Int(comm.pointee.size)))
      }
    }
    return layout
  }
}
