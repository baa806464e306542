import CTracefs

/// The way of what was written from the page cache to the disk.
public enum WriteBack {
  /// Sends all that was written to a file, and is not on its disk yet, on its way there, without waiting for it.
  ///
  /// Without this the kernel begins after seconds, or when a good part of the memory is dirty, and an fsync(2) behind a long
  /// output does nothing but wait. Whether the disk takes it is for fsync(2) to say.
  public static func begin(_ descriptor: Int32) { ipitrace_begin_write_back(descriptor) }
}
