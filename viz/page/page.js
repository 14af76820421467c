"use strict";
// The page of a study. `PROGRAM` is written before this file: two functions, or nothing.
const island = (id) => JSON.parse(document.getElementById(id).textContent);
const N = island("numbers"), LIVE = island("live"), LINKS = island("links"), SCALES = island("scales");
const $ = (id) => document.getElementById(id), all = (css) => [...document.querySelectorAll(css)];
const T = N.T, order = [...Array(T).keys()];
if (N.direction < 0) order.reverse();

// ------------------------------------------------------------------ small things
const make = (tag, text, about = {}) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [key, value] of Object.entries(about)) element.setAttribute(key, value);
  return element;
};
const show = (x) => x === null || Number.isNaN(x) ? "not a number"
  : x === 0 ? "0" : Math.abs(x) < 1e-3 || Math.abs(x) >= 1e4 ? x.toExponential(1).replaceAll("-", "−")
  : x.toPrecision(3).replace("-", "−");
const percent = (x) => x === null ? "not a number" : x === 0 ? "0"
  : `${+(100 * x).toPrecision(Math.abs(x) < 0.0005 ? 1 : 2)} %`.replaceAll("-", "−");
const number = (x) => make("data", show(x), { value: String(x) });
const raised = (t) => "⁽" + String(t).replace(/./g, (c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻") + "⁾";
const norm = (xs) => Math.sqrt(xs.reduce((sum, x) => sum + x * x, 0));
const add = (a, b) => a.map((x, u) => x + b[u]);
const level = (scale, x) => SCALES[scale].breaks.reduce((n, edge) => n + (x >= edge), 0);

// ------------------------------------------------------------------ frames: one value, one message
const frames = [{ phase: "start" }];
for (const t of order)
  for (let v = 0; v < N.names.length; v++) frames.push({ phase: "forward", t, v });
const turn = frames.length;
for (const t of [...order].reverse())
  for (let v = N.names.length - 1; v >= 0; v--) {
    if (v === N.heard) frames.push({ phase: "backward", t, v, e: -1 });
    N.edges.forEach(([value], e) => { if (value === v) frames.push({ phase: "backward", t, v, e }); });
  }

const state = { frame: 0, v: N.states[N.states.length - 1] ?? N.names.length - 1, t: T - 1, p: N.widest,
                unit: "mean", view: "unfolded", k: T, pinned: false };

// ------------------------------------------------------------------ the program
const v = LIVE && new Float64Array(LIVE.size);
const put = (places, numbers) => places.forEach((place, n) => { v[place] = numbers[n]; });
const take = (places) => places.map((place) => v[place]);
const steps = (rows) => rows.map(take);

function switches(k) {
  LIVE.switches.forEach((row, t) => row.forEach((place, r) => {
    const from = t - LIVE.edges[r][1];
    v[place] = from >= 0 && from < T && Math.floor(t / k) !== Math.floor(from / k) ? 0 : 1;
  }));
}
function backward(seeds) {
  LIVE.seeds.forEach((row, t) => put(row, seeds[t]));
  PROGRAM[1](v);
}
const silence = () => N.seeds.map((row) => row.map(() => 0));
function totals(seeds) {
  const found = N.values.map((rows) => rows.map((row) => row.map(() => 0)));
  if (N.heard !== null) found[N.heard] = found[N.heard].map((row, t) => add(row, seeds[t]));
  LIVE.messages.forEach((rows, e) => {
    const value = N.edges[e][0];
    found[value] = found[value].map((row, t) => add(row, take(rows[t])));
  });
  return found;
}
const uses = (p) => LIVE.uses[p].map(take);
const whole = (p) => uses(p).reduce(add);
const pieces = () => N.params.flatMap((_, p) => whole(p));

let computed = 0;
function compute(everything = true) {
  computed++;
  LIVE.params.forEach((places, p) => put(places, LIVE.weights[p]));
  LIVE.x.forEach((places, t) => put(places, LIVE.xs[t]));
  LIVE.starts.forEach((places, n) => put(places, LIVE.start[n]));
  LIVE.pushes.flat().forEach((row) => put(row, row.map(() => 0)));
  PROGRAM[0](v);
  N.loss = v[LIVE.loss];
  N.seeds = steps(LIVE.seeded);
  N.values = LIVE.values.map(steps);
  N.means = N.values.map((rows) => rows.map((row) => row.reduce((a, b) => a + b, 0) / row.length));
  switches(T);
  backward(N.seeds);
  const full = pieces();
  switches(state.k);
  LIVE.switches.flat().forEach((place) => { v[place] = 0; });
  backward(N.seeds);
  N.immediate = totals(N.seeds);
  switches(state.k);
  const parts = N.params.map(() => []);
  const rows = N.seeds.map((seed, s) => {
    const alone = silence();
    alone[s] = seed;
    backward(alone);
    return N.params.map((_, p) => uses(p));
  });
  backward(N.seeds);
  N.total = totals(N.seeds);
  N.norms = N.total.map((found) => found.map(norm));
  N.messages = LIVE.messages.map(steps);
  N.params.forEach((_, p) => {
    const gradient = whole(p), size = norm(gradient);
    N.gradient[p] = size;
    parts[p] = rows.map((row) => row[p].map((use) =>
      size ? use.reduce((sum, x, n) => sum + x * gradient[n], 0) / size / size : 0));
  });
  N.ledger = parts;
  const cut = pieces();
  N.off = norm(full.map((x, n) => x - cut[n])) / norm(full);
  N.kept = norm(cut) / norm(full);
  if (everything && N.ladder) climb();
}
function climb() {
  const pushes = LIVE.pushes[LIVE.stateEdge], mute = silence();
  switches(T);
  N.ladder = N.ladder.map((row) => row.map(() => 0));
  pushes.forEach((row, t) => {
    row.forEach((place) => {
      v[place] = 1;
      backward(mute);
      totals(mute)[N.state].forEach((found, k) => { N.ladder[t][k] += norm(found) ** 2; });
      v[place] = 0;
    });
    N.ladder[t][t] += row.length;
    N.ladder[t] = N.ladder[t].map((x) => Math.sqrt(x / row.length));
  });
  switches(state.k);
  backward(N.seeds);
}

// ------------------------------------------------------------------ heat maps
const MAPS = {
  values: {
    scale: "value", rows: N.names,
    cell: (r, c) => state.unit === "mean" ? N.means[r][c] : N.values[r][c][+state.unit] ?? null,
    tell: (r, c, x) => `${N.names[r]}${raised(c + 1)}: ${show(x)}`,
    pick: (r, c) => select(r, c),
  },
  totals: {
    scale: "norm", rows: N.names,
    most: () => Math.max(...N.norms.flat(), 1e-300),
    cell: (r, c) => N.norms[r][c],
    tell: (r, c, x) => `‖dL/d${N.names[r]}${raised(c + 1)}‖ = ${show(x)}`,
    pick: (r, c) => select(r, c),
  },
  ledger: {
    scale: "share", rows: order.map((t) => t + 1), text: percent,
    cell: (r, c) => N.ledger[state.p][r][c],
    tell: (r, c, x) => `the loss at step ${r + 1}, by the use of ${N.params[state.p]} at step ${c + 1}: `
      + `${percent(x)} of dL/d${N.params[state.p]}`,
    pick: (r, c) => { state.t = c; weigh(state.p); },
  },
  ladder: {
    scale: "gain", rows: order.map((t) => t + 1),
    cell: (r, c) => N.ladder[r][c],
    tell: (r, c, x) => `of a change of ${N.names[N.state]}${raised(c + 1)} arrives in ${N.names[N.state]}${raised(r + 1)}: ${show(x)}`,
    pick: (r, c) => select(N.state, c),
  },
};
function paint(name) {
  const table = $(`map-${name}`), map = MAPS[name];
  if (!table) return;
  const most = map.most ? map.most() : 1;
  [...table.tBodies[0].rows].forEach((row, r) => [...row.cells].slice(1).forEach((td, c) => {
    const x = map.cell(r, c);
    td.textContent = x === null ? "" : (map.text ?? show)(x);
    td.className = x === 0 || x === null ? "none" : `${SCALES[map.scale].kind}${level(map.scale, x / most)}`;
  }));
}
function mark() {
  all(".heat .at").forEach((td) => td.classList.remove("at"));
  for (const name of ["values", "totals"])
    $(`map-${name}`).tBodies[0].rows[state.v]?.cells[state.t + 1].classList.add("at");
}
function readMap(name) {
  const table = $(`map-${name}`), map = MAPS[name], place = { r: 0, c: 0 };
  if (!table) return;
  const tell = (r, c) => {
    all(`#map-${name} .cursor`).forEach((td) => td.classList.remove("cursor"));
    table.tBodies[0].rows[r].cells[c + 1].classList.add("cursor");
    $(`read-${name}`).textContent = map.tell(r, c, map.cell(r, c));
    Object.assign(place, { r, c });
  };
  const at = (event) => {
    const td = event.target.closest("td");
    return td && { r: td.parentNode.sectionRowIndex, c: td.cellIndex - 1 };
  };
  table.addEventListener("pointerover", (event) => { const p = at(event); if (p) tell(p.r, p.c); });
  table.addEventListener("click", (event) => { const p = at(event); if (p) map.pick(p.r, p.c); });
  table.tabIndex = 0;
  table.addEventListener("focus", () => tell(place.r, place.c));
  table.addEventListener("keydown", (event) => {
    const [dr, dc] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
    if (dr !== undefined) {
      const rows = table.tBodies[0].rows.length;
      tell(Math.min(rows - 1, Math.max(0, place.r + dr)), Math.min(T - 1, Math.max(0, place.c + dc)));
    } else if (event.key === "Enter" || event.key === " ") map.pick(place.r, place.c);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

// ------------------------------------------------------------------ the card
function vector(xs, size) {
  const span = make("span", undefined, { class: "vector" });
  xs.slice(0, 6).forEach((x) => span.append(number(x), " "));
  if (size > Math.min(xs.length, 6)) span.append(`… (${size})`);
  return span;
}
function card() {
  const box = $("card"), { v: value, t } = state, frame = frames[state.frame];
  box.replaceChildren();
  if (state.pinned) return weightCard(box);
  const name = N.names[value], size = N.sizes[value];
  box.append(make("h3", `${name}${raised(t + 1)}`));
  if (N.meanings[value]) box.append(make("p", N.meanings[value], { class: "meaning" }));
  const formula = document.querySelector(`#formulas > [data-value="${value}"]`);
  if (formula) box.append(formula.cloneNode(true));
  const list = make("dl");
  const row = (term, xs) => { const dd = make("dd"); dd.append(vector(xs, size)); list.append(make("dt", term), dd); };
  row("value", N.values[value][t]);
  row("total, dL/d" + name, N.total[value][t]);
  row("immediate, within the step", N.immediate[value][t]);
  row("later, what comes back", N.total[value][t].map((x, u) => x - N.immediate[value][t][u]));
  box.append(list);
  const arriving = make("ol", undefined, { class: "messages" });
  const item = (reader, e, xs) => {
    const li = make("li");
    li.append(make("span", reader, { class: "reader" }), vector(xs, size));
    if (frame.phase === "backward" && frame.v === value && frame.t === t) li.classList.toggle("now", frame.e === e);
    arriving.append(li);
  };
  if (value === N.heard) item("from the loss L", -1, N.seeds[t]);
  N.edges.forEach(([source, reader, delay], e) => {
    if (source === value && t + delay >= 0 && t + delay < T)
      item(`from ${reader.split(", ").map((r) => r + raised(t + delay + 1)).join(", ")}`, e, N.messages[e][t]);
  });
  if (arriving.children.length) box.append(make("h4", "messages that arrive; their sum is the total"), arriving);
}
function weightCard(box) {
  const name = N.params[state.p];
  box.append(make("h3", name), make("p", `‖dL/d${name}‖ = ${show(N.gradient[state.p])}; share of each use:`));
  const list = make("ol", undefined, { class: "bars" });
  shares().forEach((x, t) => {
    const li = make("li", `t = ${t + 1}: ${percent(x)}`), bar = make("span", undefined, { class: x < 0 ? "bar less" : "bar" });
    bar.style.width = `${Math.min(100, Math.abs(x) * 100)}%`;
    li.append(bar);
    list.append(li);
  });
  box.append(list);
}
const shares = () => order.map((t) => N.ledger[state.p].reduce((sum, row) => sum + row[t], 0));

// ------------------------------------------------------------------ drawings
const SVG = "http://www.w3.org/2000/svg";
const shapes = [];
for (const [view, links] of Object.entries(LINKS))
  for (const [id, [value, t, params]] of Object.entries(links)) {
    const g = $(`${view}-${id}`);
    if (!g) continue;
    shapes.push({ view, g, value, t, params });
    g.classList.add("linked");
    if (value !== null) g.addEventListener("click", () => select(value, t === null ? state.t : t - 1));
    g.addEventListener("pointerenter", () => { if (value !== null && !playing) select(value, t === null ? state.t : t - 1, true); });
  }
function light() {
  all(".badge").forEach((badge) => badge.remove());
  const frame = frames[state.frame], part = state.pinned ? shares() : [];
  const done = new Set(frames.slice(1, state.frame + 1).map((f) => `${f.phase} ${f.t} ${f.v}`));
  for (const { view, g, value, t, params } of shapes) {
    const step = t === null ? state.t : t - 1, key = `${step} ${value}`;
    const reads = state.pinned && params.includes(state.p);
    g.classList.toggle("chosen", !state.pinned && value === state.v && step === state.t);
    g.classList.toggle("dim", state.pinned ? !reads : !!state.frame && value !== null && view === "unfolded"
      && !(frame.phase === "forward" ? done.has(`forward ${key}`) : done.has(`backward ${key}`)));
    g.classList.toggle("lit", reads);
    if (reads && view === "unfolded") badge(g, percent(part[step]));
    if (reads && view === "folded") badge(g, "100 %");
  }
  const here = shapes.find((s) => s.view === state.view && s.value === state.v && s.t === state.t + 1);
  if (here && !state.pinned) reveal(here.g);
  const from = frame.phase === "backward" && frame.e >= 0 ? N.edges[frame.e] : null;
  for (const { g, value, t, view } of shapes)
    g.classList.toggle("sender", !!from && view === "unfolded" && value !== null
      && from[1].split(", ").includes(N.names[value]) && t === frame.t + from[2] + 1);
}
function reveal(g) {
  const box = g.closest("div"), a = g.getBoundingClientRect(), b = box.getBoundingClientRect();
  if (a.left < b.left + 40 || a.right > b.right - 40) box.scrollLeft += a.left - b.left - b.width / 2;
}
function badge(g, text) {
  const box = g.getBBox(), label = document.createElementNS(SVG, "text");
  label.textContent = text;
  label.classList.add("badge");
  label.setAttribute("x", box.x + box.width / 2);
  label.setAttribute("y", box.y - 3);
  label.setAttribute("text-anchor", "middle");
  g.append(label);
}

// ------------------------------------------------------------------ where one is
let playing = null;
function select(value, t, passing = false) {
  if (passing && state.pinned) return;
  Object.assign(state, { v: value, t, pinned: false });
  if (!passing) {
    const kind = frames[state.frame].phase === "backward" ? "backward" : "forward";
    const last = frames.findLastIndex((f) => f.phase === kind && f.v === value && f.t === t);
    if (last > 0) state.frame = last;
  }
  draw(!passing);
}
function weigh(p) {
  Object.assign(state, { p, pinned: true });
  draw();
}
function go(frame) {
  state.frame = Math.max(0, Math.min(frames.length - 1, frame));
  const { v: value, t } = frames[state.frame];
  if (value !== undefined) Object.assign(state, { v: value, t, pinned: false });
  draw();
}
function jump(way) {
  const here = frames[state.frame], same = (f) => f.phase === here.phase && f.t === here.t;
  let k = state.frame + way;
  while (k > 0 && k < frames.length - 1 && (same(frames[k]) || (k + 1 < frames.length
    && frames[k + 1].phase === frames[k].phase && frames[k + 1].t === frames[k].t))) k += way;
  go(k);
}
function told() {
  const f = frames[state.frame];
  if (f.phase === "start") return `before the first step; L = ${show(N.loss)}`;
  const name = `${N.names[f.v]}${raised(f.t + 1)}`;
  if (f.phase === "forward") return `forward, t = ${f.t + 1}: ${name} = ${N.values[f.v][f.t].slice(0, 4).map(show).join("  ")}`;
  const [, reader, delay] = f.e < 0 ? [0, "L", 0] : N.edges[f.e];
  const xs = f.e < 0 ? N.seeds[f.t] : N.messages[f.e][f.t];
  if (f.t + delay < 0 || f.t + delay >= T) return `backward, t = ${f.t + 1}: nothing comes to ${name} from outside of the sequence`;
  const from = f.e < 0 ? "L" : reader.split(", ").map((r) => r + raised(f.t + delay + 1)).join(", ");
  return `backward, t = ${f.t + 1}: ${from} sends ${name} ${xs.slice(0, 4).map(show).join("  ")}`;
}
let late = null;
function address() {
  const words = new URLSearchParams({ frame: state.frame, value: state.v, step: state.t + 1,
    weight: state.p, view: state.view, unit: state.unit, k: state.k });
  if (state.pinned) words.set("uses", "1");
  clearTimeout(late); // a browser warns of more than a few changes a second
  late = setTimeout(() => history.replaceState(null, "", `#${words}`), 250);
}
function restore() {
  const words = new URLSearchParams(location.hash.slice(1));
  const whole = (key, most, or) => { const x = Number(words.get(key) ?? NaN); return Number.isInteger(x) && x >= 0 && x <= most ? x : or; };
  state.k = Math.max(1, whole("k", T, T));
  state.p = whole("weight", N.params.length - 1, state.p);
  state.frame = whole("frame", frames.length - 1, 0);
  const { v: value = state.v, t = state.t } = frames[state.frame];
  state.v = whole("value", N.names.length - 1, value);
  state.t = Math.max(1, whole("step", T, t + 1)) - 1;
  state.pinned = words.get("uses") === "1";
  if (LINKS[words.get("view")]) state.view = words.get("view");
  if ([...$("unit").options].some((o) => o.value === words.get("unit"))) state.unit = words.get("unit");
  if (LIVE) compute();
}
let painted = "";
function draw(moved = true) {
  const seen = `${state.p} ${state.unit} ${computed}`;
  if (seen !== painted) Object.keys(MAPS).forEach(paint);
  painted = seen;
  mark();
  card();
  light();
  $("frame").value = state.frame;
  const words = told();
  $("where").textContent = words;
  $("frame").setAttribute("aria-valuetext", words);
  $("loss").replaceChildren(number(N.loss));
  all("#views button").forEach((b) => b.setAttribute("aria-pressed", b.value === state.view));
  all(".drawing").forEach((f) => { f.hidden = f.dataset.view !== state.view; });
  all(".weights button").forEach((b) => b.setAttribute("aria-pressed", state.pinned && +b.value === state.p));
  $("weight").value = state.p;
  $("unit").value = state.unit;
  if (LIVE) knobs();
  if (moved) address();
}

// ------------------------------------------------------------------ knobs
function knobs() {
  $("k").value = state.k;
  $("k-told").textContent = state.k === T ? "no truncation" : `windows of ${state.k}: off by ${percent(N.off)} of the gradient, `
    + `which has ${percent(N.kept)} of its norm`;
  all("#knobs input[data-p]").forEach((input) => {
    const from = input.dataset.p === "x" ? LIVE.xs[input.dataset.t] : LIVE.weights[input.dataset.p];
    if (input !== document.activeElement || !input.matches(":focus-visible")) input.value = +from[input.dataset.n].toPrecision(4);
  });
  all("#knobs [data-grid]").forEach((grid) => { grid.hidden = grid.dataset.grid !== String(state.p); });
  all("#knobs input[data-all]").forEach((input) => { input.value = LIVE.weights[input.dataset.all][0]; });
}
let waiting = null;
function changed() {
  document.documentElement.classList.add("changed");
  compute(false);
  draw(false);
  clearTimeout(waiting);
  waiting = N.ladder && setTimeout(() => { climb(); paint("ladder"); }, 120);
}
function set(input, x) {
  if (!Number.isFinite(x)) return;
  (input.dataset.p === "x" ? LIVE.xs[input.dataset.t] : LIVE.weights[input.dataset.p])[input.dataset.n] = x;
  changed();
}
function wire() {
  const start = structuredClone({ weights: LIVE.weights, xs: LIVE.xs });
  $("knobs").addEventListener("input", (event) => {
    const input = event.target;
    if (input.dataset.all !== undefined) { LIVE.weights[input.dataset.all].fill(+input.value); changed(); }
    else if (input.id === "k") { state.k = +input.value; changed(); }
    else if (input.dataset.p !== undefined) set(input, input.valueAsNumber);
  });
  $("knobs").addEventListener("pointerdown", (event) => {
    const input = event.target.closest("input[data-p]");
    if (!input || document.activeElement === input) return;
    const from = { x: event.clientX, value: input.valueAsNumber, moved: false };
    const move = (e) => {
      if (Math.abs(e.clientX - from.x) > 2) from.moved = true;
      if (from.moved) { set(input, from.value + (e.clientX - from.x) / 100); input.value = (from.value + (e.clientX - from.x) / 100).toFixed(2); }
    };
    const end = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      if (!from.moved) input.focus();
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    event.preventDefault();
  });
  $("reset").addEventListener("click", () => {
    Object.assign(LIVE, structuredClone(start));
    state.k = T;
    changed();
    document.documentElement.classList.remove("changed");
  });
}

// ------------------------------------------------------------------ begin
const play = () => {
  clearInterval(playing);
  playing = playing ? null : setInterval(() => { if (state.frame === frames.length - 1) play(); else go(state.frame + 1); }, 350);
  $("play").textContent = playing ? "pause" : "play";
};
document.documentElement.classList.add("running");
$("frame").max = frames.length - 1;
$("frame").addEventListener("input", () => go($("frame").valueAsNumber));
$("play").addEventListener("click", play);
const MOVES = { first: () => go(0), back: () => jump(-1), left: () => go(state.frame - 1),
  right: () => go(state.frame + 1), ahead: () => jump(1), turn: () => go(turn) };
for (const [id, move] of Object.entries(MOVES)) $(id).addEventListener("click", move);
addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, textarea, table, button, summary") || event.ctrlKey || event.metaKey || event.altKey) return;
  const move = { ArrowRight: event.shiftKey ? MOVES.ahead : MOVES.right, ArrowLeft: event.shiftKey ? MOVES.back : MOVES.left,
    Home: MOVES.first, End: () => go(frames.length - 1), " ": play, b: MOVES.turn }[event.key];
  if (move) { move(); event.preventDefault(); }
});
$("views").addEventListener("click", (event) => { if (event.target.value) { state.view = event.target.value; draw(); } });
all(".weights").forEach((group) => {
  group.addEventListener("click", (event) => { if (event.target.value) weigh(+event.target.value); });
  group.addEventListener("pointerover", (event) => {
    if (event.target.value && !playing) { Object.assign(state, { p: +event.target.value, pinned: true }); draw(false); }
  });
});
$("weight").addEventListener("change", () => weigh(+$("weight").value));
$("unit").addEventListener("change", () => { state.unit = $("unit").value; draw(); });
$("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
});
Object.keys(MAPS).forEach(readMap);
if (LIVE) wire();
addEventListener("hashchange", () => { restore(); draw(false); });
restore();
draw(false);
