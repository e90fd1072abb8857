// Zoom on pictures: drag over a stretch of time, or + and - at the cursor; 0, Escape or a double click shows all again.
// What is shown is the drawn line, least and greatest of each column; the capture linked below has every sample.
"use strict";
(function () {
  const all = (what, from) => Array.from(from.querySelectorAll(what));
  const XSIZE = 4000, YSIZE = 1000, MOST = 16, NS = "http://www.w3.org/2000/svg";
  const first = new WeakMap(); // what an element had before the first zoom
  function kept(node, name) {
    if (!first.has(node)) first.set(node, {});
    const known = first.get(node);
    if (!(name in known)) known[name] = node.getAttribute(name);
    return known[name];
  }
  function step(span) { // 1, 2 or 5 times a power of ten: about eight ticks
    const raw = span / 8, power = Math.pow(10, Math.floor(Math.log10(raw)));
    return power * ([1, 2, 5, 10].find(one => one * power >= raw) || 10);
  }
  for (const plot of all(".plot", document)) {
    const inner = all("svg.in", plot), left = Number(inner[0].getAttribute("x")), inside = Number(inner[0].getAttribute("width"));
    const t0 = Number(plot.dataset.t0), t1 = Number(plot.dataset.t1), bottom = Number(plot.dataset.bottom);
    let view = [0, 1], from = null;
    const right = left + inside, place = x => left + ((x - left) / inside - view[0]) / (view[1] - view[0]) * inside;
    const seen = x => x >= left - 0.5 && x <= right + 0.5;
    function hide(node, gone) { node.style.display = gone ? "none" : ""; }
    function verticals(path) { // a path of lines M x y V or v: those that are out of sight go
      const d = kept(path, "d").replace(/M([-\d.]+) ([-\d.]+)([vV][-\d.]+)/g, (_, x, y, rest) => {
        const at = place(Number(x));
        return seen(at) ? "M" + at.toFixed(1) + " " + y + rest : "";
      });
      path.setAttribute("d", d || "M0 0");
    }
    function ticks() {
      for (const old of all(".zk", plot)) old.remove();
      const whole = view[0] === 0 && view[1] === 1;
      for (const text of all(".tk", plot)) if (Number(text.getAttribute("y")) > bottom) hide(text, !whole);
      if (whole) return;
      const a = t0 + view[0] * (t1 - t0), b = t0 + view[1] * (t1 - t0), size = step(b - a);
      const places = Math.max(0, -Math.floor(Math.log10(size) + 1e-9));
      for (let k = Math.ceil(a / size - 1e-9); k * size <= b + 1e-9 * size; k++) {
        const text = document.createElementNS(NS, "text");
        text.setAttribute("class", "tk zk");
        text.setAttribute("x", place(left + (k * size - t0) / (t1 - t0) * inside).toFixed(1));
        text.setAttribute("y", bottom + 15);
        text.setAttribute("text-anchor", "middle");
        text.textContent = (k * size).toFixed(places);
        plot.append(text);
      }
    }
    function show(a, b) {
      const size = Math.min(1, Math.max(1 / MOST, b - a)), start = Math.min(1 - size, Math.max(0, (a + b) / 2 - size / 2));
      view = [start, start + size];
      for (const panel of inner) panel.setAttribute("viewBox", start * XSIZE + " 0 " + size * XSIZE + " " + YSIZE);
      for (const path of all(".gr, .ed", plot)) verticals(path);
      for (const text of all(".el, .sl", plot)) {
        const at = place(Number(kept(text, "x")));
        text.setAttribute("x", at.toFixed(1));
        hide(text, !seen(at));
      }
      for (const rect of all(".sp", plot)) {
        const x = Number(kept(rect, "x")), l = Math.max(left, place(x)), r = Math.min(right, place(x + Number(kept(rect, "width"))));
        rect.setAttribute("x", l.toFixed(1));
        rect.setAttribute("width", Math.max(0, r - l).toFixed(1));
      }
      ticks();
      plot.dataset.v0 = view[0];
      plot.dataset.v1 = view[1];
      plot.dispatchEvent(new Event("zoomed"));
    }
    const share = event => {
      const box = plot.getBoundingClientRect();
      return ((event.clientX - box.left) / box.width * 960 - left) / inside;
    };
    const whole = s => view[0] + Math.min(1, Math.max(0, s)) * (view[1] - view[0]);
    plot.addEventListener("pointerdown", event => { if (event.button === 0 && event.pointerType !== "touch") from = share(event); });
    plot.addEventListener("pointerup", event => {
      const to = share(event), begun = from;
      from = null;
      if (begun === null || Math.abs(to - begun) < 0.02) return;
      plot.dataset.dragged = "1"; // the click that follows sets no mark
      show(whole(Math.min(begun, to)), whole(Math.max(begun, to)));
    });
    plot.addEventListener("dblclick", () => show(0, 1));
    plot.addEventListener("keydown", event => {
      const size = view[1] - view[0], middle = whole(plot.dataset.at ? Number(plot.dataset.at) : 0.5);
      if (event.key === "+" || event.key === "=") show(middle - size / 4, middle + size / 4);
      else if (event.key === "-") show(middle - size, middle + size);
      else if (event.key === "0" || event.key === "Escape") show(0, 1);
      else return;
      event.preventDefault();
    });
  }
})();
