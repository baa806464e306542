import CallHistories
import Drivers
import Reports
import TraceTypes
import Verdicts

/// Writes a trace for Perfetto to a file as it is rendered. The first error ends the writing and is thrown at the end.
struct PerfettoSink: CompletedCallSink {
  static let takesHandlers = false
  private var renderer: PerfettoRenderer
  private let file: OutputFile
  private var error: OutputError?
  private var hasFailed = false

  init(renderer: PerfettoRenderer, file: OutputFile) {
    self.renderer = renderer
    self.file = file
    self.renderer.bytes.reserveCapacity(OutputFile.blockSize + 65_536)
  }

  mutating func write(_ call: CompletedCall, targets: Span<QueuedCall>) {
    if hasFailed { return }
    renderer.append(call, targets: targets)
    writeBlock()
  }

  mutating func activitySeen(_ piece: CPUActivity) {
    if hasFailed { return }
    renderer.append(piece)
    writeBlock()
  }

  mutating func eventsLost(_ gap: TraceGap) {
    if hasFailed { return }
    renderer.append(gap)
    writeBlock()
  }

  private mutating func writeBlock() {
    guard renderer.bytes.count >= OutputFile.blockSize else { return }
    do { try file.take(&renderer.bytes) } catch {
      self.error = error
      hasFailed = true
    }
  }

  mutating func finish(_ result: ReplayResult) throws(OutputError) {
    if let error { throw error }
    renderer.finish(result)
    try file.write(renderer.bytes)
    try file.commit()
  }
}

/// A drawing, and the lines of `--calls` where they are asked for too.
struct DrawingSink: CompletedCallSink {
  static let takesHandlers = false
  var drawing: PerfettoSink
  var lines: CallLineSink?

  mutating func write(_ call: CompletedCall, targets: Span<QueuedCall>) {
    drawing.write(call, targets: targets)
    lines?.write(call, targets: targets)
  }

  mutating func activitySeen(_ piece: CPUActivity) { drawing.activitySeen(piece) }

  mutating func eventsLost(_ gap: TraceGap) { drawing.eventsLost(gap) }

  mutating func finish(_ result: ReplayResult) throws(OutputError) {
    try lines?.finish()
    try drawing.finish(result)
  }
}
