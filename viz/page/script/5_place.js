// Where one is: moving, telling it in words, keeping it in the address.
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
