// Heat maps: tables that are painted by their numbers, pointed into, and walked with the arrow keys.
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
    caption: () => `Percent of dL/d${N.params[state.p]}: loss step s down, use step t across`,
    most: () => Math.max(...N.ledger[state.p].flat().map(Math.abs), 1e-300),
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
  if (map.caption) table.querySelector("caption span").textContent = map.caption();
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
