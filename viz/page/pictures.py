"""The pictures of a page: drawings that are linked to the numbers, and plots."""

from __future__ import annotations

import io
import re
from base64 import b64encode
from typing import Any

import minigrad as mg
from minigrad.extras import needed
from minigrad.folded import folded_adjoint
from rnn.bptt import Truncation
from viz.output.drawing import Drawing
from viz.page.numbers import Numbers
from viz.quotients.adjoints import named
from viz.quotients.operations import operations
from viz.views.draw import draw

SHOWN = 12
"""So many steps are drawn; of more, the first and the last ones."""

Links = dict[str, list[Any]]
"""For each shape of a drawing the value it shows, its step, and the parameters it reads."""


def drawings(study: Numbers) -> dict[str, tuple[str, Links]]:
    """The folded, unfolded and backward drawing as SVG for a page, with their links."""
    folded = study.cell.folded()
    T = study.steps
    steps = range(1, T + 1) if T <= SHOWN else (1, 2, 3, T - 2, T - 1, T)
    backward = named(folded_adjoint(folded))
    made = {
        "folded": (draw(study.cell, view="folded", level="gate"), folded, (None,)),
        "unfolded": (
            draw(study.cell, view="unfolded", level="gate", steps=steps), folded, steps,
        ),
        "backward": (
            draw(mg.adjoint(folded), view="folded", level="gate"), backward, (None,),
        ),
    }  # fmt: skip
    return {
        name: (inline(drawing, name), _links(study, source, steps))
        for name, (drawing, source, steps) in made.items()
    }


def _links(study: Numbers, folded: Any, steps: Any) -> Links:
    index = {name: k for k, name in enumerate(study.names)}
    params = {name: k for k, name in enumerate(study.run.params)}
    links: Links = {}
    for block in operations(folded, "gate").blocks:
        paths = [_path(folded.step.nodes[k]) for k in block.nodes]
        shown = next((index[p] for p in reversed(paths) if p in index), None)
        read = [params[p] for p in map(_path, _read(folded, block.nodes)) if p in params]
        if shown is None and not read:
            continue
        for t in steps:
            links[block.id if t is None else f"{block.id}_t{t}"] = [shown, t, read]
    return links


def _read(folded: Any, nodes: Any) -> list[Any]:
    """The inputs that operations read."""
    step = folded.step
    return [
        step.nodes[i] for k in nodes for i in step.nodes[k].inputs if step.nodes[i].op == "input"
    ]


def _path(node: Any) -> str:
    """The dotted name of a node; that of a value for its cotangent."""
    name = (node.name or "").removeprefix("∂")
    return f"{node.scope}.{name}" if node.scope else name


def inline(drawing: Drawing, name: str) -> str:
    """A drawing as SVG inside of a page, where its ids must be its own.

    >>> import rnn, viz
    >>> inline(viz.draw(rnn.RNNCell(1, 1), view="folded"), "a")[:57]
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-l'
    """
    # A name in the text cannot look like an attribute: its quotes are escaped.
    svg = re.sub(r' id="', f' id="{name}-', drawing.svg())
    return svg.replace(
        'aria-labelledby="title desc"', f'aria-labelledby="{name}-title {name}-desc"', 1
    )


COLOURS = ("#0B6E99", "#C2571A", "#2E7D4F", "#8A4FBE", "#A8326E")
"""Of curves; each has marks of its own too."""


def plot(drawn: Any, about: str, wide: float = 6.4, high: float = 3.6) -> str:
    """A plot of matplotlib as an image that holds its own SVG.

    Args:
        drawn: draws on the axes that it is given.
        about: what it shows, in words, for those who cannot see it.
        wide: in inches.
        high: in inches.
    """
    cycles = needed("cycler", "study", "the page of a study")
    library = needed("matplotlib", "study", "the page of a study")
    figures = needed("matplotlib.figure", "study", "the page of a study")
    looks = {
        "svg.fonttype": "none", "svg.hashsalt": "page", "font.family": "sans-serif",
        "font.sans-serif": ["Arial", "Liberation Sans", "DejaVu Sans"], "font.size": 10,
        "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#6B6B6B",
        "axes.grid": True, "grid.color": "#E4E2DA", "grid.linewidth": 0.6,
        "axes.prop_cycle": cycles.cycler(color=COLOURS), "legend.frameon": False,
    }  # fmt: skip
    with library.rc_context(looks):
        figure = figures.Figure(figsize=(wide, high), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        drawn(axes)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    svg = file.getvalue()
    data = b64encode(svg[svg.index("<svg") :].encode()).decode()
    return f'<img class="plot" alt="{about}" src="data:image/svg+xml;base64,{data}">'


def truncation_plot(found: Truncation) -> str:
    """How far truncated gradients are off, over k."""

    def draw(axes: Any) -> None:
        kinds = ("windows of k steps", "each loss k steps back")
        both = zip(kinds, ("o-", "s--"), (found.windows, found.sliding), strict=True)
        for kind, marks, results in both:
            axes.plot([x.k2 for x in results], [100 * x.bias for x in results], marks, label=kind)
        axes.set(xlabel="k", ylabel="off by, percent of ‖gradient‖")
        axes.legend()

    told = ", ".join(f"k = {x.k2}: {x.bias:.0%}" for x in found.windows)
    return plot(draw, f"How far windows of k steps are off: {told}.")
