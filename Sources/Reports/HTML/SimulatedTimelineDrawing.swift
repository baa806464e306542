import Verdicts

/// One call in reality and under each engine as SVG: a block of lanes for each, one below the other on one time axis.
///
/// In a lane, what the CPU does for others lies above, what it does as a caller below. A kind is told by its shape, its
/// hatching or its dashes as well as by its colour.
struct SimulatedTimelineDrawing {
  static let trackLimit = 16
  static let laneLimit = 16
  /// Slices and marks of one track.
  static let itemLimit = 400

  private static let width = 1_120.0
  private static let left = 64.0
  private static let right = 40.0
  private static let top = 30.0
  private static let titleHeight = 28.0
  private static let laneHeight = 36.0

  private let timeline: SimulatedTimeline
  private let tracks: ArraySlice<SimulatedTimeline.Track>
  private let lanes: [Int]
  private let laneOf: [Int: Int]
  private let span: UInt64

  init(_ timeline: SimulatedTimeline) {
    self.timeline = timeline
    tracks = timeline.tracks.prefix(Self.trackLimit)
    lanes = Array(Set(timeline.cpus).sorted().prefix(Self.laneLimit))
    laneOf = Dictionary(uniqueKeysWithValues: lanes.enumerated().map { ($1, $0) })
    span = max(1, timeline.endNanoseconds.minus(timeline.startNanoseconds))
  }

  var isEmpty: Bool {
    lanes.isEmpty || tracks.allSatisfy { $0.slices.isEmpty && $0.marks.isEmpty }
  }

  /// How many slices, marks, CPUs and tracks are not drawn.
  var leftOut: Int {
    tracks.reduce(timeline.tracks.count - tracks.count + Set(timeline.cpus).count - lanes.count) {
      $0 + $1.slices.count - slices(of: $1).count + $1.marks.count - marks(of: $1).count
    }
  }

  private func slices(of track: SimulatedTimeline.Track) -> [SimulatedTimeline.Slice] {
    Array(track.slices.lazy.filter { laneOf[$0.cpu] != nil }.prefix(Self.itemLimit))
  }

  private func marks(of track: SimulatedTimeline.Track) -> [SimulatedTimeline.Mark] {
    Array(track.marks.lazy.filter { laneOf[$0.cpu] != nil }.prefix(Self.itemLimit))
  }

  // MARK: Drawing

  var svg: HTML {
    """
    <svg class="timeline versus" viewBox="0 0 \(Self.width) \(bottom + 24)" role="img" aria-label="The same call as recorded and \
    under \(tracks.count - 1) engines, over \(HTMLPiece.duration(span)); the table below has the same">
    <defs>
    <pattern id="versus-wait" patternUnits="userSpaceOnUse" width="6" height="6" patternTransform="rotate(45)">\
    <rect class="wait" width="6" height="6"/><rect class="wait-line" width="2" height="6"/></pattern>
    <pattern id="versus-other" patternUnits="userSpaceOnUse" width="4" height="4">\
    <rect class="other-ground" width="4" height="4"/><rect class="other-dot" width="2" height="2"/></pattern>
    <clipPath id="versus-clip"><rect x="\(Self.left)" y="0" width="\(Self.width - Self.left - Self.right + 8)" \
    height="\(bottom + 24)"/></clipPath>
    \(markers)</defs>
    \(tracks.enumerated().map { bands($1, y: y(track: $0)) }.joined())
    \(axis)
    <g clip-path="url(#versus-clip)">
    \(tracks.enumerated().map { draw($1, y: y(track: $0)) }.joined())</g>
    </svg>
    """
  }

  private var trackHeight: Double { Self.titleHeight + Double(lanes.count) * Self.laneHeight }
  private var bottom: Double { Self.top + Double(tracks.count) * trackHeight }

  private func y(track index: Int) -> Double { Self.top + Double(index) * trackHeight + Self.titleHeight }

  private func y(lane cpu: Int) -> Double { Double(laneOf[cpu] ?? 0) * Self.laneHeight }

  /// Nanoseconds from the window's begin, kept within the window.
  private func offset(_ time: UInt64) -> UInt64 { min(time.minus(timeline.startNanoseconds), span) }

  private func x(_ offset: UInt64) -> Double {
    Self.left + Double(offset) / Double(span) * (Self.width - Self.left - Self.right)
  }

  private static let arrows: [(kind: SimulatedTimeline.Mark.Kind, style: HTML)] = [
    (.interrupt, "ipi"), (.maskInterrupt, "mask"), (.pollerWoken, "polling"),
  ]

  private static func style(_ kind: SimulatedTimeline.Mark.Kind) -> HTML? {
    arrows.first { $0.kind == kind }?.style
  }

  private var markers: HTML {
    Self.arrows.map { _, style in
      """
      <marker id="versus-\(style)" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" \
      markerUnits="userSpaceOnUse" orient="auto"><path class="tip \(style)" d="M0 0.5L8 4L0 7.5z"/></marker>

      """ as HTML
    }.joined()
  }

  private func bands(_ track: SimulatedTimeline.Track, y top: Double) -> HTML {
    let title = TextTable.cut(SimulationWords.name(track), to: 80)
    let lanes: HTML = lanes.enumerated().map { index, cpu in
      let y = top + Double(index) * Self.laneHeight
      return """
        <rect class="lane\(index % 2 == 0 ? "" : " odd")" x="0" y="\(y)" width="\(Self.width)" height="\(Self.laneHeight)"/>\
        <text x="\(Self.left - 8)" y="\(y + Self.laneHeight / 2 + 4)" text-anchor="end">CPU \(cpu)</text>

        """ as HTML
    }.joined()
    return """
      <line class="axis" x1="0" x2="\(Self.width)" y1="\(top - Self.titleHeight + 4)" y2="\(top - Self.titleHeight + 4)"/>\
      <text class="title" x="8" y="\(top - 8)">\(visible: title)</text>
      \(lanes)
      """
  }

  private var axis: HTML {
    let step = TimelineDrawing.step(span)
    return (0...span / step).map { count in
      let offset = count * step
      return """
        <line class="grid" x1="\(x(offset))" x2="\(x(offset))" y1="\(Self.top - 6)" y2="\(bottom)"/>\
        <text x="\(x(offset))" y="\(Self.top - 12)" text-anchor="middle">+\(HTMLPiece.duration(offset))</text>\
        <text x="\(x(offset))" y="\(bottom + 16)" text-anchor="middle">+\(HTMLPiece.duration(offset))</text>

        """ as HTML
    }.joined()
  }

  private func draw(_ track: SimulatedTimeline.Track, y top: Double) -> HTML {
    // Handlers lie below what runs in them, and waiting over the call that waits.
    let order: [SimulatedTimeline.Slice.Kind] = [.handler, .call, .wait, .otherCallback, .callback]
    let slices = slices(of: track)
    let drawn = order.flatMap { kind in slices.filter { $0.kind == kind } }
    return """
      \(drawn.map { draw($0, y: top) }.joined())\(marks(of: track).map { draw($0, y: top) }.joined())
      """
  }

  private func draw(_ slice: SimulatedTimeline.Slice, y top: Double) -> HTML {
    let from = offset(slice.startNanoseconds)
    let to = max(from, slice.endNanoseconds.map(offset) ?? span)
    let (style, inset, height): (HTML, Double, Double) =
      switch slice.kind {
      case .handler: ("handler", 2, 17)
      case .otherCallback: ("other-callback", 4, 13)
      case .callback: ("callback", 4, 13)
      case .call: ("made", 21, 13)
      case .wait: ("waiting", 23, 9)
      }
    let y = top + y(lane: slice.cpu) + inset
    let wide = max(1, x(to) - x(from))
    let ends: HTML =
      slice.endNanoseconds.map { "\(HTMLPiece.duration($0.minus(slice.startNanoseconds)))" } ?? "does not end"
    let label = VisibleText.escape(slice.label, limit: 60)
    let named: HTML = label.isEmpty ? "" : " · \(visible: label)"
    let text: HTML
    switch slice.kind {
    case .callback where wide > 6.2 * Double(VisibleText.width(of: label)) + 6:
      text = "<text class=\"name\" x=\"\(x(from) + 4)\" y=\"\(y + 10)\">\(visible: label)</text>"
    case .otherCallback where wide > 6.2 * Double(VisibleText.width(of: label)) + 6,
      .wait where wide > 6.2 * Double(VisibleText.width(of: label)) + 24:
      text =
        "<text class=\"halo\" x=\"\(x(from) + 4)\" y=\"\(y + (slice.kind == .wait ? 8.5 : 10))\">\(visible: label)</text>"
    default: text = ""
    }
    let endless: HTML =
      slice.endNanoseconds == nil
      ? "<text class=\"halo endless\" x=\"\(x(to) - 4)\" y=\"\(y + 8)\" text-anchor=\"end\">∞</text>" : ""
    return """
      <g><rect class="slice \(style)" x="\(x(from))" y="\(y)" width="\(wide)" height="\(height)"/>\(text)\(endless)\
      <title>\(visible: SimulationWords.name(slice.kind))\(named) · CPU \(slice.cpu) · \
      +\(HTMLPiece.duration(slice.startNanoseconds.minus(timeline.startNanoseconds))) · \(ends)</title></g>

      """
  }

  private func draw(_ mark: SimulatedTimeline.Mark, y top: Double) -> HTML {
    let at = x(offset(mark.timeNanoseconds))
    let y = top + y(lane: mark.cpu)
    let target: HTML = mark.target.map { " → CPU \($0)" } ?? ""
    let title: HTML = """
      <title>\(visible: SimulationWords.name(mark.kind)) · CPU \(mark.cpu)\(target) · \
      +\(HTMLPiece.duration(mark.timeNanoseconds.minus(timeline.startNanoseconds)))</title>
      """
    let isRight = at > Self.width - Self.right - 60
    let shape: HTML
    switch mark.kind {
    case .queued: shape = "<circle class=\"queued\" cx=\"\(at)\" cy=\"\(y + 27.5)\" r=\"3.2\"/>"
    case .returned:
      shape = "<path class=\"returned\" d=\"M\(at) \(y + 21)V\(y + 34)L\(at - 8) \(y + 27.5)z\"/>"
    case .refused, .lost:
      shape = """
        <path class="cross" d="M\(at - 5) \(y + 4)L\(at + 5) \(y + 14)M\(at + 5) \(y + 4)L\(at - 5) \(y + 14)"/>\
        <text class="halo endless" x="\(isRight ? at - 8 : at + 8)" y="\(y + 13)" \
        text-anchor="\(isRight ? "end" : "start")">\(visible: SimulationWords.name(mark.kind))</text>
        """
    case .interrupt, .maskInterrupt, .pollerWoken:
      let style = Self.style(mark.kind) ?? "other"
      if let other = mark.target, let lane = laneOf[other], other != mark.cpu {
        let end = top + Double(lane) * Self.laneHeight + (lane < (laneOf[mark.cpu] ?? 0) ? 20 : 2)
        shape = "<path class=\"flow \(style)\" d=\"M\(at) \(y + 27.5)V\(end)\" marker-end=\"url(#versus-\(style))\"/>"
      } else {
        shape = "<path class=\"flow \(style)\" d=\"M\(at) \(y + 20)V\(y + 35)\"/>"
      }
    }
    return "<g>\(shape)\(title)</g>\n"
  }

  // MARK: Legend

  static var legend: HTML {
    let arrows: HTML = arrows.map { kind, style in
      """
      <span><svg viewBox="0 0 34 10" aria-hidden="true"><path class="flow \(style)" d="M1 5H26"/>\
      <path class="tip \(style)" d="M26 1L33 5L26 9z"/></svg> \(visible: SimulationWords.name(kind))</span>

      """ as HTML
    }.joined()
    let slices: HTML =
      ([
        (.handler, "handler"), (.callback, "callback"), (.otherCallback, "other-callback"), (.call, "made"),
        (.wait, "waiting"),
      ] as [(SimulatedTimeline.Slice.Kind, HTML)]).map { kind, style in
        """
        <span><svg viewBox="0 0 34 10" aria-hidden="true"><rect class="slice \(style)" x="1" y="1" width="28" height="8"/></svg> \
        \(visible: SimulationWords.name(kind))</span>

        """ as HTML
      }.joined()
    return """
      <p class="legend">\(slices)\(arrows)\
      <span><svg viewBox="0 0 34 10" aria-hidden="true"><circle class="queued" cx="15" cy="5" r="3.2"/></svg> queued</span>
      <span><svg viewBox="0 0 34 10" aria-hidden="true"><path class="returned" d="M18 0V10L9 5z"/></svg> returned</span>
      <span><svg viewBox="0 0 34 10" aria-hidden="true"><path class="cross" d="M11 1L19 9M19 1L11 9"/></svg> refused or \
      lost</span></p>
      """
  }
}
