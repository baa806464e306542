#!/usr/bin/env python3
"""Checks what `make demo` leaves: check_demo.py DIR. Exit status: 0 as it should be, 1 not, with one line for each."""

import json
import pathlib
import sys


def complaints(result):
    """What is wrong with a result of a capture that is known to conform and to have lost nothing."""
    if result.get("schema") != "ipitrace-result/1":
        yield f"schema is {result.get('schema')!r}"
        return
    trace, verdict = result["trace"], result["verdict"]
    if verdict["result"] != "conforms" or verdict["divergences"]:
        yield f"the verdict is {verdict['result']}, with {len(verdict['divergences'])} divergences"
    accounting = verdict["accounting"]
    not_judged = sum(item["count"] for item in accounting["notJudged"])
    parts = accounting["executed"] + accounting["lost"] + accounting["pending"] + not_judged
    if accounting["queued"] != parts:
        yield f"{accounting['queued']} calls were queued, but the parts add up to {parts}"
    if accounting["queued"] != trace["events"]["byType"]["csd:csd_queue_cpu"]:
        yield f"{accounting['queued']} calls were queued, but not as many events say so"
    if verdict["judged"] + verdict["undecided"] != accounting["queued"]:
        yield f"{verdict['judged']} judged and {verdict['undecided']} undecided are not {accounting['queued']}"
    if verdict["judged"] < 0.99 * accounting["queued"] or verdict["judged"] == 0:
        yield f"only {verdict['judged']} of {accounting['queued']} calls are judged"
    events = trace["events"]
    if not events["total"] == sum(events["byType"].values()) == sum(cpu["events"] for cpu in events["byCPU"]):
        yield "the events by type or by CPU do not add up to all"
    if events["lost"] != 0:
        yield f"{events['lost']} lost events in a capture that lost none"


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 1
    folder = pathlib.Path(sys.argv[1])
    result = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    page = (folder / "report.html").read_text(encoding="utf-8")
    wrong = list(complaints(result))
    if not page.startswith("<!DOCTYPE html>") or not page.endswith("</html>\n") or len(page) < 10_000:
        wrong.append("report.html is no whole page")
    for line in wrong:
        print(line)
    if not wrong:
        verdict = result["verdict"]
        print(f"{verdict['result']}, {verdict['judged']} of {verdict['accounting']['queued']} calls judged,"
              f" a page of {len(page)} characters")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
