import Drivers
import Reports
import TraceCapture
import TraceDecoding
import TraceTypes

/// A parser and what it is fed with.
enum FuzzTarget: String, CaseIterable {
  /// A trace.dat as it is, replayed.
  case trace
  /// Pages of the ring buffer in a file that is in order, packed or not, replayed.
  case pages
  /// A trace.dat of our own recorder, copied without addresses, and the copy replayed.
  case addresses
  /// Texts of event formats, over pages that are in order, replayed.
  case formats
  /// Events that no kernel records, replayed.
  case events
  /// The same, and the load simulated.
  case simulation
  /// Texts of the kernel beside the events: symbols, strings, command names, what the recorder left.
  case symbols
  /// ftrace's text in a file, replayed.
  case text
  /// ftrace's text from a pipe, replayed.
  case stream
  /// Lines of dmesg, held against a trace.
  case log
  /// A saved result, shown and compared.
  case result
  /// A file of costs.
  case costs
  /// A file of scenarios, explored as far as a few states go.
  case scenario

  /// Hands an input to the parser and uses what comes out.
  /// - Throws: what no parser may throw.
  func feed(_ bytes: [UInt8]) throws {
    do {
      switch self {
      case .trace: try TraceTargets.trace(bytes)
      case .pages: try TraceTargets.pages(bytes)
      case .addresses: try CopyTargets.addresses(bytes)
      case .formats: try TraceTargets.formats(bytes)
      case .events: try TraceTargets.events(bytes, simulates: false)
      case .simulation: try TraceTargets.events(bytes, simulates: true)
      case .symbols: TextTargets.symbols(bytes)
      case .text: try TraceTargets.text(bytes)
      case .stream: try TraceTargets.stream(bytes)
      case .log: try TextTargets.log(bytes)
      case .result: try TextTargets.result(bytes)
      case .costs: try TextTargets.costs(bytes)
      case .scenario: try TextTargets.scenario(bytes)
      }
    } catch let error as TraceFileError {
      precondition(!error.expected.isEmpty && !error.found.isEmpty && !error.location.file.isEmpty, "\(error)")
    } catch let error as CaptureError {
      precondition(!error.description.isEmpty)
    } catch let error as JSONReportError {
      precondition(!error.message.isEmpty)
    } catch let error as CostsError {
      precondition(!error.reason.isEmpty)
    } catch let error as ScenarioError {
      precondition(!error.reason.isEmpty && error.line > 0, "\(error)")
    }
  }
}
