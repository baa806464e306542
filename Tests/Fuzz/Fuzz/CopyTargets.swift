import Glibc
import TestSupport
import TraceTypes

@testable import TraceCapture

/// What makes a trace file of another one.
enum CopyTargets {
  /// In memory; the runner removes it.
  private static let folder: String = {
    let path = "/dev/shm/ipitrace-fuzz-copies-\(getpid())"
    mkdir(path, 0o700)
    return path
  }()

  /// A trace file of ours, copied without addresses; the copy is replayed.
  static func addresses(_ bytes: [UInt8]) throws {
    let file = FuzzedFile.shared
    file.fill(bytes)
    let copy = folder + "/copy.dat"
    unlink(copy)
    let summary = try RecordingRecovery.hideAddresses(of: file.path, in: copy) { _ in }
    precondition(summary.size < 16 * UInt64(bytes.count) + 1 << 20, "\(bytes.count) bytes became \(summary.size)")
    try TraceTargets.replay(bytes, copy, isComplete: bytes.count % 2 == 0)
  }

  /// A history as our recorder would write it down.
  static func recording(history: String) throws -> [UInt8] {
    let builder = try SmallTraces.builder(history: history)
    let cpus = builder.buffers[0].cpus
    var header = TraceFileHeader()
    header.headerPage = Array(
      """
      \tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
      \tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
      \tfield: char data;\toffset:16;\tsize:1008;\tsigned:0;

      """.utf8)
    for format in FormatBuilder.linux612 {
      let text = Array(format.text.utf8)
      if let index = header.systems.firstIndex(where: { $0.name == format.system }) {
        header.systems[index].formats.append(text)
      } else {
        header.systems.append((format.system, [text]))
      }
    }
    header.symbols = Array(SmallTraces.kallsyms.utf8)
    header.printkFormats = Array("0xffffffff82000000 : \"Rescheduling interrupts\"\n".utf8)
    header.tasks = [100: "caller", 101: "called"]
    header.statistics = cpus.map { _ in "entries: 5\n" }
    header.facts?.enabledEvents = EventKind.allCases.map(\.qualifiedName).sorted()
    header.facts?.online = CPUMask(0..<cpus.count)
    header.clocks = "[local] global\n"
    (header.system, header.release, header.machine) = ("Linux", "6.12.8", "x86_64")
    header.pageSize = 1024
    return TraceFileWriter.header(header, pageBytes: cpus.map { UInt64($0.pages.count * 1024) })
      + cpus.flatMap { $0.pages.flatMap { $0 } }
  }
}
