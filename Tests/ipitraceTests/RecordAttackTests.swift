import Glibc
import TestSupport
import Testing
import TraceTypes

extension LiveRecorderTests {
  /// Recording while somebody kills, unmounts, removes or fills up what the recorder needs.
  @Suite(.serialized, .enabled(if: LiveKernel.canRecord)) struct RecordAttackTests {
    private let live = LiveRecorder()

    /// Killed at any moment: what is left makes a trace of which nothing wrong is said, or there is nothing yet.
    @Test(.enabled(if: LiveKernel.hasSeveralCPUs)) func killedRecorderCanBeRecoveredAtAnyMoment() throws {
      var random = RepeatableRandom.forTest()
      let load = CrossCallLoad()
      defer { load.stop() }
      var recovered = 0
      var events: Int = 0
      for round in 0..<RepeatableRandom.places(8) {
        // Half of them early, while it is still setting up.
        let recorder = try live.start(
          ["-b", "512", "--duration", "20s"] + (round % 4 == 3 ? ["--rotate", "256K"] : []))
        if round % 2 == 0 { usleep(UInt32(random.below(150_000))) } else { _ = live.awaitRecording(recorder) }
        usleep(UInt32(random.below(400_000)))
        recorder.send(SIGKILL)
        #expect(recorder.wait().status == 137)
        for (number, path) in live.leftovers.enumerated() {
          let file = live.directory.path + "/recovered.\(round).\(number)"
          let result = try live.ipitrace(["record", "--recover", path, "-o", file])
          if result.status == 125 {
            #expect(result.errors.contains("it was killed before it recorded anything"), "\(result.errors)")
            _ = RunningProgram.run("rm", ["-rf", path])
            continue
          }
          #expect(result.status == 0, "\(result.errors)")
          let trace = try live.replay(file)
          #expect(trace["verdict"]["result"] != .string("diverges"), "seed \(random.seed)")
          if case .integer(let total) = trace["trace"]["events"]["total"] { events += Int(total) }
          recovered += 1
        }
        #expect(live.leftovers == [])
        // The next recorder removes what the killed one left in the kernel.
        let next = try live.run(["--duration", "50ms"])
        #expect(next.status == 0)
        #expect(!live.instanceExists(of: recorder))
      }
      #expect(recovered >= 4 && events > 0)
    }

    @Test func nextRecorderTellsOfAKilledOne() throws {
      let killed = try live.start([])
      #expect(live.awaitRecording(killed))
      killed.send(SIGKILL)
      _ = killed.wait()
      let path = try #require(live.leftovers.first)
      let next = try live.run(["--duration", "50ms"])
      #expect(next.status == 0)
      #expect(next.errors.contains("`ipitrace record --recover \(path)` makes a trace file of it."))
      #expect(live.leftovers == [path])
    }

    /// A recorder that works is not one that was killed, however it is asked.
    @Test func recorderAtWorkCannotBeRecovered() throws {
      let recorder = try live.start([])
      #expect(live.awaitRecording(recorder))
      let path = try #require(live.leftovers.first)
      let result = try live.ipitrace(["record", "--recover", path, "-o", live.directory.path + "/other.dat"])
      #expect(result.status == 125)
      #expect(result.errors.contains("its recorder is still at work"))
      recorder.send(SIGINT)
      #expect(recorder.wait().status == 0)
      #expect(live.directory.names == ["trace.dat"])
    }

    @Test func removedDirectoryEndsTheRecording() throws {
      let place = live.directory.path + "/place"
      mkdir(place, 0o700)
      let recorder = try live.start(["-o", place + "/trace.dat", "--duration", "30s"])
      #expect(live.awaitRecording(recorder))
      #expect(RunningProgram.run("rm", ["-rf", place])?.status == 0)
      let result = recorder.wait()
      #expect(result.status == 125)
      #expect(result.errors == "ipitrace: Can't write \(place)/trace.dat: No such file or directory.\n")
      #expect(!live.instanceExists(of: recorder))
      #expect(live.directory.names == [])
    }

    @Test func linkAtTheOutputIsReplacedAndNotFollowed() throws {
      let victim = live.directory.write("precious", to: "victim")
      symlink(victim, live.output)
      #expect(try live.run(["--duration", "50ms"]).status == 0)
      #expect(TestFile.read(victim).map { String(decoding: $0, as: UTF8.self) } == "precious")
      var status = stat()
      #expect(lstat(live.output, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_mode & 0o777 == 0o600)
    }

    @Test func bufferThatTheKernelRefusesIsTold() throws {
      let result = try live.run(["-b", "900G", "--duration", "1s"])
      #expect(result.status == 125)
      #expect(result.errors.contains("The kernel refuses buffers of 943718400 KiB per CPU"))
      #expect(live.directory.names == [])
      #expect(LiveKernel.staleRecorders == [])
    }

    // MARK: - Mounts

    /// Runs a script in a mount namespace of its own. `$0` is the program, `$1` the directory.
    private func withPrivateMounts(_ script: String) throws -> RunningProgram.Result {
      try #require(
        RunningProgram.run("unshare", ["-m", "sh", "-c", script, ReportCommandTests.program, live.directory.path]))
    }

    /// Waits in a script until the process `$!` records.
    private static let awaitInScript = """
      for i in $(seq 200); do
        if [ "$(cat /sys/kernel/tracing/instances/ipitrace-$!/events/ipi/ipi_send_cpu/enable 2>/dev/null)" = 1 ]; then break; fi
        sleep 0.05
      done
      sleep 0.2

      """

    @Test(.enabled(if: LiveKernel.canMountPrivately)) func unmountedTracefsDoesNotDisturbTheRecording() throws {
      let result = try withPrivateMounts(
        """
        "$0" record -o "$1/trace.dat" --duration 1500ms & \(Self.awaitInScript)
        umount -l /sys/kernel/tracing || exit 99
        wait $!
        """)
      #expect(result.status == 0, "\(result.errors)")
      #expect(!result.errors.contains("can't be removed"))
      #expect(live.directory.names == ["trace.dat"])
      #expect(LiveKernel.staleRecorders == [])
      let trace = try live.replay(live.output)
      #expect(trace["verdict"]["result"] != .string("diverges"))
      guard case .integer(let total) = trace["trace"]["events"]["total"] else { return #expect(Bool(false)) }
      #expect(total > 0)
    }

    @Test(.enabled(if: LiveKernel.canMountPrivately)) func readOnlyFileSystemIsTold() throws {
      let result = try withPrivateMounts(
        """
        mount -t tmpfs -o ro tmpfs "$1" && "$0" record -o "$1/trace.dat" --duration 1s
        """)
      #expect(result.status == 125)
      #expect(result.errors == "ipitrace: Can't write \(live.output): Read-only file system.\n")
      #expect(LiveKernel.staleRecorders == [])
    }

    /// The pages fit on the disk, but not the file beside them: they are not thrown away.
    @Test(.enabled(if: LiveKernel.canMountPrivately)) func fullDiskAtTheEndKeepsThePages() throws {
      let result = try withPrivateMounts(
        """
        mount -t tmpfs -o size=$(( $(wc -c </proc/kallsyms) * 3 / 2 )) tmpfs "$1" && mkdir "$1/out" "$1/../kept.$$"
        "$0" record -o "$1/out/trace.dat" -b 64 --all-symbols --duration 200ms
        echo "status $?"; ls -A "$1/out" | sed 's/-[a-z0-9]*$//'
        "$0" record --recover "$1"/out/.trace.dat.* -o "$1/../kept.$$/trace.dat"
        echo "status $?"; ls -A "$1/out" "$1/../kept.$$" | grep -c trace.dat; rm -r "$1/../kept.$$"
        """)
      #expect(result.output == "status 125\n.trace.dat.ipitrace\nstatus 0\n1\n", "\(result.errors)")
      #expect(
        result.errors.contains(
          "Can't put the recording in its place, \(live.directory.path)/out/trace.dat: No space left"))
      #expect(LiveKernel.staleRecorders == [])
    }

    /// Made read-only meanwhile. The kernel refuses that while files are open for writing, so it depends on the moment: then
    /// the recording goes on and is whole.
    @Test(.enabled(if: LiveKernel.canMountPrivately)) func fileSystemThatBecomesReadOnlyEndsTheRecording() throws {
      let result = try withPrivateMounts(
        """
        mount -t tmpfs tmpfs "$1" && "$0" record -o "$1/trace.dat" --duration 2s & \(Self.awaitInScript)
        mount -o remount,bind,ro "$1" 2>/dev/null
        wait $!; status=$?; mount -o remount,bind,rw "$1"; ls -A "$1"; exit $status
        """)
      #expect(result.status == 0 || result.status == 125, "\(result.errors)")
      // Either it never noticed, and the file is there, or it says so.
      if result.status == 0 {
        #expect(result.output == "trace.dat\n")
      } else {
        #expect(result.errors.contains("Read-only file system"))
        #expect(!result.output.contains("trace.dat\n") || result.output.hasPrefix("."))
      }
      #expect(LiveKernel.staleRecorders == [])
    }

    // MARK: - Addresses

    @Test func sharedRecordingHoldsNoAddressOfThisKernel() throws {
      let load = CrossCallLoad()
      defer { load.stop() }
      #expect(try live.run(["--duration", "500ms", "--no-addresses"]).status == 0)
      let bytes = try #require(TestFile.read(live.output))
      let symbols = try #require(TestFile.read("/proc/kallsyms"))
      var pages: Set<UInt64> = []
      for line in symbols.split(separator: UInt8(ascii: "\n")) {
        guard let address = UInt64(String(decoding: line.prefix(16), as: UTF8.self), radix: 16), address >> 63 == 1
        else {
          continue
        }
        pages.insert(address >> 12)
      }
      // None of the kernel's own pages is pointed into, from whatever byte on.
      let found = bytes.withUnsafeBytes { bytes in
        (0...(bytes.count - 8)).filter {
          pages.contains(bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self) >> 12)
        }
      }
      #expect(found == [])
      // And yet every callback has a name.
      let trace = try live.replay(live.output)
      guard case .array(let callbacks) = trace["calls"]["byCallback"] else { return #expect(Bool(false)) }
      #expect(!callbacks.isEmpty)
      for callback in callbacks {
        if case .string(let name) = callback["callback"] { #expect(!name.hasPrefix("0x")) }
      }
    }

    // MARK: - The recorder itself

    @Test(.enabled(if: LiveKernel.hasSeveralCPUs)) func recorderStaysOnItsCPUsAndItsCommandDoesNot() throws {
      let load = CrossCallLoad()
      defer { load.stop() }
      let recorder = try live.start(["--recorder-cpus", "0", "--", "sleep", "2"])
      #expect(live.awaitRecording(recorder))
      func allowed(_ process: Int32) -> String? {
        TestFile.read("/proc/\(process)/status").flatMap { text in
          String(decoding: text, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
            .map { String($0.drop { $0 != "\t" }.dropFirst()) }
        }
      }
      #expect(allowed(recorder.process) == "0")
      let children = TestFile.read("/proc/\(recorder.process)/task/\(recorder.process)/children")
        .map { String(decoding: $0, as: UTF8.self) }
      let child = try #require(children?.split(separator: " ").first.flatMap { Int32($0) })
      #expect(allowed(child) == allowed(getpid()))
      let result = recorder.wait()
      #expect(result.status == 0)
      #expect(result.errors.contains("The recorder itself sent "))
      #expect(result.errors.contains(" times on CPUs 0."))
      // The recording shows it as well: its switches are on CPU 0 alone.
      let report = try #require(RunningProgram.run("trace-cmd", ["report", live.output]))
      let own = report.output.split(separator: "\n").filter { $0.contains("==> ipitrace:\(recorder.process) ") }
      #expect(own.count > 5)
      #expect(own.allSatisfy { $0.contains("[000]") })
    }

    @Test func cpusThatAreNotThereAreTold() throws {
      let result = try live.run(["--recorder-cpus", "8000", "--duration", "1s"])
      #expect(result.status == 125)
      #expect(result.errors == "ipitrace: The recorder can't run on CPUs 8000: Invalid argument.\n")
      #expect(live.directory.names == [])
    }
  }
}
