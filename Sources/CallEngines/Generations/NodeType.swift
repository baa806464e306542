/// The type of a node on a CPU's `call_single_queue`.
///
/// The kernel's counterparts are `CSD_TYPE_SYNC`, `CSD_TYPE_ASYNC`, `CSD_TYPE_IRQ_WORK` and `CSD_TYPE_TTWU`.
public enum NodeType: UInt8, CaseIterable, Sendable {
  /// The caller waits: the csd is unlocked after its callback.
  case sync
  /// Nobody waits: the csd is unlocked before its callback.
  case async
  /// An irq_work; it runs without a csd callback of its own.
  case irqWork
  /// A task to be woken; all of a flush are woken by one callback.
  case ttwu
}
