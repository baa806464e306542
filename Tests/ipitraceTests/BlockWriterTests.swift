import Dispatch
import Glibc
import TestSupport
import Testing

@testable import ipitrace

/// A thread that writes: the same bytes in the same order, no more of them in memory than said, and no error lost.
@Suite struct BlockWriterTests {
  private let directory = TemporaryDirectory()

  private func opened(_ path: String, _ flags: CInt = O_WRONLY | O_CREAT | O_TRUNC) throws -> CInt {
    let descriptor = open(path, flags | O_CLOEXEC, 0o600)
    try #require(descriptor >= 0)
    return descriptor
  }

  @Test(arguments: [false, true])
  func blocksArriveInTheirOrder(willBeSynced: Bool) throws {
    let path = directory.path + "/out"
    let descriptor = try opened(path)
    defer { close(descriptor) }
    let writer = BlockWriter(descriptor: descriptor, willBeSynced: willBeSynced)
    var random = RepeatableRandom(seed: 11)
    var expected: [UInt8] = []
    for _ in 0..<200 {
      // Empty ones too, and some that are longer than what is kept.
      let length = random.below(20) == 0 ? 1_100_000 : random.below(5) == 0 ? 0 : random.below(100_000)
      var block = [UInt8](repeating: UInt8(truncatingIfNeeded: random.next()), count: length)
      expected += block
      #expect(writer.take(&block) == nil)
      #expect(block.isEmpty)
    }
    #expect(writer.end() == nil)
    #expect(writer.end() == nil)
    #expect(TestFile.read(path) == expected)
  }

  /// Who fills blocks is held up while nobody takes what is written.
  @Test func noMoreThanAFewBlocksWait() throws {
    var ends: [CInt] = [-1, -1]
    try #require(pipe(&ends) == 0)
    let (reading, writing) = (ends[0], ends[1])
    // Longer than what the pipe holds.
    let length = 1 << 20
    let count = 12
    let taken = DispatchSemaphore(value: 0)
    let done = DispatchSemaphore(value: 0)
    DispatchQueue(label: "test.blocks").async {
      let writer = BlockWriter(descriptor: writing, willBeSynced: false)
      for index in 0..<count {
        var block = [UInt8](repeating: UInt8(index), count: length)
        if writer.take(&block) == nil { taken.signal() }
      }
      if writer.end() == nil { done.signal() }
      close(writing)
    }
    for _ in 0..<BlockWriter.blockCount { #expect(taken.wait(timeout: .now() + 20) == .success) }
    #expect(taken.wait(timeout: .now() + 0.2) == .timedOut)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let got = read(reading, &buffer, buffer.count)
      if got <= 0 { break }
      bytes += buffer[..<got]
    }
    close(reading)
    #expect(done.wait(timeout: .now() + 20) == .success)
    #expect(bytes == (0..<count).flatMap { [UInt8](repeating: UInt8($0), count: length) })
  }

  @Test func aFullDiskIsToldOfFromThenOn() throws {
    let descriptor = try opened("/dev/full", O_WRONLY)
    defer { close(descriptor) }
    let writer = BlockWriter(descriptor: descriptor, willBeSynced: false)
    var told = 0
    for _ in 0..<3 * BlockWriter.blockCount {
      var block: [UInt8] = [1, 2, 3]
      guard let error = writer.take(&block) else { continue }
      #expect(error == ENOSPC)
      #expect(block == [1, 2, 3])
      told += 1
    }
    #expect(told >= 2 * BlockWriter.blockCount)
    #expect(writer.end() == ENOSPC)
    #expect(writer.end() == ENOSPC)
  }

  /// The last blocks' errors come at the end, when nothing follows.
  @Test func anErrorOfTheLastBlockIsNotLost() throws {
    let descriptor = try opened("/dev/full", O_WRONLY)
    defer { close(descriptor) }
    let writer = BlockWriter(descriptor: descriptor, willBeSynced: false)
    var block: [UInt8] = [1]
    #expect(writer.take(&block) == nil)
    #expect(writer.end() == ENOSPC)
  }

  /// What follows an error would stand in the wrong place, even if it could be written again.
  @Test func nothingIsWrittenBehindAnError() throws {
    // Until something is read, a pipe that does not wait refuses what it has no room for.
    var ends: [CInt] = [-1, -1]
    try #require(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    for end in ends { try #require(fcntl(end, F_SETFL, O_NONBLOCK) == 0) }
    let writer = BlockWriter(descriptor: ends[1], willBeSynced: false)
    var long = [UInt8](repeating: 1, count: 1 << 20)
    #expect(writer.take(&long) == nil)
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      var block: [UInt8] = [2]
      if writer.take(&block) != nil { break }
    }
    while read(ends[0], &buffer, buffer.count) > 0 { #expect(!buffer.contains(2)) }
    #expect(writer.end() == EAGAIN)
    #expect(read(ends[0], &buffer, buffer.count) < 0)
  }

  @Test func whoIsDroppedHasWritten() throws {
    let path = directory.path + "/out"
    let descriptor = try opened(path)
    var writer: BlockWriter? = BlockWriter(descriptor: descriptor, willBeSynced: true)
    for index in 0..<3 {
      var block = [UInt8](repeating: UInt8(index), count: 300_000)
      #expect(writer?.take(&block) == nil)
    }
    writer = nil
    close(descriptor)
    #expect(TestFile.read(path)?.count == 900_000)
  }
}
