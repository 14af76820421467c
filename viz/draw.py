"""`draw`: a cell, a folded graph, a traced graph or a tensor as a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.core import Tensor
from minigrad.fold import fold
from minigrad.folded import Folded
from minigrad.graph import Graph
from viz import diagram, textbook, weights
from viz.cells import cells
from viz.drawing import Drawing
from viz.label import words
from viz.marks import Marked, mark, numbered
from viz.numbers import Numbers
from viz.operations import operations, quotient
from viz.quotient import Quotient
from viz.recorded import Record, of_graph, of_tensor
from viz.scene import Scene, Text
from viz.steps import Steps, choose
from viz.style import STYLES, Style

VIEWS = ("folded", "unfolded")
LEVELS = ("cell", "gate", "op")
LIMIT = 2000
"""More boxes than this are not drawn unless `force=True`."""


def draw(
    obj: Any,
    view: str | None = None,
    steps: int | str | Iterable[int] | None = None,
    level: str | None = None,
    *,
    on_edges: bool = False,
    values: bool = False,
    gradients: bool = False,
    marked: Marked = (),
    style: str = "print",
    layout: str = "nop2",
    engine: str | None = None,
    title: str = "",
    force: bool = False,
) -> Drawing:
    """A picture of a network, made from its live graph.

    Args:
        obj: a cell; a folded graph, an adjoint too; a traced graph; or a tensor, with all that it
            was made from.
        view: "folded", one step with its recurrent edges; or "unfolded", a column for every step.
            None: both side by side at the level "cell", else folded; a recorded graph is drawn as
            it ran.
        steps: number of steps of the unfolded view (4), of which more than 6 are elided: 1, 2, ⋯,
            T. A list or range of steps gives exactly those; "t" the steps t−1, t and t+1.
        level: "cell", circles as in a textbook; "gate", a box for a gate; "op", a box for every
            operation. "cell" for cells and folded graphs, "op" for tensors and traced graphs.
        on_edges: write the weights on the edges, at the level "cell".
        values: write values of tensors: of a scalar the number, of an array mean ± deviation.
        gradients: write norms of gradients, and fill boxes by them; after `loss.backward()`.
        marked: nodes to point out, by their numbers in the graph (of a cell or folded graph, in
            its step), or tensors; a mapping writes something about each below the picture.
        style: "print", or "seed" for the colours that the seed's text speaks of.
        layout: "dot" and the like let Graphviz place the boxes.
        engine: "graphviz", "dot" or "pygraphviz" to render SVG by Graphviz too.
        title: written above the picture.
        force: draw however many boxes there are.

    Raises:
        ValueError: an unknown view, level or style; more than 2,000 boxes; a marked node that is
            not shown.
        TypeError: something that is no graph.

    >>> import rnn, viz
    >>> viz.draw(rnn.RNNCell(3, 5, 2), view="folded")
    <Drawing: x, h, o, folded>
    >>> viz.draw(rnn.LSTMCell(3, 5), view="unfolded", steps=100, level="op")
    <Drawing: LSTMCell, 100 steps, every operation>
    """
    _known("view", view, (None, *VIEWS))
    _known("level", level, (None, *LEVELS))
    _known("style", style, tuple(STYLES))
    look = STYLES[style]
    if isinstance(obj, Graph) and (view == "folded" or level == "cell"):
        if marked:
            raise ValueError(
                "draw: marked numbers the nodes of the graph, which are others when it is folded; "
                "draw minigrad.fold(graph) with the numbers of its step, or view=None"
            )
        obj = fold(obj)
    if isinstance(obj, Graph | Tensor):
        record = of_graph(obj) if isinstance(obj, Graph) else of_tensor(obj)
        notes = numbered(marked, record.nodes, record.serials)
        scene = _recorded(
            record, view, steps, level, Numbers(record, values, gradients), notes, look, force
        )
    else:
        if values or gradients:
            raise ValueError(
                f"draw: {type(obj).__name__} holds no numbers; values= and gradients= are for a "
                "tensor, such as the loss of rnn.run(..., unfolded=True)"
            )
        shown = choose(4 if steps is None else steps)
        folded = _fold(obj)
        named = weights.labels(folded) if on_edges else {}
        notes = numbered(marked, folded.step.nodes, {})
        scene = _folded(folded, view, shown, level or "cell", notes, look, force, named)
        name = getattr(obj, "label", "")
        scene.title = (
            scene.title if not name or level in (None, "cell") else f"{name}, {scene.title}"
        )
    if title:
        left, _, right, top = scene.bounds()
        scene.texts.append(Text((left + right) / 2, top + 20, words(title), 16, bold=True))
        scene.title = title
    return Drawing(scene, layout, engine)


def _fold(obj: Any) -> Folded:
    if isinstance(obj, Folded):
        return obj
    made = obj.folded() if callable(getattr(obj, "folded", None)) else None
    if not isinstance(made, Folded):
        raise TypeError(
            f"draw takes a cell, a folded graph, a traced graph or a tensor, got {obj!r:.60}"
        )
    return made


def _folded(
    folded: Folded,
    view: str | None,
    steps: Steps,
    level: str,
    notes: Mapping[int, str],
    style: Style,
    force: bool,
    on_edges: textbook.Weights,
) -> Scene:
    quotient = cells(folded) if level == "cell" else operations(folded, level)
    _small_enough(len(quotient.blocks) * (len(steps.shown) if view != "folded" else 1), force)
    if level == "cell":
        scene = _textbook(quotient, view, steps, style, on_edges)
    else:
        amount = {"op": "every operation", "gate": "gates"}[level]
        count = "one step" if view != "unfolded" else f"{steps.total} steps"
        scene = Scene(f"{count}, {amount}", f"{count}: {textbook.describe(quotient)}.", style)
        if view == "unfolded":
            diagram.unfolded(quotient, folded.step.nodes, steps, scene, tags=level == "op")
        else:
            diagram.folded(quotient, folded.step.nodes, scene, tags=level == "op")
    mark(scene, quotient, folded.step.nodes, notes)
    return scene


def _textbook(
    quotient: Quotient, view: str | None, steps: Steps, style: Style, on_edges: textbook.Weights
) -> Scene:
    if view is None:
        return textbook.both(quotient, steps, style, on_edges)
    if view == "folded":
        return textbook.folded(quotient, style, on_edges)
    return textbook.unfolded(quotient, steps, style, on_edges)


def _recorded(
    record: Record,
    view: str | None,
    steps: int | str | Iterable[int] | None,
    level: str | None,
    numbers: Numbers,
    notes: Mapping[int, str],
    style: Style,
    force: bool,
) -> Scene:
    if view == "folded" or level == "cell":
        raise ValueError(
            f"draw: a tensor is drawn as it was computed, not with {'view' if view else 'level'}="
            f"{view or level!r}; draw the cell, or minigrad.fold(minigrad.trace(f, ...))"
        )
    times = record.times
    shown = choose(times[-1] if steps is None else steps, times[-1]) if times else None
    if shown and steps is None and shown.gaps:  # what is marked is not left out
        shown = choose({*shown.shown, *(t for k in notes if (t := record.nodes[k].t))})
    visible = {None, *shown.shown} if shown else {None}
    if level != "gate":  # told before the work is done
        drawn = (n for n in record.nodes if n.op not in ("constant", "alias") and n.t in visible)
        _small_enough(sum(bool(n.inputs) for n in drawn), force)
    made = quotient(
        record.nodes, record.free(), level or "op", None, record.results, record.carried()
    )
    _small_enough(sum(block.step in visible for block in made.blocks), force)
    what = record.nodes[record.results[0]].name or "a graph"
    scene = Scene(f"{what}, made by {len(made.blocks)} operations", style=style)
    scene.description = _told(made, times)
    diagram.recorded(made, record.nodes, shown, scene, numbers, tags=level != "gate")
    numbers.legend(scene)
    mark(scene, made, record.nodes, notes)
    return scene


def _told(made: Quotient, times: list[int]) -> str:
    span = f" over the steps {times[0]} to {times[-1]}" if times else ""
    return f"A recorded graph of {len(made.blocks)} boxes and {len(made.links)} edges{span}."


def _small_enough(count: int, force: bool) -> None:
    if count > LIMIT and not force:
        raise ValueError(
            f"draw: {count:,} boxes are too many to look at (limit {LIMIT:,}); level='cell' or "
            "'gate' draws fewer, steps= chooses time steps, force=True draws them all"
        )


def _known(what: str, given: object, known: tuple[object, ...]) -> None:
    if given not in known:
        names = ", ".join(repr(k) for k in known)
        raise ValueError(f"draw: unknown {what} {given!r}; there are {names}")
