/// What a kernel log says about csd locks.
///
/// The kernel's counterpart is `csd_lock_wait_toolong()` in `kernel/smp.c`, with the older kernels' forms of the same lines.
/// Any log will do: `dmesg`, `dmesg -T`, `dmesg -r`, the console, `/dev/kmsg`, `journalctl`. All other lines are passed over.
public struct KernelLog: Sendable {
  /// The most locks and callbacks that are kept; further ones are counted.
  public static let keptReports = 200
  /// Bytes of a line behind which nothing of it is read.
  static let longestLine = 2_048

  /// All that the log says about one stuck lock.
  public struct Report: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
      case lockWait
      case offlineCallback
    }

    public enum Activity: Sendable, Equatable {
      case unresponsive
      case handlingThis
      case handlingPrior(String)
    }

    public var kind: Kind
    /// From 1.
    public var line: Int
    /// The stamp of the line with the longest wait, on the kernel's own clock.
    public var nanoseconds: UInt64?
    /// The kernel's number for the lock.
    public var bug: Int?
    public var waitingCPU: Int?
    public var targetCPU: Int?
    /// The callback's symbol, or its address as the kernel wrote it.
    public var callback: String?
    public var waitedNanoseconds: UInt64?
    public var continued: UInt64 = 0
    public var resentIPIs: UInt64 = 0
    public var activity: Activity?
    public var unstuck = false
  }

  public private(set) var reports: [Report] = []
  /// Reports that were too many to keep.
  public private(set) var dropped: UInt64 = 0
  /// The report that a lock's number stands for now; the kernel counts from 1 again after every boot.
  private var byBug: [Int: Int] = [:]
  private var offlineCPU: Int?

  /// Reads a log.
  /// - Complexity: O(number of bytes).
  public init(_ bytes: [UInt8]) {
    var number = 0
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      guard Self.mayMatter(line.prefix(Self.longestLine)) else { continue }
      take(String(decoding: line.prefix(Self.longestLine), as: UTF8.self), number: number)
    }
  }

  /// Hardly any line does, and this one look decides it.
  private static func mayMatter(_ line: ArraySlice<UInt8>) -> Bool {
    for index in line.indices.dropLast(3) {
      switch line[index] {
      case UInt8(ascii: "C"), UInt8(ascii: "c"):
        if line[index + 1] | 0x20 == UInt8(ascii: "s"), line[index + 2] | 0x20 == UInt8(ascii: "d") { return true }
      case UInt8(ascii: "I"):
        if line[index + 1] == UInt8(ascii: "P"), line[index + 2] == UInt8(ascii: "I"), line[index + 3] == 0x20 {
          return true
        }
      default: break
      }
    }
    return false
  }

  // MARK: Lines

  private mutating func take(_ line: String, number: Int) {
    let time = Self.stamp(line)
    var rest: LogScanner
    rest = LogScanner(line)
    if rest.skip(through: "csd: ") {
      takeLock(&rest, number: number, time: time)
      return
    }
    rest = LogScanner(line)
    if rest.skip(through: "IPI on offline CPU ") {
      offlineCPU = rest.number()
      return
    }
    rest = LogScanner(line)
    guard rest.skip(through: "IPI callback "), let callback = rest.text(before: " sent to offline CPU"),
      !callback.hasPrefix(",")
    else { return }
    add(
      Report(
        kind: .offlineCallback, line: number, nanoseconds: time, targetCPU: offlineCPU, callback: Self.symbol(callback))
    )
  }

  private mutating func takeLock(_ rest: inout LogScanner, number: Int, time: UInt64?) {
    if rest.skip("Detected non-responsive CSD lock (#") {
      takeWait(&rest, isFirst: true, number: number, time: time)
    } else if rest.skip("Continued non-responsive CSD lock (#") {
      takeWait(&rest, isFirst: false, number: number, time: time)
    } else if rest.skip("Re-sending CSD lock (#") {
      change(rest.number()) { $0.resentIPIs += 1 }
    } else if rest.skip("CSD lock (#"), let bug = rest.number(), rest.skip(") ") {
      if rest.skip("got unstuck") {
        change(bug) { $0.unstuck = true }
      } else if rest.skip("unresponsive") {
        change(bug) { $0.activity = .unresponsive }
      } else if rest.skip("handling this request") {
        change(bug) { $0.activity = .handlingThis }
      } else if rest.skip("handling prior "), let callback = rest.text(before: " request") {
        let symbol = Self.symbol(callback)
        change(bug) { $0.activity = .handlingPrior(symbol) }
      }
    }
  }

  /// `…#1) on CPU#3, waiting 5000000016 ns for CPU#05 do_nothing+0x0/0x10 [module](info).`
  private mutating func takeWait(_ rest: inout LogScanner, isFirst: Bool, number: Int, time: UInt64?) {
    guard let bug = rest.number(), rest.skip(") on CPU#"), let waiting = rest.number() else { return }
    var report = Report(kind: .lockWait, line: number, nanoseconds: time, bug: bug, waitingCPU: waiting)
    if rest.skip(", waiting ") {
      report.waitedNanoseconds = rest.number().map(UInt64.init)
      if rest.skip(" ns for CPU#"), let target = rest.number() {
        report.targetCPU = target
        if rest.skip(" ") { report.callback = Self.symbol(rest.remainder) }
      }
    }
    let known = byBug[bug].flatMap { reports.indices.contains($0) ? $0 : nil }
    if !isFirst, let known, reports[known].waitingCPU == waiting, reports[known].targetCPU == report.targetCPU {
      reports[known].continued += 1
      if let waited = report.waitedNanoseconds, waited >= reports[known].waitedNanoseconds ?? 0 {
        reports[known].waitedNanoseconds = waited
        reports[known].nanoseconds = time
      }
      return
    }
    add(report)
    byBug[bug] = reports.last?.line == number ? reports.count - 1 : nil
  }

  private mutating func add(_ report: Report) {
    if reports.count < Self.keptReports { reports.append(report) } else { dropped += 1 }
  }

  private mutating func change(_ bug: Int?, _ change: (inout Report) -> Void) {
    guard let bug, let index = byBug[bug], reports.indices.contains(index) else { return }
    change(&reports[index])
  }

  // MARK: Pieces

  /// `name+0x0/0x10 [module](info).` → `name`; an address stays as it is.
  static func symbol(_ text: Substring) -> String {
    String(text.prefix { $0 != "+" && $0 != " " && $0 != "(" })
  }

  /// The stamp in brackets, `[  123.456789]`, or that of a `/dev/kmsg` line, in nanoseconds; nil where there is none, or only a
  /// time of day.
  static func stamp(_ line: String) -> UInt64? {
    var rest = LogScanner(line)
    while rest.skip(through: "[") {
      rest.skipSpaces()
      var inner = rest
      guard let seconds = inner.number(), inner.skip("."), let fraction = inner.digits(), fraction.count == 6,
        inner.skip("]"), let microseconds = UInt64(fraction)
      else { continue }
      let whole = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
      let sum = whole.partialValue.addingReportingOverflow(microseconds * 1_000)
      return whole.overflow || sum.overflow ? nil : sum.partialValue
    }
    // `6,1234,5678901,-;text`: priority, number, microseconds.
    var record = LogScanner(line)
    guard record.number() != nil, record.skip(","), record.number() != nil, record.skip(","),
      let microseconds = record.number(), record.skip(",")
    else { return nil }
    let product = UInt64(microseconds).multipliedReportingOverflow(by: 1_000)
    return product.overflow ? nil : product.partialValue
  }
}

/// Reads a line of a log from left to right.
struct LogScanner {
  private var rest: Substring.UTF8View

  init(_ line: String) { rest = Substring(line).utf8 }

  var remainder: Substring { Substring(rest) }

  /// Goes on behind a text that comes next.
  mutating func skip(_ text: StaticString) -> Bool {
    text.withUTF8Buffer { wanted in
      guard rest.starts(with: wanted) else { return false }
      rest = rest.dropFirst(wanted.count)
      return true
    }
  }

  /// Goes on behind the first place where a text stands.
  mutating func skip(through text: StaticString) -> Bool {
    guard let place = place(of: text) else { return false }
    rest = rest[rest.index(place, offsetBy: text.utf8CodeUnitCount)...]
    return true
  }

  /// What stands before a text.
  func text(before text: StaticString) -> Substring? { place(of: text).map { Substring(rest[..<$0]) } }

  mutating func skipSpaces() { rest = rest.drop { $0 == 0x20 } }

  /// Decimal digits, nil where none come next.
  mutating func digits() -> String? {
    let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
    if digits.isEmpty { return nil }
    rest = rest[digits.endIndex...]
    return String(Substring(digits))
  }

  /// A decimal number that is not negative; nil for anything else, and for one that is too large.
  mutating func number() -> Int? { digits().flatMap { Int($0) } }

  private func place(of text: StaticString) -> Substring.UTF8View.Index? {
    text.withUTF8Buffer { wanted in
      guard let first = wanted.first else { return rest.startIndex }
      var index = rest.startIndex
      while let next = rest[index...].firstIndex(of: first) {
        if rest[next...].starts(with: wanted) { return next }
        index = rest.index(after: next)
      }
      return nil
    }
  }
}
