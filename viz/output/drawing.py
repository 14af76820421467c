"""A drawing: a finished scene, as SVG, as DOT, in a file, in a notebook."""

from __future__ import annotations

import os
import re
from functools import cached_property
from typing import Any

import graphviz

from viz import given
from viz.output.dot import digraph
from viz.output.files import write
from viz.output.graphviz import from_dot
from viz.output.render import RendererMissing
from viz.output.svg import MARGIN, svg
from viz.output.tikz import tikz
from viz.output.typst import from_svg
from viz.scene.label import clean
from viz.scene.scene import Scene

DPI = 144
SUFFIXES = (".svg", ".png", ".pdf", ".eps", ".tikz", ".gv", ".dot")
LEAST = 6.0
"""Points: smaller text cannot be read in print."""
UNITS = {"pt": 1.0, "bp": 1.0, "in": 72.0, "cm": 72 / 2.54, "mm": 72 / 25.4}


def points(width: str) -> float:
    """A width on paper in points.

    >>> points("1in")
    72.0
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(pt|bp|in|cm|mm)", width) if isinstance(
        width, str) else None  # fmt: skip
    if found is None or not 0 < (wide := float(found[1]) * UNITS[found[2]]) < 20_000:
        raise ValueError(f"draw: a width is '8cm', '80mm', '3in' or '200pt', got {width!r:.60}")
    return wide


class Drawing:
    """A finished picture; notebooks show it.

    Args:
        scene: every shape, wire and text with its place.
        layout: "nop2" keeps the places; another layout of Graphviz, such as "dot", makes its own.
        engine: who renders: None for our own SVG, of which Typst makes PNG, PDF and EPS;
            "graphviz", or one of "dot" and "pygraphviz", for everything.
        width: of the picture on paper, such as "8cm"; None for that of the scene.

    Raises:
        ValueError: text would be smaller than 6 pt at that width.

    >>> import rnn, viz
    >>> drawing = viz.draw(rnn.LSTMCell(3, 5), view="folded")
    >>> drawing.svg().startswith("<svg"), drawing.source.startswith("digraph")
    (True, True)
    """

    def __init__(
        self, scene: Scene, layout: str = "nop2", engine: str | None = None,
        width: str | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(scene, Scene):
            raise given.refused("Drawing", "a scene, as viz.draw makes one", scene)
        given.choice("draw", "layout", layout, sorted({"nop2", *graphviz.ENGINES}))
        given.choice("draw", "engine", engine, (None, "graphviz", "dot", "pygraphviz"))
        self.scene = scene.said() if scene.style.words else scene
        self.layout = layout
        self.by_graphviz = layout != "nop2" or engine is not None
        self.engine = None if engine == "graphviz" else engine
        self.width = None if width is None else self._fitting(width)

    def sized(self, width: str) -> Drawing:
        """The same picture, that wide on paper.

        Raises:
            ValueError: no width; or text would be smaller than 6 pt, sub- and superscripts aside.

        >>> import rnn, viz
        >>> viz.draw(rnn.RNNCell(3, 5), view="folded").sized("4cm").width
        113.38582677165354
        """
        engine = (self.engine or "graphviz") if self.by_graphviz else None
        return Drawing(self.scene, self.layout, engine, width)

    def _fitting(self, width: str) -> float:
        """A width in points at which all text can be read."""
        wide, least = points(width), self.least()
        if wide < least:
            _, text = self.scene.smallest()
            raise ValueError(
                f"draw: at {width} the text {text[:40]!r} would be {LEAST * wide / least:.1f} pt "
                f"high, and less than {LEAST:g} pt is not read; from "
                f"{least / UNITS['cm'] + 0.05:.1f} cm on it is"
            )
        return wide

    def least(self) -> float:
        """The width in points from which on all text can be read."""
        return self.extent() * LEAST / self.scene.smallest()[0]

    def extent(self) -> float:
        """The width of the scene in points, with its margin."""
        left, _, right, _ = self.scene.bounds()
        return right - left + 2 * MARGIN

    @property
    def words(self) -> list[str]:
        """What is written in words: the keys with which a style says it in another language."""
        return self.scene.words()

    @property
    def tikz(self) -> str:
        r"""The picture as a `tikzpicture`, for `\input` where `\usepackage{tikz}` is."""
        return tikz(self.scene, self.width)

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
            return from_dot(self.source, "svg", self.engine).decode()
        return svg(self.scene, self.width)

    def save(self, path: str | os.PathLike[str], dpi: float = DPI) -> str:
        """Write the picture into a file, whole or not at all; gives back the path.

        Args:
            path: ends in .svg, .tikz, .gv or .dot, which need nothing; in .png or .pdf, for which
                there must be Typst or Graphviz; or in .eps, for which there must be Typst and, to
                convert its PDF, `pdftops` or `gs`.
            dpi: pixels of a PNG to the inch.

        Raises:
            RendererMissing: a format without what draws it; an SVG was written beside it instead.
            OSError: the place cannot be written.
        """
        if isinstance(dpi, bool) or not isinstance(dpi, int | float) or not 10 <= dpi <= 2400:
            raise ValueError(f"save: dpi must be a number from 10 to 2400, got {dpi!r:.60}")
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
        elif suffix == ".tikz":
            write(path, self.tikz.encode())
        else:
            try:
                data = self._rendered(suffix[1:], dpi)
            except RendererMissing:
                write(f"{stem}.svg", svg(self.scene, self.width).encode())
                raise RendererMissing(suffix[1:], f"{stem}.svg") from None
            write(path, data)
        return path

    def _rendered(self, suffix: str, dpi: float) -> bytes:
        """The picture in a format that somebody else writes."""
        if not self.by_graphviz:
            try:
                return from_svg(self.svg(), suffix, dpi)
            except RendererMissing:
                if suffix == "eps":  # another picture than the SVG is for those who ask for it
                    raise
        scale = self.width / self.extent() if self.width else 1.0
        source = digraph(self.scene, self.layout, round(dpi) if suffix == "png" else None, scale)
        return from_dot(source.source, suffix, self.engine)

    def _repr_svg_(self) -> str:
        """The picture for a notebook: no wider than the page."""
        return self.svg().replace("<svg ", '<svg style="max-width:100%;height:auto" ', 1)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self._repr_svg_(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<Drawing: {clean(self.scene.title, 200)}>"
