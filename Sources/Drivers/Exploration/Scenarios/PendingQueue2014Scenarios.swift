extension ScenarioLibrary {
  static let pendingQueue2014 = [pendingQueue2014Contexts, pendingQueue2014Functions, pendingQueue2014Offline]
    .joined(separator: "\n")

  /// Requests before, during and after the run, from every context.
  private static let pendingQueue2014Contexts = """
    scenario queue-again
    claim A request made while the function runs spins until it ends; with the swap behind the function it is lost.
    source mail of 2 April 2014: "async = non waiting for any other IPI completion"
    cpus 2
    cpu 0: queue 1 q f -> 0; queue 1 q f -> 0; queue 1 q f -> 0
    engine queue-2014 violates neverWaits
    engine queue-2014:swap-after violates noLostRequest,neverWaits
    engine queue-2014:repaired,swap-after violates noLostRequest
    engine queue-2014:one-word,check-first,dying violates neverWaits
    engine queue-2014:unlock-first
    engine queue-2014:repaired

    scenario queue-three
    claim Three at once need nobody to serialise them.
    source mail of 2 April 2014: "we want the IPI subsystem to handle concurrent calls by itself"
    cpus 4
    cpu 0: queue 3 q f -> 0
    cpu 1: queue 3 q f -> 0
    cpu 2: queue 3 q f -> 0
    engine queue-2014 violates neverWaits
    engine queue-2014:swap-after violates noLostRequest,neverWaits
    engine queue-2014:repaired

    scenario queue-three-self
    claim The target's own request runs in place, beside what others have queued.
    source mail of 2 April 2014; kernel/smp.c of 3.15, generic_exec_single()
    cpus 3
    cpu 0: queue 2 q f -> 0
    cpu 1: queue 2 q f -> 0
    cpu 2: queue 2 q f -> 0
    engine queue-2014 violates neverWaits
    engine queue-2014:swap-after violates noLostRequest,neverWaits
    engine queue-2014:repaired

    scenario queue-interrupts-off
    claim With interrupts off it waits as it does with interrupts on, but never for ever.
    source mail of 2 April 2014: "contexts with disabled interrupts"
    cpus 3
    cpu 0: irqs-off; queue 1 q f -> 0; queue 1 q f -> 0; irqs-on
    cpu 2: irqs-off; queue 1 q f -> 0; irqs-on
    engine queue-2014 violates neverWaits holds noWarning
    engine queue-2014:swap-after violates noLostRequest,neverWaits
    engine queue-2014:repaired holds noWarning

    scenario queue-handler
    claim A handler's request comes between the steps of its own CPU's task, and may spin as well.
    source mail of 2 April 2014
    cpus 3
    function h: queue 1 q f -> 0
    cpu 0: queue 1 q f -> 0; queue 1 q f -> 0
    cpu 2: async 0 c h
    engine queue-2014 violates neverWaits holds noWarning
    engine queue-2014:swap-after violates noLostRequest,neverWaits
    engine queue-2014:repaired holds noWarning

    scenario queue-crossed
    claim Two CPUs that request at each other with interrupts off wait, but not for each other.
    source mail of 2 April 2014: "two CPUs wait for each other's IPI completion"
    cpus 2
    cpu 0: irqs-off; queue 1 a f -> 0; queue 1 a f -> 0; irqs-on
    cpu 1: irqs-off; queue 0 b g -> 0; queue 0 b g -> 0; irqs-on
    engine queue-2014 violates neverWaits
    engine queue-2014:swap-after violates noLostRequest,neverWaits
    engine queue-2014:repaired
    """

  /// Requests made by the function itself, and two functions.
  private static let pendingQueue2014Functions = """
    scenario queue-from-function
    claim The function requests itself on its own CPU: it runs again in place, within itself.
    source mail of 2 April 2014
    cpus 2
    function f: queue 1 q f -> 0
    cpu 0: queue 1 q f -> 0
    engine queue-2014
    engine queue-2014:swap-after violates noLostRequest
    engine queue-2014:repaired

    scenario queue-onward
    claim The function requests itself on another CPU, and waits for ever for a csd that is unlocked when it has ended.
    source mail of 2 April 2014
    cpus 2
    function f: queue 0 q f -> 0
    cpu 0: queue 1 q f -> 0
    engine queue-2014 violates neverWaits,noDeadlock
    engine queue-2014:swap-after violates noLostRequest
    engine queue-2014:one-word,check-first,dying violates neverWaits,noDeadlock
    engine queue-2014:unlock-first
    engine queue-2014:repaired

    scenario queue-crossed-functions
    claim Two functions that request each other's wait for each other's csd for ever.
    source mail of 2 April 2014: "two CPUs wait for each other's IPI completion"
    cpus 2
    function f: queue 0 b g -> 0
    function g: queue 1 a f -> 0
    cpu 0: queue 1 a f -> 0
    cpu 1: queue 0 b g -> 0
    engine queue-2014 violates neverWaits,noDeadlock
    engine queue-2014:swap-after violates noLostRequest,neverWaits
    engine queue-2014:repaired

    scenario queue-two-functions
    claim Of two functions the second is dropped while the first is pending, or overwrites it before the call.
    source mail of 2 April 2014
    cpus 3
    cpu 0: queue 2 q f -> 0|-EBUSY
    cpu 1: queue 2 q g -> 0|-EBUSY
    engine queue-2014 violates rightFunction,neverWaits
    engine queue-2014:swap-after violates rightFunction,noLostRequest,neverWaits
    engine queue-2014:unlock-first,check-first,dying violates rightFunction
    engine queue-2014:one-word violates neverWaits
    engine queue-2014:repaired

    scenario queue-then-other
    claim The same from one requester.
    source mail of 2 April 2014
    cpus 2
    cpu 0: queue 1 q f -> 0; queue 1 q g -> 0|-EBUSY; queue 1 q f -> 0|-EBUSY
    engine queue-2014 violates rightFunction,neverWaits
    engine queue-2014:one-word violates neverWaits
    engine queue-2014:repaired
    """

  /// Targets that go offline.
  private static let pendingQueue2014Offline = """
    scenario queue-late-ipi
    claim A request whose IPI comes after its CPU is gone stays pending for ever, and swallows every later one.
    source mail of 2 April 2014, on the base of 3.15
    cpus 2
    cpu 0: queue 1 q f -> 0; down 1; up 1; queue 1 q f -> 0
    engine queue-2014 violates noLostRequest,noneOnOfflineCPU
    engine queue-2014:dying
    engine queue-2014:unlock-first,one-word,check-first violates noLostRequest,noneOnOfflineCPU
    engine queue-2014:repaired

    scenario queue-error
    claim Who finds the target offline takes back with its own the request of another, who was told 0.
    source mail of 2 April 2014: "This must not be called on offline CPUs"
    cpus 3
    offline 1
    cpu 0: queue 1 q f -> 0|-ENXIO
    cpu 2: up 1; queue 1 q f -> 0
    engine queue-2014 violates noLostRequest,neverWaits
    engine queue-2014:dying violates noLostRequest,neverWaits
    engine queue-2014:unlock-first,one-word,dying violates noLostRequest
    engine queue-2014:repaired

    scenario queue-error-alone
    claim One requester's own error leaves nothing pending.
    source mail of 2 April 2014
    cpus 2
    offline 1
    cpu 0: queue 1 q f -> -ENXIO; up 1; queue 1 q f -> 0
    engine queue-2014
    engine queue-2014:repaired

    scenario queue-preempted
    claim One is preempted between claim and check, another is coalesced with it, and the target goes offline.
    source mail of 2 April 2014: preempt_disable() stands behind the cmpxchg
    cpus 3
    cpu 0: queue 1 q f -> 0|-ENXIO
    cpu 2: queue 1 q f -> 0; down 1
    engine queue-2014:dying violates noLostRequest,neverWaits
    engine queue-2014:dying,unlock-first,one-word violates noLostRequest
    engine queue-2014:repaired

    scenario queue-dying-function
    claim The dying CPU's flush runs a function that requests itself, there and elsewhere.
    source mail of 2 April 2014
    cpus 2
    function f: queue 1 r g -> 0; queue 0 s g -> 0
    cpu 0: queue 1 q f -> 0; down 1
    engine queue-2014 violates noLostRequest,noneOnOfflineCPU
    engine queue-2014:dying
    engine queue-2014:repaired
    """
}
