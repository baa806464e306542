import Testing

@testable import TraceCapture

@Suite struct CaptureQuantitiesTests {
  @Test(arguments: [
    ("1408", 1408), ("512K", 512), ("512k", 512), ("4M", 4096), ("4MiB", 4096), ("1G", 1 << 20), ("1", 1),
  ])
  func bufferSizeIsParsed(text: String, kibibytes: Int) {
    #expect(BufferSize(parsing: text)?.kibibytes == kibibytes)
  }

  @Test(arguments: [
    "", "M", "0", "-1", "4 M", "4T", "4MM", "1.5M", "1024G", "99999999999999999999", "18446744073709551615G", "٤",
  ])
  func otherBufferSizesAreRefused(text: String) {
    #expect(BufferSize(parsing: text) == nil)
  }

  @Test(arguments: [
    ("10", 10_000), ("10s", 10_000), ("500ms", 500), ("2m", 120_000), ("1h", 3_600_000), ("1.5s", 1_500),
    ("0.25", 250), ("1.001s", 1_001), ("0.5m", 30_000),
  ])
  func durationIsParsed(text: String, milliseconds: Int64) {
    #expect(CaptureDuration(parsing: text)?.milliseconds == milliseconds)
  }

  @Test(arguments: [
    "", "s", "0", "0s", "-1", "1 s", "1d", "1..5", "1.", "1.s", ".5", "1.0001s", "1s.5", "10ss", "9999999h",
    "18446744073709551615", "18446744073709551616", "0.4ms", "١٠",
  ])
  func otherDurationsAreRefused(text: String) {
    #expect(CaptureDuration(parsing: text) == nil)
  }

  @Test func standardBufferShrinksWithManyCPUsAndLittleMemory() {
    let gibibyte = 1 << 20
    #expect(BufferSize.standard(cpus: 4, memoryKibibytes: 16 * gibibyte).kibibytes == 8192)
    // All buffers together stay within 1 GiB and an eighth of the memory.
    #expect(BufferSize.standard(cpus: 512, memoryKibibytes: 1024 * gibibyte).kibibytes == 2048)
    #expect(BufferSize.standard(cpus: 8, memoryKibibytes: gibibyte / 4).kibibytes == 4096)
    // Never below what the kernel takes by itself.
    #expect(BufferSize.standard(cpus: 8192, memoryKibibytes: gibibyte).kibibytes == 1408)
    #expect(BufferSize.standard(cpus: 0, memoryKibibytes: 16 * gibibyte).kibibytes == 8192)
  }

  @Test func paceFollowsTheFill() {
    var pace = PollPace()
    for _ in 0..<10 { pace.looked(fullestPercent: 0) }
    #expect(pace.milliseconds == 100)
    pace.looked(fullestPercent: 25)
    #expect(pace.milliseconds == 50)
    pace.looked(fullestPercent: 15)
    #expect(pace.milliseconds == 50)
    pace.looked(fullestPercent: 80)
    #expect(pace.milliseconds == 5)
    pace.looked(fullestPercent: 30)
    #expect(pace.milliseconds == 5)
  }
}
