"""Faults of drawing with names, and the laws that are to find them.

Each is a mistake that a reader of the drawing code could make; every one still gives a picture.
"""

from __future__ import annotations

import rnn
from minigrad.testing.faults import Fault
from minigrad.testing.gate import Probe
from minigrad.testing.planting import CACHES, Rewrite
from viz.layered import layered
from viz.testing.laws import LAWS, Law

CACHES.append(layered.cache_clear)

CELLS: tuple[rnn.Cell, ...] = (
    rnn.RNNCell(3, 5, 2),
    rnn.LSTMCell(3, 5, peepholes=True),
    rnn.Stack([rnn.GRUCell(3, 4), rnn.Dense(4, 2)]),
    rnn.Bidirectional(rnn.RNNCell(3, 4)),
)
"""What every law is checked on."""

FAULTS: dict[str, Fault] = {}
for _name, _about, _module, _path, _old, _new in (
    ("a loop to itself is lost", "an edge from a box to itself is no edge", "quotient", "merge",
     "elif keys[parent] != key or delay:", "elif keys[parent] != key:"),
    ("the first operand alone", "one edge into each box", "quotient", "merge",
     "for source in node.inputs:", "for source in node.inputs[:1]:"),
    ("edges point backwards in the DOT", "from reader to source", "dot", "_edge",
     "*ends,", "*ends[::-1],"),
    ("delays without their sign", "anti-causal edges look causal", "dot", "_edge",
     "str(wire.delay)", "str(abs(wire.delay))"),
    ("columns read the next step", "t + d in place of t - d", "diagram", "_carried",
     "writer = reader - k.delay", "writer = reader + k.delay"),
    ("circles read the same step", "an unfolded edge inside of a column", "grid", "Grid.across",
     "self.source(link, step - link.delay)", "self.source(link, step)"),
    ("a gate reads the wrong bus", "peepholes drawn as states shown", "blocks",
     "Blocks._is_on_bus", "link.name != self.cell.state and", ""),
    ("half a box is forgotten", "neighbours of a rank overlap", "layered", "_settle",
     "right[row[n - 1]] + GAP + left[k]", "GAP + left[k]"),
    ("edges from middle to middle", "through the circle's border", "grid", "Grid.up",
     "line(a.border((b.x, b.y)), b.border((a.x, a.y)))", "line((a.x, a.y), (b.x, b.y))"),
    ("all values in one lane", "lines that cannot be told apart", "router", "_lanes",
     "all(high <= a or b <= low or owner == key[0] for a, b, owner in ways)", "True"),
    ("columns laid out as they come", "entries in the order of their readers", "channels",
     "_column", "leaving = sorted(exits, key=number.__getitem__)", "leaving = [*exits][:1]"),
    ("one step too many left out", "t = 3 … 9 of nine steps, with the ninth shown", "steps",
     "choose", "before + 1, t - 1", "before + 1, t"),
    ("text upside down", "the y axis of an SVG points down", "svg", "line_height",
     "return s.y + sum(sizes) / 2", "return s.y + 40 + sum(sizes) / 2"),
    ("names are markup", "text is not escaped", "svg", "_text",
     "escape(clean(text, LONG))", "clean(text, LONG)"),
    ("nodes mirrored in the SVG", "shapes up, texts down", "svg", "_outline",
     'cy="{_n(-s.y)}"', 'cy="{_n(s.y)}"'),
    ("infinity looks like a number", "only NaN is marked", "numbers", "Numbers.__call__",
     "invalid = not _is_finite(record.values[k])", "invalid = False"),
    ("the scale of gradients is turned round", "small ones are dark", "numbers", "heat",
     "(math.log10(size) - low) / (high - low)", "(high - math.log10(size)) / (high - low)"),
    ("readers are marked too", "the fault spreads", "marks", "mark",
     "((k,) if k in view.of else readers)", "(k, *readers)"),
    ("sums run first", "the order of a schedule", "stages", "stages",
     'found.append(Stage("sums over all steps", tuple(sorted(plan.summed))))',
     'found.insert(0, Stage("sums over all steps", tuple(sorted(plan.summed))))'),
    ("every loop runs forward", "the direction of a nest is not read", "stages", "stages",
     "if block.direction > 0", "if block.direction"),
):  # fmt: skip
    FAULTS[_name] = Fault(
        _name, "drawing", _about, Rewrite(f"viz.{_module}", _path, ((_old, _new),))
    )


def _on_cells(check: Law) -> Probe:
    def on_every_cell(draw: int) -> None:
        for cell in CELLS:
            check(cell, draw)

    return on_every_cell


SLOW = (
    "DOT gives back the graph", "edges end at their nodes", "no two nodes overlap",
    "no two values on one line", "no text covers anything", "no edge runs through a node",
)  # fmt: skip
"""Laws that draw every picture of every cell: last, most faults are found without them."""

PROBES: dict[str, Probe] = {
    f"drawing: {name}": _on_cells(LAWS[name])
    for name in (*(name for name in LAWS if name not in SLOW), *SLOW)
}
"""Every law of drawing, on one draw."""
