/// Rewrites recorded pages with other addresses, and without whatever else lies in them.
///
/// The kernel does not clear its pages: behind the events, in events that were taken back, and in the gaps between the
/// fields of an event lies what was there before. So an event is not corrected but put together anew, field by field.
struct PageCleaner {
  private let formats: RecordedFormats
  private let replacement: AddressReplacement

  init(formats: RecordedFormats, replacement: AddressReplacement) {
    self.formats = formats
    self.replacement = replacement
  }

  /// Rewrites one page in place.
  /// - Returns: what is wrong with the page, if anything is; then it is not to be used.
  func clean(_ page: UnsafeMutableRawBufferPointer) -> String? {
    let source = Array(page)
    return source.withUnsafeBytes { source in
      let lost = PageHeader.lostCount(source)
      var entries = PageEntries(source)
      let end = entries.end
      for index in end..<page.count { page[index] = 0 }
      if let lost { page.storeBytes(of: replacement(lost), toByteOffset: end, as: UInt64.self) }
      while let event = entries.nextOrRemoved() {
        for index in event.start..<entries.position { page[index] = 0 }
        if !event.isRemoved { fill(page, from: source, event) }
      }
      if let padding = entries.padding {
        for index in min(padding + 8, end)..<end { page[index] = 0 }
      }
      return entries.mistake?.reason
    }
  }

  private func fill(
    _ page: UnsafeMutableRawBufferPointer, from source: UnsafeRawBufferPointer, _ event: PageEntries.Event
  ) {
    guard event.size >= 8 else { return }
    let id = source.loadUnaligned(fromByteOffset: event.start, as: UInt16.self)
    guard let layout = formats.layouts[id] else {
      // Of an unknown event, what all events have: type, flags and task.
      for index in event.start..<event.start + 8 { page[index] = source[index] }
      return
    }
    for field in layout.fields where field.offset + field.size <= event.size {
      let start = event.start + field.offset
      if field.isDynamic {
        guard field.size == 4 else { continue }
        let place = source.loadUnaligned(fromByteOffset: start, as: UInt32.self)
        page.storeBytes(of: place, toByteOffset: start, as: UInt32.self)
        let offset = Int(place & 0xffff) + (field.isRelative ? field.offset + 4 : 0)
        let size = Int(place >> 16)
        guard offset + size <= event.size else { continue }
        copy(page, from: source, event.start + offset, size, isText: field.isText)
      } else if field.size == 8, !field.isText {
        let value = source.loadUnaligned(fromByteOffset: start, as: UInt64.self)
        page.storeBytes(of: replacement(value), toByteOffset: start, as: UInt64.self)
      } else {
        copy(page, from: source, start, field.size, isText: field.isText)
      }
    }
  }

  private func copy(
    _ page: UnsafeMutableRawBufferPointer, from source: UnsafeRawBufferPointer, _ start: Int, _ size: Int, isText: Bool
  ) {
    for index in start..<start + size {
      // Behind the end of a text lies what was there before.
      if isText, source[index] == 0 { break }
      page[index] = source[index]
    }
  }
}
