import Glibc
import TestSupport
import Testing

/// Results appear whole or not at all, whatever happens to the program that makes them.
@Suite struct WholeOutputTests {
  private let directory = TemporaryDirectory()

  /// Its input does not end; it is killed while it writes. Nothing stays but what was there before.
  @Test func killedReplayLeavesNothing() throws {
    directory.write("before", to: "calls")
    let script = """
      (cat "$2"; sleep 5) | "$0" replay - --calls "$1/calls" &
      replay=$!
      for i in $(seq 100); do
        open=$(ls -l /proc/$replay/fd 2>/dev/null | grep -c "$1/")
        if [ "$open" = 1 ]; then break; fi
        sleep 0.05
      done
      echo "open: $open"
      sleep 0.3
      kill -9 $replay
      wait $replay
      ls -A "$1"
      """
    let text = Fixtures.path("text/guest-6.12-trace.txt")
    let result = try #require(
      RunningProgram.run("bash", ["-c", script, ReportCommandTests.program, directory.path, text]))
    #expect(result.output == "open: 1\ncalls\n")
    #expect(TestFile.read(directory.path + "/calls") == Array("before".utf8))
  }

  @Test func outputReplacesWhatWasThere() throws {
    let capture = Fixtures.path("captures/host-6.18-2cpu.dat")
    let real = directory.write("before", to: "real.json")
    symlink(real, directory.path + "/link.json")
    for name in ["new.json", "link.json"] {
      let path = directory.path + "/" + name
      let run = try #require(RunningProgram.run(ReportCommandTests.program, ["replay", capture, "--json", path]))
      #expect(run.status == 0, "\(run.errors)")
    }
    #expect(directory.names == ["link.json", "new.json", "real.json"])
    #expect(TestFile.read(real) == TestFile.read(directory.path + "/new.json"))
    var status = stat()
    #expect(lstat(directory.path + "/link.json", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
  }
}
