"""`draw`, for whatever can be drawn, and a door for each: `network`, `schedule`, `record`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from minigrad.core import Tensor
from minigrad.folded import Folded, FoldedAdjoint
from minigrad.graph import Graph
from minigrad.loops.embed import fold
from minigrad.lower.pipeline import planned
from minigrad.lower.schedule import Schedule
from rnn.tasks import Task
from viz import given
from viz.given import Styled
from viz.output.drawing import Drawing, points
from viz.quotients.adjoints import named
from viz.quotients.recorded import of_graph, of_tensor
from viz.scene.label import words
from viz.scene.scene import Scene, Text
from viz.textbook import patterns
from viz.views import scenes
from viz.views.marks import Marked
from viz.views.scenes import Asked

VIEWS = ("folded", "unfolded", "block", "schedule")
LEVELS = ("cell", "gate", "op")


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
    params: str = "tags",
    style: Styled = "print",
    layout: str = "nop2",
    engine: str | None = None,
    title: str = "",
    force: bool = False,
    width: str | None = None,
) -> Drawing:
    """A picture of a network, made from its live graph.

    Args:
        obj: a cell; a folded graph; its adjoint, of which the backward graph is drawn; a schedule;
            a traced graph; a tensor, with all that it was made from; or a modelling task.
        view: "folded", one step with its recurrent edges; "unfolded", a column for every step;
            "block", the block diagram of a gated cell; or "schedule", what runs before, in and
            after each loop over time. None: folded and unfolded side by side at the level "cell",
            else folded; a recorded graph is drawn as it ran.
        steps: number of steps of the unfolded view (4), of which more than 6 are elided: 1, 2, ⋯,
            T. A list or range of steps gives exactly those; "t" the steps t−1, t and t+1.
        level: "cell", circles as in a textbook; "gate", a box for a gate; "op", a box for every
            operation. "cell" for cells and folded graphs, "op" for tensors and traced graphs.
        on_edges: write the weights on the edges, at the level "cell".
        values: write values of tensors: of a scalar the number, of an array mean ± deviation.
        gradients: write norms of gradients, and fill boxes by them; after `loss.backward()`.
        marked: nodes to point out, by their numbers in the graph (of a cell or folded graph, in
            its step; of a schedule, in its step after the passes), or tensors; a mapping writes
            something about each below the picture.
        params: "tags" beside the boxes that read them; or "shared", one node for each parameter
            with edges to all its readers, at the levels "gate" and "op".
        style: "print", "seed" for the colours that the seed's text speaks of, "dark", "grey" to be
            told apart without colour, "transparent"; or a table of what is to be another way, in
            Python or in a TOML file (`viz.scene.tables`).
        layout: "dot" and the like let Graphviz place the boxes.
        engine: "graphviz", "dot" or "pygraphviz" to render SVG by Graphviz too.
        title: written above the picture.
        force: draw however many boxes there are.
        width: on paper, such as "8cm". Columns of operations that would be too small to read there
            are drawn short but for the first, or with a box for a gate, and the picture says so.

    Raises:
        ValueError: an unknown view, level or style; more than 2,000 boxes; a marked node that is
            not shown.
        TypeError: something that is no graph.

    >>> import rnn, viz
    >>> viz.draw(rnn.RNNCell(3, 5, 2), view="folded")
    <Drawing: x, h, o, folded>
    >>> viz.draw(rnn.LSTMCell(3, 5), view="unfolded", steps=100, level="op")
    <Drawing: LSTMCell, 100 steps, every operation>
    >>> viz.draw(rnn.LSTMCell(3, 5), view="schedule")
    <Drawing: LSTMCell, schedule>
    >>> viz.draw(rnn.GRUCell(3, 5), view="block")
    <Drawing: GRUCell, block diagram>
    """
    looks = given.styled("draw", style)
    if not isinstance(title, str):
        raise TypeError(f"draw: title must be a string, got {title!r:.60}")
    asked = Asked(view, steps, level, on_edges, values, gradients, marked, params, looks, force)
    _checked(asked)
    drawing = _drawing(obj, asked, title, layout, engine)
    if width is None:
        return drawing
    wide = points(width)
    for narrower in scenes.narrower(asked, isinstance(obj, Graph | Tensor)):
        if drawing.least() <= wide:
            break
        drawing = _drawing(obj, narrower, title, layout, engine)
    try:
        return drawing.sized(width)
    except ValueError as refused:
        fits = _fitting(obj, asked, wide)
        raise ValueError(f"{refused}{fits and f'; {fits} can be read at {width}'}") from None


def _fitting(obj: Any, asked: Asked, wide: float) -> str:
    """The view of a cell that can be read at a width, if the one that was asked for cannot."""
    if asked.view == "schedule" or isinstance(obj, Graph | Tensor | Schedule | Task):
        return ""
    levels = ("cell", "gate") if asked.level in (None, "cell") else ("gate", "cell")
    for view, level in (("block", None), *(("folded", level) for level in levels)):
        try:
            other = replace(asked, view=view, level=level, on_edges=False, params="tags")
            if _drawing(obj, other, "", "nop2", None).least() <= wide:
                return f"view={view!r}" + (f", level={level!r}" if level else "")
        except ValueError:  # it has no such view
            continue
    return ""


def _drawing(obj: Any, asked: Asked, title: str, layout: str, engine: str | None) -> Drawing:
    """A drawing with its title, as wide as it gets."""
    scene = _scene(obj, asked)
    name = getattr(obj, "label", "")
    if name and (asked.view in ("block", "schedule") or asked.level in ("gate", "op")):
        scene.title = f"{name}, {scene.title}"
    if title:
        left, _, right, top = scene.bounds()
        scene.texts.append(Text((left + right) / 2, top + 20, words(title), 16, bold=True))
        scene.title = title
    return Drawing(scene, layout, engine)


def network(
    obj: Any,
    view: str | None = None,
    steps: int | str | Iterable[int] | None = None,
    level: str = "cell",
    *,
    on_edges: bool = False,
    params: str = "tags",
    marked: Marked = (),
    style: Styled = "print",
) -> Drawing:
    """A cell or folded graph, as `draw` draws it: folded, unfolded or both.

    >>> import rnn
    >>> network(rnn.GRUCell(3, 5), level="gate")
    <Drawing: GRUCell, one step, gates>
    """
    given.choice("network", "view", view, (None, "folded", "unfolded"))
    if isinstance(obj, Tensor | Graph | Schedule):
        raise given.refused("network", "a cell or a folded graph", obj)
    return draw(
        obj, view, steps, level, on_edges=on_edges, params=params, marked=marked, style=style
    )


def schedule(obj: Any, *, marked: Marked = (), style: Styled = "print") -> Drawing:
    """What of a cell or folded graph runs once, and what in loops over time.

    >>> import rnn
    >>> schedule(rnn.LSTMCell(3, 5))
    <Drawing: LSTMCell, schedule>
    """
    return draw(obj, "schedule", marked=marked, style=style)


def record(
    obj: Tensor | Graph,
    steps: int | Iterable[int] | None = None,
    level: str = "op",
    *,
    values: bool = False,
    gradients: bool = False,
    params: str = "tags",
    marked: Marked = (),
    style: Styled = "print",
) -> Drawing:
    """A tensor with all that it was made from, or a traced graph, as it ran.

    >>> import minigrad as mg
    >>> record(mg.named("y", mg.tanh(mg.Tensor(1.0, name="x"))), values=True)
    <Drawing: y, made by 2 operations>
    """
    if not isinstance(obj, Tensor | Graph):
        raise given.refused("record", "a tensor or a traced graph", obj)
    return draw(
        obj, None, steps, level, values=values, gradients=gradients, params=params, marked=marked,
        style=style,
    )  # fmt: skip


def _checked(asked: Asked) -> None:
    """Refuse words and flags that mean nothing."""
    given.choice("draw", "view", asked.view, (None, *VIEWS))
    given.choice("draw", "level", asked.level, (None, *LEVELS))
    given.choice("draw", "params", asked.params, ("tags", "shared"))
    given.flags(
        "draw", on_edges=asked.on_edges, values=asked.values, gradients=asked.gradients,
        force=asked.force,
    )  # fmt: skip


def _scene(obj: Any, asked: Asked) -> Scene:
    """The scene of whatever it is."""
    if isinstance(obj, Graph) and (
        asked.view in ("folded", "block", "schedule") or asked.level == "cell"
    ):
        if asked.marked:
            raise ValueError(
                "draw: marked numbers the nodes of the graph, which are others when it is folded; "
                "draw minigrad.fold(graph) with the numbers of its step, or view=None"
            )
        obj = fold(obj)
    if isinstance(obj, Graph | Tensor):
        return scenes.recorded(of_graph(obj) if isinstance(obj, Graph) else of_tensor(obj), asked)
    if isinstance(obj, Schedule):
        return scenes.scheduled(obj, asked)
    if isinstance(obj, Task):
        scene = patterns.pattern(obj, asked.style)
        patterns.legend(scene)
        return scene
    if asked.view == "schedule":
        return scenes.scheduled(planned(_fold(obj)), asked)
    if asked.view == "block":
        return scenes.block(_fold(obj), asked)
    return scenes.folded(_fold(obj), asked)


def _fold(obj: Any) -> Folded:
    if isinstance(obj, FoldedAdjoint):
        return named(obj)
    return given.folded(
        "draw", obj, "a cell, a folded graph, a schedule, a traced graph or a tensor"
    )
