import Glibc
import TestSupport
import Testing

@Suite("ipitrace report")
struct ReportCommandTests {
  /// The program that was built together with these tests.
  static let program: String = {
    var path = [CChar](repeating: 0, count: 4_096)
    let length = readlink("/proc/self/exe", &path, path.count)
    let text = String(decoding: path[..<max(0, length)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return text.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/ipitrace"
  }()

  static let example = TestFile.packageRoot + "/fixtures/golden/example.json"

  func report(_ arguments: String..., input: [UInt8] = []) throws -> SpawnedCommand {
    try #require(SpawnedCommand.run([Self.program, "report"] + arguments, input: input))
  }

  @Test("prints text, without colour where there is no terminal")
  func text() throws {
    let run = try report(Self.example)
    #expect(run.status == 0)
    #expect(run.output == TestFile.read(TestFile.packageRoot + "/fixtures/golden/example.txt"))
    #expect(run.errors.isEmpty)
  }

  @Test("- is standard input and standard output")
  func dashes() throws {
    let bytes = try #require(TestFile.read(Self.example))
    let text = try report("-", input: bytes)
    #expect(text.status == 0)
    #expect(text.output == TestFile.read(TestFile.packageRoot + "/fixtures/golden/example.txt"))
    let html = try report("-", "--html", "-", input: bytes)
    #expect(html.status == 0)
    #expect(html.outputText.hasPrefix("<!DOCTYPE html>"))
    #expect(html.outputText.hasSuffix("</html>\n"))
  }

  @Test("writes a page with mode 0644, whole, and leaves nothing beside it")
  func page() throws {
    let folder = TemporaryDirectory()
    let path = folder.path + "/report.html"
    let before = umask(0o022)
    defer { umask(before) }
    for _ in 0..<2 {
      let run = try report(Self.example, "--html", path)
      #expect(run.status == 0)
      #expect(run.output.isEmpty)
      #expect(folder.names == ["report.html"])
    }
    var status = stat()
    #expect(stat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o644)
    #expect(String(decoding: try #require(TestFile.read(path)), as: UTF8.self).hasSuffix("</html>\n"))
  }

  @Test("an input that can't be read leaves an older page as it is")
  func olderPage() throws {
    let folder = TemporaryDirectory()
    let path = folder.path + "/report.html"
    try #require(TestFile.write(Array("older".utf8), to: path))
    let run = try report("-", "--html", path, input: Array("{".utf8))
    #expect(run.status == 3)
    #expect(TestFile.read(path) == Array("older".utf8))
    #expect(folder.names == ["report.html"])
  }

  @Test("follows a link, and writes to devices as they are")
  func linksAndDevices() throws {
    let folder = TemporaryDirectory()
    let path = folder.path + "/page.html"
    let link = folder.path + "/link.html"
    try #require(TestFile.write([], to: path))
    try #require(symlink("page.html", link) == 0)
    #expect(try report(Self.example, "--html", link).status == 0)
    var status = stat()
    #expect(lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    #expect(try #require(TestFile.read(path)).count > 10_000)
    #expect(try report(Self.example, "--html", "/dev/null").status == 0)
    #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
  }

  @Test("refuses what is no result with status 3 and one clear sentence")
  func refusals() throws {
    let folder = TemporaryDirectory()
    let sentence = "expected a result written by 'ipitrace replay --json', but "
    let missing = try report(folder.path + "/missing.json")
    #expect(missing.status == 3)
    #expect(missing.output.isEmpty)
    #expect(
      missing.errorText
        == "ipitrace report: can't read \(folder.path)/missing.json: \(sentence)No such file or directory\n")
    #expect(try report(folder.path).errorText.hasSuffix("\(sentence)Is a directory\n"))
    let newer = try report("-", input: Array("{\"schema\": \"ipitrace-result/2\"}".utf8))
    #expect(newer.status == 3)
    #expect(
      newer.errorText
        == "ipitrace report: can't read standard input: \(sentence)schema is \"ipitrace-result/2\","
        + " expected \"ipitrace-result/1\"\n")
    let hostile = try report("-", input: Array("{\"schema\": \"\\u001b[31m\"}".utf8))
    #expect(!hostile.errors.contains(0x1b))
    #expect(hostile.errors.filter { $0 == UInt8(ascii: "\n") }.count == 1)
  }

  @Test("says why a page can't be written")
  func unwritable() throws {
    let folder = TemporaryDirectory()
    let run = try report(Self.example, "--html", folder.path + "/no/such/report.html")
    #expect(run.status == 1)
    #expect(
      run.errorText
        == "ipitrace report: can't write \(folder.path)/no/such/report.html: No such file or directory\n")
    #expect(try report(Self.example, "--html", "/dev/full").status == 1)
  }
}
