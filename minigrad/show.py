"""The one way from here to pictures: notebooks show cells, graphs and tensors as drawings.

The drawing package stands above this one, so it is looked up when it is needed; where it is not
installed, or has no picture of a thing, the notebook shows the text.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def picture(self: Any, **how: Any) -> str | None:
    """The drawing of an object as SVG, or None where there is none; `how` is for `viz.draw`."""
    try:
        svg: str = import_module("viz").draw(self, **how)._repr_svg_()
    except (ImportError, ValueError, TypeError):
        return None
    return svg
