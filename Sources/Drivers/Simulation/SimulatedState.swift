import CallEngines
import CallHistories

/// What a simulation knows of a CPU beside the machine.
struct SimulatedCPU {
  static let never = UInt64.max

  /// Tells entries of the event queue that are out of date.
  var token: UInt32 = 0
  /// When it goes on; `never` while nothing is entered.
  var readyAt = never
  /// What it waits for, as a ``Simulator/key(of:)``; -1: nothing.
  var waitKey = -1
  var waitSince: UInt64 = 0
  /// The next one that waits in the same bucket.
  var nextWaiter: Int32 = -1
  /// The call for which it waits, the csd if it is one, and whether that is the call's own completion.
  var waitCall: Int32 = -1
  var waitCSD: Int32 = -1
  var waitsForCompletion = false
  /// Vectors that have reached it, one bit each.
  var arrived: UInt8 = 0
  /// Depth of the lowest handler on its stack, 0 without one, and since when it has been there.
  var handlerDepth = 0
  var handlerSince: UInt64 = 0
  /// Calls that are to be made by its tasks, and by its interrupts: the first and the last of each list.
  var firstTaskCall: Int32 = -1
  var lastTaskCall: Int32 = -1
  var firstInterruptCall: Int32 = -1
  var lastInterruptCall: Int32 = -1
  /// Something has come for it, which it may not be able to take yet.
  @inline(__always) var isAskedFor: Bool { arrived != 0 || firstTaskCall >= 0 || firstInterruptCall >= 0 }
  /// When the latest waiting call of its tasks returned.
  var returnedAt: UInt64 = 0
  /// It waits for ever.
  var isHung = false
  /// A stop of the machine waits for it until then; see ``Simulator/takeDown(_:lastCalled:)``.
  var heldUntil: UInt64 = 0
  /// What the beginning of its next handler costs, where that was recorded; `never` where it was not.
  var entryNanoseconds = never
}

/// A place for a call that is under way.
struct CallPlace {
  var call = 0
  var ordinal: UInt64 = 0
  var function: UInt64 = 0
  var began: UInt64 = 0
  /// Not made before.
  var earliest: UInt64 = 0
  var source: Int32 = 0
  var callback: Int32 = -1
  var kind = Call.Kind.single
  var context = LoadedCall.Context.task
  var waits = false
  /// Its caller has waited for it, whether it was meant to or not.
  var hasWaited = false
  var isDeferrable = false
  /// It has begun, and not returned.
  var isUnderWay = false
  var hasReturned = false
  var isCoalesced = false
  /// Targets queued whose function has not ended.
  var open: Int32 = 0
  var firstTarget: Int32 = -1
  var targetCount: Int32 = 0
  var localNanoseconds: UInt64 = 0
  /// The place whose private csd it uses, and how many calls use this one's.
  var storage: Int32 = -1
  var storageUsers: Int32 = 0
  var storageKey: UInt64 = 0
  /// In the list of calls that wait to be made.
  var next: Int32 = -1
  /// When nobody needed it any longer.
  var releasedAt: UInt64 = 0

  init() {}
}

/// A target of a call that is under way.
struct TargetPlace {
  enum State: UInt8 {
    case asked
    case queued
    case started
    case ended
  }

  var cpu: Int32 = 0
  var state = State.asked
  var kick = Kick.unknown
  /// An IPI, or what stands for one, was sent for it.
  var isKicked = false
  /// Its CPU died while it was on the queue.
  var isLeftBehind = false
  /// Its delay is compared with the recorded one, which is known.
  var isTimed = false
  var queuedAt: UInt64 = 0
  /// As recorded; `never` where that is not known.
  var addNanoseconds = SimulatedCPU.never
  var resumeNanoseconds: UInt64 = 0
  var sent = SimulatedCPU.never
  var arrived = SimulatedCPU.never
  var runNanoseconds = SimulatedCPU.never

  init() {}
}

/// What callers' own storage is known by while calls are under way that use it.
///
/// Two kinds of storage are never one, though a damaged recording, or one that is simulated far slower than it was, may have
/// both at one address at one time: each kind has its own mark that it is in use, and a list that has a node twice never ends.
struct StorageKey: Hashable {
  var address: UInt64
  var kind: Call.Kind
}
