import CallEngines

/// Reads scenarios from text.
///
///     scenario wait-deadlock
///     claim Two CPUs that call each other with interrupts off wait for ever.
///     source mail of 30 April 2008
///     cpus 2
///     allocation fails
///     function f: lock A; unlock A
///     cpu 0: irqs-off; single 1 f wait
///     cpu 1: irqs-off; single 0 f
///     engine generic-2008:wait violates noDeadlock
///     engine generic-2008:enomem
///
/// One statement to a line; `#` begins a comment. A scenario ends where the next begins. A function that is not declared does
/// nothing. Operations are
///
///     irqs-off  irqs-on  lock NAME  unlock NAME  down CPU  up CPU  idle  user  kernel  repeat
///     single CPU FUNCTION [wait]            many CPUS FUNCTION [wait]       each CPUS FUNCTION [wait]
///     any CPUS FUNCTION [wait]              async CPU CSD FUNCTION          queue CPU QSD FUNCTION
///     irq-work CPU WORK FUNCTION            wakeup CPU TASK
///     xcall CPU|all FUNCTION FLAGS          xcall-mask CPUS FUNCTION FLAGS  xcall-any CPUS FUNCTION FLAGS
///     xcall-private CPU CSD FUNCTION FLAGS
///
/// `repeat` begins a task again, for ever; all its calls have to wait. `user` goes to user space, where the task stays if `kernel`
/// does not bring it back. CPUS is a list such as `0,2-3` or `none`, and FLAGS is `sync`, `async`, `irq-work`, `ttwu` or a number.
/// Behind a call may stand `defer`, if its function may run as late as when the target enters the kernel, `if CPUS`, the CPUs
/// for which its condition is true, and `-> RESULT`, or several with `|` between them, what it may return.
public struct ScenarioParser {
  /// Longer texts are refused, in bytes.
  public static let maximumLength = 1 << 20
  static let maximumOperations = 250
  static let maximumScenarios = 1_000
  static let maximumCalls = 64
  /// Functions, locks: each has a number that fits a byte.
  static let maximumNames = 200

  private var scenarios: [Scenario] = []
  private var functions: [String: Int] = [:]
  private var line = 0

  private init() {}

  /// - Throws: ``ScenarioError``.
  /// - Complexity: O(length of the text).
  public static func parse(_ text: String) throws(ScenarioError) -> [Scenario] {
    guard text.utf8.count <= maximumLength else {
      throw ScenarioError(line: 1, reason: "longer than \(maximumLength) bytes")
    }
    var parser = ScenarioParser()
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      parser.line += 1
      let statement = line.prefix { $0 != "#" }
      let words = statement.split(whereSeparator: \.isWhitespace)
      if let keyword = words.first { try parser.statement(String(keyword), words.dropFirst().joined(separator: " ")) }
    }
    try parser.finishScenario()
    return parser.scenarios
  }

  private func failure(_ reason: String) -> ScenarioError { ScenarioError(line: line, reason: reason) }

  // MARK: Statements

  private mutating func statement(_ keyword: String, _ rest: String) throws(ScenarioError) {
    if keyword == "scenario" {
      try finishScenario()
      guard !rest.isEmpty else { throw failure("a scenario needs a name") }
      guard !scenarios.contains(where: { $0.name == rest }) else { throw failure("a second scenario \"\(rest)\"") }
      guard scenarios.count < Self.maximumScenarios else {
        throw failure("more than \(Self.maximumScenarios) scenarios")
      }
      scenarios.append(Scenario(name: rest, workload: Workload(cpuCount: 2)))
      functions = [:]
      return
    }
    guard !scenarios.isEmpty else { throw failure("expected \"scenario NAME\" first, found \"\(keyword)\"") }
    var scenario = scenarios.removeLast()
    switch keyword {
    case "claim": scenario.claim = rest
    case "source": scenario.source = rest
    case "cpus": try setCPUCount(rest, &scenario)
    case "node": try setNode(rest, &scenario)
    case "offline": scenario.workload.offline = try cpuList(rest, scenario)
    case "allocation":
      guard let allocation = Workload.Allocation(rawValue: rest) else {
        throw failure("expected fails, succeeds or either, found \"\(rest)\"")
      }
      scenario.workload.allocation = allocation
    case "function":
      let (name, body) = try named(rest)
      let index = function(named: name, &scenario)
      scenario.workload.functions[index].body = try program(body, &scenario)
    case "cpu":
      let (name, body) = try named(rest)
      let cpu = try self.cpu(name, scenario)
      scenario.workload.tasks[cpu].operations += try program(body, &scenario).operations
      guard scenario.workload.tasks[cpu].operations.count <= Self.maximumOperations else {
        throw failure("more than \(Self.maximumOperations) operations on one CPU")
      }
    case "engine": try addCase(rest, &scenario)
    default: throw failure("unknown statement \"\(keyword)\"")
    }
    guard functions.count <= Self.maximumNames else { throw failure("more than \(Self.maximumNames) functions") }
    guard scenario.lockNames.count <= Self.maximumNames else { throw failure("more than \(Self.maximumNames) locks") }
    scenarios.append(scenario)
  }

  /// Looks at what can only be known at a scenario's end.
  private func finishScenario() throws(ScenarioError) {
    guard let scenario = scenarios.last else { return }
    for body in scenario.workload.functions.map(\.body) where body.operations.contains(.startOver) {
      throw failure("\"repeat\" in a function, in scenario \"\(scenario.name)\"")
    }
    for body in scenario.workload.functions.map(\.body)
    where body.operations.contains(.enterUser) || body.operations.contains(.leaveUser) {
      throw failure("\"user\" or \"kernel\" in a function, in scenario \"\(scenario.name)\"")
    }
    for task in scenario.workload.tasks {
      for (operation, next) in zip(task.operations, task.operations.dropFirst())
      where operation == .enterUser && next != .leaveUser {
        throw failure("in user space a task does nothing before \"kernel\", in scenario \"\(scenario.name)\"")
      }
    }
    for task in scenario.workload.tasks where task.operations.contains(.startOver) {
      for case .call(let call) in task.operations where !scenario.workload.calls[call].promisesWait {
        throw failure("\"repeat\" with a call that does not wait, in scenario \"\(scenario.name)\"")
      }
    }
    for item in scenario.cases {
      for call in scenario.workload.calls where !item.engine.supports(call.kind) {
        throw failure("\(item.engineName) has no call \"\(call.kind)\", in scenario \"\(scenario.name)\"")
      }
    }
  }

  private func setCPUCount(_ text: String, _ scenario: inout Scenario) throws(ScenarioError) {
    guard let count = Int(text), count >= 1, count <= Action.maximumCPUs else {
      throw failure("expected 1 to \(Action.maximumCPUs) CPUs, found \"\(text)\"")
    }
    guard scenario.workload.calls.isEmpty, scenario.workload.tasks.allSatisfy({ $0.operations.isEmpty }) else {
      throw failure("\"cpus\" has to stand before the programs")
    }
    scenario.workload.cpuCount = count
    scenario.workload.nodes = Array(repeating: 0, count: count)
    scenario.workload.tasks = Array(repeating: Program(), count: count)
  }

  private func setNode(_ text: String, _ scenario: inout Scenario) throws(ScenarioError) {
    let (name, list) = try named(text)
    guard let node = Int(name), node >= 0, node < 256 else { throw failure("expected a node, found \"\(name)\"") }
    for cpu in try cpuList(list, scenario) { scenario.workload.nodes[cpu] = node }
  }

  private func addCase(_ text: String, _ scenario: inout Scenario) throws(ScenarioError) {
    let words = text.split(whereSeparator: { $0 == " " })
    guard let name = words.first else { throw failure("expected an engine") }
    guard let engine = Engine(name: name) else { throw failure("no engine or variant \"\(name)\"") }
    guard !scenario.cases.contains(where: { $0.engineName == name }) else { throw failure("a second case of \(name)") }
    var item = Scenario.Case(engineName: String(name), engine: engine)
    var violates: Bool?
    for word in words.dropFirst() {
      if word == "violates" || word == "holds" {
        violates = word == "violates"
        continue
      }
      for name in word.split(separator: ",") {
        guard let property = Property(name: name) else { throw failure("no property \"\(name)\"") }
        switch violates {
        case true?: item.violated.append(property)
        case false?: item.alsoHolds.append(property)
        case nil: throw failure("expected \"violates\" or \"holds\" before \"\(name)\"")
        }
      }
    }
    scenario.cases.append(item)
  }

  // MARK: Programs

  /// `NAME: REST`
  private func named(_ text: String) throws(ScenarioError) -> (name: String, rest: String) {
    guard let colon = text.firstIndex(of: ":") else { throw failure("expected \":\" in \"\(text)\"") }
    let name = text[..<colon].filter { !$0.isWhitespace }
    guard !name.isEmpty else { throw failure("expected a name before \":\"") }
    return (name, String(text[text.index(after: colon)...]))
  }

  private mutating func function(named name: String, _ scenario: inout Scenario) -> Int {
    if let index = functions[name] { return index }
    let index = scenario.workload.functions.count
    scenario.workload.functions.append(Function(name: name))
    functions[name] = index
    return index
  }

  private mutating func program(_ text: String, _ scenario: inout Scenario) throws(ScenarioError) -> Program {
    var operations: [Operation] = []
    for part in text.split(separator: ";") {
      let words = part.split(whereSeparator: \.isWhitespace).map(String.init)
      if words.isEmpty { continue }
      operations.append(try operation(words, &scenario))
      guard operations.count <= Self.maximumOperations else {
        throw failure("more than \(Self.maximumOperations) operations")
      }
    }
    return Program(operations)
  }

  private mutating func operation(_ words: [String], _ scenario: inout Scenario) throws(ScenarioError) -> Operation {
    var arguments = ScenarioArguments(words: words, line: line)
    let keyword = try arguments.word("an operation")
    let operation: Operation
    switch keyword {
    case "irqs-off": operation = .disableInterrupts
    case "irqs-on": operation = .enableInterrupts
    case "lock": operation = .lock(index(of: try arguments.word("a lock"), in: &scenario.lockNames))
    case "unlock": operation = .unlock(index(of: try arguments.word("a lock"), in: &scenario.lockNames))
    case "down": operation = .takeDown(try cpu(try arguments.word("a CPU"), scenario))
    case "up": operation = .bringUp(try cpu(try arguments.word("a CPU"), scenario))
    case "idle": operation = .idlePolling
    case "user": operation = .enterUser
    case "kernel": operation = .leaveUser
    case "repeat": operation = .startOver
    default: operation = .call(try call(keyword, &arguments, &scenario))
    }
    try arguments.end()
    scenario.workload.lockCount = scenario.lockNames.count
    scenario.workload.privateStorageCount = scenario.storageNames.count
    return operation
  }

  private func index(of name: String, in names: inout [String]) -> Int {
    if let index = names.firstIndex(of: name) { return index }
    names.append(name)
    return names.count - 1
  }

  private mutating func call(
    _ keyword: String, _ arguments: inout ScenarioArguments, _ scenario: inout Scenario
  ) throws(ScenarioError) -> Int {
    guard let form = CallForm.all[keyword] else { throw failure("unknown operation \"\(keyword)\"") }
    var call = Call(kind: form.kind)
    switch form.target {
    case .cpu:
      // A CPU that does not exist is allowed: what becomes of it is the engine's business.
      let word = try arguments.word("a CPU")
      if word == "all", form.kind == .xcall {
        call.target = -1
      } else {
        guard let target = Int(word), target >= -128, target < 256 else {
          throw failure("expected a CPU, found \"\(word)\"")
        }
        call.target = target
      }
    case .cpus:
      for cpu in try cpuList(try arguments.word("CPUs"), scenario) { call.mask.insert(cpu) }
    }
    if form.hasStorage { call.storage = index(of: try arguments.word("a csd"), in: &scenario.storageNames) }
    if form.hasFunction {
      call.function = function(named: try arguments.word("a function"), &scenario)
    } else {
      call.function = function(named: "sched_ttwu_pending", &scenario)
    }
    if form.hasFlags { call.flags = try flags(try arguments.word("flags")) }
    if form.canWait { call.waits = arguments.take("wait") }
    call.isDeferrable = arguments.take("defer")
    if arguments.take("if") {
      call.condition = CPUSet()
      for cpu in try cpuList(try arguments.word("CPUs"), scenario) { call.condition.insert(cpu) }
    }
    if arguments.take("->") {
      for name in try arguments.word("a result").split(separator: "|") {
        guard let result = CallResult.allCases.first(where: { $0.name == name }) else {
          throw failure("no result \"\(name)\"")
        }
        call.expectedResults.formUnion(CallResultSet(result))
      }
    }
    guard scenario.workload.calls.count < Self.maximumCalls else {
      throw failure("more than \(Self.maximumCalls) calls")
    }
    scenario.workload.calls.append(call)
    scenario.callTexts.append(arguments.words.prefix(arguments.position).joined(separator: " "))
    return scenario.workload.calls.count - 1
  }

  private func flags(_ word: String) throws(ScenarioError) -> UInt8 {
    switch word {
    case "sync": return 0x10
    case "async": return 0
    case "irq-work": return 0x20
    case "ttwu": return 0x30
    default:
      let isHexadecimal = word.hasPrefix("0x")
      guard let value = UInt8(isHexadecimal ? String(word.dropFirst(2)) : word, radix: isHexadecimal ? 16 : 10) else {
        throw failure("expected flags, found \"\(word)\"")
      }
      return value
    }
  }

  private func cpu(_ text: String, _ scenario: Scenario) throws(ScenarioError) -> Int {
    guard let cpu = Int(text), cpu >= 0, cpu < scenario.workload.cpuCount else {
      throw failure("expected a CPU below \(scenario.workload.cpuCount), found \"\(text)\"")
    }
    return cpu
  }

  private func cpuList(_ text: String, _ scenario: Scenario) throws(ScenarioError) -> [Int] {
    if text == "none" { return [] }
    var cpus: [Int] = []
    for part in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
      let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let first = try cpu(ends[0], scenario)
      let last = ends.count == 2 ? try cpu(ends[1], scenario) : first
      guard first <= last else { throw failure("expected CPUs, found \"\(part)\"") }
      cpus += first...last
    }
    return cpus
  }
}

/// How a call is written.
private struct CallForm {
  enum Target {
    case cpu
    case cpus
  }

  var kind: Call.Kind
  var target: Target
  var hasStorage = false
  var hasFunction = true
  var hasFlags = false
  var canWait = false

  static let all: [String: CallForm] = [
    "single": CallForm(kind: .single, target: .cpu, canWait: true),
    "async": CallForm(kind: .singleAsync, target: .cpu, hasStorage: true),
    "many": CallForm(kind: .many, target: .cpus, canWait: true),
    "each": CallForm(kind: .onEach, target: .cpus, canWait: true),
    "any": CallForm(kind: .any, target: .cpus, canWait: true),
    "queue": CallForm(kind: .queue, target: .cpu, hasStorage: true),
    "irq-work": CallForm(kind: .irqWork, target: .cpu, hasStorage: true),
    "wakeup": CallForm(kind: .wakeup, target: .cpu, hasStorage: true, hasFunction: false),
    "xcall": CallForm(kind: .xcall, target: .cpu, hasFlags: true),
    "xcall-mask": CallForm(kind: .xcallMask, target: .cpus, hasFlags: true),
    "xcall-private": CallForm(kind: .xcallPrivate, target: .cpu, hasStorage: true, hasFlags: true),
    "xcall-any": CallForm(kind: .xcallAny, target: .cpus, hasFlags: true),
  ]
}

/// The words of one operation, read one by one.
struct ScenarioArguments {
  let words: [String]
  let line: Int
  private(set) var position = 0

  init(words: [String], line: Int) {
    self.words = words
    self.line = line
  }

  mutating func word(_ what: String) throws(ScenarioError) -> String {
    guard position < words.count else {
      throw ScenarioError(line: line, reason: "expected \(what) behind \"\(words.joined(separator: " "))\"")
    }
    position += 1
    return words[position - 1]
  }

  /// Takes the next word if it is this one.
  mutating func take(_ word: String) -> Bool {
    guard position < words.count, words[position] == word else { return false }
    position += 1
    return true
  }

  func end() throws(ScenarioError) {
    guard position == words.count else {
      throw ScenarioError(line: line, reason: "did not expect \"\(words[position])\"")
    }
  }
}
