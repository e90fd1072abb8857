// The page: shows what the stream brings, sends what is pressed. Text only ever goes in as text.
"use strict";
const $ = id => document.getElementById(id);
const TONE = { PASS: "good", FAIL: "bad", ERROR: "bad", INCONCLUSIVE: "doubt", INVALID: "doubt", "NOT RUN": "dull" };
let world = { benches: [], suites: [], depths: [] }, chosen = "", acts = false, moment = null, stream = null, frozen = 0;

function put(parent, kind, text, name) {
  const one = document.createElement(kind);
  if (text !== undefined && text !== null) one.textContent = text;
  if (name) one.className = name;
  parent.append(one);
  return one;
}
const bench = () => world.benches.find(b => b.name === chosen);
const run = () => { const b = bench(); return b ? b.run : null; };
const clock = t => `${t.toFixed(1)} s`;

// -- acting

async function post(path, body) {
  try {
    const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const said = await answer.json();
    refused(answer.ok ? "" : said.error);
    return answer.ok;
  } catch { refused("the console does not answer: use the emergency stop's chain where something must end now"); return false; }
}
function refused(words) { $("refused").textContent = words; $("refused").hidden = !words; }
const act = (verb, more = {}) => post("/api/act", { verb, bench: chosen, ...more });

async function showToken() {
  const found = new URLSearchParams(location.hash.slice(1)).get("token");
  if (found) { history.replaceState(null, "", location.pathname); await post("/api/token", { token: found }); }
  acts = (await (await fetch("/api/me")).json()).acts;
  render();
}

$("estop").addEventListener("pointerdown", press);
$("estop").addEventListener("click", press);
let pressed = 0;
function press(event) {
  if (event.type === "click" && event.timeStamp - pressed < 1000) return; // the press has been told when it went down
  pressed = event.timeStamp;
  if (!$("estop").disabled) act("emergency_stop");
}
$("pause").addEventListener("click", () => act(["paused", "pausing"].includes(run().state) ? "resume" : "pause"));
$("stop").addEventListener("click", () => act("stop"));
$("pace").addEventListener("change", () => { frozen = Date.now(); if (run() && run().state !== "ended") act("pace", { factor: Number($("pace").value) }); });
$("span").addEventListener("change", Plots.redraw);
$("order").addEventListener("submit", event => {
  event.preventDefault();
  const suites = Array.from(document.querySelectorAll("#suites input:checked")).map(one => one.value);
  act("start", { order: { suites, keyword: $("keyword").value.trim(), seed: Number($("seed").value), depth: $("depth").value, pace: Number($("pace").value) } });
});

// -- looking

function follow() {
  if (stream) stream.close();
  moment = null; Plots.clear();
  stream = new EventSource(`/api/stream?bench=${encodeURIComponent(chosen)}`);
  stream.addEventListener("state", event => {
    world = JSON.parse(event.data);
    if (!bench() && world.benches.length) { chosen = world.benches[0].name; follow(); }
    render();
  });
  stream.addEventListener("moments", event => {
    const said = JSON.parse(event.data);
    Plots.add(said.moments, said.anew);
    moment = said.moments[said.moments.length - 1];
    renderMoment();
  });
  stream.onopen = () => { $("line").hidden = true; };
  stream.onerror = () => { $("line").hidden = false; };
}

function render() {
  renderTabs();
  const b = bench();
  if (!b) return;
  const r = b.run, alive = r && r.state !== "ended";
  document.title = `${b.name}: ${r ? r.state : "no run"} - v2hrig console`;
  $("access").textContent = acts ? "may act" : "read-only";
  $("bench-name").textContent = b.name;
  $("bench-kind").textContent = `${b.title} - ${b.kind || "bench"}, ${b.clock} time`;
  $("estop").disabled = !(acts && alive);
  $("estop-of").textContent = alive ? (acts ? b.name : "needs the token") : "no run on " + b.name;
  renderEmergency(r); renderRun(b, r, alive); renderPrompts(r); renderLists(r); renderBench(b, r); renderMoment();
}

function renderTabs() {
  const key = JSON.stringify([chosen, world.benches.map(b => [b.name, b.run && b.run.state])]);
  if ($("benches").dataset.key === key) return;
  $("benches").dataset.key = key;
  $("benches").replaceChildren();
  for (const b of world.benches) {
    const one = put($("benches"), "button", b.name);
    one.type = "button"; one.setAttribute("aria-pressed", b.name === chosen);
    put(one, "small", b.run ? b.run.state : "no run");
    one.addEventListener("click", () => { chosen = b.name; location.hash = ""; follow(); render(); });
  }
}

function renderEmergency(r) {
  const e = r && r.emergency, halted = r && r.halted;
  $("emergency").hidden = !e && !halted;
  if (!e && !halted) return;
  const rested = r.rested === null ? "pressed" : r.rested ? "CONFIRMED" : "UNCONFIRMED", state = e ? e.state : rested;
  const ends = { CONFIRMED: ["good", "Safe state CONFIRMED"], UNCONFIRMED: ["bad", "Safe state UNCONFIRMED"] }[state];
  $("emergency").className = `alarm ${ends ? ends[0] : ""}`;
  $("emergency-state").textContent = `Emergency stop: ${ends ? ends[1] : state}`;
  $("emergency-words").textContent = state === "UNCONFIRMED" ? "Do not touch the bench. Use the hardware E-stop, then look: v2hrig bench check brings it down and confirms it." : state === "CONFIRMED" ? "By read-back, and on record." : "The bench is being brought to no energy.";
  $("emergency-lines").replaceChildren();
  for (const line of e ? [...e.steps, ...e.readings] : [halted]) put($("emergency-lines"), "li", line);
}

function renderRun(b, r, alive) {
  const state = r ? r.state : "no run";
  $("run-state").textContent = state;
  $("run-state").className = `chip ${{ running: "good", paused: "doubt", pausing: "doubt", stopping: "doubt" }[state] || ""}`;
  $("run-test").textContent = r && r.test ? r.test.replace(/^suites\//, "") : "";
  $("pause").disabled = !(acts && alive && ["running", "pausing", "paused"].includes(state));
  $("pause").textContent = ["paused", "pausing"].includes(state) ? "Go on" : "Pause after this test";
  $("stop").disabled = !(acts && alive);
  $("pace-label").hidden = b.clock !== "virtual";
  $("pace").disabled = !acts;
  if (alive && r.paced && Date.now() - frozen > 1500) $("pace").value = String(r.pace);
  $("run-folder").textContent = r ? r.folder : "";
  $("output").hidden = !(r && r.output); $("output").textContent = r ? r.output : "";
  $("report").hidden = !(r && !alive && r.folder); $("report").href = `/report/${encodeURIComponent(b.name)}`;
  $("order").hidden = Boolean(alive); $("order-fields").disabled = !acts;
  const total = r ? r.tests.length : 0, counts = r ? r.counts : {};
  $("counts").replaceChildren();
  if (r) put($("counts"), "span", `${Object.values(counts).reduce((a, n) => a + n, 0)} of ${total} tests`);
  for (const word of Object.keys(TONE)) if (counts[word]) put($("counts"), "b", `${word} ${counts[word]}`, `tone-${TONE[word]}`);
  bar(counts, total);
  if (!$("suites").children.length) {
    for (const name of world.suites) {
      const label = put($("suites"), "label"), box = put(label, "input");
      box.type = "checkbox"; box.value = name; label.append(` ${name}`);
    }
    for (const name of world.depths) put($("depth"), "option", name).value = name;
    $("depth").value = "normal";
  }
}

function bar(counts, total) {
  $("bar").replaceChildren();
  if (!total) return;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${total} 1`); svg.setAttribute("preserveAspectRatio", "none");
  let x = 0;
  for (const word of Object.keys(TONE)) {
    const one = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    one.setAttribute("class", TONE[word]); one.setAttribute("x", x); one.setAttribute("width", counts[word] || 0); one.setAttribute("height", 1);
    x += counts[word] || 0; svg.append(one);
  }
  $("bar").append(svg);
}

function renderPrompts(r) {
  const asked = r ? r.asked : [], key = JSON.stringify([asked, acts]);
  if ($("prompts").dataset.key === key) return;
  $("prompts").dataset.key = key;
  $("prompts").replaceChildren();
  for (const one of asked) {
    const box = put($("prompts"), "form", null, "prompt"), number = one.number;
    put(box, "p", one.words);
    const answer = text => act("answer", { number, text });
    const display = one.verb === "display";
    if (!display) { const done = put(box, "button", "Done"); done.type = "button"; done.disabled = !acts; done.addEventListener("click", () => answer("done")); box.append(" "); }
    const field = put(box, "input"); field.maxLength = 400; field.placeholder = display ? "what it shows" : "not done: what you saw instead"; field.disabled = !acts;
    box.append(" "); const send = put(box, "button", "Answer"); send.disabled = !acts;
    box.addEventListener("submit", event => { event.preventDefault(); if (field.value.trim()) answer(field.value); });
    put(box, "span", ` within ${one.within} s`, "dim");
  }
}

function renderLists(r) {
  const body = $("verdicts").tBodies[0];
  body.replaceChildren();
  for (const v of r ? [...r.verdicts].reverse() : []) {
    const row = put(body, "tr");
    put(row, "td", v.t.toFixed(1));
    const name = put(row, "td", `${v.requirement} ${v.quantity}`); put(name, "small", brief(v.test));
    const u = v.expanded === null ? "" : ` \u00b1 ${+v.expanded.toPrecision(2)}`;
    put(row, "td", v.value === null ? "-" : `${short(v.value)}${u} ${v.unit === "1" ? "" : v.unit}`, "n");
    put(row, "td", [v.min === null ? "" : `\u2265 ${short(v.min)}`, v.max === null ? "" : `\u2264 ${short(v.max)}`].filter(Boolean).join(" "), "n");
    put(row, "td", v.verdict, `tone-${TONE[v.verdict] || ""}`).title = v.reason;
  }
  $("events").replaceChildren();
  for (const e of r ? [...r.events].reverse() : []) {
    const row = put($("events"), "li");
    put(row, "time", clock(e.t)); put(row, "span", e.words, `tone-${e.tone}`);
  }
  const key = JSON.stringify(r ? [r.tests.length, Object.keys(r.outcomes).length, r.test, r.folder] : []);
  if ($("tests").dataset.key === key) return;
  $("tests").dataset.key = key;
  $("tests").replaceChildren();
  let now = null;
  for (const id of r ? r.tests : []) {
    const o = r.outcomes[id], row = put($("tests"), "li", null, id === r.test ? "now" : "");
    put(row, "span", o ? o.outcome : id === r.test ? "under way" : "", `mark tone-${o ? TONE[o.outcome] : "test"}`);
    put(row, "span", id.replace(/^suites\//, "")).title = o ? o.reason : "";
    if (id === r.test) now = row;
  }
  if (now) $("tests").scrollTop = now.offsetTop - $("tests").offsetTop - 90;
}

function renderBench(b, r) {
  const lines = b.holders.map(h => `held by ${h.who}: ${h.purpose}`);
  $("lease").textContent = !b.leased ? "Emulated: it moves no energy, and needs no lease." : lines.length ? lines.join("; ") : "Lease free: nobody has this bench.";
  const body = $("parts").tBodies[0], parts = r && r.parts.length ? r.parts : b.parts, key = JSON.stringify(parts);
  if (body.dataset.key === key) return;
  body.dataset.key = key; body.replaceChildren();
  for (const p of parts) {
    const row = put(body, "tr");
    put(row, "td", p.name); put(row, "td", p.who || p.driver); put(row, "td", p.resource, "mono");
  }
}

function renderMoment() {
  const r = run() || {}, facts = { legs: r.legs || 2, voltage: r.voltage || 100, wired: r.wired !== false };
  Diagram.show(run() ? moment : null, facts);
  const m = moment || {}, on = m.on || {}, w = m.words || {};
  $("phase").textContent = w.phase || "no session";
  $("run-clock").textContent = m.t === undefined ? "" : `bench ${clock(m.t)}`;
  $("states").replaceChildren();
  if (!run()) return;
  const say = (name, value) => { const one = put($("states"), "div"); put(one, "dt", name); put(one, "dd", value); };
  say("car", w.car || "-");
  for (const name of ["plug", "proximity", "lock", "d1", "d2", "k", "mains"]) say(name, on[name] === undefined ? "-" : on[name] ? "on" : "off");
}
const brief = test => (found => found ? found[1] : test)(test.match(/\[(.*)\]$/)); // the case; the test's name stands in the list of tests
const short = v => String(+v.toPrecision(4));

Diagram.build($("diagram"));
Plots.build($("plots"));
showToken();
fetch("/api/state").then(a => a.json()).then(s => { world = s; chosen = s.benches.length ? s.benches[0].name : ""; follow(); render(); });
