import Glibc
import TestSupport
import Testing

/// The executable, recording into a directory of its own.
struct LiveRecorder {
  let directory = TemporaryDirectory()

  var output: String { directory.path + "/trace.dat" }

  /// Starts `ipitrace record -o OUTPUT` with more arguments.
  func start(_ arguments: [String]) throws -> RunningProgram {
    try #require(RunningProgram(ReportCommandTests.program, ["record", "-o", output] + arguments))
  }

  func run(_ arguments: [String]) throws -> RunningProgram.Result { try start(arguments).wait() }

  /// Runs `ipitrace` with any arguments.
  func ipitrace(_ arguments: [String]) throws -> RunningProgram.Result {
    try #require(RunningProgram.run(ReportCommandTests.program, arguments))
  }

  /// The result of `ipitrace replay`, in JSON.
  func replay(_ file: String) throws -> JSONValue {
    let result = try ipitrace(["replay", file, "--json", "-"])
    #expect(result.status == 0, "\(result.errors)")
    return try JSONValue.parse(result.outputBytes)
  }

  func instanceExists(of recorder: RunningProgram) -> Bool {
    listing(LiveKernel.instances).contains("ipitrace-\(recorder.process)")
  }

  /// Waits until the recorder records: its events are on, and so is tracing, as it also is in a newborn instance.
  func awaitRecording(_ recorder: RunningProgram) -> Bool {
    for _ in 0..<500 {
      if value("events/ipi/ipi_send_cpu/enable", of: recorder) == "1", value("tracing_on", of: recorder) == "1" {
        return true
      }
      usleep(10_000)
    }
    return false
  }

  private func value(_ file: String, of recorder: RunningProgram) -> String? {
    let path = "\(LiveKernel.instances)/ipitrace-\(recorder.process)/\(file)"
    return TestFile.read(path).map { String(decoding: $0.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self) }
  }

  /// What was left behind by recorders that were killed.
  var leftovers: [String] { directory.names.filter { $0.hasPrefix(".") }.map { directory.path + "/" + $0 } }
}
