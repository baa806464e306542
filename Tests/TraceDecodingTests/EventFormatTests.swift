import TestSupport
import Testing
import TraceDecoding
import TraceTypes

@Suite struct EventFormatTests {
  private func format(_ text: String) -> EventFormat? { EventFormat(system: "s", text: Array(text.utf8)) }

  @Test func declarationsOfAllForms() throws {
    let parsed = try #require(
      format(
        """
        name: example
        ID: 321
        format:
        \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;

        \tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;
        \tfield:const char * reason;\toffset:24;\tsize:8;\tsigned:0;
        \tfield:void *func;\toffset:32;\tsize:8;\tsigned:0;
        \tfield:__data_loc char[] text;\toffset:40;\tsize:4;\tsigned:0;
        \tfield:__rel_loc cpumask_t mask;\toffset:44;\tsize:4;\tsigned:0;
        \tfield:unsigned long args[6];\toffset:48;\tsize:48;\tsigned:0;
        \tfield:s64 value;\toffset:96;\tsize:8;\tsigned:1;

        print fmt: "field:int x;\toffset:0;\tsize:4;\tsigned:1;", REC->value
        \tfield:int not_a_field;\toffset:0;\tsize:4;\tsigned:1;

        """))
    #expect(parsed.qualifiedName == "s:example" && parsed.id == 321)
    #expect(
      parsed.fields == [
        .init(name: "common_type", type: "unsigned short", offset: 0, size: 2, isSigned: false),
        .init(name: "comm", type: "char[16]", offset: 8, size: 16, isSigned: false),
        .init(name: "reason", type: "const char *", offset: 24, size: 8, isSigned: false),
        .init(name: "func", type: "void *", offset: 32, size: 8, isSigned: false),
        .init(name: "text", type: "__data_loc char[]", place: .dataLocation, offset: 40, size: 4, isSigned: false),
        .init(
          name: "mask", type: "__rel_loc cpumask_t", place: .relativeLocation, offset: 44, size: 4, isSigned: false),
        .init(name: "args", type: "unsigned long[6]", offset: 48, size: 48, isSigned: false),
        .init(name: "value", type: "s64", offset: 96, size: 8, isSigned: true),
      ])
    #expect(parsed.field("func")?.offset == 32 && parsed.field("nothing") == nil)
  }

  @Test(arguments: [
    "", "name: x", "ID: 5", "name: x\nID: -1\n", "name: x\nID: 65536\n", "name: x\nID: 99999999999999999999\n",
    "name: \nID: 5\n", "name: x\nID: 5\n\tfield:;\toffset:0;\tsize:1;\n", "name: x\nID: 5\n\tfield:int a;\tsize:1;\n",
    "name: x\nID: 5\n\tfield:int a;\toffset:0;\n", "name: x\nID: 5\n\tfield:int a;\toffset:-4;\tsize:1;\n",
    "name: x\nID: 5\n\tfield:int a;\toffset:4294967296;\tsize:1;\n",
    "name: x\nID: 5\n\tfield:int [4];\toffset:0;\tsize:1;\n",
  ]) func textsThatAreNoFormat(_ text: String) { #expect(format(text) == nil) }

  @Test func theBuildersTextsAreUnderstood() throws {
    for builder in FormatBuilder.linux612 {
      let format = try #require(EventFormat(system: builder.system, text: Array(builder.text.utf8)))
      #expect(format.id == builder.id && format.name == builder.name)
      #expect(format.fields.dropFirst(4).map(\.name) == builder.fields.map(\.name))
      #expect(format.fields.dropFirst(4).map(\.offset) == builder.fields.map(\.offset))
    }
  }
}
