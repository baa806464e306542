/// An engine and the choices among its variants, as users name them: `llist-2014`, `llist-2014:dying`, `llist-2014:none,mail`.
///
/// A variant is a list of choices, one of each group at most. What is not chosen is the group's first.
public struct EngineDescription: Sendable {
  /// Choices of which one is taken.
  public struct Group: Sendable {
    public var name: String
    public var choices: [Choice]
  }

  public struct Choice: Sendable {
    public var name: String
    /// What it means, in one sentence.
    public var sentence: String
  }

  public var name: String
  /// What the engine is, in one sentence.
  public var sentence: String
  /// The mail, and the kernel versions.
  public var source: String
  public var groups: [Group]

  private var make: @Sendable ([String]) -> Engine?

  init(
    name: String, sentence: String, source: String, groups: [Group],
    make: @escaping @Sendable (_ chosen: [String]) -> Engine?
  ) {
    self.name = name
    self.sentence = sentence
    self.source = source
    self.groups = groups
    self.make = make
  }

  /// All engines, oldest first.
  public static let all: [EngineDescription] = [
    Generic2008.description,
    PerCPU2009.description,
    LockLess2014.description,
    PendingQueue2014.description,
    CrossCall2022.description,
    Mainline.description,
  ]

  /// The engine with these choices; nil if one is not known, or two are of the same group.
  public func engine(choices: [String]) -> Engine? {
    var chosen: [String] = []
    var rest = choices
    for group in groups {
      let own = rest.filter { name in group.choices.contains { $0.name == name } }
      guard own.count <= 1, let first = group.choices.first else { return nil }
      rest.removeAll { own.contains($0) }
      chosen.append(own.first ?? first.name)
    }
    return rest.isEmpty ? make(chosen) : nil
  }
}

extension Engine {
  /// The engine that a name with a variant means.
  /// - Parameter name: `NAME` or `NAME:CHOICE,CHOICE…`
  public init?(name: some StringProtocol) {
    let parts = String(name).split(separator: ":" as Character, maxSplits: 1, omittingEmptySubsequences: false)
    guard let description = EngineDescription.all.first(where: { $0.name == parts[0] }) else { return nil }
    let choices =
      parts.count == 2
      ? parts[1].split(separator: "," as Character, omittingEmptySubsequences: false).map(String.init) : []
    guard let engine = description.engine(choices: choices) else { return nil }
    self = engine
  }
}
