import Glibc
import TestSupport
import Testing

@testable import TraceCapture

/// Captures of which every event is explained, cut as a recorder cuts pieces, or as one that is killed leaves them: no
/// part of the truth makes a divergence.
@Suite struct CutCaptureTests {
  static let captures = [
    "guest-6.12-8cpu-hotplug.dat", "guest-6.12-8cpu-storm.dat", "guest-6.12-idle-poll.dat", "guest-6.12-overrun.dat",
    "guest-6.12-4cpu-dying.dat", "host-6.18-2cpu.dat",
  ]

  private let live = LiveRecorder()

  private func read(_ name: String) throws -> (header: TraceFileHeader, pages: [RecordedPages]) {
    let path = Fixtures.path("captures/\(name)")
    return try TraceFileReader.read(#require(FileDescriptor(opening: path, O_RDONLY)), path: path)
  }

  /// Copies a CPU's pages into a spool, as many of them as are wanted.
  private func spool(_ pages: RecordedPages, bytes: UInt64? = nil, cpu: Int, of output: OutputFile) throws -> PageSpool
  {
    let spool = try PageSpool(of: output, cpu: cpu)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(min(bytes ?? .max, pages.size)), alignment: 16)
    defer { buffer.deallocate() }
    #expect(pages.file.read(into: buffer, at: pages.start) == buffer.count)
    try spool.append(UnsafeRawBufferPointer(buffer))
    return spool
  }

  private func write(
    _ header: TraceFileHeader, _ pages: [Int: RecordedPages], isCutShort: Bool, to output: OutputFile
  ) throws -> JSONValue {
    var assembly = CaptureAssembly(
      header: header, symbols: KernelSymbols(header.symbols), formats: try RecordedFormats(header.systems),
      pages: pages)
    assembly.asksForTasks = false
    assembly.isCutShort = isCutShort
    let outcome = try assembly.write(to: output)
    let trace = try live.replay(output.path)
    #expect(trace["trace"]["events"]["total"] == .integer(outcome.events))
    return trace
  }

  @Test(arguments: captures) func piecesOfAConformingCaptureDoNotDiverge(name: String) throws {
    let (header, pages) = try read(name)
    let whole = try live.replay(Fixtures.path("captures/\(name)"))
    guard case .integer(let start) = whole["trace"]["startNanoseconds"],
      case .integer(let end) = whole["trace"]["endNanoseconds"],
      case .integer(let total) = whole["trace"]["events"]["total"]
    else { return #expect(Bool(false)) }
    #expect(whole["verdict"]["result"] != .string("diverges"))
    var random = RepeatableRandom.forTest()
    for round in 0..<RepeatableRandom.places(5) {
      let time = UInt64.random(in: start...end, using: &random)
      let outputs = try ["first", "second"].map { try OutputFile(path: live.directory.path + "/\($0).\(round)") }
      var parts: [[Int: RecordedPages]] = [[:], [:]]
      for (cpu, pages) in pages.enumerated() where pages.size > 0 {
        let old = try spool(pages, cpu: cpu, of: outputs[0])
        var next: PageSpool?
        try PieceCut.moveEvents(laterThan: time, of: cpu, from: old, pageSize: header.pageSize) {
          () throws(CaptureError) in
          if let next { return next }
          let new = try PageSpool(of: outputs[1], cpu: cpu)
          next = new
          return new
        }
        parts[0][cpu] = old.pages
        parts[1][cpu] = next?.pages
      }
      var events: UInt64 = 0
      for (part, output) in zip(parts, outputs) {
        let trace = try write(header, part, isCutShort: false, to: output)
        #expect(trace["verdict"]["result"] != .string("diverges"), "cut at \(time), seed \(random.seed)")
        if case .integer(let count) = trace["trace"]["events"]["total"] { events += count }
      }
      #expect(events == total, "cut at \(time), seed \(random.seed)")
    }
  }

  /// A killed recorder has read each CPU up to another time, and some not at all.
  @Test(arguments: captures) func whatAKilledRecorderLeavesDoesNotDiverge(name: String) throws {
    let (header, pages) = try read(name)
    var random = RepeatableRandom.forTest()
    for round in 0..<RepeatableRandom.places(5) {
      let output = try OutputFile(path: live.directory.path + "/killed.\(round)")
      var part: [Int: RecordedPages] = [:]
      for (cpu, pages) in pages.enumerated() {
        let count = UInt64.random(in: 0...pages.size / UInt64(header.pageSize), using: &random)
        part[cpu] = try spool(pages, bytes: count * UInt64(header.pageSize), cpu: cpu, of: output).pages
      }
      let trace = try write(header, part, isCutShort: true, to: output)
      #expect(trace["verdict"]["result"] != .string("diverges"), "round \(round), seed \(random.seed)")
      guard case .array(let health) = trace["health"] else { return #expect(Bool(false)) }
      #expect(health.contains { $0["name"] == .string("recorderKilled") })
    }
  }
}
