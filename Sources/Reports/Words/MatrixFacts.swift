import Verdicts

/// What reports read off the matrix: who interrupts whom, most first.
struct MatrixFacts {
  struct Pair {
    var source: Int
    var target: Int
    var calls: UInt64
    var ipis: UInt64
  }

  struct Target {
    var cpu: Int
    /// Calls and IPIs from other CPUs.
    var calls: UInt64 = 0
    var ipis: UInt64 = 0
    /// The CPU that called it most.
    var mostFrom: Int?
    var mostCalls: UInt64 = 0
  }

  private struct Key: Hashable {
    var source: Int
    var target: Int
  }

  /// Every CPU of the matrix, ascending.
  let cpus: [Int]
  /// Pairs of different CPUs, most calls first.
  let pairs: [Pair]
  /// CPUs that other CPUs called, most calls first.
  let targets: [Target]
  /// Calls from one CPU to another.
  let remoteCalls: UInt64
  let remoteIPIs: UInt64
  let localRuns: UInt64
  private let calls: [Key: UInt64]

  /// - Complexity: O(n log n) in the number of cells.
  init(_ matrix: CallMatrix) {
    var merged: [Key: Pair] = [:]
    var every = Set(matrix.cpus)
    for cell in matrix.cells {
      every.insert(cell.source)
      every.insert(cell.target)
      let key = Key(source: cell.source, target: cell.target)
      var pair = merged[key] ?? Pair(source: cell.source, target: cell.target, calls: 0, ipis: 0)
      pair.calls = pair.calls.plus(cell.calls)
      pair.ipis = pair.ipis.plus(cell.ipis)
      merged[key] = pair
    }
    cpus = every.sorted()
    calls = merged.mapValues(\.calls)
    pairs = merged.values.filter { $0.source != $0.target && $0.calls > 0 }.sorted {
      ($1.calls, $1.ipis, $0.source, $0.target) < ($0.calls, $0.ipis, $1.source, $1.target)
    }
    var byTarget: [Int: Target] = [:]
    // The pairs come with most calls first, so the first source of a target is the one that called it most.
    for pair in pairs {
      var target = byTarget[pair.target] ?? Target(cpu: pair.target, mostFrom: pair.source, mostCalls: pair.calls)
      target.calls = target.calls.plus(pair.calls)
      target.ipis = target.ipis.plus(pair.ipis)
      byTarget[pair.target] = target
    }
    targets = byTarget.values.sorted { ($1.calls, $0.cpu) < ($0.calls, $1.cpu) }
    remoteCalls = pairs.reduce(UInt64(0)) { $0.plus($1.calls) }
    remoteIPIs = pairs.reduce(UInt64(0)) { $0.plus($1.ipis) }
    localRuns = merged.values.filter { $0.source == $0.target }.reduce(UInt64(0)) { $0.plus($1.calls) }
  }

  /// Calls from one CPU to another, or nil where there are none.
  func calls(from source: Int, to target: Int) -> UInt64? { calls[Key(source: source, target: target)] }
}
