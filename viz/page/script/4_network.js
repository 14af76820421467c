// The card of what is pointed at, and the drawings that are linked to it.
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
