"""The one table of shapes, colours and fonts.

Colours are never the only sign: row, label and legend say the same. Ink on every fill has a
contrast of at least 10:1, lines on white at least 5:1; inputs, states and outputs stay apart under
the common forms of colour blindness. The style "seed" has the colours that the text of
`recurrent_neural_networks_basics.md` speaks of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

INK = "#2B2B2B"
MUTED = "#6B6B6B"
GREY = "#9A9A9A"

# Graphviz finds metric twins of these two names; other families come out wider or as another face.
FACES = {"word": "Arial", "name": "Times", "time": "Times"}
CSS_FACES = {
    "word": "Arial, 'Liberation Sans', Helvetica, sans-serif",
    "name": "Times, 'Liberation Serif', 'Times New Roman', serif",
    "time": "Times, 'Liberation Serif', 'Times New Roman', serif",
}
"""The face of each role that text can have in a label."""
SLANTED = "name"
"""The role that is set in italics."""

CIRCLE = 54.0  # diameter of a unit, in points
ROW = 92.0  # from one row of units to the next
PITCH = 108.0  # from one time step to the next
SCRIPT = 0.7  # size of sub- and superscripts
RAISE, LOWER = 0.36, -0.22  # their shift, in ems
ARROW = 7.5  # length of an arrowhead without its outline
MITRE = 1.5  # what the outline of an arrowhead adds at the tip, in widths of the line
SQUARE = 6.5  # side of the mark of a delay


@dataclass(frozen=True)
class Look:
    """Fill and line colour of a kind of node."""

    fill: str
    line: str


@dataclass(frozen=True)
class Style:
    """Colours by kind; `kind:name` is looked up first, then `kind`."""

    looks: Mapping[str, Look]
    recurrent: str
    carries: tuple[str, ...]

    def look(self, kind: str) -> Look:
        """Fill and line of a kind such as "hidden" or "gate:forget"."""
        return self.looks.get(kind) or self.looks[kind.partition(":")[0]]

    def carry(self, k: int, is_memory: bool = False) -> str:
        """The colour of the k-th carried state; memories have that of their boxes."""
        return self.look("cell").line if is_memory else self.carries[k % len(self.carries)]


_COMMON = {
    "op": Look("#F2F2F2", "#555555"),
    "weight": Look("#F4E6F0", "#8F4B77"),
    "constant": Look("#FFFFFF", "#9A9A9A"),
    "panel": Look("#FAFAF7", "#C4C4BE"),
    "panel:loop": Look("#F2F2EE", "#A6A69E"),  # a panel around panels
    "invalid": Look("#FFFFFF", "#C2185B"),  # NaN and inf, with a double line
}

PRINT = Style(
    looks={
        "input": Look("#FBE3D3", "#B34700"),
        "hidden": Look("#CFEBDD", "#00684A"),
        "output": Look("#CFE3F3", "#004E80"),
        "gate": Look("#FFF3C9", "#8A6400"),
        "cell": Look("#E8E0F5", "#5B3E96"),
        **_COMMON,
    },
    recurrent="#B34700",
    carries=("#B34700", "#5B3E96", "#00684A", "#004E80", "#8A6400", "#8F4B77"),
)

SEED = Style(
    looks={
        "input": Look("#FAD4D4", "#B3261E"),
        "hidden": Look("#D3EDD0", "#2B6E2F"),
        "output": Look("#D3E2F7", "#1F4E9C"),
        "gate": Look("#EFEFEF", "#555555"),
        "gate:forget": Look("#D3E2F7", "#1F4E9C"),
        "gate:input": Look("#D3EDD0", "#2B6E2F"),
        "gate:candidate": Look("#FFF3C9", "#8A6400"),
        "cell": Look("#D3EDD0", "#2B6E2F"),
        **_COMMON,
    },
    recurrent="#2B6E2F",
    carries=("#A8326E", "#2B6E2F", "#1F4E9C", "#8A6400", "#5B3E96", "#B3261E"),
)

STYLES = {"print": PRINT, "seed": SEED}

MARK = "#C2185B"
"""Border of a node that is pointed out, always a double one."""
RING = 4.0  # from the one border to the other

HEAT = ("#FFFFFF", "#FEEBD3", "#FDD4A0", "#FBB76C", "#F59A45")
"""Fills of growing gradients, one hue from light to dark; ink on the darkest is still 6:1."""
