/// What must not have got worse: a rule of `ipitrace diff --fail-on`.
///
///     RULE  = diverges | WHAT[(WHERE)]>HOWMUCH
///     WHAT  = a name of ComparedMeasure, or interference
///     WHERE = cpuN | * | the name of a callback; without it the whole, for interference every watched CPU
///     HOWMUCH = 0 | NUMBER%
public struct ComparisonRule: Sendable, Equatable {
  public enum Subject: Sendable, Equatable {
    /// The second recording breaks a rule of the engine that the first one does not break.
    case diverges
    case measure(ComparedMeasure)
    /// Any measure of a CPU's interference.
    case interference
  }

  public enum Place: Sendable, Equatable {
    /// The whole; for interference: every watched CPU.
    case total
    case cpu(Int)
    case callback(String)
    /// Every callback and every CPU; for interference: every CPU.
    case any
  }

  /// As it was written.
  public let text: String
  public let subject: Subject
  public let place: Place
  /// The growth that is still allowed, as a share: 0.05 is 5 %.
  public let threshold: Double

  /// - Returns: nil for what is no rule.
  public init?(_ text: String) {
    self.text = text
    if text == "diverges" {
      (subject, place, threshold) = (.diverges, .total, 0)
      return
    }
    // A callback's name may hold anything, so the last sign counts.
    guard let sign = text.lastIndex(of: ">"), let threshold = Self.threshold(text[text.index(after: sign)...]) else {
      return nil
    }
    let head = text[..<sign]
    let name = head.prefix { $0 != "(" }
    guard let place = Self.place(head[name.endIndex...]) else { return nil }
    if name == "interference" {
      if case .callback = place { return nil }
      subject = .interference
    } else if let measure = ComparedMeasure(rawValue: String(name)), Self.exists(measure, at: place) {
      subject = .measure(measure)
    } else {
      return nil
    }
    self.place = place
    self.threshold = threshold
  }

  private static func exists(_ measure: ComparedMeasure, at place: Place) -> Bool {
    switch place {
    case .total, .any: true
    case .cpu: ComparedMeasure.ofCPU.contains(measure)
    case .callback: ComparedMeasure.ofCallback.contains(measure)
    }
  }

  private static func place(_ text: Substring) -> Place? {
    if text.isEmpty { return .total }
    guard text.first == "(", text.last == ")" else { return nil }
    let name = text.dropFirst().dropLast()
    if name == "*" { return .any }
    if name.hasPrefix("cpu"), let cpu = number(name.dropFirst(3)), cpu <= 65_535 { return .cpu(cpu) }
    return name.isEmpty ? nil : .callback(String(name))
  }

  /// `0`, or a number with up to three decimals and a percent sign.
  private static func threshold(_ text: Substring) -> Double? {
    if text == "0" { return 0 }
    guard text.last == "%" else { return nil }
    let parts = text.dropLast().split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let whole = number(parts[0]) else { return nil }
    guard parts.count == 2 else { return Double(whole) / 100 }
    guard parts[1].utf8.count <= 3, let decimals = number(parts[1]) else { return nil }
    var scale = 1.0
    for _ in parts[1].utf8 { scale *= 10 }
    return (Double(whole) + Double(decimals) / scale) / 100
  }

  private static func number(_ digits: Substring) -> Int? {
    guard (1...9).contains(digits.utf8.count), digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
    return Int(digits)
  }
}

/// What became of a rule.
public struct RuleOutcome: Codable, Sendable, Equatable {
  public enum Result: String, Codable, Sendable {
    /// Something grew beyond the threshold, and not by chance.
    case fired
    /// Everything that it asks about was judged, and nothing fired.
    case quiet
    /// Nothing fired, but not everything could be judged.
    case notJudged
  }

  /// What made it fire.
  public struct Cause: Codable, Sendable, Equatable {
    /// Null for a CPU and for the whole.
    @Nullable public var callback: String?
    @Nullable public var cpu: Int?
    public var item: ComparedItem

    public init(callback: String?, cpu: Int?, item: ComparedItem) {
      self.callback = callback
      self.cpu = cpu
      self.item = item
    }
  }

  public struct Gap: Codable, Sendable, Equatable {
    /// Null where nothing was seen on either side.
    @Nullable public var reason: NotComparedReason?
    public var count: Int

    public init(reason: NotComparedReason?, count: Int) {
      self.reason = reason
      self.count = count
    }
  }

  public var rule: String
  public var result: Result
  /// How many items it asks about were judged.
  public var judged: Int
  /// Those that were not, by reason.
  public var notJudged: [Gap]
  /// The first ones.
  public var causes: [Cause]
  /// For `diverges`: the engine's rules that are broken, and were not before.
  public var brokenRules: [String]

  public init(
    rule: String, result: Result, judged: Int, notJudged: [Gap], causes: [Cause] = [], brokenRules: [String] = []
  ) {
    self.rule = rule
    self.result = result
    self.judged = judged
    self.notJudged = notJudged
    self.causes = causes
    self.brokenRules = brokenRules
  }
}
