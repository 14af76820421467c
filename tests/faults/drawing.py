"""Faults of drawing; every one still gives a picture. And the laws that are to find them."""

from __future__ import annotations

import rnn
from tests.faults.planting import Fault, rewrites
from tests.faults.probes import Probe
from tests.viz.laws import LAWS, Law

CELLS: tuple[rnn.Cell, ...] = (
    rnn.RNNCell(3, 5, 2),
    rnn.LSTMCell(3, 5, peepholes=True),
    rnn.Stack([rnn.GRUCell(3, 4), rnn.Dense(4, 2)]),
    rnn.Bidirectional(rnn.RNNCell(3, 4)),
)
"""What every law is checked on."""

FAULTS: dict[str, Fault] = rewrites(
    "drawing", "viz",
    ("every edge drawn with delay 1", "the delay of a recurrent edge is not read", "origins",
     "(origin, delay, names[origin])", "(origin, 1, names[origin])"),
    ("parameters drawn at the first step",
     "the same weights are used at every step", "unfolded",
     "tags", "tags and t == 1"),
    ("a loop to itself is lost", "an edge from a box to itself is no edge", "merge",
     "keys[parent] != key or delay", "keys[parent] != key"),
    ("the first operand alone", "one edge into each box", "merge",
     "keys[parent] != key or delay",
     "(keys[parent] != key or delay) and source == node.inputs[0]"),
    ("edges point backwards in the DOT", "from reader to source", "_edge",
     "ends", "ends[::-1]"),
    ("delays without their sign", "anti-causal edges look causal", "_edge",
     "str(wire.delay)", "str(abs(wire.delay))"),
    ("columns read the next step", "t + d in place of t - d", "_carried",
     "reader - k.delay", "reader + k.delay"),
    ("circles read the same step", "an unfolded edge inside of a column", "Grid.across",
     "self.source(link, step - link.delay)", "self.source(link, step)"),
    ("a gate reads the wrong bus", "peepholes drawn as states shown", "Memory.on_bus",
     "link.name == self.state and not self.is_one", "False"),
    ("half a box is forgotten", "neighbours of a rank overlap", "_settle",
     "right[row[n - 1]] + GAP", "GAP"),
    ("edges from middle to middle", "through the circle's border", "Grid.up",
     "line(a.border((b.x, b.y)), b.border((a.x, a.y)))", "line((a.x, a.y), (b.x, b.y))"),
    ("all values in one lane", "lines that cannot be told apart", "_lanes",
     "all(high <= a or b <= low or owner == key[0] for a, b, owner in ways)", "True"),
    ("columns laid out as they come", "entries in the order of their readers", "column",
     "sorted(exits, key=lambda name: number.get(name, last if ordered.get(name) else -1))",
     "[*exits][:1]"),
    ("one step too many left out", "t = 3 … 9 of nine steps, with the ninth shown", "choose",
     "t - 1", "t"),
    ("text upside down", "the y axis of an SVG points down", "line_height",
     "s.y + sum(sizes) / 2", "s.y + 40 + sum(sizes) / 2"),
    ("names are markup", "text is not escaped", "_text",
     "escape(clean(text, LONG))", "clean(text, LONG)"),
    ("nodes mirrored in the SVG", "shapes up, texts down", "_outline",
     "_n(-s.y)", "_n(s.y)"),
    ("infinity looks like a number", "only NaN is marked", "Numbers.__call__",
     "not _is_finite(record.values[k])", "False"),
    ("the scale of gradients is turned round", "small ones are dark", "heat",
     "math.log10(size) - low", "high - math.log10(size)"),
    ("readers are marked too", "the fault spreads", "point_out",
     "(k,) if k in view.of else readers", "(k, *readers)"),
    ("sums run first", "the order of a schedule", "phases",
     'found.append(Phase("sums over all steps", tuple(sorted(plan.summed))))',
     'found.insert(0, Phase("sums over all steps", tuple(sorted(plan.summed))))'),
    ("every loop runs forward", "the direction of a nest is not read", "phases",
     "block.direction > 0", "block.direction"),
)  # fmt: skip
"""Every fault by its name."""


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
