"use strict";
// The page of a report: filters, sorts, opens cases and draws plots. Every text reaches the page as
// text (textContent, setAttribute), never as HTML.
(() => {
  const content = JSON.parse(document.getElementById("content").textContent);
  const PAGE_ROWS = 100;
  const VERDICTS = ["regressed", "improved", "inconclusive", "unchanged"];
  const MARKS = { regressed: "▲", improved: "▼", inconclusive: "?", unchanged: "=" };
  const FILTERS = ["q", "verdict", "what", "evaluator", "scenario", "mode", "version"];
  const COLUMNS = [
    ["case", "case"],
    ["what", "number"],
    ["baseline", "baseline"],
    ["candidate", "candidate"],
    ["size", "change"],
    ["verdict", "verdict"],
    ["smallest_detectable", "could see"],
    ["launches", "launches"],
  ];
  const byId = (id) => document.getElementById(id);

  const rows = content.rows.case.map((number, i) => {
    const row = { i };
    for (const [name, column] of Object.entries(content.rows)) row[name] = column[i];
    row.case = content.cases[number];
    row.what = `${row.phase} ${row.metric}`;
    row.why = content.reasons[row.reason];
    row.rank = rank(row);
    row.text = `${row.case.name} ${row.what} ${row.candidate_label} ${row.verdict}`.toLowerCase();
    return row;
  });
  const rowsOf = new Map(content.cases.map((each) => [each, []]));
  for (const row of rows) rowsOf.get(row.case).push(row);
  const caseNamed = new Map(content.cases.map((each) => [each.name, each]));
  const several = content.versions.length > 2;

  let state = {};
  let shown = PAGE_ROWS;
  let mapShown = PAGE_ROWS;
  let opener = null;

  // Changes by their size, failures first; what is undecided by its size against its interval.
  function rank(row) {
    if (row.ratio === null) return row.baseline === null && row.candidate === null ? Infinity : 0;
    const size = Math.abs(Math.log(row.ratio));
    if (row.verdict !== "inconclusive") return size;
    return row.ratio_low === null || row.ratio_low <= 0 ? 0 : size / Math.log(row.ratio_high / row.ratio_low);
  }

  // ---- making elements ----

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  const put = (parent, ...children) => parent.replaceChildren(...children);

  function options(select, names, chosen, all) {
    const made = names.map((name) => element("option", { value: name }, name));
    if (all) made.unshift(element("option", { value: "" }, all));
    put(select, ...made);
    select.value = chosen ?? "";
  }

  const distinct = (values) => [...new Set(values)];

  // ---- the address holds the state ----

  function read() {
    const hash = location.hash.slice(1);
    if (hash && !hash.includes("=")) return state; // a place in the page, such as #gaps
    const found = Object.fromEntries(new URLSearchParams(hash));
    return caseNamed.has(found.case) ? found : { ...found, case: undefined };
  }

  function address(changes) {
    const kept = Object.entries({ ...state, ...changes }).filter(([, value]) => value);
    return "#" + new URLSearchParams(kept).toString();
  }

  function go(changes, { replace = false } = {}) {
    const target = address(changes);
    if (replace) history.replaceState(null, "", target);
    else history.pushState(null, "", target);
    follow();
  }

  function follow() {
    const before = state;
    state = read();
    for (const name of FILTERS) if (byId(name).value !== (state[name] ?? "")) byId(name).value = state[name] ?? "";
    // Left as they are when only a case opens or closes: what had the focus still has it.
    if ([...FILTERS, "sort"].some((name) => (state[name] ?? "") !== (before[name] ?? "")) || !byId("rows").tHead) {
      shown = PAGE_ROWS;
      mapShown = PAGE_ROWS;
      drawRows();
      drawMap();
    }
    if (state.case !== before.case || state.number !== before.number) drawCase(state.case !== before.case);
  }

  // ---- rows ----

  function matches(each) {
    const words = (state.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    return (text) => words.every((word) => text.includes(word))
      && (!state.evaluator || each.evaluator === state.evaluator)
      && (!state.scenario || each.scenario === state.scenario)
      && (!state.mode || each.mode === state.mode);
  }

  function chosenRows() {
    const chosen = rows.filter((row) => matches(row.case)(row.text)
      && (!state.verdict || row.verdict === state.verdict)
      && (!state.what || row.what === state.what)
      && (!state.version || row.candidate_label === state.version));
    const [name, direction] = (state.sort ?? "").split(":");
    const sign = direction === "down" ? -1 : 1;
    if (COLUMNS.some(([key]) => key === name)) return chosen.sort((a, b) => compared(key(a, name), key(b, name), sign) || a.i - b.i);
    return chosen.sort((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict) || b.rank - a.rank || a.i - b.i);
  }

  function key(row, name) {
    if (name === "case") return row.case.name;
    if (name === "verdict") return VERDICTS.indexOf(row.verdict);
    if (name === "launches") return row.baseline_launches + row.candidate_launches;
    if (name === "size") return row.ratio === null ? null : Math.log(row.ratio);
    return row[name];
  }

  // What is not known stands last, whichever way the rows are sorted.
  function compared(a, b, sign) {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
  }

  function drawRows() {
    const chosen = chosenRows();
    const table = byId("rows");
    const headings = COLUMNS.map(([name, title]) => {
      const [sorted, direction] = (state.sort ?? "").split(":");
      const now = sorted === name ? (direction === "down" ? "descending" : "ascending") : null;
      const next = now === "ascending" ? `${name}:down` : `${name}:up`;
      const arrow = now === null ? "" : now === "ascending" ? " ↑" : " ↓";
      const button = element("button", { type: "button", "data-sort": name, onclick: () => sortBy(name, next) }, title + arrow);
      return element("th", { scope: "col", "aria-sort": now }, button);
    });
    put(table,
      element("thead", {}, element("tr", {}, ...headings)),
      element("tbody", {}, ...chosen.slice(0, shown).map((row) => rowElement(row, true))));
    byId("more").hidden = chosen.length <= shown;
    const counts = VERDICTS.map((verdict) => [chosen.filter((row) => row.verdict === verdict).length, verdict]);
    const told = counts.filter(([count]) => count).map(([count, verdict]) => `${count.toLocaleString("en")} ${verdict}`).join(", ");
    byId("count").textContent = `${chosen.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows${told ? ": " + told : ""}${chosen.length > shown ? `; the first ${shown} are shown` : ""}`;
  }

  function sortBy(name, next) {
    go({ sort: next }, { replace: true });
    document.querySelector(`[data-sort="${name}"]`).focus();
  }

  // A name that may go to the next line after a parameter.
  const breakable = (name) => name.split(/(?<=;)/).flatMap((part) => [part, element("wbr")]);

  function caseLink(each, number, text) {
    const attributes = { href: address({ case: each.name, number }), class: "case-link" };
    return element("a", attributes, ...(text === undefined ? breakable(each.name) : [text]));
  }

  function rowElement(row, named) {
    const version = several ? element("small", {}, row.candidate_label) : "";
    const change = element("td", { "data-label": "change", title: exact(row), class: named ? null : "why" }, row.ratio === null && row.baseline === null ? row.why : together(row.change));
    if (!named && change.textContent !== row.why) change.append(element("small", {}, row.why));
    const cell = (title, text, name) => element("td", { "data-label": title, class: name }, together(text));
    return element("tr", {},
      element("th", { scope: "row" }, named ? caseLink(row.case, row.what) : row.what, version),
      named ? element("td", { "data-label": "number" }, row.what) : "",
      cell("baseline", row.baseline_text), cell("candidate", row.candidate_text), change,
      cell("verdict", `${MARKS[row.verdict]} ${row.verdict}`, row.verdict), cell("could see", row.could_see), cell("launches", row.launches));
  }

  // A figure goes to the next line before its spread or its interval, and nowhere else.
  const together = (text) => text.replace(/(?<=[\d×%±,]) (?![±[(])/g, "\u00a0");

  function exact(row) {
    if (row.ratio === null) return row.why;
    const interval = row.ratio_low === null ? "" : `, interval ${row.ratio_low} to ${row.ratio_high}`;
    return `ratio ${row.ratio}${interval}; ${row.baseline} ${row.unit} → ${row.candidate} ${row.unit}; ${row.why}`;
  }

  // ---- heat map ----

  function mapNumbers() {
    const counts = new Map();
    for (const each of content.cases) for (const number of each.numbers) {
      const what = `${number.phase} ${number.metric}`;
      counts.set(what, (counts.get(what) ?? 0) + 1);
    }
    return [...counts.keys()].sort((a, b) => (b === "evaluate time") - (a === "evaluate time") || counts.get(b) - counts.get(a));
  }

  function drawMap() {
    const what = byId("map-what").value;
    byId("map-title").textContent = what ? `Versions × cases: ${what}` : "Versions × cases";
    const [baseline, ...candidates] = content.versions;
    const lines = content.cases.filter((each) => matches(each)(each.name.toLowerCase() + " " + what))
      .map((each) => mapLine(each, what, candidates))
      .filter((line) => line.told !== "–" || line.cells.some(Boolean))
      .sort((a, b) => b.worst - a.worst);
    const heads = ["case", baseline ?? "", ...candidates].map((name) => element("th", { scope: "col" }, name));
    put(byId("map"), element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...lines.slice(0, mapShown).map(mapElement)));
    byId("map").classList.toggle("compared", candidates.length > 0);
    byId("map-more").hidden = lines.length <= mapShown;
  }

  function mapLine(each, what, candidates) {
    const number = each.numbers.find((one) => `${one.phase} ${one.metric}` === what);
    const cells = candidates.map((version) => rowsOf.get(each).find((row) => row.what === what && row.candidate_label === version));
    const ratios = cells.filter((row) => row && row.ratio !== null).map((row) => row.ratio);
    return { each, what, number, cells, told: cells.find(Boolean)?.baseline_text ?? number?.told[0] ?? "–", worst: ratios.length ? Math.max(...ratios) : 0 };
  }

  function mapElement(line) {
    const cells = line.cells.map((row) => {
      if (!row) return element("td", {}, "–");
      const changed = row.verdict === "regressed" || row.verdict === "improved";
      const text = row.ratio === null ? row.candidate_text : row.change.split(" [")[0];
      const cell = element("td", { class: row.ratio === null && !changed ? null : row.ratio > 1 || row.verdict === "regressed" ? "regressed" : "improved", title: exact(row) }, changed ? `${MARKS[row.verdict]} ${text}` : text);
      const heat = row.ratio === null ? 60 : Math.min(70, (changed ? 12 : 0) + 80 * Math.abs(Math.log2(row.ratio)));
      cell.style.setProperty("--heat", heat.toFixed(0));
      return cell;
    });
    return element("tr", {}, element("th", { scope: "row" }, caseLink(line.each, line.what)), element("td", {}, line.told), ...cells);
  }

  // ---- one case ----

  // Plots and what they show are most of the page: a case's are read when it is opened.
  let drawings = null;
  function readDrawings(each) {
    if (each.isRead) return;
    drawings ??= byId("drawings").textContent.split("\n");
    const { numbers, ...plots } = JSON.parse(drawings[content.cases.indexOf(each)]);
    Object.assign(each, plots, { isRead: true });
    numbers.forEach((drawn, i) => Object.assign(each.numbers[i], drawn));
  }

  function drawCase(opened) {
    const section = byId("case");
    const each = caseNamed.get(state.case);
    section.hidden = !each;
    if (!each) {
      put(section);
      if (opened && opener?.isConnected) opener.focus();
      return;
    }
    readDrawings(each);
    const chosen = each.numbers.find((number) => numberName(number) === state.number)
      ?? each.numbers.find((number) => `${number.phase} ${number.metric}` === (state.number ?? "evaluate time"))
      ?? each.numbers[0];
    const heading = element("h2", { id: "case-name", tabindex: "-1" }, each.name);
    const close = element("button", { type: "button", id: "close", onclick: () => go({ case: undefined, number: undefined }) }, "Close");
    const plots = element("div", { class: "plots" });
    put(section, element("div", { class: "case-head" }, heading, element("span", {}, step(each, -1), " ", step(each, 1), " ", close)),
      ...failures(each), plots, caseTable(each), valuesTable(chosen));
    if (each.phases) plots.append(figure(each.phases, "Phases: the first in its process, and one call of evaluate"));
    if (chosen) plots.append(launchesFigure(each, chosen));
    for (const number of each.numbers) if (number.plot.kind === "drift" && number !== chosen) plots.append(figure(number.plot, `Drift: ${numberName(number)}, a dot for each launch; 0 is none`));
    if (chosen?.history) plots.append(figure(chosen.history, `${numberName(chosen)} by version: ${chosen.history.x}`));
    if (each.time) plots.append(figure(each.time, "Time per call along the time launches, block by block, without what was waited for the CPU"));
    if (each.memory) plots.append(figure(each.memory, "Resident memory along the memory launches, by memory_profiler"));
    if (opened) {
      heading.focus({ preventScroll: true });
      section.scrollIntoView({ block: "start" });
    }
  }

  const numberName = (number) => `${number.phase} ${number.metric} (${number.source})`;

  function step(each, by) {
    const at = content.cases.indexOf(each) + by;
    const next = content.cases[at];
    return element("button", { type: "button", disabled: next ? null : "", onclick: () => go({ case: next.name }) }, by < 0 ? "← previous" : "next →");
  }

  function launchesFigure(each, chosen) {
    const select = element("select", { id: "number", onchange: () => go({ number: select.value }, { replace: true }) });
    options(select, each.numbers.map(numberName), numberName(chosen));
    const made = figure(chosen.plot, `${numberName(chosen)}: each dot is a launch, in order from top to bottom; the bar is the median, thin lines are the spread within a launch`);
    made.prepend(element("label", {}, "Number ", select));
    return made;
  }

  function failures(each) {
    const told = each.failures.map((failure, i) => [content.versions[i], failure]).filter(([, failure]) => failure);
    if (!told.length) return [];
    return [element("ul", { class: "warning" }, ...told.map(([version, failure]) => element("li", {}, `${version}: ${failure}`)))];
  }

  function caseTable(each) {
    const found = [...rowsOf.get(each)].sort((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict) || b.rank - a.rank);
    const box = element("div", { class: "scroll" });
    if (!found.length) {
      const heads = ["number", ...content.versions].map((name) => element("th", { scope: "col" }, name));
      const body = each.numbers.map((number) => element("tr", {}, element("th", { scope: "row" }, numberName(number)),
        ...number.told.map((text, i) => element("td", { "data-label": content.versions[i] }, text))));
      box.append(element("table", { class: "rows" }, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...body)));
      return box;
    }
    const heads = ["number", "baseline", "candidate", "change", "verdict", "could see", "launches"];
    box.append(element("table", { class: "rows" },
      element("thead", {}, element("tr", {}, ...heads.map((name) => element("th", { scope: "col" }, name)))),
      element("tbody", {}, ...found.map((row) => rowElement(row, false)))));
    return box;
  }

  // What the dots show, for those who cannot see them or want to copy them.
  function valuesTable(number) {
    if (!number) return "";
    const details = element("details", {}, element("summary", {}, `Every launch's value of ${numberName(number)}`));
    details.addEventListener("toggle", () => {
      if (!details.open || details.children.length > 1) return;
      const heads = ["version", "launch", `value, ${number.plot.base}`, "spread within the launch"];
      const body = number.plot.values.flatMap((part) => part.value.map((value, i) => element("tr", {},
        ...[part.version, part.launch[i], value, part.spread[i] ?? "–"].map((text) => element("td", {}, String(text))))));
      details.append(element("div", { class: "scroll" }, element("table", {}, element("thead", {}, element("tr", {}, ...heads.map((name) => element("th", { scope: "col" }, name)))), element("tbody", {}, ...body))));
    });
    return details;
  }

  // ---- plots ----

  function figure(plot, caption) {
    const drawing = element("div", { class: "drawing", role: "group", "aria-label": plot.title });
    const made = element("figure", { class: "plot" }, element("figcaption", {}, caption), drawing);
    requestAnimationFrame(() => draw(plot, drawing));
    return made;
  }

  function filled(node, by) {
    if (Array.isArray(node)) return node.map((each) => filled(each, by));
    if (node !== null && typeof node === "object") return Object.fromEntries(Object.entries(node).map(([name, each]) => [name, filled(each, by)]));
    if (typeof node !== "string") return node;
    const alone = /^\{(\w+)\}$/.exec(node);
    if (alone && alone[1] in by) return by[alone[1]];
    return node.replace(/\{(\w+)\}/g, (found, name) => (name in by ? by[name] : found));
  }

  const CONFIG = {
    background: null,
    font: "system-ui, 'DejaVu Sans', sans-serif",
    view: { stroke: null },
    axis: { labelColor: "currentColor", titleColor: "currentColor", gridColor: "var(--line)", domainColor: "var(--quiet)", tickColor: "var(--quiet)", labelFontSize: 12, labelSeparation: 6, titleFontSize: 12, titleFontWeight: "normal" },
    legend: { labelColor: "currentColor", titleColor: "currentColor", labelFontSize: 12 },
    mark: { color: "var(--v0)" },
    rule: { color: "var(--quiet)" },
    text: { color: "currentColor" },
    range: { category: [0, 1, 2, 3, 4, 5, 6, 7].map((i) => `var(--v${i})`) },
  };

  // The policy allows these very texts as scripts; they run when the first plot is drawn.
  function startPlotters() {
    for (const kept of document.querySelectorAll("script[type='text/plain']")) {
      kept.remove();
      document.head.append(element("script", {}, kept.textContent));
    }
  }

  async function draw(plot, place) {
    startPlotters();
    const width = Math.max(220, place.clientWidth);
    const by = { title: plot.title, x: plot.x, base: plot.base, unit: plot.unit, scale: plot.scale, versions: content.versions, order: distinct(plot.values.map((record) => record.version)), sizes: distinct(plot.values.map((record) => record.size)), columns: width < 420 ? 2 : 4 };
    const specification = { ...filled(content.plots[plot.kind], by), data: { values: plot.values }, autosize: { type: "fit-x", contains: "padding" } };
    specification.width = width;
    const compiled = vegaLite.compile(specification, { config: CONFIG, logger: vega.logger(vega.Error) }).spec;
    const runtime = vega.parse(compiled, undefined, { ast: true });
    const view = new vega.View(runtime, { renderer: "svg", expr: vegaInterpreter.expressionInterpreter, container: place, hover: true });
    view.tooltip(showTip);
    await view.runAsync();
  }

  function showTip(_handler, event, _item, value) {
    const tip = byId("tip");
    tip.hidden = !value;
    if (!value) return;
    const lines = typeof value === "object" ? Object.entries(value).filter(([, told]) => told !== "" && told !== "null") : [["", value]];
    put(tip, ...lines.map(([name, told]) => element("div", {}, name ? element("b", {}, name + ": ") : "", String(told))));
    const { clientX: x, clientY: y } = event;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - width - 4)) + "px";
    tip.style.top = (y + 14 + height > innerHeight ? Math.max(4, y - height - 10) : y + 14) + "px";
  }

  // ---- the other sections ----

  function drawHistory() {
    if (!content.order.length) return;
    byId("history-section").hidden = false;
    const heads = ["case", "number", "before", "since", "change", "enters with"].map((name) => element("th", { scope: "col" }, name));
    const body = content.changes.slice(0, 500).map((entry) => {
      const cell = (title, text, name) => element("td", { "data-label": title, class: name ?? null }, text);
      return element("tr", {}, element("th", { scope: "row" }, caseNamed.has(entry.case) ? caseLink(caseNamed.get(entry.case), entry.number) : entry.case),
        cell("number", entry.number), cell("before", entry.old), cell("since", entry.new),
        cell("change", `${MARKS[entry.verdict]} ${entry.change}`, entry.verdict), cell("enters with", `${entry.enters_at} (after ${entry.before})`, "told"));
    });
    const found = content.changes.length ? `${content.changes.length} changes${content.changes.length > 500 ? ", of which 500 are shown" : ""}` : "nothing changed for certain";
    byId("history-order").textContent = `${content.order.length} versions in order, ${content.order.join(", ")}: ${found}. A case's own plot shows each number over them.`;
    if (body.length) put(byId("history"), element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...body));
  }

  function drawGrowth() {
    if (!content.families.length) return;
    byId("growth-section").hidden = false;
    const family = byId("family");
    const what = byId("growth-what");
    const names = content.families.map((each) => `${each.name}`);
    put(family, ...names.map((name, i) => element("option", { value: i }, name)));
    const numbers = () => {
      const plots = content.families[family.value].plots;
      const before = what.value;
      put(what, ...plots.map((plot) => element("option", { value: label(plot) }, label(plot))));
      put(byId("orders"), ...ordersTable(content.families[family.value]));
      what.value = plots.some((plot) => label(plot) === before) ? before : plots.some((plot) => label(plot) === "evaluate time") ? "evaluate time" : label(plots[0]);
      show();
    };
    const label = (plot) => plot.title.split(" of ")[0];
    const show = () => {
      const plot = content.families[family.value].plots.find((each) => label(each) === what.value);
      const drawing = element("div", { class: "drawing", role: "group", "aria-label": plot.title });
      put(byId("growth-plot"), element("figcaption", {}, `${plot.title}, medians over launches; both axes logarithmic`), drawing);
      draw(plot, drawing);
    };
    family.addEventListener("change", numbers);
    what.addEventListener("change", show);
    const watch = new IntersectionObserver((seen) => {
      if (!seen.some((each) => each.isIntersecting)) return;
      watch.disconnect();
      numbers();
    });
    watch.observe(byId("growth-section"));
    addEventListener("beforeprint", () => { if (!byId("growth-plot").children.length) numbers(); });
  }

  function ordersTable(family) {
    if (!family.orders.length) return [];
    const heads = ["number", "baseline", "candidate", "verdict"].map((name) => element("th", { scope: "col" }, name));
    const body = family.orders.map((order) => element("tr", {},
      element("th", { scope: "row" }, order.number, several ? element("small", {}, order.version) : ""),
      element("td", { "data-label": "baseline" }, order.baseline), element("td", { "data-label": "candidate" }, order.candidate),
      element("td", { "data-label": "verdict", class: `${order.verdict} why` }, `${MARKS[order.verdict]} ${order.verdict}`, element("small", {}, order.reason))));
    return [element("table", { class: "rows" }, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...body))];
  }

  function drawMeans() {
    const { what, version, cases, change, ratio } = content.means;
    if (!what.length) return;
    byId("means-section").hidden = false;
    const heads = ["number", "version", "cases", "change"].map((name) => element("th", { scope: "col" }, name));
    const body = what.map((name, i) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, version[i]),
      element("td", {}, String(cases[i])), element("td", { title: `ratio ${ratio[i]}` }, change[i])));
    put(byId("means"), element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...body));
  }

  function drawGaps() {
    const lists = Object.entries(content.gaps).map(([title, gaps]) => {
      const list = element("ul", {}, ...gaps.slice(0, 500).map((gap) => element("li", {},
        caseNamed.has(gap.case) ? caseLink(caseNamed.get(gap.case)) : gap.case, ` ${gap.what} (${gap.version}): ${gap.reason}`)));
      if (gaps.length > 500) list.append(element("li", {}, `and ${gaps.length - 500} more`));
      return [element("h3", {}, `${gaps.length} ${title}`), list];
    });
    const failing = content.cases.flatMap((each) => each.failures.map((failure, i) => [each, content.versions[i], failure])).filter(([, , failure]) => failure);
    if (failing.length) lists.push([element("h3", {}, "Every failure"), element("ul", {}, ...failing.slice(0, 500).map(([each, version, failure]) =>
      element("li", {}, caseLink(each), ` (${version}): ${failure}`)), failing.length > 500 ? element("li", {}, `and ${failing.length - 500} more`) : "")]);
    byId("gaps").hidden = !lists.length;
    put(byId("gap-lists"), ...lists.flat());
  }

  function drawFacts() {
    const table = (found) => {
      const heads = ["fact", ...content.versions].map((name) => element("th", { scope: "col" }, name));
      const body = found.map((fact) => element("tr", { class: fact.differs ? "differs" : null }, element("th", { scope: "row" }, fact.name), ...fact.values.map((text) => element("td", {}, text))));
      return element("div", { class: "scroll" }, element("table", {}, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...body)));
    };
    const differing = content.facts.filter((fact) => fact.differs);
    const alike = content.facts.filter((fact) => !fact.differs);
    put(byId("fact-tables"),
      differing.length ? table(differing) : element("p", {}, content.versions.length > 1 ? "No fact differs between the versions." : ""),
      element("details", {}, element("summary", {}, `${alike.length} facts are the same${content.versions.length > 1 ? " for all versions" : ""}`), table(alike)));
  }

  // ---- start ----

  function start() {
    const [, ...candidates] = content.versions;
    options(byId("verdict"), VERDICTS, "", "all");
    options(byId("what"), distinct(rows.map((row) => row.what)), "", "all");
    for (const name of ["evaluator", "scenario", "mode"]) options(byId(name), distinct(content.cases.map((each) => each[name])).sort(), "", "all");
    options(byId("version"), candidates, "", "all");
    options(byId("map-what"), mapNumbers(), mapNumbers()[0]);
    if (!rows.length) {
      byId("rows-title").textContent = "Cases";
      for (const id of ["verdict", "what", "version"]) byId(id).closest("label").hidden = true;
      for (const id of ["rows", "count"]) byId(id).hidden = true;
      document.querySelector(".legend").hidden = true;
    }
    let pending = 0;
    byId("q").addEventListener("input", () => {
      clearTimeout(pending);
      pending = setTimeout(() => go({ q: byId("q").value }, { replace: true }), 120);
    });
    for (const name of FILTERS.slice(1)) byId(name).addEventListener("change", () => go({ [name]: byId(name).value }, { replace: true }));
    byId("clear").addEventListener("click", () => go(Object.fromEntries([...FILTERS, "sort"].map((name) => [name, undefined]))));
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("growth-form").addEventListener("submit", (event) => event.preventDefault());
    byId("more").addEventListener("click", () => { shown += PAGE_ROWS; drawRows(); });
    byId("map-what").addEventListener("change", drawMap);
    byId("map-more").addEventListener("click", () => { mapShown += PAGE_ROWS; drawMap(); });
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.(".case-link");
      if (link) opener = link;
    });
    document.addEventListener("keydown", (event) => {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
      if (event.key === "/" && !typing) { event.preventDefault(); byId("q").focus(); }
      if (event.key === "Escape" && state.case) go({ case: undefined, number: undefined });
    });
    addEventListener("hashchange", follow);
    addEventListener("popstate", follow);
    drawMeans();
    drawHistory();
    drawGaps();
    drawFacts();
    follow();
    drawGrowth();
    document.documentElement.dataset.ready = "yes";
  }

  start();
})();
