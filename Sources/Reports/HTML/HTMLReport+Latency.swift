import Glibc
import Verdicts

extension HTMLReport {
  /// Percentiles of every stretch of a call's way, and their histograms on one common axis.
  static func latency(_ latency: LatencySplit) -> Section {
    let splits = LatencyWords.all(latency)
    var table = HTMLTable(
      "Percentiles of latency",
      [
        .init("stretch", .header), .init("count", .number), .init("min", .number), .init("p50", .number),
        .init("p90", .number), .init("p99", .number), .init("p99.9", .number), .init("max", .number),
        .init("sum", .number),
      ])
    for split in splits {
      let summary = split.distribution.summary
      table.add([
        "\(visible: split.name)", HTMLPiece.count(summary.count), HTMLPiece.duration(summary.minNanoseconds),
        HTMLPiece.duration(summary.p50Nanoseconds), HTMLPiece.duration(summary.p90Nanoseconds),
        HTMLPiece.duration(summary.p99Nanoseconds), HTMLPiece.duration(summary.p999Nanoseconds),
        HTMLPiece.duration(summary.maxNanoseconds), HTMLPiece.duration(summary.sumNanoseconds),
      ])
    }
    var figures = HTML()
    if let axis = LogAxis(splits.flatMap { $0.distribution.histogram.prefix(binLimit) }) {
      figures = splits.map { histogram($0, on: axis) }.joined()
      figures = """
        <p class="soft">All histograms share one logarithmic axis, so that they can be compared. Bars are drawn at least \
        one pixel high, so that a single late call shows.</p>
        <div class="histograms">\(figures)</div>
        """
    }
    return Section(
      identifier: "latency", title: "Latency", note: "Where the time of queued calls went",
      body: "\(table.html)\(figures)")
  }

  /// A histogram has four bins an octave; more than these are of no resolution a drawing could show.
  private static let binLimit = 320

  private static func histogram(_ split: LatencyWords, on axis: LogAxis) -> HTML {
    let summary = split.distribution.summary
    let height = 96.0
    let top = 18.0
    let base = top + height
    let bins = split.distribution.histogram.prefix(binLimit).filter { $0.count > 0 }
    let most = Double(bins.map(\.count).max() ?? 1)
    var bars = HTML()
    for bin in bins {
      let from = axis.x(bin.fromNanoseconds)
      let width = max(1, axis.x(bin.toNanoseconds) - from - 0.5)
      let tall = max(1, height * Double(bin.count) / most)
      bars += """
        <rect class="fill" x="\(from)" y="\(base - tall)" width="\(width)" height="\(tall)"><title>\
        \(HTMLPiece.duration(bin.fromNanoseconds)) to \(HTMLPiece.duration(bin.toNanoseconds)): \
        \(HTMLPiece.count(bin.count))</title></rect>

        """
    }
    var marks = HTML()
    for (name, value) in [("p50", summary.p50Nanoseconds), ("p99", summary.p99Nanoseconds)] {
      guard let value else { continue }
      let x = axis.x(value)
      marks += """
        <line class="mark" x1="\(x)" x2="\(x)" y1="\(top - 4)" y2="\(base)"/>\
        <text class="mark" x="\(x)" y="\(top - 7)" text-anchor="middle">\(visible: name)</text>

        """
    }
    var ticks = HTML()
    for tick in axis.ticks {
      let x = axis.x(tick)
      ticks += """
        <line class="grid" x1="\(x)" x2="\(x)" y1="\(top)" y2="\(base + 4)"/>\
        <text x="\(x)" y="\(base + 17)" text-anchor="middle">\(visible: LogAxis.label(tick))</text>

        """
    }
    let spoken: HTML =
      summary.count == 0
      ? "no durations"
      : """
      \(HTMLPiece.count(summary.count)) durations, median \(HTMLPiece.duration(summary.p50Nanoseconds)), 99th percentile \
      \(HTMLPiece.duration(summary.p99Nanoseconds)), longest \(HTMLPiece.duration(summary.maxNanoseconds))
      """
    return """
      <figure class="histogram">
      <figcaption><b>\(visible: split.name)</b> <span class="soft">\(visible: split.meaning)</span></figcaption>
      <svg viewBox="0 0 \(LogAxis.width) 138" role="img" aria-label="Histogram of \(visible: split.name): \(spoken)">
      \(ticks)\(bars)<line class="axis" x1="0" x2="\(LogAxis.width)" y1="\(base)" y2="\(base)"/>
      \(marks)\(summary.count == 0 ? "<text class=\"empty\" x=\"180\" y=\"70\" text-anchor=\"middle\">none</text>" : "")
      </svg></figure>

      """
  }
}

/// A logarithmic axis of durations.
struct LogAxis {
  static let width = 360.0
  private static let margin = 20.0

  private let low: Double
  private let high: Double
  /// Powers of ten within the axis, in nanoseconds, at most eight.
  let ticks: [UInt64]

  /// An axis that holds all bins, and at least one decade.
  /// - Returns: nil when no bin counts anything.
  init?(_ bins: [DurationDistribution.Bin]) {
    let filled = bins.filter { $0.count > 0 }
    guard let first = filled.map(\.fromNanoseconds).min(), let last = filled.map(\.toNanoseconds).max() else {
      return nil
    }
    low = log10(Double(max(first, 1)))
    high = max(log10(Double(max(last, 1))), low + 1)
    var powers: [UInt64] = []
    var power: UInt64 = 1
    for exponent in 0..<20 {
      if Double(exponent) >= low - 0.01, Double(exponent) <= high + 0.01 { powers.append(power) }
      let next = power.multipliedReportingOverflow(by: 10)
      if next.overflow { break }
      power = next.partialValue
    }
    let step = powers.count / 8 + 1
    ticks = powers.enumerated().filter { $0.offset % step == 0 }.map(\.element)
  }

  /// Where a duration lies; 0 ns lies where 1 ns does.
  func x(_ nanoseconds: UInt64) -> Double {
    let share = (log10(Double(max(nanoseconds, 1))) - low) / (high - low)
    return Self.margin + min(max(share, 0), 1) * (Self.width - 2 * Self.margin)
  }

  /// A power of ten with its unit: `100 µs`.
  static func label(_ nanoseconds: UInt64) -> String {
    for (unit, name) in [(UInt64(1_000_000_000), "s"), (1_000_000, "ms"), (1_000, "µs")] where nanoseconds >= unit {
      return "\(Quantity.count(nanoseconds / unit)) \(name)"
    }
    return "\(nanoseconds) ns"
  }
}
