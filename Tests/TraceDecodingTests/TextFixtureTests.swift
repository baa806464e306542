import TestSupport
import Testing
import TraceDecoding
import TraceTypes

/// The texts of `fixtures/text`: every line is understood.
@Suite struct TextFixtureTests {
  static let names = (try? Fixtures.files(in: "text", suffix: ".txt")) ?? []

  @Test func thereAreTexts() {
    #expect(Self.names.count >= 5)
  }

  @Test(arguments: names) func everyLineIsUnderstood(_ name: String) throws {
    let read = try ReadText(path: Fixtures.path("text/" + name))
    #expect(read.outcome.health.items.allSatisfy { $0.severity != .error }, "\(read.outcome.health)")
    let text = try Fixtures.text("text/" + name)
    let lines = text.split(separator: "\n").filter {
      !$0.hasPrefix("#") && !$0.hasPrefix("CPU:") && !$0.hasPrefix("cpus=")
    }
    #expect(read.collector.events.count == lines.count)
    let marks = text.split(separator: "\n").count { $0.hasPrefix("CPU:") }
    #expect(read.outcome.gaps.count == marks)
    // Counted in another way.
    for kind in EventKind.allCases where kind != .other {
      let count = lines.count { $0.contains(" \(kind.name):") }
      #expect(read.collector.events.count { $0.kind == kind } == count, "\(kind)")
    }
    for event in read.collector.events where event.kind == .csdQueueCPU {
      #expect(event.csd != 0 && event.function != 0)
      #expect(read.text.names.symbolName(containing: event.callsite) != nil)
    }
    let times = read.collector.events.map(\.nanoseconds)
    #expect(times == times.sorted())
  }
}
