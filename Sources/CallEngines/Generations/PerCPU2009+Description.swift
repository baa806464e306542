extension PerCPU2009 {
  static let description = EngineDescription(
    name: "percpu-2009",
    sentence: "A csd and an entry of the global queue per CPU, used again while others may walk over it.",
    source: "mail of 17 February 2009, \"generic-ipi: remove kmalloc()\"; 2.6.30",
    groups: [
      EngineDescription.Group(
        name: "reuse",
        choices: [
          EngineDescription.Choice(
            name: "head", sentence: "An entry is put at the head of the global queue: walkers may meet entries twice."),
          EngineDescription.Choice(
            name: "tail", sentence: "An entry is put at the tail of the global queue: walkers may skip entries."),
        ]),
      EngineDescription.Group(
        name: "form",
        choices: [
          EngineDescription.Choice(
            name: "merged", sentence: "As in 2.6.30: references are dropped, and a csd unlocked, after the function."),
          EngineDescription.Choice(
            name: "mail", sentence: "As mailed: references are dropped, and a csd unlocked, before the function."),
        ]),
    ],
    make: { chosen in
      guard let reuse = Reuse(rawValue: chosen[0]), let form = Form(rawValue: chosen[1]) else { return nil }
      return .perCPU2009(PerCPU2009(reuse: reuse, form: form))
    })
}
