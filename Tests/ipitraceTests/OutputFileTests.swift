import Glibc
import TestSupport
import Testing

@testable import ipitrace

@Suite("An output, written by a thread of its own")
struct OutputFileTests {
  private let directory = TemporaryDirectory()
  private var path: String { directory.path + "/out" }

  private func block(_ value: UInt8, _ count: Int = OutputFile.blockSize) -> [UInt8] {
    Array(repeating: value, count: count)
  }

  @Test func whatIsTakenAndWhatIsWrittenKeepTheirOrder() throws {
    let file = try OutputFile(path: path)
    var expected: [UInt8] = []
    for round in UInt8(0)..<20 {
      var taken = block(round)
      expected += taken
      try file.take(&taken)
      #expect(taken.isEmpty)
      guard round % 5 == 4 else { continue }
      try file.write(block(100 + round, 7))
      expected += block(100 + round, 7)
    }
    #expect(directory.names == [])
    try file.commit()
    #expect(TestFile.read(path) == expected)
  }

  @Test func anOutputThatIsNotCommittedLeavesNothing() throws {
    directory.write("before", to: "out")
    for count in [1, 2, 30] {
      let file = try OutputFile(path: path)
      for _ in 0..<count {
        var taken = block(1)
        try file.take(&taken)
      }
    }
    #expect(directory.names == ["out"])
    #expect(TestFile.read(path) == Array("before".utf8))
  }

  @Test func anErrorComesWithTheNextWriteOrTheCommit() throws {
    let full = OutputError(path: "/dev/full", number: ENOSPC)
    for taken in 1...3 * BlockWriter.blockCount {
      let file = try OutputFile(path: "/dev/full")
      var told = 0
      for _ in 0..<taken {
        var one = block(1)
        do { try file.take(&one) } catch {
          #expect(error.description == full.description)
          told += 1
        }
      }
      #expect(told >= taken - BlockWriter.blockCount)
      if taken.isMultiple(of: 2) {
        let error = #expect(throws: OutputError.self) { try file.write([1]) }
        #expect(error?.description == full.description)
      }
      let error = #expect(throws: OutputError.self) { try file.commit() }
      #expect(error?.description == full.description)
    }
  }
}
