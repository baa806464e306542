import CallHistories
import Drivers
import Reports
import TraceTypes

/// Renders every call as `--calls` does, and keeps none.
struct CountingSink: CompletedCallSink {
  private var renderer: CallLineRenderer
  private(set) var calls: UInt64 = 0

  init(names: any AddressNaming, comm: @escaping (Int32) -> String?) {
    renderer = CallLineRenderer(names: names, comm: comm)
  }

  mutating func write(_ call: CompletedCall, targets: Span<QueuedCall>) {
    calls += 1
    renderer.append(call, targets: targets)
    if renderer.bytes.count > 1 << 16 { renderer.bytes.removeAll(keepingCapacity: true) }
  }
}
