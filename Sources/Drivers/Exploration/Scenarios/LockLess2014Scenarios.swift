extension ScenarioLibrary {
  static let lockLess2014 = """
    scenario late-ipi
    claim A callback whose IPI comes after its CPU is gone is lost without the flush on dying, and never with it.
    source mail of 23 May 2014: "an IPI sent much earlier might arrive late on the target CPU"
    cpus 2
    cpu 0: single 1 f; down 1
    engine llist-2014:none,before violates noLostCallback
    engine llist-2014:none,mail violates noLostCallback
    engine llist-2014:none,merged violates noLostCallback
    engine llist-2014:dying,mail holds noOfflineWarning
    engine llist-2014:dying,merged holds noOfflineWarning
    engine llist-2014:dying,before holds noOfflineWarning

    scenario storm
    claim Three CPUs that call each other, all waiting, all get their answers.
    source kernel/smp.c of 3.15
    cpus 3
    cpu 0: many 1-2 f wait
    cpu 1: single 2 g wait
    cpu 2: single 0 g wait
    engine llist-2014
    """
}
