/// Builds one CPU's pages out of records and their times, beginning a new page where one is full.
public struct PageSequenceBuilder: Sendable {
  public let pageSize: Int
  private var finished: [[UInt8]] = []
  private var page: PageBuilder?
  private var time: UInt64 = 0
  private var pendingLost = PageBuilder.Lost.nothing

  public init(pageSize: Int = 4096) { self.pageSize = pageSize }

  /// Adds an event. A time before that of the event before it begins a new page, as that is the only place where it
  /// can stand.
  public mutating func event(_ record: [UInt8], at nanoseconds: UInt64) {
    // A time extension may come before the event, and the room of a count of lost events is kept free.
    let needed = PageBuilder.length(of: record) + 8 + 8
    if let current = page, current.room < needed || nanoseconds < time { endPage() }
    if page == nil {
      page = PageBuilder(timestamp: nanoseconds, size: pageSize, lost: pendingLost)
      pendingLost = .nothing
      time = nanoseconds
    }
    page?.event(record, delta: nanoseconds - time)
    time = nanoseconds
  }

  /// Ends the page; the next one says that events were lost before it.
  public mutating func lose(_ lost: PageBuilder.Lost) {
    endPage()
    pendingLost = lost
  }

  public mutating func endPage() {
    if let page { finished.append(page.bytes) }
    page = nil
  }

  /// All pages.
  public var pages: [[UInt8]] { finished + (page.map { [$0.bytes] } ?? []) }
}
