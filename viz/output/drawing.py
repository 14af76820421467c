"""A drawing: a finished scene, as SVG, as DOT, in a file, in a notebook."""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any

import graphviz

from viz import given
from viz.output.dot import digraph
from viz.output.render import RendererMissing, render, write
from viz.output.svg import svg
from viz.scene.label import clean
from viz.scene.scene import Scene

DPI = 144
SUFFIXES = (".svg", ".png", ".pdf", ".gv", ".dot")


class Drawing:
    """A finished picture; notebooks show it.

    Args:
        scene: every shape, wire and text with its place.
        layout: "nop2" keeps the places; another layout of Graphviz, such as "dot", makes its own.
        engine: who renders: None for our own SVG and whatever there is for PNG and PDF;
            "graphviz", or one of "dot" and "pygraphviz", for everything.

    >>> import rnn, viz
    >>> drawing = viz.draw(rnn.LSTMCell(3, 5), view="folded")
    >>> drawing.svg().startswith("<svg"), drawing.source.startswith("digraph")
    (True, True)
    """

    def __init__(self, scene: Scene, layout: str = "nop2", engine: str | None = None) -> None:
        if not isinstance(scene, Scene):
            raise given.refused("Drawing", "a scene, as viz.draw makes one", scene)
        given.choice("draw", "layout", layout, sorted({"nop2", *graphviz.ENGINES}))
        given.choice("draw", "engine", engine, (None, "graphviz", "dot", "pygraphviz"))
        self.scene = scene
        self.layout = layout
        self.by_graphviz = layout != "nop2" or engine is not None
        self.engine = None if engine == "graphviz" else engine

    @cached_property
    def digraph(self) -> graphviz.Digraph:
        """The picture as a `graphviz.Digraph`, which can be edited and rendered."""
        return digraph(self.scene, self.layout)

    @property
    def source(self) -> str:
        """The picture as DOT, with every place in it."""
        return str(self.digraph.source)

    def svg(self) -> str:
        """The picture as SVG.

        Raises:
            RendererMissing: Graphviz was asked for, by `layout` or `engine`, and is not there.
        """
        if self.by_graphviz:
            return render(self.source, "svg", self.engine).decode()
        return svg(self.scene)

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the picture into a file, whole or not at all; gives back the path.

        Args:
            path: ends in .svg, .gv or .dot, or, where Graphviz is installed, in .png or .pdf.

        Raises:
            RendererMissing: PNG or PDF without Graphviz; an SVG was written beside it instead.
            OSError: the place cannot be written.
        """
        if not isinstance(path, str | os.PathLike):
            raise given.refused("save", "a path", path)
        path = os.fspath(path)
        stem, suffix = os.path.splitext(path)
        suffix = suffix.lower()
        if suffix not in SUFFIXES:
            raise ValueError(f"save: {path!r} must end in one of {', '.join(SUFFIXES)}")
        if suffix == ".svg":
            write(path, self.svg().encode())
        elif suffix in (".gv", ".dot"):
            write(path, self.source.encode())
        else:
            try:
                source = digraph(self.scene, self.layout, DPI if suffix == ".png" else None).source
                data = render(source, suffix[1:], self.engine)
            except RendererMissing:
                write(f"{stem}.svg", svg(self.scene).encode())
                raise RendererMissing(suffix[1:], f"{stem}.svg") from None
            write(path, data)
        return path

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<Drawing: {clean(self.scene.title, 200)}>"
