import Glibc
import TestSupport
import Testing
import TraceTypes

/// Tests with recorders that are killed, and tests that expect to find nothing that one left: one at a time.
@Suite(.serialized) enum LiveRecorderTests {}

extension LiveRecorderTests {
  /// The executable itself, as a user runs it.
  @Suite(.serialized) struct RecordCommandTests {
    /// The executable beside the test bundle.
    private static let program: String? = {
      var buffer = [CChar](repeating: 0, count: 4096)
      let count = max(readlink("/proc/self/exe", &buffer, buffer.count), 0)
      let bundle = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      for path in [bundle, CommandLine.arguments[0]] {
        guard let slash = path.lastIndex(of: "/") else { continue }
        let candidate = path[..<slash] + "/ipitrace"
        if access(String(candidate), X_OK) == 0 { return String(candidate) }
      }
      return nil
    }()

    private let directory = TemporaryDirectory()

    private var output: String { directory.path + "/trace.dat" }

    private func start(_ arguments: [String]) throws -> RunningProgram {
      let program = try #require(Self.program, "no executable ipitrace beside the tests")
      return try #require(RunningProgram(program, ["record", "-o", output] + arguments))
    }

    private func exists(_ recorder: RunningProgram) -> Bool {
      listing(LiveKernel.instances).contains("ipitrace-\(recorder.process)")
    }

    /// Waits until the recorder records: its events are on, and so is tracing, as it also is in a newborn instance.
    private func awaitRecording(_ recorder: RunningProgram) -> Bool {
      func isOn(_ file: String) -> Bool {
        let file = open("\(LiveKernel.instances)/ipitrace-\(recorder.process)/\(file)", O_RDONLY)
        guard file >= 0 else { return false }
        defer { close(file) }
        var byte: UInt8 = 0
        return read(file, &byte, 1) == 1 && byte == UInt8(ascii: "1")
      }
      for _ in 0..<500 {
        if isOn("events/ipi/ipi_send_cpu/enable"), isOn("tracing_on") { return true }
        usleep(10_000)
      }
      return false
    }

    // MARK: - Without a kernel

    @Test(arguments: [
      ["--bogus"], ["ls"], ["--duration", "soon"], ["-b", "much"], ["--cpus", "3-1"], ["--cpus", ""], ["-o"],
    ])
    func wrongUsageIsRefused(arguments: [String]) throws {
      let result = try start(arguments).wait()
      #expect(result.status != 0)
      #expect(result.errors.contains("Usage: ipitrace record"))
      #expect(directory.names == [])
    }

    @Test func helpSaysWhatNoSchedLeavesOut() throws {
      let result = try start(["--help"]).wait()
      #expect(result.status == 0)
      #expect(result.output.contains("sched_wake_idle_without_ipi"))
    }

    @Test func commandThatIsNotThereIsTold() throws {
      let result = try start(["--", "no-such-program"]).wait()
      #expect(result.status == 127)
      #expect(result.errors == "ipitrace: Command not found: no-such-program.\n")
      #expect(directory.names == [])
    }

    @Test func outputThatCannotBeIsTold() throws {
      let result = try start(["-o", "/nonexistent/trace.dat", "--duration", "1s"]).wait()
      #expect(result.status == 125)
      #expect(result.errors == "ipitrace: Can't write /nonexistent/trace.dat: No such file or directory.\n")
    }

    @Test(.enabled(if: geteuid() != 0)) func lackOfRightsIsTold() throws {
      let result = try start(["--duration", "1s"]).wait()
      #expect(result.status == 125)
      #expect(result.errors.contains("needs root") || result.errors.contains("tracefs"))
      #expect(directory.names == [])
    }

    // MARK: - With one

    /// While it is stopped, its small buffers run over: that is certain, however fast it is otherwise.
    @Test(.enabled(if: LiveKernel.canRecord && LiveKernel.hasTraceCmd && LiveKernel.hasSeveralCPUs))
    func lossesAreCounted() throws {
      let load = CrossCallLoad()
      defer { load.stop() }
      let recorder = try start(["-b", "16"])
      #expect(awaitRecording(recorder))
      recorder.send(SIGSTOP)
      usleep(1_000_000)
      recorder.send(SIGCONT)
      usleep(200_000)
      recorder.send(SIGINT)
      let result = recorder.wait()
      #expect(result.status == 0)
      let words = result.errors.split(separator: " ")
      let place = try #require(words.firstIndex(of: "lost,"))
      let lost = try #require(UInt64(words[place - 1]))
      #expect(lost > 0)
      let statistics = try #require(RunningProgram.run("trace-cmd", ["report", "--stat", output])?.output)
      let facts = try #require(CaptureFacts(text: statistics))
      #expect(lost == facts.lostEvents.values.reduce(0, +))
      // trace-cmd's own text of the same counter.
      let overruns = statistics.split(separator: "\n").filter { $0.hasPrefix("overrun: ") }
        .compactMap { UInt64($0.dropFirst("overrun: ".count)) }
      #expect(lost >= overruns.reduce(0, +))
      #expect(overruns.reduce(0, +) > 0)
    }

    @Test(.enabled(if: LiveKernel.canRecord)) func durationEndsTheRecording() throws {
      let recorder = try start(["--duration", "300ms", "-b", "1M", "-C", "mono"])
      let result = recorder.wait()
      #expect(result.status == 0)
      #expect(result.errors.contains(" lost, ") && result.errors.contains("in \(output)."))
      #expect(directory.names == ["trace.dat"])
      #expect(!exists(recorder))
    }

    @Test(.enabled(if: LiveKernel.canRecord), arguments: [SIGINT, SIGTERM, SIGHUP])
    func signalEndsTheRecordingProperly(signal: Int32) throws {
      let recorder = try start([])
      #expect(awaitRecording(recorder))
      recorder.send(signal)
      let result = recorder.wait()
      #expect(result.status == 0)
      #expect(directory.names == ["trace.dat"])
      #expect(!exists(recorder))
    }

    @Test(.enabled(if: LiveKernel.canRecord), arguments: [SIGINT, SIGTERM, SIGHUP])
    func signalToTheRecorderReachesItsCommand(signal: Int32) throws {
      let recorder = try start(["--", "sleep", "30"])
      #expect(awaitRecording(recorder))
      recorder.send(signal)
      let result = recorder.wait()
      #expect(result.status == 128 + signal)
      #expect(directory.names == ["trace.dat"])
      #expect(!exists(recorder))
    }

    @Test(.enabled(if: LiveKernel.canRecord), arguments: [("exit 42", 42), ("kill -KILL $$", 137), ("true", 0)])
    func statusOfTheCommandIsPassedOn(script: String, status: Int32) throws {
      let recorder = try start(["--", "sh", "-c", script])
      #expect(recorder.wait().status == status)
      #expect(directory.names == ["trace.dat"])
      #expect(!exists(recorder))
    }

    @Test(.enabled(if: LiveKernel.canRecord)) func commandOutlivesTheDuration() throws {
      // It ends only after it has seen the file.
      let script = "while ! [ -e \"$0\" ]; do sleep 0.05; done; exit 5"
      let recorder = try start(["--duration", "100ms", "--", "sh", "-c", script, output])
      let result = recorder.wait()
      #expect(result.status == 5)
      #expect(result.errors.contains("waiting for sh"))
    }

    @Test(.enabled(if: LiveKernel.canRecord)) func leftoverOfAKilledRecorderIsRemoved() throws {
      let killed = try start([])
      #expect(awaitRecording(killed))
      killed.send(SIGKILL)
      #expect(killed.wait().status == 137)
      #expect(exists(killed))
      let next = try start(["--duration", "100ms"])
      let result = next.wait()
      #expect(result.status == 0)
      #expect(result.errors.contains("Removed the instance ipitrace-\(killed.process)"))
      #expect(!exists(killed))
    }

    @Test(.enabled(if: LiveKernel.canRecord)) func runningRecorderIsLeftAlone() throws {
      let first = try start([])
      #expect(awaitRecording(first))
      let second = try start(["-o", directory.path + "/second.dat", "--duration", "100ms"])
      #expect(second.wait().status == 0)
      #expect(exists(first))
      first.send(SIGINT)
      #expect(first.wait().status == 0)
      #expect(directory.names == ["second.dat", "trace.dat"])
    }

    @Test(.enabled(if: LiveKernel.canRecord && LiveKernel.hasSeveralCPUs && LiveKernel.canMountPrivately))
    func fullDiskStopsTheRecording() throws {
      let program = try #require(Self.program)
      let load = CrossCallLoad()
      defer { load.stop() }
      // A mount namespace of its own, so that nothing stays mounted.
      let script = """
        mount -t tmpfs -o size=1m tmpfs "$1" && mkdir "$1/out" && "$0" record -o "$1/out/trace.dat" --duration 20s
        status=$?; ls -A "$1/out"; exit $status
        """
      let result = try #require(RunningProgram.run("unshare", ["-m", "sh", "-c", script, program, directory.path]))
      #expect(result.status == 125)
      #expect(result.output == "")
      let message = "No space left for \(directory.path)/out/trace.dat: the recording was stopped and removed."
      #expect(result.errors == "ipitrace: \(message)\n")
      #expect(LiveKernel.staleRecorders == [])
    }

    @Test(.enabled(if: LiveKernel.canRecord)) func limitOnFileSizesIsToldAndDoesNotKill() throws {
      let program = try #require(Self.program)
      let script = "ulimit -f 1; exec \"$0\" record -o \"$1\" --duration 300ms"
      let result = try #require(RunningProgram.run("sh", ["-c", script, program, output]))
      #expect(result.status == 125)
      #expect(result.errors.contains("File too large"))
      #expect(directory.names == [])
      #expect(LiveKernel.staleRecorders == [])
    }
  }
}
