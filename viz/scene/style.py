"""What a look is made of: a frozen table from roles to colours, borders, faces and words.

Whoever draws names roles: a kind such as "hidden", or an ink such as `MUTED`. Writers ask the style
of their scene what to paint them with, so a style is data, and another one changes no place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

INK, MUTED, GREY, WIRE = "ink", "muted", "grey", "wire"
MARK = "mark"
"""Border of a node that is pointed out, always a double one."""
PALE = "pale"
HEAT = ("heat 0", "heat 1", "heat 2", "heat 3", "heat 4")
"""Fills of growing gradients, one hue from light to dark."""
GROUND = "ground"
SLANTED = "name"
"""The role of text that is set in italics."""

CIRCLE = 54.0  # diameter of a unit, in points
ROW = 92.0  # from one row of units to the next
PITCH = 108.0  # from one time step to the next
SCRIPT = 0.7  # size of sub- and superscripts
RAISE, LOWER = 0.36, -0.22  # their shift, in ems
ARROW = 7.5  # length of an arrowhead without its outline
MITRE = 1.5  # what the outline of an arrowhead adds at the tip, in widths of the line
SQUARE = 6.5  # side of the mark of a delay
RING = 4.0  # from the border of a marked node to the other one



@dataclass(frozen=True)
class Look:
    """Fill and border of a kind of node.

    Attributes:
        fill, line: their colours.
        dash: lengths of strokes and gaps of the border, such as `4 2`; "" for a whole line.
        pen: the width of the border, 0 for that of its form.
    """

    fill: str
    line: str
    dash: str = ""
    pen: float = 0.0


@dataclass(frozen=True)
class Style:
    """A table of looks.

    Attributes:
        looks: for each kind; `kind:name` is looked up first, then `kind`.
        inks: the colour of each ink: `ink`, `muted`, `grey`, `wire`, `mark`, `pale`, `ground` and
            `heat 0` to `heat 4`. A ground of "none" is transparent.
        recurrent: the colour of recurrent edges; `carries` those of several carried values.
        faces: for the roles of text ("word", "name", "time") a family of fonts.
        words: what is written in place of words; `{}` stands for what changes, as in
            `{"folded": "gefaltet", "unfolded over {} steps": "entfaltet über {} Schritte"}`.
    """

    looks: Mapping[str, Look]
    inks: Mapping[str, str]
    recurrent: str
    carries: tuple[str, ...]
    faces: Mapping[str, str]
    words: Mapping[str, str] = field(default_factory=dict)

    def look(self, kind: str) -> Look:
        """The look of a kind such as "hidden" or "gate:forget"."""
        return self.looks.get(kind) or self.looks[kind.partition(":")[0]]

    def paint(self, colour: str) -> str:
        """The colour of an ink; a colour as it is."""
        return self.inks.get(colour, colour)

    def carry(self, k: int, is_memory: bool = False) -> str:
        """The colour of the k-th carried state; memories have that of their boxes."""
        return self.look("cell").line if is_memory else self.carries[k % len(self.carries)]

    def say(self, text: str) -> str:
        """A text in the words of the style.

        >>> from dataclasses import replace
        >>> from viz.scene.styles import PRINT
        >>> told = {"unfold": "entfalten", "Layer {}: {}": "Schicht {}: {}"}
        >>> style = replace(PRINT, words=told)
        >>> style.say("unfold"), style.say("Layer 2: Dense"), style.say("h")
        ('entfalten', 'Schicht 2: Dense', 'h')
        """
        if text in self.words:
            return self.words[text]
        for pattern, told in self._patterns:
            if (found := pattern.fullmatch(text)) and told.count("{}") == len(found.groups()):
                parts = zip(told.split("{}"), (*found.groups(), ""), strict=True)
                return "".join(map("".join, parts))
        return text

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        return [
            (re.compile("(.+?)".join(map(re.escape, text.split("{}"))), re.DOTALL), told)
            for text, told in self.words.items()
            if "{}" in text
        ]
