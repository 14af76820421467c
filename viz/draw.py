"""`draw`: a cell or a folded graph as a picture, and what can be done with the picture."""

from __future__ import annotations

import os
from typing import Any

import graphviz

from minigrad.folded import Folded
from viz import textbook
from viz.cells import cells
from viz.dot import digraph
from viz.render import RendererMissing, render, write
from viz.scene import Scene
from viz.steps import choose
from viz.style import STYLES
from viz.svg import svg

SUFFIXES = (".svg", ".png", ".pdf", ".gv", ".dot")


class Drawing:
    """A finished picture; notebooks show it.

    Attributes:
        scene: every shape, wire and text with its place.
        digraph: the same as a `graphviz.Digraph`, which can be edited and rendered.
    """

    def __init__(self, scene: Scene, layout: str = "nop2", engine: str | None = None) -> None:
        self.scene = scene
        self.digraph: graphviz.Digraph = digraph(scene, layout)
        self._free = layout != "nop2" or engine == "graphviz"
        self._engine = None if engine == "graphviz" else engine

    @property
    def source(self) -> str:
        """The picture as DOT, with every place in it."""
        return str(self.digraph.source)

    def svg(self) -> str:
        """The picture as SVG; by our own writer, unless Graphviz was asked for."""
        if self._free:
            return render(self.source, "svg", self._engine).decode()
        return svg(self.scene)

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the picture into a file, whole or not at all; gives back the path.

        Args:
            path: ends in .svg, .gv or .dot, or, where Graphviz is installed, in .png or .pdf.

        Raises:
            RendererMissing: PNG or PDF without Graphviz; an SVG was written beside it instead.
            OSError: the place cannot be written.
        """
        path = os.fspath(path)
        stem, suffix = os.path.splitext(path)
        if suffix.lower() not in SUFFIXES:
            raise ValueError(f"save: {path!r} must end in one of {', '.join(SUFFIXES)}")
        if suffix.lower() == ".svg":
            write(path, self.svg().encode())
        elif suffix.lower() in (".gv", ".dot"):
            write(path, self.source.encode())
        else:
            try:
                data = render(self.source, suffix[1:].lower(), self._engine)
            except RendererMissing:
                write(f"{stem}.svg", svg(self.scene).encode())
                raise RendererMissing(suffix[1:], f"{stem}.svg") from None
            write(path, data)
        return path

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"<Drawing: {self.scene.title}>"


def draw(
    obj: Any,
    view: str | None = None,
    steps: int = 4,
    level: str | None = None,
    *,
    style: str = "print",
    layout: str = "nop2",
    engine: str | None = None,
) -> Drawing:
    """A cell or a folded graph as a picture.

    >>> import rnn, viz
    >>> viz.draw(rnn.RNNCell(3, 5, 2), view="folded")
    <Drawing: x, h, o, folded>
    """
    folded = obj if isinstance(obj, Folded) else obj.folded()
    quotient = cells(folded)
    if view == "folded":
        scene = textbook.folded(quotient, STYLES[style])
    elif view == "unfolded":
        scene = textbook.unfolded(quotient, choose(steps), STYLES[style])
    else:
        scene = textbook.both(quotient, choose(steps), STYLES[style])
    return Drawing(scene, layout, engine)
