/// The scenarios that come with the program, named after the claims that they test.
public enum ScenarioLibrary {
  /// All, oldest engine first.
  public static let all: [Scenario] = {
    var all: [Scenario] = []
    for text in [generic2008, perCPU2009, lockLess2014, pendingQueue2014, crossCall2022, mainline, mainlineVariants] {
      do throws(ScenarioError) {
        all += try ScenarioParser.parse(text)
      } catch {
        // They are part of the program, and every test reads them.
        preconditionFailure("a scenario of the program's own: line \(error.line): \(error.reason)")
      }
    }
    return all
  }()
}
