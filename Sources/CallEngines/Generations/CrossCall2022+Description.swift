extension CrossCall2022 {
  static let description = EngineDescription(
    name: "xcall-2022",
    sentence: "Six calls with a flags word, over the queue of mainline.",
    source: "mail of 14 April 2022, \"smp: cross call interface\" (patch 2 of 11)",
    groups: [],
    make: { _ in .crossCall2022(CrossCall2022()) })
}
