import Glibc
import TestSupport
import Testing

@testable import TraceCapture

@Suite struct PieceCutTests {
  private func cut(
    _ pages: [UInt8], at time: UInt64
  ) throws -> (before: [UInt8], after: [UInt8]?) {
    let directory = TemporaryDirectory()
    let first = try OutputFile(path: directory.path + "/1")
    let second = try OutputFile(path: directory.path + "/2")
    let spool = try PageSpool(of: first, cpu: 0)
    try pages.withUnsafeBytes { try spool.append($0) }
    var next: PageSpool?
    try PieceCut.moveEvents(laterThan: time, of: 0, from: spool, pageSize: 4096) { () throws(CaptureError) in
      if let next { return next }
      let new = try PageSpool(of: second, cpu: 0)
      next = new
      return new
    }
    // What is appended afterwards must follow what was left.
    #expect(spool.size == spool.file.size)
    return (try content(spool), try next.map(content))
  }

  private func content(_ spool: PageSpool) throws -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(spool.size), alignment: 16)
    defer { buffer.deallocate() }
    #expect(spool.file.read(into: buffer, at: 0) == buffer.count)
    return Array(buffer)
  }

  private func losses(_ pages: [UInt8]) -> [UInt64?] {
    stride(from: 0, to: pages.count, by: 4096).compactMap { start -> UInt64?? in
      Array(pages[start..<start + 4096]).withUnsafeBytes { page in
        PageHeader.hasLost(page) ? .some(PageHeader.lostCount(page)) : nil
      }
    }
  }

  @Test func eachEventIsInOnePieceAndOnItsSide() throws {
    var random = RepeatableRandom.forTest()
    for _ in 0..<RepeatableRandom.places(150) {
      var time: UInt64 = 1 << 30
      var pages: [UInt8] = []
      for _ in 0..<(1 + random.below(5)) { pages += PageFixture.randomPage(after: &time, &random).bytes }
      let all = PageFixture.events(of: pages)
      // Between events, at one, before the first and behind the last.
      let at =
        random.chance(0.1) ? (random.chance(0.5) ? 0 : .max) : all.isEmpty ? 7 : all[random.below(all.count)].time
      let (before, after) = try cut(pages, at: at)
      let (first, second) = (PageFixture.events(of: before), PageFixture.events(of: after ?? []))
      #expect(first.map(\.time) + second.map(\.time) == all.map(\.time), "seed \(random.seed)")
      #expect(first.map(\.record) + second.map(\.record) == all.map(\.record), "seed \(random.seed)")
      #expect(first.allSatisfy { $0.time <= at } && second.allSatisfy { $0.time > at }, "seed \(random.seed)")
      // Each loss is told once, with its number if there was one.
      #expect(losses(before) + losses(after ?? []) == losses(pages), "seed \(random.seed)")
    }
  }

  @Test func nothingLaterLeavesEverythingAsItWas() throws {
    var page = PageBuilder(timestamp: 100)
    page.event([1, 2, 3, 4], delta: 5)
    let (before, after) = try cut(page.bytes, at: 105)
    #expect(before == page.bytes)
    #expect(after == nil)
  }

  @Test func damagedPageIsToldAndNothingIsLost() throws {
    var page = [UInt8](repeating: 0, count: 4096)
    page[8] = 200
    page[16] = 28
    page[17] = 0xff
    // An event of 112 bytes, and behind it nothing but a length of 0.
    #expect(throws: CaptureError.self) { try cut(page, at: 1 << 60) }
  }
}

@Suite struct RecordingPiecesTests {
  @Test func numbersGoOnBehindThoseThatAreThere() throws {
    let directory = TemporaryDirectory()
    for name in ["trace.dat.000007", "trace.dat.7", "trace.dat.00000x", "other.000099", "trace.dat"] {
      directory.write("", to: name)
    }
    var pieces = RecordingPieces(PieceOptions(bytes: 1), place: try OutputPlace(path: directory.path + "/trace.dat"))
    #expect(pieces.next().path == directory.path + "/trace.dat.000008")
    #expect(pieces.current == 8)
    #expect(pieces.next().path == directory.path + "/trace.dat.000009")
  }

  @Test func onlyTheLastOnesOfThisRecordingAreKept() throws {
    let directory = TemporaryDirectory()
    directory.write("old", to: "trace.dat.000001")
    var pieces = RecordingPieces(
      PieceOptions(bytes: 1, kept: 2), place: try OutputPlace(path: directory.path + "/trace.dat"))
    for _ in 0..<4 {
      let place = pieces.next()
      directory.write("new", to: place.name)
      pieces.completed(place)
    }
    #expect(directory.names == ["trace.dat.000001", "trace.dat.000004", "trace.dat.000005"])
    #expect(pieces.count == 2)
  }
}
