import TestSupport
import Testing
import TraceTypes

@testable import TraceCapture

/// What libtraceevent is given to read.
@Suite struct FormatTextTests {
  private static let text = """
    name: some_event
    ID: 501
    format:
    \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;

    \tfield:__data_loc unsigned long[] target_cpus;\toffset:8;\tsize:4;\tsigned:0;
    \tfield:char comm[TASK_COMM_LEN];\toffset:12;\tsize:16;\tsigned:0;
    \tfield:void * callsite;\toffset:32;\tsize:8;\tsigned:0;

    print fmt: "%s", ((((
    """

  @Test func whatAKernelWritesStaysButForThePrintFormat() throws {
    let format = try #require(FormatText(Array(Self.text.utf8)))
    #expect(format.name == "some_event")
    let head = try #require(Self.text.firstRange(of: "print fmt:")).lowerBound
    #expect(format.text == Self.text[..<head] + "\nprint fmt: \"\"\n")
    let layout = try RecordedFormats([("a", [Array(Self.text.utf8)])]).layouts[501]
    #expect(layout?.fields.map(\.offset) == [0, 8, 12, 32])
  }

  @Test(arguments: [
    ("name: some_event", "name: some event"), ("name: some_event\n", ""), ("ID: 501", "ID: 65536"),
    ("ID: 501", "ID: -1"),
    ("char comm[TASK_COMM_LEN]", "char comm[[[["), ("char comm[TASK_COMM_LEN]", "char ]["), ("void * callsite", "void"),
    ("void * callsite", "int (*f)(int)"), ("offset:32", "offset:99999"), ("offset:32", "offset:"),
    ("format:", "formats:"),
    ("signed:0;\n\n", "signed:0;x:1;\n\n"), ("void * callsite", String(repeating: "a", count: 300) + " b"),
  ]) func whatNoKernelWritesIsLeftOut(what: String, with: String) throws {
    let text = Self.text.replacing(what, with: with, maxReplacements: 1)
    try #require(text != Self.text)
    #expect(FormatText(Array(text.utf8)) == nil)
    #expect(try RecordedFormats([("a", [Array(text.utf8)])]).layouts.isEmpty)
  }
}
