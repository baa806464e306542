import ArgumentParser
import Reports
import TraceDecoding
import TraceTypes

/// `ipitrace dump`: what the decoder makes of a trace, for finding out where something went wrong.
struct DumpCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dump", abstract: "Print a trace's events as the decoder sees them.", shouldDisplay: false)

  @Argument(help: "The trace file.", completion: .file())
  var trace: String

  @Option(help: "Print only this stretch, two times in nanoseconds on the trace's clock: FROM-TO.")
  var timeline: TimeRangeArgument?

  func run() throws {
    do {
      let file = try TraceFile(path: trace)
      let stream = try MergedStream(
        file: file, buffer: file.analysisBuffer(), from: timeline?.range.lowerBound, through: timeline?.range.upperBound
      )
      var printer = try EventPrinter(
        text: EventText(names: file.symbols, commands: file.commands), output: OutputFile(path: "-"))
      try stream.drain(into: &printer)
      try printer.finish()
    } catch let error as TraceFileError {
      StandardError.complain("ipitrace dump: \(VisibleText.escape(error.description, limit: 2_000))")
      throw ExitCode(3)
    }
  }
}

/// Prints events and gaps, a line each. The first error ends the printing and is thrown at the end.
struct EventPrinter: TraceEventConsumer {
  let text: EventText
  let output: OutputFile
  private var bytes: [UInt8] = []
  private var error: OutputError?

  init(text: EventText, output: OutputFile) {
    self.text = text
    self.output = output
  }

  mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) {
    for index in events.indices { put(text.line(for: events[index], maskWords: maskWords)) }
  }

  mutating func gapBegan(_ gap: TraceGap) { put(text.line(for: gap)) }

  private mutating func put(_ line: String) {
    if error != nil { return }
    bytes += line.utf8
    bytes.append(UInt8(ascii: "\n"))
    if bytes.count >= 1 << 16 { flush() }
  }

  private mutating func flush() {
    do { try output.write(bytes) } catch { self.error = error }
    bytes.removeAll(keepingCapacity: true)
  }

  mutating func finish() throws(OutputError) {
    if error == nil { flush() }
    if let error { throw error }
    try output.commit()
  }
}
