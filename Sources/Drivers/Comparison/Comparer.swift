public import TraceTypes
public import Verdicts

/// Holds two recordings, or their saved results, against each other.
///
/// Nothing is called different that was not tested, and what could not be tested says why.
public struct Comparer {
  /// The most CPUs that are shown one by one.
  static let shownCPUs = 4_096
  /// Fewer events, on both sides together, say nothing.
  private static let fewestEvents: UInt64 = 8
  /// Fewer samples on a side say nothing of a mean or median.
  private static let fewestSamples: UInt64 = 20
  /// So many have to lie beyond a percentile, in the mean.
  private static let fewestBeyond: UInt64 = 5

  private let before: MeasuredSide
  private let after: MeasuredSide
  private let watched: CPUMask?
  private let seed: UInt64
  private var blocks: (before: TimeBlocks, after: TimeBlocks)?
  private var blockNanoseconds: UInt64 = 0
  private var test: BlockTest?
  /// Why there are no blocks.
  private var obstacle: NotComparedReason?

  /// - Parameters:
  ///   - watched: CPUs that the user named; nil: the isolated ones.
  ///   - seed: of the resampling; the same seed gives the same comparison.
  public init(before: ComparisonInput, after: ComparisonInput, watched: CPUMask?, seed: UInt64) {
    self.before = MeasuredSide(before)
    self.after = MeasuredSide(after)
    self.watched = watched
    self.seed = seed
    prepare()
  }

  private mutating func prepare() {
    guard let first = before.input.slices, let second = after.input.slices else {
      obstacle = .savedResult
      return
    }
    guard TraceClock.countsNanoseconds(before.input.result.trace.clock),
      TraceClock.countsNanoseconds(after.input.result.trace.clock)
    else {
      obstacle = .clockIsNoTime
      return
    }
    guard let firstSpan = before.span, let secondSpan = after.span else {
      obstacle = .tooShort
      return
    }
    switch TimeBlocks.shift(first, firstSpan, second, secondSpan) {
    case .failure(let reason): obstacle = reason.reason
    case .success(let shift):
      let before = TimeBlocks(first, span: firstSpan, shift: shift)
      let after = TimeBlocks(second, span: secondSpan, shift: shift)
      blocks = (before, after)
      blockNanoseconds = 1 << shift
      test = BlockTest(before: before.blocks.count, after: after.blocks.count, seed: seed)
    }
  }

  /// Compares everything, and applies the rules.
  /// - Complexity: O(number of callbacks and CPUs · blocks · dealings).
  public static func compare(
    before: ComparisonInput, after: ComparisonInput, watched: CPUMask? = nil, rules: [ComparisonRule] = [],
    seed: UInt64 = 1
  ) -> Comparison {
    var comparer = Comparer(before: before, after: after, watched: watched, seed: seed)
    return comparer.comparison(rules: rules)
  }

  private mutating func comparison(rules: [ComparisonRule]) -> Comparison {
    var drafts: [Draft] = drafts(.total, ComparedMeasure.ofTotal)
    let callbacks = callbackNames()
    for name in callbacks { drafts += self.drafts(.callback(name), ComparedMeasure.ofCallback) }
    let cpus = before.cpus.union(after.cpus).sorted().prefix(Self.shownCPUs)
    for cpu in cpus { drafts += self.drafts(.cpu(cpu), ComparedMeasure.ofCPU) }
    test?.finish()
    let items = drafts.map(finished)

    var rest = items[...]
    func take(_ count: Int) -> [ComparedItem] {
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
    let total = take(ComparedMeasure.ofTotal.count)
    let byCallback = callbacks.map {
      Comparison.Callback(
        callback: $0, presence: presence(.callback($0)), items: take(ComparedMeasure.ofCallback.count))
    }
    let byCPU = cpus.map {
      Comparison.CPU(
        cpu: $0, presence: presence(.cpu($0)), isWatched: isWatched($0), items: take(ComparedMeasure.ofCPU.count))
    }
    var comparison = Comparison(
      before: Self.side(before), after: Self.side(after), circumstances: Self.circumstances(before, after),
      resampling: resampling, total: total, byCallback: byCallback, byCPU: byCPU, rules: [])
    comparison.rules = rules.map { RuleJudge.judge($0, comparison) }
    return comparison
  }

  private var resampling: Comparison.Resampling? {
    guard let test, let blocks else { return nil }
    return Comparison.Resampling(
      seed: seed, level: BlockTest.level, permutations: BlockTest.permutations, blockNanoseconds: blockNanoseconds,
      blocksBefore: blocks.before.blocks.count, blocksAfter: blocks.after.blocks.count, tested: test.findings.count,
      criticalValue: test.criticalValue)
  }

  // MARK: What there is

  /// Most calls on either side first.
  private func callbackNames() -> [String] {
    Set(before.callbacks).union(after.callbacks).map { name in
      let calls = [before, after].map { $0.value(.calls, .callback(name)).count ?? 0 }
      return (name: name, calls: calls.max() ?? 0)
    }.sorted { ($1.calls, $0.name) < ($0.calls, $1.name) }.map(\.name)
  }

  private func presence(_ place: MeasuredSide.Place) -> Comparison.Presence {
    switch (before.has(place), after.has(place)) {
    case (true, false): .onlyBefore
    case (false, true): .onlyAfter
    default: .both
    }
  }

  private func isWatched(_ cpu: Int) -> Bool {
    if let watched { return watched.contains(cpu) }
    return [before, after].contains { side in
      let cpus = side.input.result.trace.cpus
      return (cpus.isolated ?? []).contains(cpu) || (cpus.nohzFull ?? []).contains(cpu)
    }
  }

  // MARK: Items

  /// An item that waits for the test to be over.
  private struct Draft {
    var item: ComparedItem
    /// The place of its finding.
    var finding: Int?
    var doubt = Doubt()
  }

  /// What may be missing on either side, in the unit of the finding's difference.
  private struct Doubt {
    /// By how much the difference may be smaller than it seems.
    var below = 0.0
    /// By how much it may be larger.
    var above = 0.0
  }

  private mutating func drafts(_ place: MeasuredSide.Place, _ measures: [ComparedMeasure]) -> [Draft] {
    measures.map { draft($0, place) }
  }

  private mutating func draft(_ measure: ComparedMeasure, _ place: MeasuredSide.Place) -> Draft {
    var draft = Draft(
      item: ComparedItem(
        measure: measure, before: before.value(measure, place), after: after.value(measure, place)))
    if let reason = objection(measure, place) {
      draft.item.reason = reason
      return draft
    }
    switch (missing(before, measure, place), missing(after, measure, place)) {
    case (.failure(let reason), _), (_, .failure(let reason)): draft.item.reason = reason.reason
    case (.success(let first), .success(let second)):
      if let (parts, wholes) = ratios(measure, place) {
        draft.finding = test?.enter(parts: parts, wholes: wholes)
        draft.doubt = doubt(measure, place, missing: (first, second), parts: parts, wholes: wholes)
      } else {
        draft.item.reason = .tooFew
      }
    }
    return draft
  }

  /// Why a difference could not be judged, whatever it is; nil where nothing is in the way.
  private func objection(_ measure: ComparedMeasure, _ place: MeasuredSide.Place) -> NotComparedReason? {
    if let reason = before.absence(measure, place) ?? after.absence(measure, place) { return reason }
    if let obstacle { return obstacle }
    if case .callback(let name) = place, CallbackName.isAddress(name) { return .noName }
    if before.kinds(of: measure) != after.kinds(of: measure) { return .otherEventsRecorded }
    if before.input.isPartial || after.input.isPartial, before.input.recordedCPUs != after.input.recordedCPUs {
      if case .cpu = place, measure.isRecordedByTarget { return nil }
      return .otherCPUsRecorded
    }
    if measure.isBetweenCPUs, before.losses.clocksDisagree || after.losses.clocksDisagree { return .clocksDisagree }
    return nil
  }

  private func missing(
    _ side: MeasuredSide, _ measure: ComparedMeasure, _ place: MeasuredSide.Place
  ) -> Result<Double, TimeBlocks.NotJudgeable> {
    if case .cpu(let cpu) = place, measure.isRecordedByTarget { return side.losses.missing(cpu: cpu, measure: measure) }
    return side.losses.missing(cpu: nil, measure: measure)
  }

  /// What is held against each other, block by block; nil where there is too little.
  private func ratios(
    _ measure: ComparedMeasure, _ place: MeasuredSide.Place
  ) -> (parts: [Double], wholes: [Double])? {
    guard let blocks else { return nil }
    let cells = [(before, blocks.before), (after, blocks.after)].flatMap { side, blocks in
      let key = side.key(place)
      return blocks.blocks.map { block in key.flatMap { block.cell($0) } ?? SlicedStatistics.Cell() }
    }
    switch measure.form {
    case .count, .time:
      guard events(measure, place) >= Self.fewestEvents else { return nil }
      return (cells.map { Double(Self.amount(measure, $0)) }, blocks.before.seconds + blocks.after.seconds)
    case .mean:
      guard samples(measure, place) >= Self.fewestSamples else { return nil }
      let histograms = cells.map { Self.histogram(measure, $0) }
      return (histograms.map { Double($0.sum) }, histograms.map { Double($0.count) })
    case .percentile(let perMille):
      let needed = max(Self.fewestSamples, Self.fewestBeyond * 1_000 / UInt64(1_000 - perMille))
      guard samples(measure, place) >= needed else { return nil }
      let histograms = cells.map { Self.histogram(measure, $0) }
      let bin = Self.bin(perMille, histograms)
      return (histograms.map { Double($0.count(above: bin)) }, histograms.map { Double($0.count) })
    }
  }

  /// Events on both sides, of a time those that it is the sum of.
  private func events(_ measure: ComparedMeasure, _ place: MeasuredSide.Place) -> UInt64 {
    let counted: ComparedMeasure =
      switch measure {
      case .callbackTime: .callbacks
      case .handlerTime: .handlers
      default: measure
      }
    return [before, after].compactMap { $0.cell(place) }.reduce(0) { $0 &+ Self.amount(counted, $1) }
  }

  /// Samples of the side that has fewer.
  private func samples(_ measure: ComparedMeasure, _ place: MeasuredSide.Place) -> UInt64 {
    [before, after].map { $0.cell(place).map { Self.histogram(measure, $0).count } ?? 0 }.min() ?? 0
  }

  private static func amount(_ measure: ComparedMeasure, _ cell: SlicedStatistics.Cell) -> UInt64 {
    switch measure {
    case .calls: cell.calls
    case .interrupts: cell.interrupts
    case .callbacks: cell.callbacks
    case .callbackTime: cell.callbackTime
    case .handlers: cell.handlers
    case .handlerTime: cell.handlerTime
    case .reschedules: cell.reschedules
    case .mean, .p50, .p99: cell.delay.count
    case .runMean, .runP50, .runP99: cell.run.count
    }
  }

  private static func histogram(_ measure: ComparedMeasure, _ cell: SlicedStatistics.Cell) -> SliceHistogram {
    switch measure {
    case .runMean, .runP50, .runP99: cell.run
    default: cell.delay
    }
  }

  /// The bin behind which, of both sides together, about the percentile's share lies.
  ///
  /// Whether a percentile differs is asked of the share of durations that are longer than the percentile of all. That is a ratio
  /// of counts, as everything else that is tested.
  private static func bin(_ perMille: Int, _ histograms: [SliceHistogram]) -> Int {
    var counts = [UInt64](repeating: 0, count: SliceHistogram.binCount)
    for histogram in histograms { histogram.add(to: &counts) }
    let wanted = Double(counts.reduce(0, &+)) * Double(perMille) / 1_000
    var seen = 0.0
    var best = (bin: 0, distance: Double.infinity)
    for bin in counts.indices {
      seen += Double(counts[bin])
      let distance = (seen - wanted).magnitude
      if distance < best.distance { best = (bin, distance) }
    }
    return best.bin
  }

  /// By how much a difference may be another one because of what is missing, at worst.
  private func doubt(
    _ measure: ComparedMeasure, _ place: MeasuredSide.Place, missing: (before: Double, after: Double),
    parts: [Double], wholes: [Double]
  ) -> Doubt {
    guard let count = blocks?.before.blocks.count else { return Doubt() }
    let first = (parts[..<count].reduce(0, +), wholes[..<count].reduce(0, +))
    let second = (parts[count...].reduce(0, +), wholes[count...].reduce(0, +))
    switch measure.form {
    case .percentile:
      func bounds(_ side: (part: Double, whole: Double), _ missing: Double) -> (lower: Double, upper: Double) {
        let share = side.part / side.whole
        return (share - side.part / (side.whole + missing), (side.part + missing) / (side.whole + missing) - share)
      }
      let (before, after) = (bounds(first, missing.before), bounds(second, missing.after))
      return Doubt(below: after.lower + before.upper, above: after.upper + before.lower)
    case .count, .time, .mean:
      return Doubt(
        below: unseen(before, measure, place, missing.before) / first.1,
        above: unseen(after, measure, place, missing.after) / second.1)
    }
  }

  /// How much more there may have been.
  private func unseen(
    _ side: MeasuredSide, _ measure: ComparedMeasure, _ place: MeasuredSide.Place, _ missing: Double
  ) -> Double {
    guard measure == .interrupts else { return missing }
    // One event of a mask IPI tells of as many interrupts as there are CPUs; for a CPU, of one.
    var each = Double(max(1, side.cpus.count))
    if case .cpu = place { each = 1 }
    return missing * each + Double(side.cell(place)?.unknownKicks ?? 0)
  }

  /// The item with what the test found.
  private func finished(_ draft: Draft) -> ComparedItem {
    var item = draft.item
    guard let place = draft.finding, let test else { return item }
    let finding = test.findings[place]
    let margin = test.margin(finding)
    let low = finding.difference - margin - draft.doubt.below
    let high = finding.difference + margin + draft.doubt.above
    item.probability = finding.probability
    if item.measure.isRate || item.measure == .mean || item.measure == .runMean,
      let value = item.before.value, value > 0, high.magnitude / value < .infinity, low.magnitude / value < .infinity
    {
      item.changeAtLeast = max(-1, low / value)
      item.changeAtMost = high / value
    }
    let rises = (item.after.value ?? 0) - (item.before.value ?? 0)
    item.isSignificant =
      finding.probability <= BlockTest.level && (low > 0 || high < 0) && rises != 0
      && (rises > 0) == (finding.difference > 0)
    return item
  }
}
