/// The page's only script: it lays the timeline out again for another window. Without it the whole window is shown.
enum HTMLScript {
  static let text: HTML = #"""
    (function () {
      "use strict";
      const svg = document.getElementById("timeline-drawing");
      if (!svg) { return; }
      const left = Number(svg.dataset.left), right = Number(svg.dataset.right);
      const top = Number(svg.dataset.top), bottom = Number(svg.dataset.bottom);
      // Closer than that, neighbouring times are the same number.
      const span = Number(svg.dataset.span), shortest = Math.max(Math.min(span, 50), span / 1e11);
      const axis = document.getElementById("timeline-axis");
      const layer = svg.querySelector("g[clip-path]");
      const names = document.createElementNS(svg.namespaceURI, "g");
      layer.append(names);
      const drawn = Array.from(layer.querySelectorAll("[data-a]:not(g)"), function (element) {
        const ys = element.dataset.y ? element.dataset.y.split(" ") : null;
        const a = Number(element.dataset.a);
        return { element: element, kind: element.localName, a: a, ys: ys,
          b: element.dataset.b === undefined ? a : Number(element.dataset.b), wide: element.dataset.b !== undefined };
      });
      let from = 0, to = span, waiting = false;

      function x(time) { return left + (time - from) / (to - from) * (right - left); }
      // Far off the drawing all places are alike, and browsers draw badly there.
      function near(time) { return Math.max(-4000, Math.min(6000, x(time))).toFixed(2); }

      function label(time, step) {
        const units = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
        const unit = units.find(function (unit) { return time >= unit[0]; }) || units[3];
        const digits = Math.max(0, Math.min(9, Math.ceil(-Math.log10(step / unit[0]) - 1e-9)));
        return "+" + (time / unit[0]).toFixed(digits) + " " + unit[1];
      }

      function make(name, attributes, text) {
        const element = document.createElementNS(svg.namespaceURI, name);
        for (const key in attributes) { element.setAttribute(key, attributes[key]); }
        if (text) { element.textContent = text; }
        return element;
      }

      function drawAxis() {
        let step = 1;
        for (const factors = [2, 2.5, 2], limit = (to - from) / 8; step < limit;) {
          step *= factors[0];
          factors.push(factors.shift());
        }
        axis.replaceChildren();
        for (let index = Math.ceil(from / step), end = index + 20; index < end && index * step <= to; index += 1) {
          const time = index * step;
          const at = x(time).toFixed(2);
          axis.append(make("line", { class: "grid", x1: at, x2: at, y1: top - 6, y2: bottom }),
            make("text", { x: at, y: top - 12, "text-anchor": "middle" }, label(time, step)));
        }
      }

      function draw() {
        waiting = false;
        drawAxis();
        names.replaceChildren();
        for (const item of drawn) {
          const element = item.element;
          if (item.kind === "text") {
            element.setAttribute("x", near(item.a));
          } else if (item.kind === "rect") {
            const at = near(item.a);
            element.setAttribute("x", at);
            if (!item.wide) { continue; }
            const width = Math.max(1, near(item.b) - at);
            element.setAttribute("width", width);
            if (element.classList.contains("callback")) { nameSlice(element, Number(at), width); }
          } else if (item.kind === "circle") {
            element.setAttribute("cx", near(item.a));
          } else if (item.ys) {
            const a = near(item.a), b = near(item.b), bend = (Number(item.ys[0]) + Number(item.ys[1])) / 2;
            element.setAttribute("d", "M" + a + " " + item.ys[0] + "C" + a + " " + bend + " " + b + " " + bend + " " + b +
              " " + item.ys[1]);
          }
        }
      }

      function nameSlice(element, at, width) {
        const start = Math.max(at, left), room = Math.min(at + width, right) - start - 8;
        const height = Number(element.getAttribute("height"));
        if (room < 30 || height < 11) { return; }
        let name = element.textContent.split(" · ")[0];
        const fits = Math.floor(room / 5.9);
        if (name.length > fits) { name = name.slice(0, fits - 1) + "…"; }
        names.append(make("text", { class: "name", x: start + 4,
          y: Number(element.getAttribute("y")) + height / 2 + 3.6 }, name));
      }

      function show(newFrom, newTo) {
        let length = Math.max(shortest, Math.min(span, newTo - newFrom));
        from = Math.max(0, Math.min(span - length, newFrom));
        to = from + length;
        if (!waiting) { waiting = true; requestAnimationFrame(draw); }
      }
      function zoom(factor, centre) {
        show(centre - (centre - from) * factor, centre + (to - centre) * factor);
      }
      function act(name) {
        const middle = (from + to) / 2, quarter = (to - from) / 4;
        if (name === "in") { zoom(0.5, middle); }
        if (name === "out") { zoom(2, middle); }
        if (name === "left") { show(from - quarter, to - quarter); }
        if (name === "right") { show(from + quarter, to + quarter); }
        if (name === "all") { choose(null); show(0, span); }
      }
      function choose(call) {
        for (const old of layer.querySelectorAll(".chosen")) { old.classList.remove("chosen"); }
        if (call) { call.classList.add("chosen"); }
      }

      const tools = document.getElementById("timeline-tools");
      tools.hidden = false;
      tools.addEventListener("click", function (event) {
        if (event.target.dataset.do) { act(event.target.dataset.do); }
      });
      svg.addEventListener("keydown", function (event) {
        const keys = { "+": "in", "=": "in", "-": "out", "ArrowLeft": "left", "ArrowRight": "right", "0": "all" };
        if (keys[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
          act(keys[event.key]);
          event.preventDefault();
        }
      });

      function timeAt(event) {
        const box = svg.getBoundingClientRect();
        const at = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
        return from + (Math.max(left, Math.min(right, at)) - left) / (right - left) * (to - from);
      }
      svg.addEventListener("wheel", function (event) {
        if (document.activeElement !== svg && !event.ctrlKey) { return; }
        event.preventDefault();
        if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
          const shift = event.deltaX / 800 * (to - from);
          show(from + shift, to + shift);
        } else {
          zoom(Math.pow(1.0015, event.deltaY), timeAt(event));
        }
      }, { passive: false });
      let drag = null;
      svg.addEventListener("pointerdown", function (event) {
        if (event.button !== 0 || event.target.closest("a")) { return; }
        drag = { time: timeAt(event) };
        svg.setPointerCapture(event.pointerId);
      });
      svg.addEventListener("pointermove", function (event) {
        if (!drag) { return; }
        const shift = drag.time - timeAt(event);
        show(from + shift, to + shift);
      });
      for (const name of ["pointerup", "pointercancel"]) {
        svg.addEventListener(name, function () { drag = null; });
      }

      const table = document.querySelector("#timeline-calls table");
      if (table) {
        const head = document.createElement("th");
        head.scope = "col";
        head.textContent = "in the drawing";
        table.tHead.rows[0].append(head);
        for (const row of table.tBodies[0].rows) {
          const call = document.getElementById("flow-" + row.dataset.flow);
          const button = document.createElement("button");
          button.type = "button";
          button.textContent = "show";
          button.setAttribute("aria-label", "Show the call of CPUs " + row.cells[1].textContent + " in the drawing");
          button.addEventListener("click", function () {
            const a = Number(call.dataset.a), b = Number(call.dataset.b), room = Math.max(shortest, b - a) * 0.4;
            choose(call);
            show(a - room, b + room);
            svg.scrollIntoView({ block: "nearest" });
            svg.focus({ preventScroll: true });
          });
          row.insertCell().append(button);
        }
      }
      draw();
    })();
    """#
}
