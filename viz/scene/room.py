"""Room for a text: whether anything lies under it."""

from __future__ import annotations

from collections.abc import Iterable

from viz.scene.curve import Path, flat
from viz.scene.scene import Shape, Text


def is_clear(
    text: Text, shapes: Iterable[Shape], texts: Iterable[Text], paths: Iterable[Path]
) -> bool:
    """Whether no shape but a panel, no other text and no edge lies under a text.

    >>> from viz.scene.curve import line
    >>> from viz.scene.label import words
    >>> here = Text(0, 0, words("here"))
    >>> is_clear(here, [], [], [line((-50, 20), (50, 20))]), is_clear(here, [], [here], [])
    (True, False)
    """
    left, low, right, high = text.box()
    middle, w, h = ((left + right) / 2, (low + high) / 2), right - left, high - low
    own = Shape("", *middle, w, h, "box", "op")
    boxes = [other.box() for other in texts]
    boxes += [
        (s.x - s.w / 2, s.y - s.h / 2, s.x + s.w / 2, s.y + s.h / 2)
        for s in shapes if s.form != "panel"
    ]  # fmt: skip
    if any(left < b[2] and b[0] < right and low < b[3] and b[1] < high for b in boxes):
        return False
    return not any(own.distance(p) < 1 for path in paths for p in flat(path, 24))
