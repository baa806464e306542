import Glibc
import Testing

@testable import TraceCapture

@Suite struct CaptureStateMachineTests {
  private let typed = ReceivedSignal(number: SIGINT, fromKernel: true)
  private let sent = ReceivedSignal(number: SIGTERM, fromKernel: false)

  @Test func recordsUntilTheCommandEnds() {
    var machine = CaptureStateMachine(hasCommand: true)
    #expect(machine.prepared() == .begin)
    #expect(machine.commandEnded(.exited(3)) == .stop)
    #expect(machine.fileWritten() == .leave)
    #expect(machine.exitStatus == 3)
  }

  @Test func recordsUntilCtrlCWithoutCommand() {
    var machine = CaptureStateMachine(hasCommand: false)
    #expect(machine.prepared() == .begin)
    #expect(machine.stopRequested(typed) == .init(stops: true))
    // Impatience changes nothing: the file is finished.
    #expect(machine.stopRequested(typed) == .init())
    #expect(machine.fileWritten() == .leave)
    #expect(machine.exitStatus == 0)
  }

  @Test func ctrlCReachesTheCommandByItself() {
    var machine = CaptureStateMachine(hasCommand: true)
    _ = machine.prepared()
    #expect(machine.stopRequested(typed) == .init(stops: true, forwards: false))
    #expect(machine.commandEnded(.killed(signal: SIGINT)) == .nothing)
    #expect(machine.fileWritten() == .leave)
    #expect(machine.exitStatus == 130)
  }

  @Test func signalSentToTheRecorderAloneIsSentOn() {
    var machine = CaptureStateMachine(hasCommand: true)
    _ = machine.prepared()
    #expect(machine.stopRequested(sent) == .init(stops: true, forwards: true))
    #expect(machine.fileWritten() == .awaitCommand)
    #expect(machine.isAwaitingCommand)
    #expect(machine.commandEnded(.killed(signal: SIGTERM)) == .leave)
    #expect(!machine.isAwaitingCommand)
    #expect(machine.exitStatus == 143)
  }

  @Test func nothingIsSentToACommandThatHasEnded() {
    var machine = CaptureStateMachine(hasCommand: true)
    _ = machine.prepared()
    _ = machine.commandEnded(.exited(0))
    #expect(machine.stopRequested(sent) == .init())
  }

  @Test func timeEndsTheRecordingAndNotTheCommand() {
    var machine = CaptureStateMachine(hasCommand: true)
    _ = machine.prepared()
    #expect(machine.durationElapsed() == .stop)
    #expect(machine.durationElapsed() == .nothing)
    #expect(machine.fileWritten() == .awaitCommand)
    #expect(machine.commandEnded(.exited(7)) == .leave)
    #expect(machine.exitStatus == 7)
  }

  @Test func secondSignalLeavesTheCommandAlone() {
    var machine = CaptureStateMachine(hasCommand: true)
    _ = machine.prepared()
    _ = machine.durationElapsed()
    _ = machine.fileWritten()
    #expect(machine.stopRequested(typed) == .init(leaves: true))
    #expect(!machine.isAwaitingCommand)
    #expect(machine.exitStatus == 130)
  }

  @Test func signalDuringSetupAbandonsTheRecording() {
    var machine = CaptureStateMachine(hasCommand: false)
    #expect(machine.stopRequested(sent) == .init())
    #expect(machine.stopRequested(typed) == .init())
    #expect(machine.prepared() == .abandon(signal: SIGTERM))
    #expect(machine.stopRequested(typed) == .init())
  }

  /// Whatever comes in whatever order, a recording stops exactly once, and is left at last.
  @Test func everyInterleavingOfThreeEventsStopsOnce() {
    enum Event: CaseIterable { case signal, time, end }
    for first in Event.allCases {
      for second in Event.allCases {
        for writtenAfter in 1...2 {
          var machine = CaptureStateMachine(hasCommand: true)
          _ = machine.prepared()
          var stops = 0
          var awaited = false
          for (index, event) in [first, second, .end].enumerated() {
            if index == writtenAfter { awaited = machine.fileWritten() == .awaitCommand }
            switch event {
            case .signal: stops += machine.stopRequested(typed).stops ? 1 : 0
            case .time: stops += machine.durationElapsed() == .stop ? 1 : 0
            case .end: stops += machine.commandEnded(.exited(0)) == .stop ? 1 : 0
            }
          }
          #expect(stops == 1, "\(first) \(second) \(writtenAfter)")
          #expect(awaited == ([first, second].prefix(writtenAfter).allSatisfy { $0 != .end }))
          #expect(!machine.isAwaitingCommand)
        }
      }
    }
  }

  @Test func waitStatusIsUnderstood() {
    #expect(CommandEnd(waitStatus: 0) == .exited(0))
    #expect(CommandEnd(waitStatus: 0x0300) == .exited(3))
    #expect(CommandEnd(waitStatus: 0xff00) == .exited(255))
    #expect(CommandEnd(waitStatus: 9) == .killed(signal: 9))
    // With a core dump.
    #expect(CommandEnd(waitStatus: 0x8b) == .killed(signal: 11))
    #expect(CommandEnd.killed(signal: 11).exitStatus == 139)
  }
}
