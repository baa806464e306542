/// The page's style sheet. Colours are from palettes that stay apart for colour-blind eyes, and never stand alone: a
/// word, a sign, a number or a dash pattern always says the same.
enum HTMLStyle {
  static let text: HTML = """
    \(colours)
    \(page)
    \(pieces)
    \(drawings)
    \(print)
    """

  private static let colours: HTML = """
    :root {
      color-scheme: light dark;
      --page: #f7f7f5; --card: #ffffff; --ink: #1c2127; --soft: #58626d; --line: #d9dde2; --band: #f1f3f5;
      --link: #0b57a4; --good: #00654b; --bad: #a83600; --doubt: #785700;
      --good-wash: #e3f4ee; --bad-wash: #fdebe2; --doubt-wash: #fbf2d9;
      --fill: #3f7fb8; --track: #e4e8ec;
      --ipi: #0a66ad; --mask: #9a4187; --coalesced: #b06a00; --polling: #007a5e; --other: #6a737d;
      --handler: #c3daee; --callback: #2f6fa8; --idle: #dfe3e7;
      --to-kick: #b06a00; --to-handler: #2f6fa8; --to-start: #9a4187; --untold: #9aa3ad;
      --executed: #3f7fb8; --pending: #d79a2b; --unjudged: #8a939c;
      --h1: #e8f1fa; --h2: #cfe2f3; --h3: #b0cfea; --h4: #88b6dd; --h5: #5c98cc; --h6: #3a78b3; --h7: #215a93; --h8: #0d3d6e;
      --on-low: #14212d; --on-high: #ffffff;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --page: #0f1317; --card: #161b21; --ink: #e7eaee; --soft: #a0abb6; --line: #2d353e; --band: #1b2128;
        --link: #86bdf5; --good: #56cfa6; --bad: #ff9c6e; --doubt: #e6bb4f;
        --good-wash: #10261f; --bad-wash: #2d1a11; --doubt-wash: #2a2311;
        --fill: #5f9fd6; --track: #2a323b;
        --ipi: #6db3f2; --mask: #d98cc5; --coalesced: #e7a53f; --polling: #45c9a0; --other: #9aa5b1;
        --handler: #2b4866; --callback: #6aaae0; --idle: #2a313a;
        --to-kick: #e7a53f; --to-handler: #6aaae0; --to-start: #d98cc5; --untold: #78828d;
        --executed: #5f9fd6; --pending: #e0aa44; --unjudged: #7d8893;
        --h1: #16283a; --h2: #1b3855; --h3: #224a73; --h4: #2b6091; --h5: #3f7eb3; --h6: #64a0d2; --h7: #97c4ea; --h8: #d3e8fb;
        --on-low: #e7eaee; --on-high: #0b1a28;
      }
    }
    """

  private static let page: HTML = """
    *, *::before, *::after { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
    @media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
    body {
      margin: 0 auto; max-width: 78rem; padding: 0 clamp(1rem, 3vw, 2.5rem) 3rem;
      background: var(--page); color: var(--ink);
      font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
      /* A name may be as long as a line, in any sentence. */
      overflow-wrap: break-word;
    }
    header { padding-top: 1.25rem; }
    .brand { margin: 0; font-weight: 700; letter-spacing: .01em; }
    .brand span { font-weight: 400; color: var(--soft); margin-left: .4em; }
    nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .15rem 1.1rem; margin: .5rem 0 0; padding: 0 0 .7rem;
      border-bottom: 1px solid var(--line); font-size: .92rem; }
    a { color: var(--link); text-underline-offset: .16em; text-decoration-thickness: .06em; }
    nav a { text-decoration: none; display: inline-block; padding: .15rem 0; }
    nav a:hover { text-decoration: underline; }
    a:focus-visible, button:focus-visible, summary:focus-visible, [tabindex]:focus-visible {
      outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
    .skip { position: absolute; left: -100vw; top: .5rem; padding: .5rem 1rem; background: var(--card); z-index: 2; }
    .skip:focus { left: 1rem; }
    section { margin-top: 3rem; scroll-margin-top: 1rem; }
    #summary { margin-top: 1.5rem; }
    #summary > h2 { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    h2 { font-size: 1.45rem; line-height: 1.25; margin: 0 0 .35rem; letter-spacing: -.01em; }
    h3 { font-size: 1.02rem; margin: 1.9rem 0 .55rem; }
    p { margin: .5rem 0; max-width: 46rem; }
    .note { color: var(--soft); margin: 0 0 1rem; max-width: none; }
    .soft, .more { color: var(--soft); font-weight: 400; }
    .more { font-size: .92rem; }
    .good { color: var(--good); } .bad { color: var(--bad); } .doubt { color: var(--doubt); }
    code { font: .9em/1.4 ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", "DejaVu Sans Mono", monospace;
      overflow-wrap: anywhere; unicode-bidi: isolate; }
    footer { margin-top: 3.5rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .9rem; }
    """

  private static let pieces: HTML = """
    .hero { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr)); }
    .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.3rem; min-width: 0; }
    .card h3 { margin: 0 0 .5rem; }
    .card .lead { margin: .8rem 0 .3rem; overflow-wrap: anywhere; }
    .card .lead strong { font-size: 1.5rem; font-variant-numeric: tabular-nums; letter-spacing: -.01em; }
    .verdict.good { background: var(--good-wash); border-color: var(--good); color: var(--ink); }
    .verdict.bad { background: var(--bad-wash); border-color: var(--bad); color: var(--ink); }
    .verdict.doubt { background: var(--doubt-wash); border-color: var(--doubt); color: var(--ink); }
    .headline { font-size: 1.75rem; line-height: 1.2; font-weight: 700; margin: 0 0 .5rem; letter-spacing: -.015em;
      overflow-wrap: anywhere; }
    .verdict.good .headline { color: var(--good); }
    .verdict.bad .headline { color: var(--bad); }
    .verdict.doubt .headline { color: var(--doubt); }
    .sign { display: inline-block; }
    .brief { list-style: none; margin: .3rem 0; padding: 0; font-size: .93rem; }
    .brief li { margin: .3rem 0; overflow-wrap: anywhere; }
    .card h4 { margin: 1rem 0 .2rem; font-size: .9rem; font-weight: 600; color: var(--soft); }
    .targets { list-style: none; margin: .4rem 0 .8rem; padding: 0; }
    .targets li { margin: .45rem 0; font-size: .93rem; }
    .targets .row { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 .6rem; overflow-wrap: anywhere; }
    .card p, .targets li { overflow-wrap: anywhere; }
    .facts { margin: 0; font-size: .95rem; }
    .facts div { display: flex; gap: .3rem 1rem; justify-content: space-between; padding: .22rem 0;
      border-bottom: 1px solid var(--line); }
    .facts div:last-child { border-bottom: 0; }
    .facts dt { color: var(--soft); flex: none; }
    .facts dd { margin: 0; text-align: right; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
    .scroll { overflow-x: auto; width: fit-content; max-width: 100%; background: var(--card);
      border: 1px solid var(--line); border-radius: 8px; }
    .scroll.drawing { width: 100%; }
    table { border-collapse: collapse; font-size: .92rem; }
    th, td { padding: .38rem .85rem; text-align: left; vertical-align: top; white-space: nowrap;
      border-bottom: 1px solid var(--line); }
    tbody tr:last-child > * { border-bottom: 0; }
    tbody tr:hover > * { background: var(--band); }
    thead th { color: var(--soft); font-weight: 600; font-size: .86rem; background: var(--band); }
    tbody th { font-weight: 500; }
    th code, td code { display: inline-block; width: max-content; max-width: min(23rem, 60vw); white-space: normal; }
    .n { text-align: right; font-variant-numeric: tabular-nums; }
    td { font-variant-numeric: tabular-nums; }
    .words { display: block; width: max-content; max-width: min(34rem, 75vw); white-space: normal; overflow-wrap: anywhere; }
    .sum > * { font-weight: 600; border-top: 2px solid var(--line); }
    .bar { display: block; width: 100%; min-width: 4.5rem; height: .5rem; margin-top: .42rem; border-radius: 3px; }
    .card .bar { margin: .25rem 0; }
    td .bar { width: 6.5rem; }
    .track { fill: var(--track); } .fill { fill: var(--fill); }
    .verdict.good .fill { fill: var(--good); } .verdict.bad .fill { fill: var(--bad); }
    .verdict.doubt .fill { fill: var(--doubt); }
    .stack { display: block; width: 100%; height: 1.1rem; border-radius: 5px; margin: .2rem 0 .9rem; }
    td .stack { width: 11rem; height: .7rem; margin: .38rem 0 0; border-radius: 3px; }
    .executed { fill: var(--executed); background: var(--executed); }
    .lost { fill: #b3261e; background: #b3261e; }
    .pending { fill: var(--pending); background: var(--pending); }
    .unjudged { fill: var(--unjudged); background: var(--unjudged); }
    .to-kick { fill: var(--to-kick); background: var(--to-kick); }
    .to-handler { fill: var(--to-handler); background: var(--to-handler); }
    .to-start { fill: var(--to-start); background: var(--to-start); }
    .untold { fill: var(--untold); background: var(--untold); }
    .swatch { display: inline-block; width: .85em; height: .85em; border-radius: 2px; margin-right: .4em; vertical-align: -.05em; }
    .swatch.handler { background: var(--handler); } .swatch.callback { background: var(--callback); }
    .swatch.idle { background: var(--idle); }
    .legend { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; align-items: center; font-size: .9rem; max-width: none; }
    .legend svg { width: 34px; height: 10px; vertical-align: 0; }
    .pair { display: flex; flex-wrap: wrap; gap: 0 2.5rem; }
    .pair > div { max-width: 100%; }
    .finding { border-left: 4px solid var(--bad); padding: .1rem 0 .1rem 1.1rem; margin: 1.6rem 0 2.2rem; scroll-margin-top: 1rem; }
    .finding h3 { margin: 0; font-size: 1.1rem; }
    .finding:target { background: var(--bad-wash); }
    .number { display: inline-block; min-width: 1.7em; text-align: center; background: var(--bad); color: var(--card);
      border-radius: 1em; padding: 0 .4em; font-size: .9em; font-variant-numeric: tabular-nums; }
    .explained { margin: .6rem 0 .9rem; }
    .explained div { display: grid; grid-template-columns: 6rem 1fr; gap: .2rem .8rem; margin: .3rem 0; max-width: 56rem; }
    .explained dt { color: var(--soft); } .explained dd { margin: 0; overflow-wrap: anywhere; }
    @media (max-width: 32rem) { .explained div { grid-template-columns: 1fr; } }
    .figures { display: flex; flex-wrap: wrap; gap: .4rem 2.2rem; margin: .3rem 0 .9rem; }
    .figures dt { color: var(--soft); font-size: .88rem; }
    .figures dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; letter-spacing: -.01em; }
    details { margin: .8rem 0; } summary { cursor: pointer; padding: .2rem 0; width: fit-content; }
    details .scroll { margin-top: .4rem; }
    .tools { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; margin-bottom: .6rem; font-size: .9rem; }
    .tools[hidden] { display: none; }
    button { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 6px;
      min-width: 2.4rem; padding: .3rem .7rem; cursor: pointer; }
    button:hover { background: var(--band); border-color: var(--soft); }
    td button { padding: 0 .6rem; font-size: .88rem; }
    """

  private static let drawings: HTML = """
    svg text { font-family: inherit; fill: var(--soft); font-size: 11.5px; font-variant-numeric: tabular-nums; }
    figure { margin: 0; }
    .grid { stroke: var(--line); stroke-width: 1; } .axis { stroke: var(--soft); stroke-width: 1; }
    table.heat { font-size: .88rem; }
    .heat th { text-align: right; font-weight: 500; }
    .heat thead th { text-align: center; }
    .heat thead th:first-child { text-align: right; }
    .heat td { text-align: center; min-width: 3.1rem; padding: .42rem .4rem; border: 2px solid var(--card); }
    .heat tfoot td, .heat tfoot th { border: 0; border-top: 2px solid var(--line); font-weight: 600; }
    .heat tbody tr:hover > td { background: var(--cell, transparent); }
    .h0 { color: var(--soft); }
    .self { --cell: var(--band); background: var(--cell); fill: var(--band); color: var(--soft); }
    .h1 { --cell: var(--h1); color: var(--on-low); } .h2 { --cell: var(--h2); color: var(--on-low); }
    .h3 { --cell: var(--h3); color: var(--on-low); } .h4 { --cell: var(--h4); color: var(--on-low); }
    .h5 { --cell: var(--h5); color: #000; } .h6 { --cell: var(--h6); color: var(--on-high); }
    .h7 { --cell: var(--h7); color: var(--on-high); } .h8 { --cell: var(--h8); color: var(--on-high); }
    .h1, .h2, .h3, .h4, .h5, .h6, .h7, .h8 { background: var(--cell); fill: var(--cell); }
    .legend .swatch { margin-right: 0; width: 1.1em; height: 1.1em; }
    .legend .swatch.handler, .legend .swatch.callback, .legend .swatch.idle, .legend .swatch.to-kick,
    .legend .swatch.to-handler, .legend .swatch.to-start, .legend .swatch.untold { margin-right: .3em; width: .95em; height: .95em; }
    svg.heat { display: block; width: 100%; min-width: 30rem; max-width: 46rem; }
    .frame { fill: var(--card); stroke: var(--line); }
    .histograms { display: grid; gap: 1.2rem 1.6rem; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); }
    .histogram { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .8rem .3rem; min-width: 0;
      display: flex; flex-direction: column; justify-content: space-between; }
    .histogram figcaption { font-size: .9rem; line-height: 1.4; margin-bottom: .3rem; }
    .histogram figcaption .soft { display: block; font-size: .84rem; }
    .histogram svg { display: block; width: 100%; overflow: visible; }
    line.mark { stroke: var(--coalesced); stroke-width: 1.5; stroke-dasharray: 3 2; } text.mark { fill: var(--ink); }
    .timeline { display: block; width: 100%; min-width: 56rem; touch-action: pan-y; }
    .lane { fill: transparent; } .lane.odd { fill: var(--band); }
    .slice.handler { fill: var(--handler); } .slice.callback { fill: var(--callback); } .slice.idle { fill: var(--idle); }
    text.name { fill: var(--card); font-size: 10.5px; pointer-events: none; }
    .flow { fill: none; stroke-width: 1.5; }
    .flow.ipi { stroke: var(--ipi); } .flow.mask { stroke: var(--mask); stroke-dasharray: 9 3; }
    .flow.coalesced { stroke: var(--coalesced); stroke-dasharray: 2 3; }
    .flow.polling { stroke: var(--polling); stroke-dasharray: 8 3 2 3; } .flow.other { stroke: var(--other); stroke-width: 1; }
    .tip.ipi, .dot.ipi, .kick.ipi { fill: var(--ipi); } .tip.mask, .dot.mask, .kick.mask { fill: var(--mask); }
    .tip.coalesced, .dot.coalesced, .kick.coalesced { fill: var(--coalesced); }
    .tip.polling, .dot.polling, .kick.polling { fill: var(--polling); } .tip.other, .dot.other, .kick.other { fill: var(--other); }
    .open { fill: none; stroke: var(--bad); stroke-width: 1.5; }
    .dense .flow { stroke-width: .8; opacity: .6; }
    .call:hover .flow, .call.chosen .flow { stroke-width: 3.5; opacity: 1; } .call.chosen .dot { stroke: var(--ink); stroke-width: 1.5; }
    rect.finding { fill: var(--bad); } text.finding { fill: var(--bad); font-weight: 700; }
    """

  private static let print: HTML = """
    @media print {
      :root {
        --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --band: #f3f3f3; --link: #000;
        --good: #00543e; --bad: #8a2c00; --doubt: #5c4300; --good-wash: #fff; --bad-wash: #fff; --doubt-wash: #fff;
        --fill: #3f7fb8; --track: #e4e8ec; --ipi: #0a66ad; --mask: #9a4187; --coalesced: #b06a00; --polling: #007a5e;
        --other: #6a737d; --handler: #c3daee; --callback: #2f6fa8; --idle: #dfe3e7; --to-kick: #b06a00;
        --to-handler: #2f6fa8; --to-start: #9a4187; --untold: #9aa3ad; --executed: #3f7fb8; --pending: #d79a2b;
        --unjudged: #8a939c; --h1: #e8f1fa; --h2: #cfe2f3; --h3: #b0cfea; --h4: #88b6dd; --h5: #5c98cc; --h6: #3a78b3;
        --h7: #215a93; --h8: #0d3d6e; --on-low: #14212d; --on-high: #ffffff;
      }
      body { max-width: none; padding: 0; font-size: 9.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
      nav, .tools, .skip { display: none; }
      section { margin-top: 1.6rem; } h2, h3 { break-after: avoid; }
      .card, .finding, .histogram, tr, svg { break-inside: avoid; }
      .scroll { overflow: visible; border: 0; } .timeline { min-width: 0; } svg.heat { min-width: 0; max-width: 34rem; }
      table, thead th { font-size: 7.5pt; } th, td { padding: .2rem .35rem; white-space: normal; } .n { white-space: nowrap; }
      th code, td code, .words { width: auto; max-width: 12rem; } td .stack { width: 5rem; } td .bar { width: 4rem; min-width: 0; }
      .heat td { min-width: 0; } details::details-content { content-visibility: visible; display: block; height: auto; }
    }
    """
}
