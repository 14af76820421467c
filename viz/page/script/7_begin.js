// What the controls do; from here on it runs.
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
