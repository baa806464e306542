import Verdicts

extension HTMLReport {
  /// What interrupted the CPUs that should not be interrupted.
  static func interference(_ interference: [Interference]) -> Section {
    let limit = 64
    var body = HTML()
    if interference.isEmpty {
      body = "<p>No CPU was named with <code>--cpus</code>, and the recording names none as isolated.</p>"
    }
    for cpu in interference.prefix(limit) { body += article(cpu) }
    body += HTMLPiece.more(interference.count, shown: limit, "CPUs")
    return Section(
      identifier: "interference", title: "Interference",
      note: interference.isEmpty
        ? "" : "\(visible: Words.capitalized(Words.interferenceNote(interference)))", body: body)
  }

  private static func article(_ cpu: Interference) -> HTML {
    let limit = 20
    var table = HTMLTable(
      "What interrupted CPU \(cpu.cpu)",
      [
        .init("callback", .header), .init("caller"), .init("process"), .init("from"), .init("count", .number),
        .init(""), .init("IPIs", .number), .init("time", .number), .init("longest", .number),
      ])
    let most = cpu.sources.map(\.count).max() ?? 0
    for source in cpu.sources.prefix(limit) {
      table.add([
        HTMLPiece.name(source.callback), source.callsite.map { HTMLPiece.name($0) } ?? "–",
        HTMLPiece.process(source.comm), source.sourceCPU.map { "CPU \($0)" } ?? "–", HTMLPiece.count(source.count),
        HTMLPiece.bar(source.count, of: most),
        HTMLPiece.count(source.ipis), HTMLPiece.duration(source.runNanoseconds),
        HTMLPiece.duration(source.maxRunNanoseconds),
      ])
    }
    return """
      <article>
      <h3>CPU \(cpu.cpu) <span class="soft">\(visible: Words.selection(cpu.selectedAs) ?? "")</span></h3>
      <dl class="figures">
      <div><dt>handlers</dt><dd>\(HTMLPiece.count(cpu.handlers))</dd></div>
      <div><dt>time in handlers</dt><dd>\(HTMLPiece.duration(cpu.handlerNanoseconds))</dd></div>
      <div><dt>callbacks</dt><dd>\(HTMLPiece.count(cpu.callbacks))</dd></div>
      <div><dt>time in callbacks</dt><dd>\(HTMLPiece.duration(cpu.callbackNanoseconds))</dd></div>
      <div><dt>reschedules</dt><dd>\(HTMLPiece.count(cpu.reschedules))</dd></div>
      </dl>
      \(table.isEmpty && cpu.callbacks != nil ? "<p>No callback ran here.</p>" : "")\
      \(table.isEmpty ? "" : table.html)\
      \(HTMLPiece.more(cpu.sources.count, shown: limit, "sources"))
      </article>

      """
  }
}
