import Glibc

// What libFuzzer calls, and how it is called. It starts this program again for some of its work, so the parser to feed is named
// by the environment and not by an argument.

private typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

/// libFuzzer's own `main` does no more.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<Arguments>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// What the package manager makes `main` of an executable called `fuzz`.
@_cdecl("fuzz_main")
public func fuzzMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
  var (count, arguments) = (count, arguments)
  return runDriver(&count, &arguments, testOneInput)
}

/// The parser that IPITRACE_FUZZ_TARGET names.
private let target: FuzzTarget = {
  let name = getenv("IPITRACE_FUZZ_TARGET").map { String(cString: $0) } ?? ""
  guard let target = FuzzTarget(rawValue: name) else {
    StandardError.complain(
      "IPITRACE_FUZZ_TARGET is one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))")
    exit(2)
  }
  return target
}()

/// With IPITRACE_FUZZ_SEEDS, writes every target's seeds into folders below that one, and ends.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutablePointer<CInt>?, _ arguments: UnsafeMutableRawPointer?) -> CInt {
  guard let folder = getenv("IPITRACE_FUZZ_SEEDS").map({ String(cString: $0) }) else { return 0 }
  do {
    for target in FuzzTarget.allCases { try Seeds.write(target, below: folder) }
  } catch {
    StandardError.complain("no seeds: \(error)")
    exit(1)
  }
  exit(0)
}

@_cdecl("LLVMFuzzerTestOneInput")
private func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  do {
    try target.feed(Array(UnsafeBufferPointer(start: bytes, count: count)))
  } catch {
    fatalError("an error without a type of its own: \(error)")
  }
  return 0
}
