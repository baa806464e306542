import Glibc
import Testing
import Verdicts

@testable import Reports

@Test func scratch() throws {
  for (name, result) in [
    ("example", ReplayResult.example), ("nothing", .nothing), ("large", .large), ("absurd", .absurd),
    ("backwards", .backwards),
  ] {
    let f = fopen("/tmp/wt/out-\(name).html", "w")
    fputs(HTMLReport.render(result), f)
    fclose(f)
    let g = fopen("/tmp/wt/out-\(name).json", "w")
    fputs(String(decoding: try JSONReport.render(result), as: UTF8.self), g)
    fclose(g)
    let h = fopen("/tmp/wt/out-\(name).txt", "w")
    fputs(TerminalReport().render(result), h)
    fclose(h)
  }
}
