import CTracefs
import Glibc

/// The private directory beside an output file in which a recording grows.
///
/// A recorder that is killed leaves it behind, with all that a trace file can be made of; see ``RecordingRecovery``. Its
/// files are reached through its own descriptor and never through their path: whoever may write to the directory above
/// can neither lead the recorder elsewhere with a link, nor put another directory in its place.
///
/// While its owner lives it is locked, so that nobody takes it for a leftover.
final class SpoolDirectory: Sendable {
  /// Where the output file will appear.
  let place: OutputPlace
  /// Its own name, in the directory of the place.
  let name: String
  private let directory: FileDescriptor

  /// What stands between the output's name and the random end.
  static let marker = ".ipitrace-"

  /// Makes a new one, for its owner only.
  /// - Throws: ``CaptureError/diskFull(_:)``, ``CaptureError/outputNotWritable(_:_:)``.
  init(for place: OutputPlace) throws(CaptureError) {
    self.place = place
    let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
    for _ in 0..<100 {
      let suffix = String((0..<6).map { _ in letters[Int.random(in: 0..<letters.count)] })
      let candidate = "." + place.shortName + Self.marker + suffix
      // Never somebody else's, nor what a link leads to: it must not exist.
      if mkdirat(place.directory.number, candidate, 0o700) != 0 {
        if errno == EEXIST { continue }
        break
      }
      guard let directory = Self.open(candidate, in: place.directory) else { break }
      guard Self.isOurs(directory) else {
        errno = EPERM
        break
      }
      // Only one who looks for leftovers may hold it, for a moment.
      _ = ipitrace_lock(directory.number, true)
      name = candidate
      self.directory = directory
      return
    }
    let error = errno == 0 ? EPERM : errno
    throw error == ENOSPC || error == EDQUOT ? .diskFull(place.path) : .outputNotWritable(place.path, error)
  }

  /// Opens one that a recorder left behind, and locks it.
  /// - Throws: ``CaptureError/noLeftover(_:_:)``.
  init(leftBehind path: String) throws(CaptureError) {
    var path = path
    while path.hasSuffix("/"), path.count > 1 { path.removeLast() }
    let (parent, name) = OutputPlace.split(path)
    guard name.hasPrefix("."), let marker = Self.lastMarker(in: name) else {
      throw .noLeftover(path, "its name is not .OUTPUT\(Self.marker)XXXXXX")
    }
    guard let above = FileDescriptor(opening: parent, ipitrace_path_only() | O_DIRECTORY),
      let directory = Self.open(name, in: above)
    else { throw .noLeftover(path, String(cString: strerror(errno))) }
    guard Self.isPrivate(directory) else {
      throw .noLeftover(path, "it belongs to somebody else, or others may write to it")
    }
    if ipitrace_lock(directory.number, false) != 0 {
      let reason =
        errno == EWOULDBLOCK ? "its recorder is still at work" : "it can't be locked; copy it to another disk"
      throw .noLeftover(path, reason)
    }
    let output = String(name[name.index(after: name.startIndex)..<marker.lowerBound])
    place = OutputPlace(path: parent == "." ? output : "\(parent)/\(output)", directory: above, name: output)
    self.name = name
    self.directory = directory
  }

  /// The path by which a user finds it.
  var path: String { place.directoryPath == "." ? name : "\(place.directoryPath)/\(name)" }

  /// Leftovers in a directory that no recorder works at any more.
  static func leftovers(in place: OutputPlace) -> [String] {
    names(in: place.directory).filter { name in
      guard name.hasPrefix("."), lastMarker(in: name) != nil, let directory = open(name, in: place.directory),
        isPrivate(directory)
      else { return false }
      return ipitrace_lock(directory.number, false) == 0
    }
  }

  /// Makes a file in it.
  /// - Returns: nil with errno set when that fails.
  func create(_ file: String) -> FileDescriptor? {
    FileDescriptor(opening: file, in: directory, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
  }

  /// Opens a file in it.
  /// - Returns: nil with errno set when that fails, or when it is no ordinary file.
  func open(_ file: String) -> FileDescriptor? {
    guard let opened = FileDescriptor(opening: file, in: directory, O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
      opened.isOrdinary
    else { return nil }
    return opened
  }

  /// Gives a file of another spool directory a name here as well.
  /// - Returns: false with errno set when that fails.
  func link(_ file: String, from other: SpoolDirectory) -> Bool {
    linkat(other.directory.number, file, directory.number, file, 0) == 0
  }

  /// Moves a file out of it, to the place of the output.
  /// - Returns: 0 or errno.
  func moveToPlace(_ file: String) -> Int32 {
    renameat(directory.number, file, place.directory.number, place.name) == 0 ? 0 : errno
  }

  /// Gives a file in it another name.
  /// - Returns: 0 or errno.
  func rename(_ file: String, to name: String) -> Int32 {
    renameat(directory.number, file, directory.number, name) == 0 ? 0 : errno
  }

  func remove(_ file: String) { unlinkat(directory.number, file, 0) }

  /// The names of the files in it.
  var files: [String] { names(in: directory) }

  /// Removes it with all files in it.
  func removeAll() {
    for file in files { remove(file) }
    unlinkat(place.directory.number, name, ipitrace_remove_directory())
  }

  private static func lastMarker(in name: String) -> Range<String.Index>? {
    guard let start = name.utf8.count > marker.utf8.count + 6 ? name.index(name.endIndex, offsetBy: -6) : nil,
      let markerStart = name.index(start, offsetBy: -marker.count, limitedBy: name.startIndex),
      name[markerStart..<start] == marker, markerStart > name.index(after: name.startIndex)
    else { return nil }
    return markerStart..<start
  }

  private static func open(_ name: String, in above: FileDescriptor) -> FileDescriptor? {
    FileDescriptor(opening: name, in: above, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  }

  /// Whether it is one that this process has made, and nobody has put another in its place.
  private static func isOurs(_ directory: FileDescriptor) -> Bool {
    var status = stat()
    guard fstat(directory.number, &status) == 0 else { return false }
    if status.st_uid == geteuid() { return true }
    // Some file systems say that everything is somebody else's: then a new file is as well.
    let name = "owner"
    let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW
    guard let file = FileDescriptor(opening: name, in: directory, flags, mode: 0o600) else { return false }
    unlinkat(directory.number, name, 0)
    var fileStatus = stat()
    return fstat(file.number, &fileStatus) == 0 && fileStatus.st_uid == status.st_uid
  }

  /// Whether it belongs to the user, and nobody else may write to it.
  private static func isPrivate(_ directory: FileDescriptor) -> Bool {
    var status = stat()
    guard fstat(directory.number, &status) == 0 else { return false }
    return status.st_uid == geteuid() && status.st_mode & 0o022 == 0
  }
}

/// Where an output file will appear: a name in a directory that stays the same, whatever becomes of its path.
struct OutputPlace: Sendable {
  /// As the user gave it.
  let path: String
  let directory: FileDescriptor
  let name: String

  init(path: String, directory: FileDescriptor, name: String) {
    self.path = path
    self.directory = directory
    self.name = name
  }

  /// - Throws: ``CaptureError/outputNotWritable(_:_:)``, ``CaptureError/outputNotAFile(_:)``.
  init(path: String) throws(CaptureError) {
    let (directory, name) = Self.split(path)
    guard !name.isEmpty, name != ".", name != ".." else { throw .outputNotAFile(path) }
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG { throw .outputNotAFile(path) }
    guard let opened = FileDescriptor(opening: directory, ipitrace_path_only() | O_DIRECTORY) else {
      throw .outputNotWritable(path, errno)
    }
    self.init(path: path, directory: opened, name: name)
  }

  var directoryPath: String { Self.split(path).directory }

  /// The name, with room for what is put around it.
  var shortName: String {
    var short = Substring(name)
    while short.utf8.count > 200 { short.removeLast() }
    return String(short)
  }

  /// Whether the directory has been removed: no file can appear in it any more.
  var isGone: Bool {
    var status = stat()
    return fstat(directory.number, &status) == 0 && status.st_nlink == 0
  }

  /// Another file in the same directory.
  func sibling(_ name: String) -> OutputPlace {
    let (above, _) = Self.split(path)
    let prefix = path.contains("/") ? (above.hasSuffix("/") ? above : above + "/") : ""
    return OutputPlace(path: prefix + name, directory: directory, name: name)
  }

  static func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let directory = String(path[..<slash])
    return (directory.isEmpty ? "/" : directory, String(path[path.index(after: slash)...]))
  }
}
