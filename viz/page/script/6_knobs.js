// Numbers that can be changed.
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
