#!/usr/bin/env python3
"""Checks HTML reports in a real browser: check_report.py FILE.html... [--page replay|check|simulation|diff] [--screenshots DIR]

Opens each in headless Chromium, one browser for all and a window for each, at 1280 and 400 pixels, light and dark, with and without its JavaScript, and checks that
nothing is asked of the network, nothing is said on the console, no script but the report's own is there or runs, the
page never scrolls sideways, text has contrast, everything is reachable by keyboard, and the timeline zooms.
Each file ends with a line of its own: FILE.html: all is well, or FILE.html: N problems, behind the problems.
Exit status: 0 all is well, 1 something is not, 2 usage, 77 no browser.
"""

import argparse
import base64
import json
import pathlib
import re
import sys
import tempfile

from devtools import Browser

VIEWS = [(1280, 900), (400, 800)]
SCHEMES = ["light", "dark"]

# What each kind of page has.
PAGES = {
    "replay": {"scripts": 1, "sections": ["summary", "verdict", "findings", "calls", "matrix", "latency", "timeline",
                                          "interference", "blocking", "health"]},
    "check": {"scripts": 0, "sections": ["summary"]},
    "diff": {"scripts": 0, "sections": ["summary", "all", "certainty"]},
}
PAGES["simulation"] = {"scripts": 1, "sections": PAGES["replay"]["sections"] + ["simulation"]}

# What a page could be made to do by a name in it. All run in the page and return a list of complaints.
STRUCTURE = r"""
(() => {
  const wrong = [];
  const scripts = document.querySelectorAll("script");
  if (scripts.length !== EXPECTED.scripts) {
    wrong.push(`${scripts.length} script elements, expected ${EXPECTED.scripts}`);
  }
  const strange = document.querySelectorAll(
    "img, iframe, frame, object, embed, link, base, form, video, audio, source, foreignObject, image, [style], [src]");
  for (const element of strange) { wrong.push(`unexpected element: ${element.outerHTML.slice(0, 120)}`); }
  for (const element of document.querySelectorAll("*")) {
    for (const attribute of element.attributes) {
      if (/^on/i.test(attribute.name)) { wrong.push(`event handler attribute: ${element.outerHTML.slice(0, 120)}`); }
      if (/href$/i.test(attribute.name) && !attribute.value.startsWith("#")) {
        wrong.push(`link that leaves the page: ${attribute.value.slice(0, 120)}`);
      }
    }
  }
  if (document.querySelectorAll("title").length < 1 || !document.title) { wrong.push("no title"); }
  if ("__fromTrace" in window) { wrong.push("a script from the trace ran"); }
  const seen = new Set();
  for (const element of document.querySelectorAll("[id]")) {
    if (seen.has(element.id)) { wrong.push(`id twice: ${element.id}`); }
    seen.add(element.id);
  }
  for (const link of document.querySelectorAll("a[href^='#']")) {
    const id = link.getAttribute("href").slice(1);
    if (!seen.has(id)) { wrong.push(`link to nothing: #${id}`); }
  }
  for (const section of EXPECTED.sections) {
    if (!document.querySelector(`section#${section} > h2`)) { wrong.push(`no section ${section}`); }
  }
  const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    if (controls.test(walker.currentNode.data)) {
      wrong.push(`control character in: ${JSON.stringify(walker.currentNode.data.slice(0, 80))}`);
    }
  }
  for (const table of document.querySelectorAll("table")) {
    if (!table.querySelector("thead th[scope=col]")) { wrong.push("a table without column headers"); }
    const count = row => [...row.cells].length;
    const columns = count(table.tHead.rows[0]);
    for (const row of table.tBodies[0].rows) {
      if (count(row) !== columns) { wrong.push(`a row of ${count(row)} cells under ${columns} headers`); break; }
    }
  }
  for (const drawing of document.querySelectorAll("svg:not([aria-hidden=true])")) {
    if (!drawing.getAttribute("aria-label")) { wrong.push("a drawing without a label"); }
  }
  for (const region of document.querySelectorAll("[role=region]")) {
    if (!region.getAttribute("aria-label")) { wrong.push("a region without a label"); }
  }
  for (const attribute of ["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height", "d", "viewBox"]) {
    for (const element of document.querySelectorAll(`svg [${attribute}]`)) {
      if (/NaN|inf|undefined/i.test(element.getAttribute(attribute))) { wrong.push(`broken ${attribute} in a drawing`); }
    }
  }
  return wrong;
})()
"""

OVERFLOW = r"""
(() => {
  const root = document.scrollingElement;
  if (root.scrollWidth <= innerWidth) { return []; }
  const inside = element => element.parentElement && (element.parentElement.matches(".scroll, svg") ||
    inside(element.parentElement));
  const wide = [...document.body.querySelectorAll("*")].filter(element =>
    !inside(element) && element.getBoundingClientRect().right > innerWidth + 1);
  return [`the page is ${root.scrollWidth} px wide in a window of ${innerWidth}: ` +
    wide.slice(0, 3).map(element => element.outerHTML.slice(0, 90)).join(" | ")];
})()
"""

# WCAG 2.1: 4.5 for text, 3 for large text.
CONTRAST = r"""
(() => {
  const parse = text => { const m = text.match(/[\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const light = rgb => {
    const [r, g, b] = rgb.slice(0, 3).map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] === 1) { return colour; }
    }
    return [255, 255, 255, 1];
  };
  const wrong = new Set();
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    const isDrawn = element.namespaceURI.endsWith("svg");
    if (!own || element.matches("title, script, style") || !element.getClientRects().length) { continue; }
    const style = getComputedStyle(element);
    const front = parse(isDrawn ? style.fill : style.color), back = behind(element);
    if (isDrawn && element.matches("text.name")) { continue; }
    const a = light(front), b = light(back), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) {
      wrong.add(`contrast ${ratio.toFixed(2)} of <${element.localName} class="${element.getAttribute("class") || ""}"> in ` +
        `${element.parentElement.localName}.${element.parentElement.getAttribute("class") || ""}`);
    }
  }
  return [...wrong];
})()
"""


def url_of(path):
    return path.resolve().as_uri()


def noise(browser, url):
    """What the page said or asked for, other than itself."""
    wrong = []
    for event in browser.events:
        method, parameters = event["method"], event["params"]
        if method == "Network.requestWillBeSent":
            if parameters["request"]["url"].split("#")[0] != url:
                wrong.append(f"asks the network for {parameters['request']['url'][:120]}")
        elif method == "Runtime.consoleAPICalled":
            wrong.append(f"console.{parameters['type']}: {[a.get('value') for a in parameters['args']]}")
        elif method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            wrong.append(f"exception: {details.get('exception', {}).get('description', details['text'])}")
        elif method == "Log.entryAdded":
            wrong.append(f"log: {parameters['entry']['text']}")
        elif method == "Page.javascriptDialogOpening":
            wrong.append(f"dialog: {parameters['message']}")
    return wrong


def set_view(browser, width, height, scheme):
    browser.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
    browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])


def check_keyboard(browser):
    """Walks through the page by Tab alone."""
    wrong = []
    expected = browser.evaluate(
        "[...document.querySelectorAll('a, button, summary, [tabindex=\"0\"]')]"
        ".filter(e => e.getClientRects().length && !e.closest('details:not([open]) > :not(summary)')).length")
    browser.evaluate("window.__seen = new Set(), null")
    for step in range(expected + 5):
        browser.press("Tab", virtual=9)
        state = browser.evaluate(
            "(() => { const e = document.activeElement; if (e === document.body) { return null; }"
            " window.__seen.add(e); const s = getComputedStyle(e);"
            " return { skip: e.matches('.skip'), shown: e.getBoundingClientRect().left >= 0,"
            "   outline: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0, html: e.outerHTML.slice(0, 90) }; })()")
        if state is None:
            break
        if step == 0 and not (state["skip"] and state["shown"]):
            wrong.append(f"the first stop is no visible skip link: {state['html']}")
        if not state["outline"]:
            wrong.append(f"no focus outline on {state['html']}")
    reached = browser.evaluate("window.__seen.size")
    if reached < expected:
        wrong.append(f"the keyboard reaches {reached} of {expected} places")
    return wrong


def check_timeline(browser):
    """Zooms by button, key and table row, and back."""
    if not browser.evaluate("!!document.getElementById('timeline-drawing')"):
        return []
    wrong = []
    state = ("JSON.stringify([...document.querySelectorAll('#timeline-axis text')].map(e => e.textContent)) +"
             " [...document.querySelectorAll('#timeline-drawing rect.slice')].map(e => e.getAttribute('x'))")
    after = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(null))))"

    def now():
        browser.evaluate(after)
        return browser.evaluate(state)

    if browser.evaluate("document.getElementById('timeline-tools').hidden"):
        return ["the script did not run: the timeline's buttons are hidden"]
    whole = now()
    browser.evaluate("document.querySelector('[data-do=in]').click()")
    closer = now()
    # A window of a few nanoseconds is as close as it gets.
    if closer == whole and browser.evaluate("Number(document.getElementById('timeline-drawing').dataset.span) <= 50"):
        return wrong
    if closer == whole:
        wrong.append("the button does not zoom in")
    browser.evaluate("document.querySelector('[data-do=all]').click()")
    if now() != whole:
        wrong.append("the whole window does not come back")
    browser.evaluate("document.getElementById('timeline-drawing').focus()")
    browser.press("+", code="Equal", text="+", virtual=187)
    if now() != closer:
        wrong.append("the key + does not zoom in as the button does")
    browser.press("ArrowLeft", virtual=37)
    if now() == closer:
        wrong.append("the key ← does not move")
    browser.press("0", code="Digit0", text="0", virtual=48)
    if now() != whole:
        wrong.append("the key 0 does not show the whole window")
    if browser.evaluate("!!document.querySelector('#timeline-calls td button')"):
        browser.evaluate("document.querySelector('#timeline-calls td button').click()")
        if now() == whole or not browser.evaluate("!!document.querySelector('.call.chosen')"):
            wrong.append("a call's button does not zoom to it")
        browser.evaluate("document.querySelector('[data-do=all]').click()")
        now()
    return wrong


def screenshot(browser, folder, name):
    """Takes the whole page, in pieces of a size that one can look at."""
    size = browser.send("Page.getLayoutMetrics")["cssContentSize"]
    piece = 1_600
    for old in folder.glob(f"{name}-[0-9]*.png"):
        old.unlink()
    for index in range(min(-(-int(size["height"]) // piece), 30)):
        clip = {"x": 0, "y": index * piece, "width": size["width"], "scale": 1,
                "height": min(piece, size["height"] - index * piece)}
        data = browser.send("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)["data"]
        (folder / f"{name}-{index + 1:02}.png").write_bytes(base64.b64decode(data))


def check(browser, path, page, screenshots):
    problems = []
    structure = STRUCTURE.replace("EXPECTED", f"({json.dumps(PAGES[page])})")
    url = url_of(path)
    with browser.window():
        for scheme in SCHEMES:
            for width, height in VIEWS:
                set_view(browser, width, height, scheme)
                browser.navigate(url)
                found = browser.evaluate(structure) + browser.evaluate(OVERFLOW) + browser.evaluate(CONTRAST)
                if screenshots:
                    screenshot(browser, screenshots, f"{path.stem}-{width}-{scheme}")
                found += check_timeline(browser) + browser.evaluate(OVERFLOW)
                found += noise(browser, url)
                if scheme == "light":
                    browser.navigate(url)
                    found += check_keyboard(browser) + noise(browser, url)
                problems += [f"{width} px, {scheme}: {problem}" for problem in found]

        set_view(browser, 1280, 900, "light")
        printed = browser.send("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]
        if screenshots:
            (screenshots / f"{path.stem}.pdf").write_bytes(base64.b64decode(printed))

        # Escaping has to do without the policy's help: the same page with the policy taken out.
        text = path.read_text(encoding="utf-8")
        bare, count = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
        if count != 1:
            problems.append("no Content-Security-Policy")
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "bare.html"
            copy.write_text(bare, encoding="utf-8")
            browser.navigate(url_of(copy))
            browser.evaluate("for (const e of document.querySelectorAll('*')) {"
                             " e.dispatchEvent(new MouseEvent('mouseover')); e.dispatchEvent(new Event('error')); }")
            browser.settle(0.3)
            problems += [f"without policy: {problem}" for problem in
                         browser.evaluate(structure) + noise(browser, url_of(copy))]

        browser.send("Emulation.setScriptExecutionDisabled", value=True)
        for width, height in VIEWS:
            set_view(browser, width, height, "light")
            browser.navigate(url)
            found = browser.evaluate(OVERFLOW) + noise(browser, url)
            if browser.evaluate("!!document.getElementById('timeline-tools')"):
                if not browser.evaluate("document.getElementById('timeline-tools').hidden"):
                    found.append("buttons that do nothing are shown")
            problems += [f"{width} px, no JavaScript: {problem}" for problem in found]
    return problems


def main():
    parser = argparse.ArgumentParser(description="Checks HTML reports in headless Chromium.")
    parser.add_argument("files", type=pathlib.Path, nargs="+", metavar="file")
    parser.add_argument("--page", choices=PAGES, default="replay")
    parser.add_argument("--screenshots", type=pathlib.Path, metavar="DIR")
    arguments = parser.parse_args()
    if arguments.screenshots:
        arguments.screenshots.mkdir(parents=True, exist_ok=True)
    try:
        browser = Browser()
    except FileNotFoundError as error:
        print(error)
        return 77
    status = 0
    with browser:
        for file in arguments.files:
            problems = check(browser, file, arguments.page, arguments.screenshots)
            for problem in problems:
                print(problem)
            print(f"{file.name}: {len(problems)} problems" if problems else f"{file.name}: all is well", flush=True)
            status = 1 if problems else status
    return status


if __name__ == "__main__":
    sys.exit(main())
