/// The fields of Perfetto's trace that are written, by their numbers in `protos/perfetto/trace`.
enum PerfettoField {
  static let packet: UInt64 = 1

  enum Packet {
    static let timestamp: UInt64 = 8
    static let sequence: UInt64 = 10
    static let trackEvent: UInt64 = 11
    static let internedData: UInt64 = 12
    static let sequenceFlags: UInt64 = 13
    static let trackDescriptor: UInt64 = 60
    static let isFirstOnSequence: UInt64 = 87
  }

  /// Of `TracePacket.SequenceFlags`.
  enum Flags {
    static let stateCleared: UInt64 = 1
    static let needsState: UInt64 = 2
  }

  enum Track {
    static let uuid: UInt64 = 1
    static let name: UInt64 = 2
    static let parent: UInt64 = 5
    static let childOrdering: UInt64 = 11
    static let rank: UInt64 = 12
    static let description: UInt64 = 14
    /// Of `TrackDescriptor.ChildTracksOrdering`.
    static let explicitOrdering: UInt64 = 3
  }

  enum Event {
    static let category: UInt64 = 3
    static let annotation: UInt64 = 4
    static let type: UInt64 = 9
    static let nameID: UInt64 = 10
    static let track: UInt64 = 11
    static let name: UInt64 = 23
    static let flow: UInt64 = 47
    static let terminatingFlow: UInt64 = 48
  }

  enum EventType {
    static let sliceBegin: UInt64 = 1
    static let sliceEnd: UInt64 = 2
    static let instant: UInt64 = 3
  }

  enum Annotation {
    static let nameID: UInt64 = 1
    static let unsigned: UInt64 = 3
    static let signed: UInt64 = 4
    static let text: UInt64 = 6
    static let entry: UInt64 = 11
    static let element: UInt64 = 12
    static let textID: UInt64 = 17
  }

  enum Interned {
    static let categories: UInt64 = 1
    static let eventNames: UInt64 = 2
    static let annotationNames: UInt64 = 3
    static let texts: UInt64 = 29
    /// Of each entry.
    static let id: UInt64 = 1
    static let text: UInt64 = 2
  }
}

/// The categories of events. The ids begin with 1.
enum PerfettoCategory: String, CaseIterable {
  case call, handler, callback, lost, finding

  var id: UInt64 { UInt64(Self.allCases.firstIndex(of: self) ?? 0) + 1 }
}

/// The names of annotations. The ids begin with 1, and each takes one byte.
enum PerfettoKey: UInt64, CaseIterable {
  case kind = 1
  case waits, mayBeSeveral, callsite, pid, task, targets, cpu, type, kick, outcome, reason, startsAfterNanoseconds
  case callerWentOnAfterNanoseconds, runsInPlaceAfterNanoseconds
  case queued, begin, end
  case lostEvents
  case engine, judged, undecided, findings, kernel, clock, unit, notDrawn
  case cpus, callback, expected, explanation, events, timeNanoseconds

  var name: String { String(describing: self) }
}
