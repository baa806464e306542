/// One ring buffer of the recording: the top-level one or that of an instance.
public struct TraceBuffer: Sendable {
  /// Where one CPU's part of the buffer lies in the file.
  public struct Region: Sendable, Hashable {
    public var cpu: Int
    /// Bytes from the start of the file.
    public var offset: UInt64
    /// Bytes in the file, so packed bytes where the region is compressed. Never beyond the end of the file.
    public var byteCount: UInt64
    public var compression: Compression
    /// Bytes that the region should have beyond the end of the file, because the file is cut off.
    var missingBytes: UInt64

    public init(cpu: Int, offset: UInt64, byteCount: UInt64, compression: Compression) {
      self.init(cpu: cpu, offset: offset, byteCount: byteCount, compression: compression, missingBytes: 0)
    }

    init(cpu: Int, offset: UInt64, byteCount: UInt64, compression: Compression, missingBytes: UInt64) {
      self.cpu = cpu
      self.offset = offset
      self.byteCount = byteCount
      self.compression = compression
      self.missingBytes = missingBytes
    }
  }

  /// The instance's name; empty for the top level.
  public var name: String
  /// The trace clock, for example `local` or `mono`, or nil when the file does not say.
  public var clock: String?
  /// The size of a page of the ring buffer in bytes. Since Linux 6.8 it need not be that of a page of memory.
  public var subBufferSize: Int
  /// In the order of the CPUs.
  public var regions: [Region]

  public init(name: String, clock: String?, subBufferSize: Int, regions: [Region]) {
    self.name = name
    self.clock = clock
    self.subBufferSize = subBufferSize
    self.regions = regions
  }

  /// Takes the clock's name out of what a file says about it: the name alone, or the kernel's list of all clocks with
  /// the chosen one in brackets.
  static func clockName(_ text: String) -> String? {
    if let open = text.firstIndex(of: "["), let close = text[open...].firstIndex(of: "]") {
      let name = text[text.index(after: open)..<close]
      return name.isEmpty ? nil : String(name)
    }
    let words = text.split(whereSeparator: \.isWhitespace)
    return words.count == 1 ? String(words[0]) : nil
  }
}
