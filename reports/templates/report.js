// Filters, fold-outs and theme. The report reads without any of it.
"use strict";
(function () {
  const all = (what, from) => Array.from((from || document).querySelectorAll(what));
  const one = (what, from) => (from || document).querySelector(what);

  // Filters: verdict chips (none pressed shows all), suite, text. Requirements and tests alike.
  const rows = all(".row"), chips = all(".chip"), suite = one("#suite"), find = one("#find"), shown = one("#shown");
  const texts = new Map();
  function text(row) {
    if (!texts.has(row)) texts.set(row, one("summary", row).textContent.toLowerCase());
    return texts.get(row);
  }
  function apply() {
    const words = chips.filter(c => c.getAttribute("aria-pressed") === "true").map(c => c.dataset.verdict);
    const wanted = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let tests = 0, requirements = 0;
    for (const row of rows) {
      const fits = (!words.length || words.includes(row.dataset.verdict))
        && (!suite.value || row.dataset.suites.split(" ").includes(suite.value))
        && wanted.every(word => text(row).includes(word));
      row.hidden = !fits;
      if (fits) row.classList.contains("test") ? tests++ : requirements++;
    }
    for (const head of all(".sname[data-suite]")) {
      let next = head.nextElementSibling, any = false;
      while (next && next.classList.contains("row")) { any = any || !next.hidden; next = next.nextElementSibling; }
      head.hidden = !any;
    }
    const filtered = words.length || suite.value || wanted.length;
    shown.textContent = filtered ? requirements + " requirements, " + tests + " tests shown" : "";
    const more = one(".more");
    if (more && filtered && all(".row:not([hidden])", more).length) more.open = true;
  }
  one(".filters").hidden = false;
  for (const chip of chips) chip.addEventListener("click", () => {
    chip.setAttribute("aria-pressed", chip.getAttribute("aria-pressed") !== "true");
    apply();
  });
  suite.addEventListener("change", apply);
  find.addEventListener("input", apply);
  document.addEventListener("keydown", event => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing) { event.preventDefault(); find.focus(); }
    if (event.key === "Escape" && document.activeElement === find) { find.value = ""; apply(); find.blur(); }
  });

  // Fold-outs: a link opens what it points into. Print shows what is open: open all first for the whole.
  function reveal() {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (!target) return;
    for (let node = target; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") node.open = true;
      if (node.classList && node.classList.contains("row")) node.hidden = false;
    }
    target.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  reveal();
  const tools = one(".tools");
  tools.hidden = false;
  for (const button of all("button", tools)) button.addEventListener("click", () => {
    const open = button.dataset.open === "1";
    for (const row of rows) if (!row.hidden) for (const fold of [row, ...all("details", row)]) fold.open = open;
    for (const more of all(".more, .gap")) more.open = open;
  });

  // Theme: the system's until the button is pressed.
  const theme = one("#theme"), root = document.documentElement;
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme:dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
})();
