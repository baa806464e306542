import TestSupport
import Testing

/// A recording without addresses says the same as the one it was made of.
@Suite struct SharedRecordingTests {
  private let live = LiveRecorder()

  @Test(arguments: ["host-6.18-2cpu.dat", "guest-6.12-8cpu-hotplug.dat", "guest-6.12-overrun.dat"])
  func replayOfASharedRecordingIsTheSame(name: String) throws {
    let original = Fixtures.path("captures/\(name)")
    let result = try live.ipitrace(["record", "--from", original, "--no-addresses", "-o", live.output])
    #expect(result.status == 0, "\(result.errors)")
    #expect(try live.replay(live.output) == live.replay(original))
    let calls = try [original, live.output].map { try live.ipitrace(["replay", $0, "--calls", "-"]).output }
    #expect(!calls[0].isEmpty)
    #expect(calls[0] == calls[1])
  }
}
