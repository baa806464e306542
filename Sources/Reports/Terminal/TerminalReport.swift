public import Verdicts

/// A result as text for a terminal.
public struct TerminalReport: Sendable {
  public static let defaultWidth = 100
  static let narrowest = 60
  static let widest = 160

  /// Columns of the page. Tables get narrower as far as they can; numbers are never cut.
  public let width: Int
  public let style: TerminalStyle

  /// - Parameter width: brought into 60 … 160.
  public init(width: Int = TerminalReport.defaultWidth, style: TerminalStyle = .plain) {
    self.width = min(max(width, Self.narrowest), Self.widest)
    self.style = style
  }

  /// The report, every line ended by a newline.
  public func render(_ result: ReplayResult) -> String {
    var page = TextPage(width: width, style: style)
    writeSummary(result, to: &page)
    writeHealth(result, to: &page)
    writeVerdict(result.verdict, to: &page)
    writeDivergences(result.verdict, to: &page)
    writeCalls(result, to: &page)
    writeLatency(result.latency, to: &page)
    writeMatrix(result.matrix, to: &page)
    writeInterference(result.interference, to: &page)
    writeBlocking(result.blocking, to: &page)
    writeSimulation(result, to: &page)
    return page.text
  }
}
