import CallEngines
import Drivers
import Verdicts

/// Checks as they are explored, without their times: what is printed of them depends on nothing else.
enum ExampleCheck {
  static let deadlock = """
    scenario wait-deadlock
    claim Two CPUs that call each other with interrupts off wait for ever.
    source kernel/smp.c of 3.15
    cpu 0: irqs-off; single 1 f wait
    cpu 1: irqs-off; single 0 g wait
    engine llist-2014 violates noDeadlock,noLostCallback,noInterrupt
    engine llist-2014:none
    """

  static let lost = """
    scenario late-ipi
    claim A callback whose IPI comes after its CPU is gone is lost without the flush on dying.
    cpu 0: single 1 f; down 1
    engine llist-2014:none,mail violates noLostCallback
    """

  static let lock = """
    scenario lock-of-callback
    claim A caller that holds a lock which the callback takes waits for ever; an IPI to two CPUs.
    cpus 3
    function f: lock A; unlock A
    cpu 0: lock A; single 2 f wait; unlock A
    cpu 1: many 0,2 g wait
    engine llist-2014 violates noDeadlock
    """

  /// More CPUs than fit beside each other on a narrow page.
  static let crowd = """
    scenario crowd
    cpus 4
    cpu 0: irqs-off; many 1-3 f wait
    cpu 1: irqs-off; single 0 g wait
    engine llist-2014 violates noDeadlock
    """

  /// Names that try to be markup, to colour the terminal, and to turn the direction of writing.
  static let hostile = """
    scenario <script>window.__fromTrace=1</script>\u{1b}[31m\u{202e}
    claim <img src=x onerror="window.__fromTrace=1">'"&\u{1b}]0;x\u{7}\u{9b}31m
    source </style><b onmouseover='window.__fromTrace=1'>
    function <f>\u{1b}[2J\u{200f}: lock <A>\u{1b}[31m; unlock <A>\u{1b}[31m
    cpu 0: lock <A>\u{1b}[31m; single 1 <f>\u{1b}[2J\u{200f} wait; async 1 <c>\u{1b}c\u{2066} <g>
    engine llist-2014 violates noInterrupt
    """

  static func result(_ text: String) -> CheckResult {
    do throws(ScenarioError) {
      let scenarios = try ScenarioParser.parse(text)
      let lines = scenarios.flatMap { scenario in
        scenario.cases.flatMap { ScenarioCheck().lines(of: scenario, $0) }
      }
      return CheckResult(
        lines: lines.map { line in
          var line = line
          line.seconds = 0
          return line
        })
    } catch {
      preconditionFailure("line \(error.line): \(error.reason)")
    }
  }

  static let nothing = CheckResult(lines: [])

  /// Values that no exploration makes: indices that name nothing, CPUs that are not there, lines that agree in nothing.
  static let absurd: CheckResult = {
    var result = Self.result(deadlock)
    for index in result.lines.indices {
      result.lines[index].seconds = [.infinity, -.infinity, .nan, -1, 1e300][index % 5]
      result.lines[index].property = "property\(index)"
      result.lines[index].states = index % 2 == 0 ? .max : .min
      result.lines[index].reason = .tooLarge
    }
    result.lines[0].counterexample?.names = Counterexample.Names(
      calls: [], functions: [], locks: [], storages: [], csds: [.caller(storage: 9)])
    result.lines[0].counterexample?.start = []
    result.lines[0].counterexample?.cycle = [7, .max, -1]
    result.lines[1].counterexample?.steps[0].cpu = 99
    result.lines[1].counterexample?.end[0].cpu = -4
    result.lines[1].counterexample?.end[0].waitsForCPUs = [.min]
    result.lines[1].counterexample?.unfinished[0].call = -1
    result.lines[2].counterexample = result.lines[0].counterexample
    result.lines[2].counterexample?.steps = []
    return result
  }()
}
