/// The style of what only a report of a simulation has. It uses the page's colours, so that dark and print follow.
extension HTMLStyle {
  static let withSimulation: HTML = """
    \(text)
    .engines { list-style: none; padding: 0; margin: 1rem 0; max-width: 56rem; }
    .engines li { padding: .5rem .9rem; margin: .5rem 0; background: var(--card); border: 1px solid var(--line);
      border-left: 4px solid var(--fill); border-radius: 6px; overflow-wrap: anywhere; }
    .engines li.wrong { border-left-color: var(--bad); }
    .remarks { padding-left: 1.2rem; max-width: 56rem; overflow-wrap: anywhere; }
    #simulation .finding h4 { margin: 0; font-size: 1rem; } #simulation .finding { margin: .8rem 0 1.2rem; }
    #simulation li { overflow-wrap: anywhere; } #simulation .words { max-width: min(22rem, 75vw); }
    #simulation thead th { vertical-align: bottom; } #simulation thead code { max-width: 11rem; }
    .versus tbody th, .versus thead th:first-child { position: sticky; left: 0; background: var(--card); }
    .versus .group > *, .versus thead th:first-child { background: var(--band); }
    .group > * { background: var(--band); } .group th { font-weight: 600; color: var(--soft); font-size: .86rem; }
    .delta { font-size: .86em; white-space: nowrap; } .delta.told { font-weight: 700; } .delta.untold-apart { color: var(--soft); }
    .charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); align-items: start; }
    .chart { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .8rem; min-width: 0; }
    .chart > svg { display: block; width: 100%; max-width: 34rem; }
    .chart figcaption { font-size: .9rem; margin-bottom: .5rem; } .chart .legend { font-size: .84rem; margin-bottom: 0; }
    .chart .legend svg { overflow: visible; } .legend.glyphs svg { width: 14px; height: 14px; vertical-align: -.15em; }
    ul.bars { list-style: none; padding: 0; margin: 0; font-size: .92rem; } ul.bars li { margin: .45rem 0; }
    ul.bars .row { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 .8rem; overflow-wrap: anywhere;
      font-variant-numeric: tabular-nums; }
    svg.bars { display: block; width: 100%; height: .95rem; margin-top: .1rem; overflow: visible; }
    .single { fill: var(--fill); } .places { fill: var(--handler); stroke: var(--fill); vector-effect: non-scaling-stroke; }
    .whisker { fill: none; stroke: var(--ink); stroke-width: 1.6; vector-effect: non-scaling-stroke; }
    text.title { fill: var(--ink); font-weight: 600; } .reach { stroke: var(--line); stroke-width: 3; } .glyph { fill: var(--fill); }
    .series { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
    .s0 { stroke: var(--ink); stroke-width: 3; } .s1 { stroke: var(--ipi); } .s2 { stroke: var(--mask); stroke-dasharray: 9 3; }
    .s3 { stroke: var(--coalesced); stroke-dasharray: 2 3; } .s4 { stroke: var(--polling); stroke-dasharray: 8 3 2 3; }
    .s5 { stroke: var(--bad); stroke-dasharray: 14 5; } .s6 { stroke: var(--other); stroke-dasharray: 5 2; }
    .s7 { stroke: var(--doubt); stroke-dasharray: 8 2 2 2 2 2; }
    .slice.made { fill: var(--card); stroke: var(--soft); } .slice.waiting, .wait { fill: var(--doubt-wash); }
    .slice.waiting { fill: url(#versus-wait); } .wait-line { fill: var(--pending); } .other-ground { fill: var(--card); }
    .slice.other-callback { fill: url(#versus-other); stroke: var(--callback); } .other-dot { fill: var(--callback); }
    text.halo { fill: var(--ink); stroke: var(--card); stroke-width: 3px; paint-order: stroke; font-size: 10.5px; }
    text.endless { fill: var(--bad); font-weight: 700; font-size: 12px; }
    .queued { fill: var(--card); stroke: var(--ink); stroke-width: 1.5; } .returned { fill: var(--ink); }
    .cross { fill: none; stroke: var(--bad); stroke-width: 2.5; }
    @media print { .chart { break-inside: avoid; } .charts { grid-template-columns: 1fr 1fr; } .timeline.versus { break-inside: auto; } }
    """
}
