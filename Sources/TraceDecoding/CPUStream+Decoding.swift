import TraceTypes

/// The loop that turns the bytes of a page into events. It is where the time goes.
extension CPUStream {
  enum Stop {
    case batchFull
    case endOfPage
    /// The next event is impossible; what is behind it can't be found.
    case damaged
    /// An event before the window was left out.
    case droppedEarlier
    /// All that follows is behind the window.
    case behindWindow
  }

  /// The kinds of ring buffer entries, as the lowest five bits of their first word give them. From 1 to 28 it is the
  /// length of the data in words.
  private enum EntryType {
    static let largestSmall: UInt32 = 28
    static let longData: UInt32 = 0
    static let padding: UInt32 = 29
    static let timeExtend: UInt32 = 30
  }

  /// Decodes events from ``cursor`` on, until the page, the batch or the window ends.
  func decode(_ block: UnsafeRawBufferPointer) -> Stop {
    table.positions.withUnsafeBufferPointer { positions in
      table.entries.withUnsafeBufferPointer { entries in
        guard let bytes = block.baseAddress, let entries = entries.baseAddress, let positions = positions.baseAddress
        else {
          return .endOfPage
        }
        precondition(cursor >= 0 && pageEnd <= block.count - RegionReader.slack, "a page outside its block")
        // Compiled twice: by far the most traces are read whole, and have their common fields where they always were.
        return isPlain
          ? decode(bytes, positions, entries, isPlain: true) : decode(bytes, positions, entries, isPlain: false)
      }
    }
  }

  /// Two checks for each record, besides those of whoever calls, make all loads safe:
  /// - The page's data end ``RegionReader/slack`` bytes before the block does, or earlier. What begins before their end can
  ///   therefore be loaded as a whole word.
  /// - A record ends no later than the page's data, and all fields of its type lie in its shortest length. It has that
  ///   length, or nothing but its common fields is read.
  /// - Parameters:
  ///   - positions: of all 65,536 ids.
  ///   - isPlain: the window is everything, and the common fields are where they are usual.
  @inline(__always)
  private func decode(
    _ bytes: UnsafeRawPointer, _ positions: UnsafePointer<UInt16>, _ entries: UnsafePointer<EventTable.Entry>,
    isPlain: Bool
  ) -> Stop {
    let usualFields = isPlain || table.common == .usual
    let windowFrom = window.from
    let windowWidth = window.through &- window.from
    let end = pageEnd
    let cpuHead = self.cpuHead
    let counts = self.counts

    var at = cursor
    var time = self.time
    var latest = self.latest
    var next = events + count
    let full = events + capacity
    var stop = Stop.endOfPage

    while at < end {
      guard next != full else {
        stop = .batchFull
        break
      }
      let header = bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)
      let type = header & 31
      let delta = UInt64(header >> 5)
      // A block has some megabytes: no sum of a place in it and a length of 32 bits overflows.
      var record = at &+ 4
      var length = Int(type) &* 4
      var after = record &+ length
      if type &- 1 >= EntryType.largestSmall {
        // Not a small event: data of any length, padding, or a time. Such an entry has a second word.
        guard record &+ 4 <= end else {
          // At the very end padding without a length is what the kernel writes.
          if type == EntryType.padding, delta == 0 { break }
          stop = .damaged
          break
        }
        let word = bytes.loadUnaligned(fromByteOffset: record, as: UInt32.self)
        if type == EntryType.longData {
          // The length includes its own word; the data are padded to whole words.
          length = Int(word) &- 4
          after = record &+ (Int(word) &+ 3) & ~3
          record &+= 4
          guard length > 0 else {
            stop = .damaged
            break
          }
        } else if type == EntryType.padding {
          // Without a delta, the rest of the page is empty. With one, it is an event that was taken back; its time
          // still counts for those after it.
          if delta == 0 { break }
          after = record &+ Int(word)
          guard after <= end else {
            stop = .damaged
            break
          }
          time &+= delta
          at = after
          continue
        } else if type == EntryType.timeExtend {
          time &+= delta &+ UInt64(word) << 27
          at = record &+ 4
          continue
        } else {
          time = Self.absoluteTime(delta | UInt64(word) << 27, after: time)
          at = record &+ 4
          continue
        }
      }
      guard after <= end else {
        stop = .damaged
        break
      }

      let fields = bytes + record
      let common: UInt64 =
        usualFields ? fields.loadUnaligned(as: UInt64.self) : commonFields(fields, length)
      let position = Int(positions[Int(truncatingIfNeeded: common & 0xffff)])
      let entry = entries + position
      guard length >= entry.pointee.minimumLength else {
        stop = .damaged
        break
      }

      time &+= delta
      at = after
      if time < latest { backwardTimes &+= 1 } else { latest = time }
      if !isPlain, latest &- windowFrom > windowWidth {
        stop = latest < windowFrom ? .droppedEarlier : .behindWindow
        break
      }

      @inline(__always)
      func field(_ load: EventTable.Load) -> UInt64 {
        load.cut(fields.loadUnaligned(fromByteOffset: load.offset, as: UInt64.self))
      }
      next.initialize(
        to: EventWords.event(
          nanoseconds: latest, head: cpuHead | entry.pointee.head, common: common, csd: field(entry.pointee.csd),
          function: field(entry.pointee.function), callsite: field(entry.pointee.callsite),
          target: field(entry.pointee.target), detail: field(entry.pointee.detail)))
      counts[position] &+= 1
      if entry.pointee.extra != .nothing {
        guard finish(next, position, UInt16(truncatingIfNeeded: common), fields, length) else {
          counts[position] &-= 1
          stop = .damaged
          break
        }
      }
      next += 1
    }

    cursor = at
    self.time = time
    self.latest = latest
    count = next - events
    if case .behindWindow = stop { timeBehindWindow = latest }
    return stop
  }

  /// The time that an absolute time stamp gives. It has 59 bits; the upper five are those of the time before it.
  private static func absoluteTime(_ stamp: UInt64, after time: UInt64) -> UInt64 {
    let range: UInt64 = 1 << 59
    let result = stamp | time & ~(range - 1)
    // A clock may pass a multiple of 2^59 between the two; then the result seems to lie far back.
    return result < time && time - result > range / 2 ? result &+ range : result
  }

  /// Type, flags and pid as they would lie in the usual layout, from any other. Hardly any kernel needs this.
  @inline(never)
  private func commonFields(_ record: UnsafeRawPointer, _ length: Int) -> UInt64 {
    let fields = table.common
    guard max(fields.type + 2, fields.flags + 1, fields.pid + 4) <= length else { return 0 }
    let type = record.loadUnaligned(fromByteOffset: fields.type, as: UInt16.self)
    let flags = record.loadUnaligned(fromByteOffset: fields.flags, as: UInt8.self)
    let pid = record.loadUnaligned(fromByteOffset: fields.pid, as: UInt32.self)
    return UInt64(type) | UInt64(flags) << 16 | UInt64(pid) << 32
  }

  /// Does what events of a few types need besides their fields.
  /// - Returns: false when the record contradicts itself.
  @inline(never)
  private func finish(
    _ event: UnsafeMutablePointer<TraceEvent>, _ position: Int, _ id: UInt16, _ record: UnsafeRawPointer, _ length: Int
  ) -> Bool {
    let entry = table.entries[position]
    @inline(__always)
    func field(_ load: EventTable.Load) -> UInt64 {
      load.extend(record.loadUnaligned(fromByteOffset: load.offset, as: UInt64.self))
    }
    switch entry.extra {
    case .nothing: return true
    case .signs:
      event.pointee.csd = field(entry.csd)
      event.pointee.function = field(entry.function)
      event.pointee.callsite = field(entry.callsite)
      event.pointee.target = Int32(truncatingIfNeeded: field(entry.target))
      event.pointee.detail = Int32(truncatingIfNeeded: field(entry.detail))
      return true
    case .unknown:
      unknownCounts[id, default: 0] += 1
      return true
    case .reason:
      event.pointee.kind = table.kind(of: entry.kind, reason: event.pointee.csd)
      event.pointee.csd = 0
      return true
    case .mask, .relativeMask:
      let word = field(entry.mask)
      let size = Int(word >> 16 & 0xffff)
      var offset = Int(word & 0xffff)
      if entry.extra == .relativeMask { offset += entry.mask.offset + 4 }
      guard offset + size <= length else { return false }
      event.pointee.target = Int32(truncatingIfNeeded: maskWordCount)
      event.pointee.detail = Int32(truncatingIfNeeded: (size + 7) / 8)
      var done = 0
      while done < size {
        var word: UInt64 = 0
        for index in 0..<min(8, size - done) {
          let byte = record.loadUnaligned(fromByteOffset: offset + done + index, as: UInt8.self)
          word |= UInt64(byte) << UInt64(index * 8)
        }
        appendMaskWord(word)
        done += 8
      }
      return true
    }
  }
}
