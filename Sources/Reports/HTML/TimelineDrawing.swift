import Verdicts

/// The timeline as SVG: a lane for each CPU, slices in the lanes, arrows between them.
///
/// Everything carries its times in nanoseconds from the window's start (`data-a`, `data-b`), so that the script can lay
/// it out again for another window. What the script computes is what stands here.
struct TimelineDrawing {
  static let laneLimit = 128
  static let sliceLimit = 2_000
  static let flowLimit = 400
  private static let width = 1_120.0
  private static let left = 64.0
  private static let right = 40.0
  private static let top = 30.0

  /// The calls that are drawn, in the order in which they were queued.
  let flows: [Timeline.Flow]
  /// How many slices, calls and CPUs are not drawn.
  let leftOut: Int
  private let timeline: Timeline
  private let slices: [Timeline.Slice]
  private let divergences: [(number: Int, time: UInt64)]
  private let lanes: [Int]
  private let laneOf: [Int: Int]
  private let laneHeight: Double
  private let span: UInt64

  /// - Complexity: O(n log n) in the number of slices and flows.
  init(_ timeline: Timeline, divergences: [Divergence]) {
    self.timeline = timeline
    let start = timeline.startNanoseconds
    let end = timeline.endNanoseconds
    span = max(1, end.minus(start))
    let inside = timeline.slices.filter { $0.endNanoseconds >= start && $0.startNanoseconds <= end }
    let calls = timeline.flows.filter { $0.queuedNanoseconds <= end && ($0.startedNanoseconds ?? end) >= start }
    let every = Set(timeline.cpus).union(inside.map(\.cpu)).union(calls.flatMap { [$0.source, $0.target] }).sorted()
    lanes = Array(every.prefix(Self.laneLimit))
    laneOf = Dictionary(uniqueKeysWithValues: lanes.enumerated().map { ($1, $0) })
    laneHeight = lanes.count <= 24 ? 30 : lanes.count <= 64 ? 20 : 14
    let known = laneOf
    // Handlers lie over idle, callbacks over handlers; and idle is the first that can be spared.
    let order: [Timeline.Slice.Kind] = [.callback, .handler, .idle]
    let kept = order.flatMap { kind in inside.filter { $0.kind == kind && known[$0.cpu] != nil } }
    slices = Array(kept.prefix(Self.sliceLimit).reversed())
    flows = Array(
      calls.filter { known[$0.source] != nil && known[$0.target] != nil }
        .sorted { $0.queuedNanoseconds < $1.queuedNanoseconds }.prefix(Self.flowLimit))
    leftOut = inside.count - slices.count + calls.count - flows.count + every.count - lanes.count
    self.divergences = divergences.enumerated().prefix(50)
      .filter { $1.timeNanoseconds >= start && $1.timeNanoseconds <= end }.map { ($0 + 1, $1.timeNanoseconds) }
  }

  var isEmpty: Bool { slices.isEmpty && flows.isEmpty }

  var svg: HTML {
    let height = bottom + (divergences.isEmpty ? 6 : 20)
    return """
      <svg id="timeline-drawing" class="timeline\(flows.count > 120 ? " dense" : "")" tabindex="0" viewBox="0 0 \(Self.width) \(height)" role="group" \
      aria-label="Timeline of \(lanes.count) CPUs over \(HTMLPiece.duration(span))" data-span="\(span)" \
      data-left="\(Self.left)" data-right="\(Self.width - Self.right)" data-top="\(Self.top)" data-bottom="\(bottom)">
      <defs>
      <clipPath id="timeline-clip"><rect x="\(Self.left)" y="0" width="\(Self.width - Self.left - Self.right)" \
      height="\(height)"/></clipPath>
      \(markers)</defs>
      \(laneBands)
      <g id="timeline-axis">\(axis)</g>
      <g clip-path="url(#timeline-clip)">
      \(slices.map(draw).joined())
      \(flows.enumerated().map(draw).joined())
      \(divergences.map(draw).joined())
      </g>
      </svg>
      """
  }

  private var bottom: Double { Self.top + Double(lanes.count) * laneHeight }

  private var markers: HTML {
    (["ipi", "mask", "coalesced", "polling", "other"] as [HTML]).map { kick in
      """
      <marker id="tip-\(kick)" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" \
      markerUnits="userSpaceOnUse" orient="auto"><path class="tip \(kick)" d="M0 0.5L8 4L0 7.5z"/></marker>

      """ as HTML
    }.joined()
  }

  private var laneBands: HTML {
    lanes.enumerated().map { index, cpu in
      let y = Self.top + Double(index) * laneHeight
      return """
        <rect class="lane\(index % 2 == 0 ? "" : " odd")" x="0" y="\(y)" width="\(Self.width)" height="\(laneHeight)"/>\
        <text x="\(Self.left - 8)" y="\(y + laneHeight / 2 + 4)" text-anchor="end">CPU \(cpu)</text>

        """ as HTML
    }.joined()
  }

  private var axis: HTML {
    let step = Self.step(span)
    return (0...span / step).map { count in
      let offset = count * step
      return """
        <line class="grid" x1="\(x(offset))" x2="\(x(offset))" y1="\(Self.top - 6)" y2="\(bottom)"/>\
        <text x="\(x(offset))" y="\(Self.top - 12)" text-anchor="middle">+\(HTMLPiece.duration(offset))</text>

        """ as HTML
    }.joined()
  }

  /// The smallest of 1, 2, 5, 10, 20, … of which at most ten fill the span.
  static func step(_ span: UInt64) -> UInt64 {
    var unit: UInt64 = 1
    // Ends at 2·10¹⁸ at the latest: ten of these are more than any span.
    while true {
      for factor in [1, 2, 5] as [UInt64] where span / (unit * factor) <= 10 { return unit * factor }
      unit *= 10
    }
  }

  /// Where an offset from the window's start lies.
  private func x(_ offset: UInt64) -> Double {
    Self.left + Double(offset) / Double(span) * (Self.width - Self.left - Self.right)
  }

  /// Nanoseconds from the window's start, kept within the window.
  private func offset(_ time: UInt64) -> UInt64 { min(time.minus(timeline.startNanoseconds), span) }

  private func y(_ cpu: Int) -> Double { Self.top + Double(laneOf[cpu] ?? 0) * laneHeight }

  private func draw(_ slice: Timeline.Slice) -> HTML {
    let from = offset(slice.startNanoseconds)
    let to = max(from, offset(slice.endNanoseconds))
    let style: HTML
    let inset: Double
    switch slice.kind {
    case .handler: (style, inset) = ("handler", 0.14)
    case .callback: (style, inset) = ("callback", 0.26)
    case .idle: (style, inset) = ("idle", 0.36)
    }
    return """
      <rect class="slice \(style)" x="\(x(from))" y="\(y(slice.cpu) + inset * laneHeight)" width="\(max(1, x(to) - x(from)))" \
      height="\(laneHeight * (1 - 2 * inset))" data-a="\(from)" data-b="\(to)"><title>\(name: slice.name) · \
      CPU \(slice.cpu) · +\(HTMLPiece.duration(from)) · \
      \(HTMLPiece.duration(slice.endNanoseconds.minus(slice.startNanoseconds)))</title></rect>

      """
  }

  private func draw(_ index: Int, _ flow: Timeline.Flow) -> HTML {
    let style: HTML =
      switch flow.kick {
      case "ipi": "ipi"
      case "maskIPI": "mask"
      case "coalesced": "coalesced"
      case "polling": "polling"
      default: "other"
      }
    let from = offset(flow.queuedNanoseconds)
    let sourceY = y(flow.source) + laneHeight / 2
    var parts: HTML = """
      <circle class="dot \(style)" cx="\(x(from))" cy="\(sourceY)" r="2.4" data-a="\(from)"/>
      """
    if let kick = flow.kickNanoseconds {
      let at = offset(kick)
      parts += """
        <rect class="kick \(style)" x="\(x(at))" y="\(sourceY - 5)" width="1.6" height="10" data-a="\(at)"/>
        """
    }
    let delay: HTML
    if let started = flow.startedNanoseconds {
      let to = max(from, offset(started))
      let edge = laneHeight * 0.14
      let targetY = flow.target > flow.source ? y(flow.target) + edge : y(flow.target) + laneHeight - edge
      let bend = (sourceY + targetY) / 2
      parts += """
        <path class="flow \(style)" d="M\(x(from)) \(sourceY)C\(x(from)) \(bend) \(x(to)) \(bend) \(x(to)) \(targetY)" \
        marker-end="url(#tip-\(style))" data-a="\(from)" data-b="\(to)" data-y="\(sourceY) \(targetY)"/>
        """
      delay = "begins after \(HTMLPiece.duration(started.minus(flow.queuedNanoseconds)))"
    } else {
      parts += """
        <circle class="open \(style)" cx="\(x(from))" cy="\(sourceY)" r="5" data-a="\(from)"/>
        """
      delay = "not seen to begin"
    }
    return """
      <g class="call" id="flow-\(index)" data-a="\(from)" \
      data-b="\(max(from, offset(flow.endedNanoseconds ?? flow.startedNanoseconds ?? flow.queuedNanoseconds)))">\
      <title>\(name: flow.callback) · CPU \(flow.source) → CPU \(flow.target) · \(name: flow.kick) · +\(HTMLPiece.duration(from)) · \
      \(delay)</title>\(parts)</g>

      """
  }

  private func draw(_ divergence: (number: Int, time: UInt64)) -> HTML {
    let at = offset(divergence.time)
    return """
      <a href="#finding-\(divergence.number)" aria-label="Finding \(divergence.number)"><rect class="finding" x="\(x(at))" \
      y="\(Self.top - 8)" width="2" height="\(bottom - Self.top + 8)" data-a="\(at)"><title>Finding \(divergence.number)\
      </title></rect><text class="finding" x="\(x(at))" y="\(bottom + 14)" text-anchor="middle" data-a="\(at)">\
      \(divergence.number)</text></a>

      """
  }
}
