// The study at other numbers. `PROGRAM` holds two functions, forward and backward, on `v`; or nothing.
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
