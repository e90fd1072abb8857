// The bench as a one-line diagram: mains, transfer contact, house, EVPS, EV contactors, pack. What is not known is "-".
"use strict";
const Diagram = (() => {
  const NS = "http://www.w3.org/2000/svg";
  const at = {};
  function make(kind, facts, text) {
    const one = document.createElementNS(NS, kind);
    for (const [name, value] of Object.entries(facts)) one.setAttribute(name, value);
    if (text !== undefined) one.textContent = text;
    return one;
  }
  function build(svg) {
    const put = (id, kind, facts, text) => { const one = make(kind, facts, text); svg.append(one); if (id) { at[id] = one; one.id = `d-${id}`; } return one; };
    const wire = (id, d) => { put(`w-${id}`, "path", { class: "wire", d }); put(`f-${id}`, "path", { class: "flow", d }); };
    const words = (id, x, y, kind, text = "") => put(id, "text", { x, y, class: kind, "text-anchor": "middle" }, text);
    const contact = (id, x, y) => {
      put("", "circle", { class: "dot", cx: x, cy: y, r: 5 }); put("", "circle", { class: "dot", cx: x + 50, cy: y, r: 5 });
      put(id, "line", { class: "blade", x1: x, y1: y, x2: x + 50, y2: y });
    };
    wire("grid", "M110 120 H190"); wire("grid2", "M240 120 H380"); wire("house", "M380 120 V215");
    wire("evps", "M380 120 H505"); wire("dc", "M625 120 H690"); wire("pack", "M740 120 H815");
    put("", "path", { class: "wire", d: "M380 96 V144", "stroke-width": 8 });
    contact("transfer", 190, 120); contact("contactor", 690, 120);
    put("b-grid", "circle", { class: "box", cx: 75, cy: 120, r: 35 }); put("", "path", { class: "wire live", d: "M55 120 q10 -22 20 0 t20 0", "stroke-width": 3 });
    put("b-house", "path", { class: "box", d: "M335 250 L380 213 L425 250 V305 H335 Z" });
    put("b-evps", "rect", { class: "box", x: 505, y: 80, width: 120, height: 80, rx: 8 });
    put("", "path", { class: "wire", d: "M515 150 L615 90", "stroke-width": 1.5 });
    put("b-pack", "rect", { class: "box", x: 815, y: 75, width: 110, height: 90, rx: 8 });
    put("", "rect", { class: "box", x: 925, y: 105, width: 10, height: 30, rx: 2 });
    put("soc", "rect", { class: "soc", x: 819, y: 150, width: 0, height: 11, rx: 3 });
    words("", 75, 62, "name", "mains"); words("grid_u", 75, 182, "value"); words("grid_f", 75, 202, "small");
    words("", 215, 80, "name", "transfer"); words("transfer-state", 215, 150, "state");
    words("grid_p", 302, 108, "value"); words("house_p", 440, 190, "value"); words("evps_p", 442, 82, "value");
    words("", 380, 284, "name", "house"); words("house_u", 380, 325, "small");
    words("", 565, 70, "name", "EVPS"); words("panel", 565, 180, "small"); words("mode", 565, 198, "small");
    words("", 540, 112, "small", "AC"); words("", 592, 142, "small", "DC");
    words("", 715, 80, "name", "EV contactors"); words("contactor-state", 715, 150, "state");
    words("dc_p", 745, 190, "value"); words("dc_ui", 745, 211, "small");
    words("", 870, 64, "name", "pack"); words("soc-words", 870, 122, "value"); words("plug", 870, 184, "small");
  }
  const shown = (v, digits, unit) => v === undefined ? "-" : `${v.toFixed(digits)} ${unit}`;
  function arrow(v, right, left) { return v === undefined || Math.abs(v) < 20 ? "" : v > 0 ? right : left; }
  function flow(id, power) { at[`f-${id}`].setAttribute("class", `flow${power === undefined || Math.abs(power) < 20 ? "" : power > 0 ? " fwd" : " back"}`); }
  function wire(id, live) { at[`w-${id}`].setAttribute("class", `wire ${live === undefined ? "" : live ? "live" : "dead"}`); }
  function blade(id, closed) {
    const one = at[id], x = Number(one.getAttribute("x1")), y = Number(one.getAttribute("y1"));
    one.setAttribute("x2", x + (closed ? 50 : 40)); one.setAttribute("y2", closed ? y : y - 28);
    one.setAttribute("opacity", closed === undefined ? 0.25 : 1);
    const words = at[`${id}-state`];
    words.textContent = closed === undefined ? "not known" : closed ? "closed" : "open";
    words.setAttribute("class", `state ${closed === undefined ? "" : closed ? "closed" : "open"}`);
  }
  function show(moment, facts) {
    const v = (moment && moment.values) || {}, on = (moment && moment.on) || {}, w = (moment && moment.words) || {};
    const nominal = facts.voltage || 100, live = u => u === undefined ? undefined : u > 0.3 * nominal;
    at.grid_u.textContent = facts.wired ? shown(v.grid_u, 1, "V") : "none"; at.grid_f.textContent = on.mains === undefined ? "" : on.mains ? "on" : "off";
    at.grid_p.textContent = facts.wired ? `${shown(v.grid_p === undefined ? undefined : v.grid_p / 1000, 2, "kW")} ${arrow(v.grid_p, "\u2192", "\u2190")}` : "";
    at.house_p.textContent = shown(v.house_p === undefined ? undefined : v.house_p / 1000, 2, "kW");
    at.house_u.textContent = facts.legs > 1 ? `${shown(v.house_l1_u, 1, "V")} / ${shown(v.house_l2_u, 1, "V")}` : shown(v.house_l1_u, 1, "V");
    at.evps_p.textContent = `${arrow(v.evps_p, "\u2190", "\u2192")} ${shown(v.evps_p === undefined ? undefined : v.evps_p / 1000, 2, "kW")}`;
    at.panel.textContent = w.fault ? `fault: ${w.fault}` : w.panel || ""; at.mode.textContent = w.mode || "";
    at.dc_p.textContent = `${shown(v.dc_p === undefined ? undefined : v.dc_p / 1000, 2, "kW")} ${arrow(v.dc_p, "\u2192", "\u2190")}`;
    at.dc_ui.textContent = `${shown(v.dc_u, 1, "V")}  ${shown(v.dc_i, 1, "A")}`;
    at["soc-words"].textContent = v.soc === undefined ? "-" : `${(100 * v.soc).toFixed(1)} %`;
    at.soc.setAttribute("width", 102 * Math.min(1, Math.max(0, v.soc || 0)));
    at.plug.textContent = on.plug === undefined ? "" : on.plug ? "plugged in" : "not plugged in";
    blade("transfer", facts.wired ? on.transfer : undefined); blade("contactor", on.contactor);
    wire("grid", live(v.grid_u)); wire("grid2", live(v.house_l1_u)); wire("house", live(v.house_l1_u)); wire("evps", live(v.house_l1_u));
    wire("pack", v.dc_u === undefined ? undefined : v.dc_u > 20); wire("dc", on.contactor === undefined ? undefined : on.contactor && v.dc_u > 20);
    flow("grid", v.grid_p); flow("grid2", v.grid_p); flow("house", v.house_p);
    flow("evps", v.evps_p === undefined ? undefined : -v.evps_p); flow("dc", v.dc_p); flow("pack", v.dc_p);
  }
  return { build, show };
})();
