"""A study that is computed in the page: the program, and where in it everything stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engines.scalars import expanded
from viz.page.javascript import javascript
from viz.page.numbers import Numbers

STEPS, UNITS, INPUTS = 12, 8, 8
"""Up to this size a page computes: what a person looks at number by number."""


@dataclass(frozen=True, eq=False)
class Live:
    """A program in JavaScript, and its layout.

    Attributes:
        functions: the forward pass with the loss and its cotangents; and the backward pass.
        layout: the places in `v` of what goes in and what comes out, as JSON takes it.
    """

    functions: tuple[str, str]
    layout: dict[str, Any]


def live(study: Numbers) -> Live | None:
    """The program of a study at teaching size, None if it is larger, of several samples, or NaN."""
    run = study.run
    if run.ys.shape[1] != 1 or run.steps > STEPS or run.ys.dtype != np.float64:
        return None
    sizes = [x.shape[-1] for x in run.inputs[len(run.params) + 1 :]]
    width = study.xs.shape[2] if study.xs.ndim == 3 else 0
    if not all(np.isfinite(x).all() for x in run.inputs):
        return None
    if max([*sizes, run.ys.shape[-1]]) > UNITS or width > INPUTS:
        return None
    sent = study.messages

    def whole(params: Any, xs: Any, starts: Any, seeds: Any, switches: Any) -> dict[str, Any]:
        found = sent.graph(params, xs, starts, seeds, switches)
        value, seeded = mg.value_and_grad(study.loss)(mg.stack(found["ys"]))
        return {**found, "loss": value, "seeded": seeded}

    given = sent.arguments()
    graph = mg.trace(whole, *given)
    count = len(run.params)
    later = range(len(graph.inputs) - 2 - len(run.edges), len(graph.inputs))
    is_class = study.xs.ndim == 2
    sheet = expanded(graph, {count: given[1]} if is_class else {})
    script = javascript(sheet, later)
    places = graph.out_tree.unflatten(list(script.outputs))
    first, second = script.functions
    inputs: Sequence[Any] = script.inputs
    weights = [np.asarray(w) for w in run.inputs[:count]]
    return Live(
        (first, second),
        {
            "size": script.size,
            "params": [_flat(place) for place in inputs[:count]],
            "shapes": [list(w.shape) for w in weights],
            "weights": [w.reshape(-1).tolist() for w in weights],
            "x": [] if is_class else [_flat(row) for row in inputs[count]],
            "xs": [] if is_class else study.xs.reshape(run.steps, -1).tolist(),
            "starts": [_flat(place) for place in inputs[count + 1 : later[0]]],
            "start": [np.asarray(s).reshape(-1).tolist() for s in given[2]],
            "seeds": [_flat(row) for row in inputs[later[0]]],
            "pushes": [_by_step(inputs[k]) for k in later[1:-1]],
            "edges": [[r.name, r.delay] for r in run.edges],
            "switches": inputs[later[-1]].tolist(),
            "loss": int(places["loss"]),
            "seeded": _by_step(places["seeded"]),
            "values": [_by_step(places["values"][name]) for name in study.names],
            "messages": [_by_step(parts) for parts in places["messages"]],
            "uses": [_by_step(parts) for parts in places["uses"]],
            "stateEdge": _pushed(study),
        },
    )


def _flat(place: Any) -> list[int]:
    return place.reshape(-1).tolist()  # type: ignore[no-any-return]  # of an array of whole numbers


def _by_step(steps: Any) -> list[list[int]]:
    return [_flat(place) for place in steps]


def _pushed(study: Numbers) -> int | None:
    """Which state edge carries the state of the ladder."""
    run = study.run
    if study.state is None:
        return None
    made = run.names[study.state]
    return next(n for n, r in enumerate(run.edges) if run.folded.step.outputs[r.output] == made)
