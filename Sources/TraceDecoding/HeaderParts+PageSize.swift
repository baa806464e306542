import TraceTypes

/// Which page size holds for a buffer.
extension HeaderParts {
  /// The sub-buffer size of a buffer, out of the size that the file declares for it and the one in `header_page`.
  ///
  /// They differ when an instance has larger sub-buffers than the top level: then only one of the two texts is about
  /// it, and which one depends on the program that wrote the file. The data decide: pages of the wrong size don't fit.
  func subBufferSize(
    declared: UInt32, regions: [TraceBuffer.Region], at place: ByteCursor
  ) throws(TraceFileError) -> Int {
    guard let size = Int(exactly: declared), let declaredLayout = layout.with(pageSize: size) else {
      throw place.malformed(
        "a page size from \(PageLayout.smallestPage) to \(PageLayout.largestPage) bytes", found: "\(declared)")
    }
    guard size != layout.pageSize,
      let region = regions.max(by: { $0.byteCount < $1.byteCount }), region.compression == .none
    else { return size }
    let declaredFits = try fittingPages(of: declaredLayout, in: region)
    let otherFits = try fittingPages(of: layout, in: region)
    // Where the real size is the smaller one, the larger steps hit the beginnings of pages as well.
    if otherFits == declaredFits { return otherFits == 0 ? size : min(size, layout.pageSize) }
    return otherFits > declaredFits ? layout.pageSize : size
  }

  /// How many of the region's first pages have a header that is possible after the one before, as a share of 64.
  private func fittingPages(of layout: PageLayout, in region: TraceBuffer.Region) throws(TraceFileError) -> Int {
    let pages = min(64, Int(clamping: region.byteCount / UInt64(layout.pageSize)))
    guard pages > 0 else { return 0 }
    var fitting = 0
    var lastTime: UInt64 = 0
    for page in 0..<pages {
      let offset = region.offset + UInt64(page) * UInt64(layout.pageSize)
      var cursor = ByteCursor(file: input, from: offset, name: "a page")
      let header = try cursor.bytes(UInt64(layout.dataOffset), limit: UInt64(PageLayout.largestPage), "a page")
      let time = header[layout.timeOffset..<layout.timeOffset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
      let word = header[layout.commitOffset..<layout.commitOffset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
      let size = PageCommit(word).size
      if size <= layout.pageSize - layout.dataOffset, size > 0 || page == pages - 1, time >= lastTime, time > 0 {
        fitting += 1
      }
      lastTime = time
    }
    return fitting * 64 / pages
  }
}
