"""DOT as PNG, PDF, EPS and SVG, by Graphviz: as a program, or inside pygraphviz.

It measures with what fonts it finds.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import warnings

import graphviz

from viz.output.render import RendererMissing


def from_dot(source: str, suffix: str, engine: str | None = None) -> bytes:
    """A picture in DOT as "png", "pdf", "svg" or "eps", by the `dot` program, else by pygraphviz.

    Args:
        source: DOT with its layout inside.
        suffix: of the format.
        engine: "dot" or "pygraphviz" to insist on one.

    Raises:
        RendererMissing: neither is there, or not the one that was asked for.
    """
    if engine in (None, "dot") and shutil.which("dot"):
        return _run_dot(source, suffix)
    if engine in (None, "pygraphviz"):
        try:
            return _run_pygraphviz(source, suffix)
        except ImportError:  # not there, or without the libraries it needs
            pass
    raise RendererMissing(suffix)


def _run_dot(source: str, suffix: str) -> bytes:
    try:
        cairo = "cairo" if suffix == "eps" else None  # the other one has no letters but Latin
        return bytes(graphviz.pipe("dot", suffix, source.encode(), cairo, quiet=True))
    except graphviz.CalledProcessError as error:
        told = (error.stderr or b"").decode(errors="replace").strip()
        raise RuntimeError(f"dot failed: {told[:300]}") from None


def _run_pygraphviz(source: str, suffix: str) -> bytes:
    import pygraphviz

    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")  # it warns of more than a thousand nodes
        graph = pygraphviz.AGraph(string=source)
        format_ = "eps:cairo" if suffix == "eps" else suffix
        return bytes(graph.draw(format=format_, prog="dot"))
