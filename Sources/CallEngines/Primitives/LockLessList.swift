/// A lock-less list as the kernel's `llist`: adding says whether the list was empty, and taking takes everything.
///
/// The kernel adds at the head and reverses on use. This list keeps the order of adding, which is what the reversal yields;
/// both operations are single atomic steps there and here.
public struct LockLessList<Element: Sendable>: Sendable {
  public private(set) var elements: [Element] = []

  public init() {}

  public var isEmpty: Bool { elements.isEmpty }

  /// Adds one element; the kernel function is `llist_add()`.
  /// - Returns: whether the list was empty.
  public mutating func add(_ element: Element) -> Bool {
    let wasEmpty = elements.isEmpty
    elements.append(element)
    return wasEmpty
  }

  /// Takes everything, oldest first, into `taken`, which is emptied before; the kernel functions are `llist_del_all()`
  /// and `llist_reverse_order()`. The storage of both lists is reused.
  public mutating func deleteAll(into taken: inout [Element]) {
    if !taken.isEmpty { taken.removeAll(keepingCapacity: true) }
    swap(&taken, &elements)
  }
}

extension LockLessList: Equatable where Element: Equatable {}
extension LockLessList: Hashable where Element: Hashable {}
