import CallEngines
import Testing

@Suite struct CrossCallMappingTests {
  private func call(_ kind: Call.Kind, _ change: (inout Call) -> Void = { _ in }) -> Call {
    var call = Call(kind: kind)
    change(&call)
    return call
  }

  @Test(arguments: [true, false]) func aSingleCallGoesToOneCPU(waits: Bool) throws {
    let mapped = try #require(
      call(.single) {
        $0.target = 2
        $0.function = 3
        $0.waits = waits
      }.asCrossCall(from: 0, cpuCount: 4))
    #expect(mapped.call.kind == .xcall && mapped.call.target == 2 && mapped.call.function == 3)
    #expect(mapped.call.flags == (waits ? 0x10 : 0))
    #expect(mapped.call.promisesWait == waits)
    // An offline CPU was an error.
    #expect(mapped.agreement != .same)
    let all = try #require(call(.single) { $0.target = -1 }.asCrossCall(from: 0, cpuCount: 4))
    #expect(all.agreement == .differs("The number -1 is no invalid CPU, but all CPUs."))
  }

  @Test func anAsyncCallKeepsItsCSD() throws {
    let mapped = try #require(
      call(.singleAsync) {
        $0.target = 1
        $0.storage = 5
      }.asCrossCall(from: 0, cpuCount: 4))
    #expect(mapped.call.kind == .xcallPrivate && mapped.call.storage == 5 && mapped.call.flags == 0)
    #expect(mapped.call.promisesNoWait)
    #expect(mapped.agreement == .same)
  }

  /// smp_call_function_many() leaves its own CPU out, and smp_xcall_mask() does not.
  @Test func theOwnCPUIsTakenOutOfTheMask() throws {
    let old = call(.many) {
      $0.mask = 0b1011
      $0.waits = true
    }
    let own = try #require(old.asCrossCall(from: 1, cpuCount: 4))
    #expect(own.call.kind == .xcallMask && own.call.mask == 0b1001 && own.call.flags == 0x10)
    #expect(own.agreement != .same)
    let other = try #require(old.asCrossCall(from: 2, cpuCount: 4))
    #expect(other.call.mask == 0b1011)
    #expect(other.agreement == .same)
  }

  @Test func theConditionGoesAlong() throws {
    let mapped = try #require(
      call(.onEach) {
        $0.mask = 0b0110
        $0.condition = 0b0010
      }.asCrossCall(from: 1, cpuCount: 4))
    #expect(mapped.call.kind == .xcallMask && mapped.call.mask == 0b0110 && mapped.call.condition == 0b0010)
    #expect(mapped.agreement == .same)
  }

  @Test func onEachCPUIsAll() throws {
    let mapped = try #require(call(.onEach) { $0.mask = 0b1111 }.asCrossCall(from: 1, cpuCount: 4))
    #expect(mapped.call.kind == .xcall && mapped.call.target == -1)
    let widest = try #require(call(.onEach) { $0.mask = .all }.asCrossCall(from: 1, cpuCount: 64))
    #expect(widest.call.kind == .xcall && widest.call.target == -1)
  }

  @Test func anyNodesAndNone() throws {
    let any = try #require(call(.any) { $0.mask = 0b11 }.asCrossCall(from: 0, cpuCount: 2))
    #expect(any.call.kind == .xcallAny && any.call.mask == 0b11)
    let work = try #require(call(.irqWork).asCrossCall(from: 0, cpuCount: 2))
    #expect(work.call.kind == .xcallPrivate && work.call.flags == 0x20)
    let wakeup = try #require(call(.wakeup).asCrossCall(from: 0, cpuCount: 2))
    #expect(wakeup.call.kind == .xcallPrivate && wakeup.call.flags == 0x30)
    // What the interface does not replace has no name in it.
    for kind in [Call.Kind.queue, .xcall, .xcallMask, .xcallPrivate, .xcallAny] {
      #expect(call(kind).asCrossCall(from: 0, cpuCount: 2) == nil)
    }
  }

  /// A call that a function makes comes from the CPU that the function runs on.
  @Test func callsOfFunctionsAreMappedForTheirCPU() {
    var workload = Workload(cpuCount: 3)
    workload.functions = [
      Function(name: "outer", body: Program([.call(1)])), Function(name: "inner"),
    ]
    workload.calls = [
      call(.single) { $0.target = 1 },
      call(.many) {
        $0.mask = 0b111
        $0.function = 1
      },
    ]
    workload.tasks[0] = Program([.call(0)])
    let mapped = workload.asCrossCalls()
    #expect(mapped.calls[0].kind == .xcall)
    #expect(mapped.calls[1].kind == .xcallMask && mapped.calls[1].mask == 0b101)
  }
}
