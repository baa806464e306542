import CallEngines
import Drivers
import Testing

/// A deliberate fault in an engine, and a scenario that has to show it.
struct EngineFault: Sendable, CustomTestStringConvertible {
  var name: String
  /// `NAME` or `NAME:VARIANT`
  var engine: String
  /// The scenario's text, from the CPUs to the programs.
  var scenario: String
  var redirects: [Redirect]
  /// Violated with the fault, and not without.
  var violates: Property

  var testDescription: String { "\(engine): \(name)" }

  /// Explores with and without the fault.
  func check() throws {
    let engine = try #require(Engine(name: engine))
    let text = "scenario fault\n\(scenario)\nengine \(self.engine)\n"
    let workload = try #require(try ScenarioParser.parse(text).first).workload

    var options = Explorer.Options()
    #if DEBUG
      // What is larger is left to the optimised tests, which are thirty times as fast.
      options.stateLimit = 1_000
    #endif
    let sound = Explorer(engine: engine, workload: workload, options: options).explore()
    #if DEBUG
      if sound.stopped == .tooManyStates { return }
    #endif
    #expect(sound.stopped == nil)
    #expect(sound.violations[violates] == nil, "violated without the fault")

    options.redirects = redirects
    options.stateLimit = .max
    let faulty = Explorer(engine: engine, workload: workload, options: options).explore()
    #expect(faulty.violations[violates] != nil, "the fault is not found")
  }
}

extension Redirect {
  /// A step left out: the one behind it is done instead.
  static func drop(_ point: some RawRepresentable<UInt8>, next: some RawRepresentable<UInt8>) -> [Redirect] {
    [Redirect(to: point.rawValue, instead: next.rawValue)]
  }

  /// Two steps that follow each other done the other way round; `then` is the one behind both.
  static func swap(
    _ first: some RawRepresentable<UInt8>, _ second: some RawRepresentable<UInt8>,
    then: some RawRepresentable<UInt8>
  ) -> [Redirect] {
    [
      Redirect(to: first.rawValue, instead: second.rawValue),
      Redirect(from: second.rawValue, to: then.rawValue, instead: first.rawValue),
      Redirect(from: first.rawValue, to: second.rawValue, instead: then.rawValue),
    ]
  }

  /// A branch that goes one way whatever its condition.
  static func always(
    at point: some RawRepresentable<UInt8>, not wrong: some RawRepresentable<UInt8>,
    but right: some RawRepresentable<UInt8>
  ) -> [Redirect] {
    [Redirect(from: point.rawValue, to: wrong.rawValue, instead: right.rawValue)]
  }
}
