import CTracefs
import Glibc
import Synchronization

/// Writes one piece of a recording on a thread of its own, while the recorder goes on reading the kernel's buffers.
final class PieceWriter: Sendable {
  typealias Outcome = Result<CaptureAssembly.Outcome, CaptureError>

  private let assembly: CaptureAssembly
  private let output: OutputFile
  private let result = Mutex<Outcome?>(nil)
  private let ownThread = Atomic<Int32>(0)
  private let handle = Mutex<pthread_t?>(nil)

  /// Starts to write. Where no thread is to be had, it writes at once.
  init(_ assembly: CaptureAssembly, to output: OutputFile) {
    self.assembly = assembly
    self.output = output
    var thread = pthread_t()
    let this = Unmanaged.passRetained(self)
    let error = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<PieceWriter>.fromOpaque(argument!).takeRetainedValue().work()
        return nil
      }, this.toOpaque())
    if error == 0 {
      handle.withLock { $0 = thread }
    } else {
      this.release()
      work()
    }
  }

  deinit { _ = wait() }

  /// The thread that writes, once it has begun.
  var thread: Int32 { ownThread.load(ordering: .relaxed) }

  /// Whether it is over. Its thread has ended then, or is about to.
  var isDone: Bool { result.withLock { $0 != nil } }

  /// Waits for the end.
  func wait() -> Outcome? {
    if let thread = handle.withLock({ handle in
      defer { handle = nil }
      return handle
    }) {
      pthread_join(thread, nil)
    }
    return result.withLock { $0 }
  }

  private func work() {
    ownThread.store(ipitrace_thread_id(), ordering: .relaxed)
    let outcome: Outcome
    do throws(CaptureError) { outcome = .success(try assembly.write(to: output)) } catch { outcome = .failure(error) }
    result.withLock { $0 = outcome }
  }
}
