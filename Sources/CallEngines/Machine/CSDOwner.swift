/// Whose a csd is, by which reports name it.
public enum CSDOwner: Sendable, Hashable, Codable {
  /// A CPU's own for calls that do not wait: `csd_data`.
  case own(cpu: Int)
  /// A CPU's own for its multi-CPU calls to one target: `cfd_data->csd`.
  case target(cpu: Int, target: Int)
  /// A CPU's own entry for its multi-CPU calls: `cfd_data` of 2009.
  case entry(cpu: Int)
  /// A caller's: an index into the workload's private storage.
  case caller(storage: Int)
  /// On the stack of a call, or allocated for it.
  case call(call: Int)
  /// The second one of a call, in an engine that needs one.
  case secondOfCall(call: Int)
}
