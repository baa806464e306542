import Glibc
import TestSupport
import Testing

@testable import TraceCapture

@Suite struct OutputFileTests {
  @Test func fileAppearsWithCommitOnly() throws {
    let directory = TemporaryDirectory()
    let output = try OutputFile(path: directory.path + "/trace.dat")
    try output.append([1, 2, 3])
    #expect(!directory.names.contains("trace.dat"))
    try output.commit()
    #expect(directory.names == ["trace.dat"])
    #expect(TextFile.bytes(directory.path + "/trace.dat") == [1, 2, 3])
    var status = stat()
    stat(directory.path + "/trace.dat", &status)
    #expect(status.st_mode & 0o777 == 0o600)
  }

  @Test func nothingStaysWithoutCommit() throws {
    let directory = TemporaryDirectory()
    directory.write("before", to: "trace.dat")
    do {
      let output = try OutputFile(path: directory.path + "/trace.dat")
      try output.append([1, 2, 3])
    }
    #expect(directory.names == ["trace.dat"])
    #expect(TextFile.text(directory.path + "/trace.dat") == "before")
  }

  @Test func existingFileIsReplacedAndLinksAreNotFollowed() throws {
    let directory = TemporaryDirectory()
    let victim = directory.write("precious", to: "victim")
    symlink(victim, directory.path + "/trace.dat")
    let output = try OutputFile(path: directory.path + "/trace.dat")
    try output.append([7])
    try output.commit()
    #expect(TextFile.text(victim) == "precious")
    #expect(TextFile.bytes(directory.path + "/trace.dat") == [7])
  }

  @Test(arguments: ["/dev/null", "/tmp", "/tmp/", ".", ".."])
  func whatIsNoFileIsRefused(path: String) {
    #expect(throws: CaptureError.outputNotAFile(path)) { try OutputFile(path: path) }
  }

  @Test func missingDirectoryIsNamed() {
    #expect(throws: CaptureError.outputNotWritable("/nonexistent/trace.dat", ENOENT)) {
      try OutputFile(path: "/nonexistent/trace.dat")
    }
  }

  @Test func spoolIsAppendedWhole() throws {
    let directory = TemporaryDirectory()
    let output = try OutputFile(path: directory.path + "/trace.dat")
    let spool = try PageSpool(of: output, cpu: 0)
    let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }
    try bytes.withUnsafeBytes { try spool.append($0) }
    try output.append([1, 2])
    try output.append(spool.pages)
    #expect(output.size == 300_002)
    // All is in one private directory until it is done.
    #expect(directory.names.count == 1)
    try output.commit()
    #expect(TextFile.bytes(directory.path + "/trace.dat") == [1, 2] + bytes)
  }

  @Test func pagesGoThroughThePipeUnchanged() throws {
    let directory = TemporaryDirectory()
    let output = try OutputFile(path: directory.path + "/trace.dat")
    let pipe = try SplicePipe()
    let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
    for takesPages in [true, false] {
      pipe.filesTakePages = takesPages
      let spool = try PageSpool(of: output, cpu: takesPages ? 0 : 1)
      #expect(bytes.withUnsafeBytes { pipe.ends.input.write($0) } == 0)
      try spool.append(bytes.count, from: pipe)
      #expect(spool.size == 20_000)
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
      defer { copy.deallocate() }
      #expect(spool.file.read(into: copy, at: 0) == bytes.count)
      #expect(copy.elementsEqual(bytes))
    }
  }
}

@Suite struct HeldCommandTests {
  private static func noneIgnored() -> sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    return set
  }

  private static func fileLimit() -> rlimit {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return limit
  }

  private func start(_ command: [String]) throws(CaptureError) -> HeldCommand {
    try HeldCommand(command, ignoring: Self.noneIgnored(), fileLimit: Self.fileLimit())
  }

  @Test func nothingRunsBeforeTheRelease() throws {
    let directory = TemporaryDirectory()
    let command = try start(["touch", directory.path + "/mark"])
    usleep(50_000)
    #expect(command.reap() == nil)
    #expect(directory.names == [])
    try command.release()
    #expect(command.reap(waiting: true) == .exited(0))
    #expect(directory.names == ["mark"])
  }

  @Test func commandThatIsNeverReleasedIsNeverRun() throws {
    let directory = TemporaryDirectory()
    var command: HeldCommand? = try start(["touch", directory.path + "/mark"])
    let process = try #require(command?.process)
    command = nil
    #expect(directory.names == [])
    #expect(kill(process, 0) == -1)
  }

  @Test func statusIsPassedOn() throws {
    let failing = try start(["sh", "-c", "exit 42"])
    try failing.release()
    #expect(failing.reap(waiting: true)?.exitStatus == 42)
    let killed = try start(["sh", "-c", "kill -KILL $$"])
    try killed.release()
    #expect(killed.reap(waiting: true)?.exitStatus == 137)
  }

  @Test func unknownCommandIsToldBeforeAnythingStarts() {
    #expect(throws: CaptureError.commandNotFound("no-such-program")) { try start(["no-such-program"]) }
    #expect(throws: CaptureError.commandNotFound("/no/such")) { try start(["/no/such"]) }
    #expect(throws: CaptureError.commandNotFound("")) { try start([""]) }
    #expect(throws: CaptureError.commandNotStarted("/etc/passwd", EACCES)) { try start(["/etc/passwd"]) }
    #expect(throws: CaptureError.commandNotStarted("/tmp", EACCES)) { try start(["/tmp"]) }
  }

  @Test func programThatTheKernelRefusesIsTold() throws {
    let directory = TemporaryDirectory()
    let path = directory.write("#!/no/such/interpreter\n", to: "script")
    chmod(path, 0o700)
    let command = try start([path])
    #expect(throws: CaptureError.commandNotStarted(path, ENOENT)) { try command.release() }
    let garbage = directory.write("\u{1}\u{2}", to: "garbage")
    chmod(garbage, 0o700)
    let other = try start([garbage])
    #expect(throws: CaptureError.commandNotStarted(garbage, ENOEXEC)) { try other.release() }
  }
}
