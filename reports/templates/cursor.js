// A cursor on pictures. They read without it.
"use strict";
(function () {
  const all = (what, from) => Array.from((from || document).querySelectorAll(what));
  const one = (what, from) => (from || document).querySelector(what);

  // Cursor: values are read back from the drawn paths, so nothing is stored twice. A click sets a reference time.
  const XSIZE = 4000, YSIZE = 1000;
  const parsed = new WeakMap();
  function points(path) {
    if (parsed.has(path)) return parsed.get(path);
    const xs = [], ys = [];
    for (const piece of path.getAttribute("d").split("M").slice(1)) {
      const n = piece.match(/-?\d+/g).map(Number);
      let x = n[0], y = n[1];
      xs.push(x); ys.push(y);
      for (let k = 2; k + 1 < n.length; k += 2) { x += n[k]; y += n[k + 1]; xs.push(x); ys.push(y); }
    }
    parsed.set(path, [xs, ys]);
    return parsed.get(path);
  }
  function at(path, x) { // range of y at the column nearest to x; null beyond the line
    const [xs, ys] = points(path), step = path.dataset.step;
    let low = 0, high = xs.length;
    while (low < high) { const mid = (low + high) >> 1; if (xs[mid] <= x) low = mid + 1; else high = mid; }
    let k = low - 1;
    if (k < 0 || (low >= xs.length && x > xs[xs.length - 1] + 40)) return null;
    if (!step && low < xs.length && xs[low] - x < x - xs[k]) k = low;
    if (step) return [ys[k], ys[k]];
    let least = ys[k], most = ys[k];
    for (let j = k - 1; j >= 0 && xs[j] === xs[k]; j--) { least = Math.min(least, ys[j]); most = Math.max(most, ys[j]); }
    for (let j = k + 1; j < xs.length && xs[j] === xs[k]; j++) { least = Math.min(least, ys[j]); most = Math.max(most, ys[j]); }
    return [least, most];
  }
  // As many decimals as a thousandth of the axis deserves: more was not drawn.
  const neat = (v, span) => v.toFixed(Math.min(6, Math.max(0, Math.ceil(-Math.log10(span / 1000)))));
  // Bytes of each identifier's last frame at a place, as they stand in its lane.
  function bus(panel, x, line) {
    for (const path of all("path[data-can]", panel)) {
      let words = path.dataset.said === undefined ? "changes often: see the log" : "";
      for (const one of (path.dataset.said || "").split(";")) {
        const cut = one.indexOf(":");
        if (cut > 0 && Number(one.slice(0, cut)) <= x) words = one.slice(cut + 1);
      }
      line(path.dataset.can + "  " + (words || "none"), false, path.getAttribute("class").slice(3));
    }
  }
  for (const plot of all(".plot")) {
    const canvas = plot.parentElement, read = one(".read", canvas), cursor = one(".cur", plot), panels = all("svg.in", plot);
    const left = Number(panels[0].getAttribute("x")), inside = Number(panels[0].getAttribute("width"));
    const t0 = Number(plot.dataset.t0), t1 = Number(plot.dataset.t1);
    // share: of the width shown; mark: of the whole window. A zoom (zoom.js) says what of the window is shown.
    let share = null, mark = null;
    const view = () => [Number(plot.dataset.v0 || 0), Number(plot.dataset.v1 || 1)];
    const whole = s => view()[0] + s * (view()[1] - view()[0]), shown = w => (w - view()[0]) / (view()[1] - view()[0]);
    function show() {
      plot.dataset.at = share === null ? "" : share;
      read.hidden = share === null;
      if (share === null) { cursor.setAttribute("d", ""); return; }
      const x = left + share * inside, from = plot.dataset.top, to = plot.dataset.bottom, t = t0 + whole(share) * (t1 - t0), at0 = mark === null ? -1 : shown(mark);
      let d = "M" + x + " " + from + "V" + to;
      if (at0 >= 0 && at0 <= 1) d += "M" + (left + at0 * inside) + " " + from + "V" + to;
      cursor.setAttribute("d", d);
      read.textContent = "";
      const line = (text, bold, cls) => {
        const div = document.createElement("div");
        if (cls) { const i = document.createElement("i"); i.className = cls; div.append(i); }
        const span = document.createElement(bold ? "b" : "span");
        span.textContent = text; div.append(span); read.append(div);
      };
      line(t.toFixed(2) + " " + plot.dataset.tu, true);
      if (mark !== null) line("Δ " + ((whole(share) - mark) * (t1 - t0)).toFixed(2) + " " + plot.dataset.tu + " from mark");
      for (const panel of panels) {
        if (panel.classList.contains("can")) { bus(panel, whole(share) * XSIZE, line); continue; }
        const low = Number(panel.dataset.low), high = Number(panel.dataset.high), unit = panel.dataset.unit;
        const value = y => low + (YSIZE - y) / YSIZE * (high - low);
        for (const path of all("path", panel)) {
          const found = at(path, whole(share) * XSIZE);
          if (!found) continue;
          const a = neat(value(found[1]), high - low), b = neat(value(found[0]), high - low);
          line(path.dataset.label + "  " + (a === b ? a : a + " … " + b) + " " + unit, false, path.getAttribute("class"));
        }
      }
      const width = canvas.clientWidth, px = x / 960 * width, room = read.offsetWidth + 14;
      read.style.left = (px + room > width ? px - room : px + 14) + "px";
      read.style.top = Number(from) / 960 * width + 4 + "px";
    }
    plot.addEventListener("pointermove", event => {
      const box = plot.getBoundingClientRect(), s = ((event.clientX - box.left) / box.width * 960 - left) / inside;
      share = s >= 0 && s <= 1 ? s : null;
      show();
    });
    plot.addEventListener("pointerleave", () => { share = null; show(); });
    plot.addEventListener("click", () => {
      if (plot.dataset.dragged) { delete plot.dataset.dragged; return; }
      mark = share === null ? null : whole(share);
      show();
    });
    plot.addEventListener("zoomed", show);
    plot.addEventListener("blur", () => { share = null; show(); });
    plot.addEventListener("keydown", event => {
      const step = event.shiftKey ? 0.05 : 0.004, now = share === null ? 0.5 : share;
      if (event.key === "ArrowRight") share = Math.min(1, now + step);
      else if (event.key === "ArrowLeft") share = Math.max(0, now - step);
      else if (event.key === "Home") share = 0;
      else if (event.key === "End") share = 1;
      else if (event.key === "Enter") mark = share === null ? null : whole(share);
      else if (event.key === "Escape") { share = null; mark = null; }
      else return;
      event.preventDefault();
      show();
    });
  }
})();
