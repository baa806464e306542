import Glibc
import TestSupport
import Testing
import TraceDecoding
import TraceTypes

@testable import TraceCapture

/// What a killed recorder leaves behind, made by hand: the live tests kill real ones.
@Suite struct RecoveryTests {
  private let directory = TemporaryDirectory()

  private var path: String { directory.path + "/trace.dat" }

  private static func header() -> TraceFileHeader {
    var header = TraceFileHeader()
    header.headerPage = Array(
      """
      \tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
      \tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
      \tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
      \tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;

      """.utf8)
    header.headerEvent = Array("# compressed entry header\n".utf8)
    header.systems = PageFixture.systems
    header.symbols = Array("ffffffff81000000 T do_it\nffffffff81000100 T after_it\n".utf8)
    header.tasks = [42: "worker"]
    header.statistics = ["", "", ""]
    header.facts?.enabledEvents = ["csd:csd_queue_cpu"]
    header.facts?.online = CPUMask(0...2)
    header.clocks = "local [mono]\n"
    (header.system, header.release, header.machine) = ("Linux", "6.12.8", "x86_64")
    return header
  }

  private static func page(at time: UInt64, events: Int = 1) -> [UInt8] {
    var page = PageBuilder(timestamp: time)
    for index in 0..<events {
      page.event(
        PageFixture.queue(
          callsite: 0xffff_ffff_8100_0010, function: 0xffff_ffff_8100_0104,
          csd: 0xffff_8881_0000_0040 + UInt64(index) * 64),
        delta: 10)
    }
    return page.bytes
  }

  /// Leaves a spool directory as it is when the process is gone; its lock is open then.
  private func leave(hidesAddresses: Bool = false, cpu0: [UInt8]?, cpu1: [UInt8]? = nil) throws -> String {
    let output = try OutputFile(path: path)
    try SpoolHead.write(Self.header(), hidesAddresses: hidesAddresses, to: output)
    for (cpu, bytes) in [cpu0, cpu1].enumerated() {
      guard let bytes else { continue }
      let spool = try PageSpool(of: output, cpu: cpu)
      try bytes.withUnsafeBytes { try spool.append($0) }
    }
    output.keep()
    return output.spool.path
  }

  private func recover(_ spool: String, to output: String? = nil) throws(CaptureError) -> CaptureSummary {
    try RecordingRecovery.recover(spool, to: output, hidesAddresses: false, storesAllSymbols: false) { _ in }
  }

  @Test func collectedPagesBecomeAFileThatSaysWhatIsMissing() throws {
    let spool = try leave(cpu0: Self.page(at: 100, events: 3) + Self.page(at: 500, events: 2), cpu1: Self.page(at: 200))
    let summary = try recover(spool)
    #expect(summary.output == path)
    #expect(summary.events == 6)
    #expect(summary.facts.isRecovered)
    #expect(directory.names == ["trace.dat"])
    let file = try TraceFile(path: path)
    #expect(file.symbols.name(0xffff_ffff_8100_0104) == "after_it+0x4")
    let stream = try MergedStream(file: file, buffer: file.analysisBuffer())
    var gaps = GapCollector()
    try stream.drain(into: &gaps)
    #expect(gaps.events == 6)
    // Behind the last event of each CPU, also of the one that had none, nobody knows what happened.
    #expect(gaps.gaps.map(\.cpu).sorted() == [0, 1, 2])
    #expect(gaps.gaps.allSatisfy { $0.beforeNanoseconds == nil && $0.lostEvents == nil })
    #expect(gaps.gaps.first { $0.cpu == 0 }?.afterNanoseconds == 520)
    if LiveKernel.hasTraceCmd {
      let report = try #require(RunningProgram.run("trace-cmd", ["report", path]))
      #expect(report.status == 0)
      #expect(report.output.split(separator: "\n").count { $0.contains("csd_queue_cpu") } == 6)
    }
  }

  /// A recorder is killed while it writes a page, or before the first.
  @Test(arguments: [0, 1, 15, 16, 4095, 4097, 8191])
  func pageThatIsNotWholeIsLeftOut(length: Int) throws {
    let pages = Self.page(at: 100, events: 2) + Self.page(at: 500, events: 3)
    let spool = try leave(cpu0: Array(pages.prefix(length)))
    #expect(try recover(spool).events == (length < 4096 ? 0 : 2))
  }

  @Test func addressesAreHiddenIfTheRecorderWasToldSo() throws {
    let spool = try leave(hidesAddresses: true, cpu0: Self.page(at: 100))
    _ = try recover(spool)
    let bytes = try #require(TextFile.bytes(path))
    let address = PageFixture.bytes(UInt64(0xffff_ffff_8100_0104))
    #expect(!(0..<bytes.count - 8).contains { bytes[$0..<$0 + 8].elementsEqual(address) })
    let file = try TraceFile(path: path)
    #expect(file.symbols.addresses(of: "after_it").count == 1)
  }

  @Test func whatIsThereIsNotReplacedUnlessItIsNamed() throws {
    let spool = try leave(cpu0: Self.page(at: 100))
    directory.write("precious", to: "trace.dat")
    #expect(throws: CaptureError.outputExists(path)) { try recover(spool) }
    #expect(TextFile.text(path) == "precious")
    #expect(directory.names.count == 2)
    #expect(try recover(spool, to: directory.path + "/other.dat").events == 1)
    #expect(directory.names == ["other.dat", "trace.dat"])
  }

  @Test func recorderAtWorkIsLeftAlone() throws {
    let output = try OutputFile(path: path)
    try SpoolHead.write(Self.header(), hidesAddresses: false, to: output)
    let place = try OutputPlace(path: directory.path + "/next.dat")
    #expect(SpoolDirectory.leftovers(in: place) == [])
    #expect(throws: CaptureError.noLeftover(output.spool.path, "its recorder is still at work")) {
      try recover(output.spool.path)
    }
    #expect(directory.names == [output.spool.name])
  }

  @Test func leftoversAreFoundAndOtherDirectoriesAreNot() throws {
    let spool = try leave(cpu0: nil)
    for name in [".trace.dat.ipitrace-", ".ipitrace-abcdef", "trace.dat.ipitrace-abcdef", ".x.ipitrace-toolong"] {
      mkdir(directory.path + "/" + name, 0o700)
    }
    mkdir(directory.path + "/.open.ipitrace-abcdef", 0o777)
    chmod(directory.path + "/.open.ipitrace-abcdef", 0o777)
    symlink(spool, directory.path + "/.link.ipitrace-abcdef")
    let found = SpoolDirectory.leftovers(in: try OutputPlace(path: directory.path + "/next.dat"))
    #expect(found.map { directory.path + "/" + $0 } == [spool])
  }

  @Test func whatIsNoLeftoverIsRefused() throws {
    mkdir(directory.path + "/.open.ipitrace-abcdef", 0o777)
    chmod(directory.path + "/.open.ipitrace-abcdef", 0o777)
    mkdir(directory.path + "/.empty.ipitrace-abcdef", 0o700)
    for (name, reason) in [
      ("plain", "its name is not .OUTPUT.ipitrace-XXXXXX"),
      (".missing.ipitrace-abcdef", "No such file or directory"),
      (".open.ipitrace-abcdef", "it belongs to somebody else, or others may write to it"),
      (".empty.ipitrace-abcdef", "it was killed before it recorded anything"),
    ] {
      let path = directory.path + "/" + name
      #expect(throws: CaptureError.noLeftover(path, reason)) { try recover(path) }
    }
    #expect(directory.names.count == 2)
  }

  /// A link among the files of a leftover leads nowhere.
  @Test func linksInALeftoverAreNotFollowed() throws {
    let spool = try leave(cpu0: nil)
    let secret = directory.write(String(repeating: "x", count: 4096), to: "secret")
    symlink(secret, spool + "/cpu0")
    #expect(try recover(spool).events == 0)
    #expect(TextFile.text(secret)?.count == 4096)
  }

  /// Whatever a disk made of the head: one error with a place, or a file; never a trap.
  @Test func damagedHeadsAreErrors() throws {
    var random = RepeatableRandom.forTest()
    let whole = TraceFileWriter.header(Self.header(), pageBytes: [0, 0, 0])
    var failures = 0
    for round in 0..<RepeatableRandom.places(150) {
      var bytes = whole
      if round % 2 == 0 {
        bytes = Array(bytes.prefix(random.below(bytes.count)))
      } else {
        for _ in 0..<(1 + random.below(4)) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      }
      let path = directory.path + "/head"
      let file = try #require(FileDescriptor(opening: path, O_RDWR | O_CREAT | O_TRUNC, mode: 0o600))
      #expect(bytes.withUnsafeBytes { file.write($0) } == 0)
      do throws(CaptureError) {
        let (header, _) = try TraceFileReader.read(file, path: path)
        _ = try RecordedFormats(header.systems)
      } catch {
        guard case .malformedFile(_, let offset, let reason) = error else {
          Issue.record("\(error), seed \(random.seed)")
          continue
        }
        #expect(offset <= UInt64(bytes.count) && !reason.isEmpty)
        failures += 1
      }
    }
    #expect(failures >= 75)
  }

  /// A small file that claims the same page for each of many CPUs would become a large one.
  @Test func pagesOfSeveralCPUsAreRefused() throws {
    let page = Self.page(at: 1_000)
    let count = 100
    var bytes = TraceFileWriter.header(Self.header(), pageBytes: [UInt64](repeating: UInt64(page.count), count: count))
    let start = UInt64(bytes.count)
    let table = try #require(bytes.firstRange(of: Array("flyrecord\0".utf8))).upperBound
    for cpu in 0..<count {
      bytes.replaceSubrange(table + cpu * 16..<table + cpu * 16 + 8, with: ByteBuilder.bytes(start))
    }
    let original = directory.path + "/original.dat"
    try #require(TestFile.write(bytes + page, to: original))
    let error = #expect(throws: CaptureError.self) {
      try RecordingRecovery.hideAddresses(of: original, in: path) { _ in }
    }
    #expect(error?.description.contains("another CPU's as well") == true, "\(String(describing: error))")
    #expect(directory.names == ["original.dat"])
  }

  @Test func fileOfAnotherRecorderIsRefused() throws {
    for name in ["captures/guest-arm64-6.12-hotplug.dat", "README.md"] {
      let error = #expect(throws: CaptureError.self) {
        try RecordingRecovery.hideAddresses(of: Fixtures.path(name), in: path) { _ in }
      }
      #expect(error?.description.contains(name) == true)
      #expect(directory.names == [])
    }
  }
}

private struct GapCollector: TraceEventConsumer {
  var events = 0
  var gaps: [TraceGap] = []
  mutating func consume(_ events: Span<TraceEvent>, maskWords: Span<UInt64>) { self.events += events.count }
  mutating func gapBegan(_ gap: TraceGap) { gaps.append(gap) }
}

/// Where a recording grows, and somebody else is at work in the directory above.
@Suite struct SpoolDirectoryTests {
  @Test func recordingIsForItsOwnerOnly() throws {
    let directory = TemporaryDirectory()
    chmod(directory.path, 0o777)
    umask(0)
    let output = try OutputFile(path: directory.path + "/trace.dat")
    let spool = try PageSpool(of: output, cpu: 0)
    try output.append([1])
    umask(0o022)
    var status = stat()
    stat(output.spool.path, &status)
    #expect(status.st_mode & 0o777 == 0o700)
    for file in output.spool.files {
      stat(output.spool.path + "/" + file, &status)
      #expect(status.st_mode & 0o777 == 0o600)
    }
    #expect(spool.size == 0)
  }

  /// Who may write to the directory above can move ours away and put a link in its place: the recording goes on in ours.
  @Test func swappedDirectoryLeadsNowhere() throws {
    let directory = TemporaryDirectory()
    mkdir(directory.path + "/victim", 0o700)
    directory.write("precious", to: "victim/cpu0")
    directory.write("precious", to: "victim/whole")
    let output = try OutputFile(path: directory.path + "/trace.dat")
    rename(output.spool.path, directory.path + "/moved")
    symlink(directory.path + "/victim", output.spool.path)
    let spool = try PageSpool(of: output, cpu: 0)
    try [UInt8](repeating: 1, count: 4096).withUnsafeBytes { try spool.append($0) }
    try output.append([7])
    try output.commit()
    #expect(TextFile.text(directory.path + "/victim/cpu0") == "precious")
    #expect(TextFile.text(directory.path + "/victim/whole") == "precious")
    #expect(TextFile.bytes(directory.path + "/trace.dat") == [7])
  }

  @Test func fileFollowsADirectoryThatIsRenamed() throws {
    let directory = TemporaryDirectory()
    mkdir(directory.path + "/before", 0o700)
    let output = try OutputFile(path: directory.path + "/before/trace.dat")
    try output.append([7])
    rename(directory.path + "/before", directory.path + "/after")
    try output.commit()
    #expect(listing(directory.path + "/after") == ["trace.dat"])
  }

  @Test func removedDirectoryIsNoticedAndTold() throws {
    let directory = TemporaryDirectory()
    mkdir(directory.path + "/gone", 0o700)
    let path = directory.path + "/gone/trace.dat"
    let output = try OutputFile(path: path)
    try output.append([7])
    #expect(!output.spool.place.isGone)
    #expect(RunningProgram.run("rm", ["-rf", directory.path + "/gone"])?.status == 0)
    #expect(output.spool.place.isGone)
    #expect(throws: CaptureError.outputNotWritable(path, ENOENT)) { try output.commit() }
    #expect(directory.names == [])
  }

  /// What can't be put in its place is not thrown away.
  @Test func recordingIsKeptWhereItsPlaceIsTaken() throws {
    let directory = TemporaryDirectory()
    let path = directory.path + "/trace.dat"
    var output: OutputFile? = try OutputFile(path: path)
    let spool = try #require(output?.spool.path)
    try output?.append([7])
    mkdir(path, 0o700)
    #expect(throws: CaptureError.outputNotReplaced(path, EISDIR, kept: spool)) { try output?.commit() }
    output = nil
    #expect(TextFile.bytes(spool + "/whole") == [7])
  }
}
