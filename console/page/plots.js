// Strip charts over bench time. No value is invented: a line ends where nothing was known.
"use strict";
const Plots = (() => {
  const PANELS = [
    { title: "AC voltage", unit: "V", lines: [["grid_u", "mains"], ["house_l1_u", "house L1"], ["house_l2_u", "house L2"]], least: 120 },
    { title: "Power", unit: "kW", scale: 1e-3, lines: [["grid_p", "from mains"], ["house_p", "house"], ["evps_p", "EVPS into home"], ["dc_p", "into battery"]], least: 1 },
    { title: "DC current, positive into the battery", unit: "A", lines: [["dc_i", "measured"], ["said_i", "charger says"], ["bound", "discharge limit"]], least: 5 },
    { title: "Battery", unit: "V", lines: [["dc_u", "voltage"]], least: 0, right: ["soc", "SOC", "%", 100] },
  ];
  const GAP = 3, ROOM = 20000;
  let rows = [], dirty = true, drawn = [];

  function build(parent) {
    for (const panel of PANELS) {
      const box = document.createElement("div"), key = document.createElement("div"), canvas = document.createElement("canvas");
      box.className = "plot"; key.className = "key";
      const title = document.createElement("span");
      title.textContent = `${panel.title} (${panel.unit})`; title.className = "dim";
      key.append(title);
      const all = panel.right ? [...panel.lines, [panel.right[0], panel.right[1]]] : panel.lines;
      const values = all.map(([, name], n) => {
        const span = document.createElement("span"), value = document.createElement("b");
        span.className = `k${n}`; span.append(`${name} `, value); key.append(span);
        return value;
      });
      canvas.setAttribute("role", "img"); canvas.setAttribute("aria-label", panel.title);
      box.append(key, canvas); parent.append(box);
      drawn.push({ panel, canvas, values, all });
    }
    addEventListener("resize", () => { dirty = true; });
    (function frame() { if (dirty) { dirty = false; drawn.forEach(draw); } requestAnimationFrame(frame); })();
  }

  function add(moments, anew) {
    if (anew) rows = [];
    for (const m of moments) {
      const v = m.values || {};
      if (rows.length && m.t < rows[rows.length - 1].t) rows = [];
      rows.push({ t: m.t, ...v, bound: v.limit_i === undefined ? undefined : -v.limit_i });
    }
    if (rows.length > ROOM) rows = rows.slice(-ROOM);
    dirty = true;
  }

  function draw({ panel, canvas, values, all }) {
    const wide = canvas.clientWidth, high = canvas.clientHeight, dpr = devicePixelRatio || 1;
    if (!wide) return;
    canvas.width = wide * dpr; canvas.height = high * dpr;
    const g = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
    g.scale(dpr, dpr);
    const seconds = Number(document.querySelector("#span").value), end = rows.length ? rows[rows.length - 1].t : 0, start = end - seconds;
    const shown = rows.filter(r => r.t >= start), scale = panel.scale || 1;
    const last = shown[shown.length - 1] || {};
    all.forEach(([name], n) => {
      const right = panel.right && n === panel.lines.length;
      values[n].textContent = last[name] === undefined ? "-" : right ? `${(last[name] * panel.right[3]).toFixed(1)} ${panel.right[2]}` : (last[name] * scale).toFixed(panel.unit === "kW" ? 2 : 1);
    });
    let low = Infinity, top = -Infinity;
    for (const r of shown) for (const [name] of panel.lines) if (r[name] !== undefined) { low = Math.min(low, r[name] * scale); top = Math.max(top, r[name] * scale); }
    if (low > top) { low = 0; top = panel.least || 1; }
    if (panel.least) { low = Math.min(low, 0); top = Math.max(top, low < 0 && top <= 0 ? 0 : panel.least); }
    const pad = Math.max((top - low) * 0.08, 0.5); low -= pad; top += pad;
    const left = 46, rightEdge = wide - (panel.right ? 40 : 8), floor = high - 16;
    const x = t => left + (t - start) / seconds * (rightEdge - left), y = v => 4 + (top - v) / (top - low) * (floor - 4);
    g.font = "11px system-ui, sans-serif"; g.fillStyle = style.getPropertyValue("--dim"); g.strokeStyle = style.getPropertyValue("--grid"); g.lineWidth = 1;
    const step = nice((top - low) / 4);
    g.textAlign = "right"; g.textBaseline = "middle";
    for (let v = Math.ceil(low / step) * step; v <= top; v += step) { line(g, left, y(v), rightEdge, y(v)); g.fillText(short(v), left - 5, y(v)); }
    const every = nice(seconds / 6);
    g.textAlign = "center"; g.textBaseline = "top";
    for (let t = Math.ceil(start / every) * every; t <= end; t += every) if (t >= 0) { line(g, x(t), 4, x(t), floor); g.fillText(`${short(t)} s`, x(t), floor + 3); }
    g.save(); g.beginPath(); g.rect(left, 0, rightEdge - left, high); g.clip(); g.lineWidth = 1.7;
    panel.lines.forEach(([name], n) => trace(g, shown, name, v => y(v * scale), x, style.getPropertyValue(`--c${n}`)));
    if (panel.right) {
      const n = panel.lines.length, yr = v => 4 + (1 - v) * (floor - 4);
      trace(g, shown, panel.right[0], yr, x, style.getPropertyValue(`--c${n}`));
      g.restore(); g.fillStyle = style.getPropertyValue(`--c${n}`); g.textAlign = "left"; g.textBaseline = "middle";
      for (const v of [0, 0.5, 1]) g.fillText(`${v * 100} %`, rightEdge + 4, Math.min(floor - 5, Math.max(9, yr(v))));
    } else g.restore();
  }

  function trace(g, shown, name, y, x, colour) {
    g.strokeStyle = colour; g.beginPath();
    let before = null;
    for (const r of shown) {
      if (r[name] === undefined) { before = null; continue; }
      if (before === null || r.t - before > GAP) g.moveTo(x(r.t), y(r[name])); else g.lineTo(x(r.t), y(r[name]));
      before = r.t;
    }
    g.stroke();
  }
  function line(g, x0, y0, x1, y1) { g.beginPath(); g.moveTo(x0, y0); g.lineTo(x1, y1); g.stroke(); }
  function nice(raw) { const p = 10 ** Math.floor(Math.log10(raw)); return [1, 2, 5, 10].map(m => m * p).find(s => s >= raw); }
  function short(v) { return Math.abs(v) < 1e-9 ? "0" : String(+v.toPrecision(4)); }
  return { build, add, clear: () => { rows = []; dirty = true; }, redraw: () => { dirty = true; }, rows: () => rows };
})();
