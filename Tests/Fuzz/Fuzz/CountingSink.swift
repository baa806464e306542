import CallHistories
import Drivers
import Reports
import TestSupport
import TraceTypes
import Verdicts

/// Renders every call as `--calls` does, and keeps none; and draws what happened as `--perfetto` does, if asked to.
struct CountingSink: CompletedCallSink {
  /// A drawing that gets larger is given up: a small file can unpack to many events.
  private static let largestDrawing = 4 << 20

  private var renderer: CallLineRenderer
  private var drawing: PerfettoRenderer?
  private(set) var calls: UInt64 = 0

  init(names: any AddressNaming, clock: String?, comm: @escaping (Int32) -> String?, draws: Bool) {
    renderer = CallLineRenderer(names: names, comm: comm)
    if draws { drawing = PerfettoRenderer(names: names, clock: clock, comm: comm) }
  }

  mutating func write(_ call: CompletedCall, targets: Span<QueuedCall>) {
    calls += 1
    renderer.append(call, targets: targets)
    if renderer.bytes.count > 1 << 16 { renderer.bytes.removeAll(keepingCapacity: true) }
    drawing?.append(call, targets: targets)
    limitDrawing()
  }

  mutating func activitySeen(_ piece: CPUActivity) {
    drawing?.append(piece)
    limitDrawing()
  }

  mutating func eventsLost(_ gap: TraceGap) {
    drawing?.append(gap)
    limitDrawing()
  }

  private mutating func limitDrawing() {
    if let drawing, drawing.bytes.count > Self.largestDrawing { self.drawing = nil }
  }

  /// Reads the drawing back: whatever the trace held, it has to be one, in which all that begins ends.
  mutating func finish(_ result: ReplayResult) {
    guard drawing != nil else { return }
    drawing?.finish(result)
    do { _ = try drawing.map { try PerfettoTrace($0.bytes).slices() } } catch { fatalError("no drawing: \(error)") }
  }
}
