extension ScenarioLibrary {
  static let generic2008 = """
    scenario wait-deadlock
    claim Two CPUs that call each other with interrupts off and without memory wait for ever.
    source mail of 30 April 2008: "you could deadlock between two CPUs each waiting for each others IPI ack"
    cpus 2
    allocation fails
    cpu 0: irqs-off; single 1 f; irqs-on
    cpu 1: irqs-off; single 0 g; irqs-on
    engine generic-2008:wait violates noDeadlock
    """
}
