// What the page holds, and the places in a run: one value forward, one message backward.
const island = (id) => JSON.parse(document.getElementById(id).textContent);
const N = island("numbers"), LIVE = island("live"), LINKS = island("links"), SCALES = island("scales");
const $ = (id) => document.getElementById(id), all = (css) => [...document.querySelectorAll(css)];
const T = N.T, order = [...Array(T).keys()];
if (N.direction < 0) order.reverse();


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
