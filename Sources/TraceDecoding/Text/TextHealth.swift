import TraceTypes

/// The damage that reading text can meet, by name.
extension TraceHealth.Item {
  static func malformedLines(_ count: UInt64, firstLine: UInt64) -> Self {
    Self(
      name: "malformedLines", count: count, severity: .error,
      remedy: "Lines that are no event, no mark and no comment, the first is line \(firstLine). Each may have been an "
        + "event of any CPU, so what needs completeness is not judged across them.")
  }

  static func malformedEvents(cpu: Int, count: UInt64, firstLine: UInt64) -> Self {
    Self(
      name: "malformedEvents", cpu: cpu, count: count, severity: .error,
      remedy: "Events whose fields could not be read, the first in line \(firstLine). They are left out, as if lost.")
  }

  static func lateEvents(cpu: Int, count: UInt64) -> Self {
    Self(
      name: "lateEvents", cpu: cpu, count: count, severity: .error,
      remedy: "Events that stand far behind later ones of other CPUs; they were given a later time, and nothing is "
        + "concluded across them. Save the trace file of tracefs, or record with ipitrace.")
  }

  static var cutOffLine: Self {
    Self(
      name: "cutOffLine", severity: .dataLoss,
      remedy: "The last line has no end, so it may be cut off; it was left out. Copy the file again.")
  }

  static func otherBuffers(_ lines: UInt64, buffer: String) -> Self {
    Self(
      name: "otherBuffers", count: lines, severity: .info,
      remedy: "Lines of other buffers than \(buffer.isEmpty ? "the top-level one" : buffer), which are left out.")
  }

  static func overwrittenEvents(_ count: UInt64) -> Self {
    Self(
      name: "overwrittenEvents", count: count, severity: .dataLoss,
      remedy: "The header says that so many events are not in the buffer any more. How many of which CPU is not known.")
  }

  static var contextNotRecorded: Self {
    Self(
      name: "contextNotRecorded", severity: .dataLoss,
      remedy: "The text has no column that tells interrupt levels (d..1.). Whether calls were nested is not known, so "
        + "kicks are not judged, and what a caller did next proves little. Use trace-cmd report -l, or tracefs.")
  }

  static var readAsStream: Self {
    Self(
      name: "readAsStream", severity: .info,
      remedy: "The text can't be read twice, so kicks are not judged and no timeline is drawn. Save it to a file first."
    )
  }

  static func namesWithoutRoom(_ count: UInt64) -> Self {
    Self(
      name: "namesWithoutRoom", count: count, severity: .error,
      remedy: "Names of functions beyond those that a kernel can have; calls from there are of unknown type.")
  }
}
