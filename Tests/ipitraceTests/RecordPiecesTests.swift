import Glibc
import TestSupport
import Testing
import TraceTypes

/// Recordings in pieces, of the machine that runs the tests.
@Suite(.serialized, .enabled(if: LiveKernel.canRecord && LiveKernel.hasSeveralCPUs)) struct RecordPiecesTests {
  private let live = LiveRecorder()

  private func pieces() -> [String] { live.directory.names.map { live.directory.path + "/" + $0 } }

  private func number(_ value: JSONValue) -> Int? {
    if case .integer(let number) = value { Int(number) } else { nil }
  }

  /// The kernel counts the events that were read from its buffers, from the first to the last piece.
  @Test(.enabled(if: LiveKernel.hasTraceCmd)) func nothingIsLostBetweenPieces() throws {
    let load = CrossCallLoad()
    defer { load.stop() }
    let result = try live.run(["--duration", "4s", "--rotate", "256K"])
    #expect(result.status == 0, "\(result.errors)")
    let files = pieces()
    #expect(files.count >= 3)
    #expect(files.first == live.output + ".000001")
    var total = 0
    var lost = 0
    var ends: [Int] = []
    var begins: [Int] = []
    for file in files {
      var status = stat()
      #expect(stat(file, &status) == 0 && status.st_mode & 0o777 == 0o600)
      let trace = try live.replay(file)
      #expect(trace["verdict"]["result"] != .string("diverges"))
      total += number(trace["trace"]["events"]["total"]) ?? 0
      lost += number(trace["trace"]["events"]["lost"]) ?? 0
      begins.append(number(trace["trace"]["startNanoseconds"]) ?? 0)
      ends.append(number(trace["trace"]["endNanoseconds"]) ?? 0)
    }
    // One behind the other in time, without overlap.
    for index in 1..<files.count { #expect(begins[index] > ends[index - 1]) }
    #expect(lost == 0)
    #expect(result.errors.contains("ipitrace: \(total) events of "))
    let statistics = try #require(RunningProgram.run("trace-cmd", ["report", "--stat", files[files.count - 1]]))
    let read = statistics.output.split(separator: "\n").filter { $0.hasPrefix("read events: ") }
      .compactMap { Int($0.dropFirst("read events: ".count)) }
    #expect(read.count >= 2)
    #expect(total == read.reduce(0, +))
  }

  @Test func onlyTheLastPiecesAreKept() throws {
    let load = CrossCallLoad()
    defer { load.stop() }
    let result = try live.run(["--duration", "4s", "--rotate", "128K", "--keep", "2", "--no-addresses"])
    #expect(result.status == 0, "\(result.errors)")
    let names = live.directory.names
    #expect(names.count == 2)
    #expect(names.first != "trace.dat.000001")
    #expect(result.errors.contains("; 2 files \(live.output).* are there."))
    for name in names {
      #expect(try live.replay(live.directory.path + "/" + name)["verdict"]["result"] != .string("diverges"))
    }
  }

  @Test func aFullDiskLeavesTheCompletePieces() throws {
    guard LiveKernel.canMountPrivately else { return }
    let load = CrossCallLoad()
    defer { load.stop() }
    let script = """
      mount -t tmpfs -o size=14m tmpfs "$1" && mkdir "$1/out" \
        && "$0" record -o "$1/out/trace.dat" --rotate 512K --duration 60s
      status=$?; ls -A "$1/out"; "$0" replay "$1/out/trace.dat.000001" >/dev/null || status=99; exit $status
      """
    let result = try #require(
      RunningProgram.run("unshare", ["-m", "sh", "-c", script, ReportCommandTests.program, live.directory.path]))
    #expect(result.status == 125, "\(result.errors)")
    #expect(result.errors.contains("No space left for \(live.directory.path)/out/trace.dat.0000"))
    let names = result.output.split(separator: "\n")
    #expect(names.count >= 2)
    #expect(names.allSatisfy { $0.hasPrefix("trace.dat.0000") })
    #expect(LiveKernel.staleRecorders == [])
  }

  @Test(arguments: [
    (["--keep", "3"], "--keep needs --rotate"), (["--rotate", "1K"], "at least 64K"),
    (["--rotate", "much"], "no size"),
    (["--rotate", "1M", "--keep", "0"], "no number of files"),
    (["--from", "x"], "--from is for --no-addresses"), (["--recover", "x", "--", "ls"], "record nothing"),
    (["--recover", "x", "--from", "y"], "exclude each other"),
  ])
  func wrongUsageIsTold(arguments: [String], message: String) throws {
    let result = try live.run(arguments)
    #expect(result.status == 2)
    #expect(result.errors.contains(message), "\(result.errors)")
    #expect(live.directory.names == [])
  }
}
