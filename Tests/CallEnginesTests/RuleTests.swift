import CallEngines
import Testing

@Suite struct RuleTests {
  @Test func everyRuleSaysWhatItIs() {
    for rule in Rule.allCases {
      #expect(rule.sentence.hasSuffix(".") && rule.source.contains("kernel/smp.c"))
    }
    #expect(Set(Rule.allCases.map(\.sentence)).count == Rule.allCases.count)
  }
}
