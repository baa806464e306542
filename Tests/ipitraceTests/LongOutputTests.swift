import Glibc
import TestSupport
import Testing

/// Outputs of many blocks that can't be written to their end: one sentence, and what was in the place stays there.
@Suite("Outputs longer than their place")
struct LongOutputTests {
  private static let capture = Fixtures.path("captures/host-6.18-2cpu.dat")
  private let directory = TemporaryDirectory()

  private func run(_ script: String, _ arguments: [String] = []) throws -> SpawnedCommand {
    try #require(SpawnedCommand.run(["bash", "-c", script, ReportCommandTests.program, Self.capture] + arguments))
  }

  @Test("a full device", arguments: ["--calls", "--perfetto"], ["1", "2"])
  func fullDevice(option: String, threads: String) throws {
    let result = try run(#"exec "$0" replay "$1" --threads "$3" "$2" /dev/full"#, [option, threads])
    #expect(result.status == 1)
    #expect(result.errorText == "ipitrace replay: can't write /dev/full: No space left on device\n")
    #expect(result.output.isEmpty)
  }

  @Test("a full disk", arguments: ["--calls", "--perfetto"])
  func fullDisk(option: String) throws {
    guard LiveKernel.canMountPrivately else { return }
    let script = """
      mount -t tmpfs -o size=400k tmpfs "$3" && echo before >"$3/out" && "$0" replay "$1" "$2" "$3/out"
      status=$?; ls -A "$3"; cat "$3/out"; df --output=used "$3" | tail -1 | tr -d ' '; exit $status
      """
    let result = try #require(
      SpawnedCommand.run([
        "unshare", "-m", "sh", "-c", script, ReportCommandTests.program, Self.capture, option, directory.path,
      ]))
    #expect(result.status == 1)
    #expect(
      result.errorText == "ipitrace replay: can't write \(directory.path)/out: No space left on device\n")
    #expect(result.outputText == "out\nbefore\n4\n")
  }

  @Test("a limit to the length of files", arguments: ["--calls", "--perfetto"])
  func limit(option: String) throws {
    directory.write("before", to: "out")
    let result = try run(
      #"trap '' XFSZ; ulimit -f 300; exec "$0" replay "$1" "$2" "$3""#, [option, directory.path + "/out"])
    #expect(result.status == 1)
    #expect(result.errorText == "ipitrace replay: can't write \(directory.path)/out: File too large\n")
    #expect(directory.names == ["out"])
    #expect(TestFile.read(directory.path + "/out") == Array("before".utf8))
  }

  @Test("where nobody ignores its signal, it ends the program")
  func limitBySignal() throws {
    directory.write("before", to: "out")
    let result = try run(#"ulimit -f 300; exec "$0" replay "$1" --calls "$2""#, [directory.path + "/out"])
    #expect(result.status == 128 + Int(SIGXFSZ))
    #expect(directory.names == ["out"])
    #expect(TestFile.read(directory.path + "/out") == Array("before".utf8))
  }

  @Test("a pipe that is closed early ends the program, as it does others")
  func closedPipe() throws {
    let result = try run(#""$0" replay "$1" --calls - | head -c 8; echo " ${PIPESTATUS[0]}""#)
    #expect(result.outputText == "{\"kind\": 141\n")
    #expect(result.errorText == "")
  }

  @Test("where such a signal is ignored, it is an error")
  func closedPipeWithoutSignal() throws {
    let result = try run(#"trap '' PIPE; "$0" replay "$1" --calls - | head -c 8; echo " ${PIPESTATUS[0]}""#)
    #expect(result.outputText == "{\"kind\": 1\n")
    #expect(result.errorText == "ipitrace replay: can't write standard output: Broken pipe\n")
  }

  @Test("a pipe gets all of it, at whatever pace it reads")
  func slowPipe() throws {
    let path = directory.path + "/out"
    let script = """
      set -o pipefail; "$0" replay "$1" --calls "$2" >/dev/null
      "$0" replay "$1" --calls - | (sleep 0.3; cmp - "$2")
      """
    let result = try run(script, [path])
    #expect(result.status == 0, "\(result.errorText)")
    #expect(try #require(TestFile.read(path)).count > 1_500_000)
  }
}
