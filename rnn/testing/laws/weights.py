"""Weights: each one matters, hidden units have no order, gates saturate, forms and layers agree."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.testing.laws import Broken
from minigrad.tree import flatten, tree_map
from rnn.cell import Cell
from rnn.cells import concatenated
from rnn.compose import Bidirectional, Stack
from rnn.run import run
from rnn.testing.problem import DoesNotApply, Law, Problem, agree, entry, problem
from rnn.wrappers.wrapper import Wrapper

LAWS: dict[str, Law] = {}
law = entry(LAWS)


DRAWS = 8
"""A parameter may be without effect in some draws, as before a relu that is off; not in so many."""


@law("every parameter matters")
def every_parameter_matters(cell: Cell, seed: int) -> None:
    """In one of eight draws, other values of a parameter give other outputs or states.

    A parameter that rightly changes nothing, since a normalisation takes it out or only the loss
    reads it, is named by the cell: `idle = ("b_k",)`. Then it must change nothing.
    """
    named, silent = cell.init(0).named(), idle(cell)
    if unknown := silent - set(named):
        raise Broken(f"idle names {', '.join(sorted(unknown))}, which is no parameter")
    left = dict.fromkeys(named)
    for draw in range(DRAWS):
        rng = np.random.default_rng([seed, draw])
        q = problem(cell, 4, 2, seed + draw)
        wanted = q.run()
        leaves, tree = flatten(q.params)
        for k, path in enumerate(tree.paths()):
            if path not in left:
                continue
            other = [w + rng.normal(size=w.shape) * (n == k) for n, w in enumerate(leaves)]
            found = Problem(cell, tree.unflatten(other), q.xs, q.start).run()
            try:
                agree(found, wanted, path, q.roundings())
            except Broken:
                del left[path]
    if wrong := [path for path in left if path not in silent]:
        raise Broken(f"{', '.join(wrong)}: other values give the same outputs and states")
    if wrong := sorted(silent - set(left)):
        raise Broken(f"{', '.join(wrong)}: named idle, but other values give other results")


def idle(cell: Cell, path: str = "") -> set[str]:
    """The paths of the parameters of which a cell, or a part of it, says that they do nothing."""
    parts = cell.parts() if hasattr(cell, "parts") else {}
    inner = [idle(part, f"{path}{name}.") for name, part in parts.items()]
    inner += [idle(cell.cell, path)] if isinstance(cell, Wrapper) else []
    return {f"{path}{name}" for name in cell.idle}.union(*inner)


@law("hidden permutation")
def hidden_permutation(cell: Cell, seed: int) -> None:
    """Hidden units may stand in any order, if their weights do too."""
    q = problem(cell, 3, 2, seed)
    H = getattr(cell, "hidden", None)
    plain = all(name[:3] in ("W_x", "W_h") or name[:2] in ("b_", "w_", "g_") for name in q.params)
    edges = flatten(cell.edges())[0]
    if not plain or H is None or getattr(cell, "outputs", None) or cell.width != H or not edges:
        raise DoesNotApply("its units are not told apart by the names of its weights")
    order = np.random.default_rng(seed).permutation(H)
    units: Any = lambda s: s[..., order]
    params = type(q.params)(
        (name, units(w)[order] if name.startswith("W_h") else units(w))
        for name, w in q.params.items()
    )
    turned = Problem(cell, params, q.xs, tree_map(units, q.start))
    agree(turned.run(), tree_map(units, q.run()), f"units {order.tolist()}", q.roundings())


@law("saturation")
def saturation(cell: Cell, seed: int) -> None:
    """f = 1, i = 0 carries the memory; f = 0, i = 1 writes it; o = 0 is silent."""
    q = problem(cell, 1, 2, seed)
    if not {"b_f", "b_i", "b_o", "b_c"} <= set(q.params) or tuple(cell.state) != ("h", "C"):
        raise DoesNotApply("it has no gates f, i, o and memory C")
    H = q.params["b_f"].shape

    def gated(f: float, i: float, o: float) -> Any:
        biases = {"b_f": np.full(H, f), "b_i": np.full(H, i), "b_o": np.full(H, o)}
        return Problem(cell, type(q.params)({**q.params, **biases}), q.xs, q.start).run()

    h, C = q.start
    p, high, low = q.params, 800.0, -800.0
    agree(gated(high, low, 0.0)[1][1], C, "carry: C")
    candidate = np.tanh(q.xs[0] @ p["W_xc"] + h @ p["W_hc"] + p["b_c"])
    _, (shown, written) = gated(low, high, high)
    agree(written, candidate, "write: C", q.roundings())
    agree(shown, np.tanh(candidate), "write: h", q.roundings())
    ys, _ = gated(0.0, 0.0, low)
    agree(ys, np.zeros_like(ys), "silent: h", 1)


@law("concatenated = separate")
def concatenated_weights(cell: Cell, seed: int) -> None:
    """[x, h] @ [W_x; W_h] is x @ W_x + h @ W_h."""
    q = problem(cell, 1, 2, seed)
    into = [
        name[3:] for name in q.params if name.startswith("W_x") and f"W_h{name[3:]}" in q.params
    ]
    if not into or not isinstance(q.params[f"W_x{into[0]}"], np.ndarray):
        raise DoesNotApply("it has no weights W_x· and W_h· into one unit")
    rng = np.random.default_rng(seed)
    for unit in into:
        names = [f"W_{s}{unit}" for s in "xho" if f"W_{s}{unit}" in q.params]
        rows = [rng.normal(size=(2, q.params[n].shape[0])) for n in names]
        joined = np.concatenate(rows, 1) @ concatenated(q.params, unit)
        apart = sum(v @ q.params[n] for v, n in zip(rows, names, strict=True))
        agree(joined, apart, f"into {unit}", 16 * q.roundings())


@law("layers compose")
def layers_compose(cell: Cell, seed: int) -> None:
    """A stack is its layers run one after the other; both directions are two runs."""
    q = problem(cell, 4, 2, seed)
    if isinstance(cell, Stack):
        xs, ends = q.xs, []
        for (name, layer), start in zip(cell.parts().items(), q.start, strict=True):
            xs, end = run(layer, q.params[name], xs, start)
            ends.append(end)
        agree(q.run(), (xs, tuple(ends)), "layer by layer", q.roundings())
    elif isinstance(cell, Bidirectional):
        p = q.params
        there, end = run(cell.forward, p["forward"], q.xs, q.start[0])
        # States of several steps stand in the order of the data's time, which is turned here.
        turned: Any = lambda states: tree_map(
            lambda s, edge: s if abs(edge.delay) == 1 else s[::-1], states, cell.backward.edges()
        )
        back, first = run(cell.backward, p["backward"], q.xs[::-1], turned(q.start[1]))
        sides = there, back[::-1]
        merged: Any = {"concat": lambda a, b: np.concatenate([a, b], axis=-1), "sum": np.add,
                       "mul": np.multiply, "ave": lambda a, b: (a + b) / 2}  # fmt: skip
        whole = merged[cell.merge](*sides)
        agree(q.run(), (whole, (end, turned(first))), "direction by direction", q.roundings())
    else:
        raise DoesNotApply("it is one cell")
