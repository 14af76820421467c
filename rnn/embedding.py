"""Vectors for classes, and weights that serve in two places, such as those vectors read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import minigrad as mg
from minigrad import named
from minigrad.errors import ShapeError
from rnn.cell import Cell
from rnn.cells import sizes
from rnn.params import Init, Params
from rnn.wrappers.wrapper import Wrapper


@dataclass(frozen=True)
class Embedding(Cell):
    """A vector for each class: y = x E for a one-hot row x, the row E[x] for a class index x.

    Args:
        inputs: number of classes V.
        outputs: columns of a vector; its entries start normal, its length near 1.

    >>> import numpy as np, rnn
    >>> net = rnn.Stack([Embedding(30, 4), rnn.GRUCell(4, 5)])
    >>> rnn.run(net, net.init(0), np.array([[7], [29]]))[0].shape
    (2, 1, 5)
    """

    inputs: int
    outputs: int

    def __post_init__(self) -> None:
        sizes(self, "inputs", "outputs")

    def parameters(self) -> dict[str, Init]:
        """E of shape (V, O)."""
        deviation = self.outputs**-0.5
        draw = lambda rng, shape: rng.normal(0.0, deviation, shape)
        return {"E": Init((self.inputs, self.outputs), draw, f"normal, deviation {deviation:.3g}")}

    def step(self, p: Any, x: Any) -> Any:
        """One time step."""
        return (named("o", x @ p.E),)


@dataclass(frozen=True)
class Tied(Wrapper):
    """A cell in which one parameter is another one, or its transpose (Press and Wolf 2017).

    Its gradient is the sum over both places, and it is counted, stored and renewed once.

    Args:
        cell: usually a `Stack`.
        ties: pairs of dotted names: whose place is taken, and by which parameter. The transpose is
            taken where the shapes ask for it; between square matrices nothing is turned.

    >>> import rnn
    >>> net = rnn.Stack([rnn.Embedding(30, 8), rnn.LSTMCell(8, 8), rnn.Dense(8, 30)])
    >>> tied = Tied(net, [("layer3.W", "layer1.E")])
    >>> list(tied.init(0).layer3)
    ['b']
    """

    cell: Cell
    ties: Any

    def __post_init__(self) -> None:
        is_pairs = isinstance(self.ties, list | tuple) and all(
            isinstance(tie, list | tuple) and len(tie) == 2 for tie in self.ties
        )
        if not is_pairs or not self.ties:
            raise TypeError(
                f"Tied takes pairs of names, such as [('layer3.W', 'layer1.E')], got {self.ties!r}"
            )
        object.__setattr__(self, "ties", tuple((str(a), str(b)) for a, b in self.ties))
        known = _shapes(self.cell.parameters())
        taken = [name for name, _ in self.ties]
        for name, source in self.ties:
            for path in (name, source):
                if path not in known:
                    raise ValueError(
                        f"Tied: no parameter {path!r}; there are {', '.join(map(str, known))}"
                    )
            if source in taken or taken.count(name) > 1:
                raise ValueError(f"Tied: {name} = {source}: a tied parameter has one place to be")
            if known[source] not in (known[name], known[name][::-1]):
                raise ShapeError(
                    f"Tied: {name} has shape {known[name]}, {source} has {known[source]}, which "
                    "fits neither as it is nor transposed"
                )

    def parameters(self) -> dict[str, Any]:
        """Those of the cell, without those whose place is taken."""
        return _without(self.cell.parameters(), {name for name, _ in self.ties})

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """One step of the cell."""
        known = _shapes(self.cell.parameters())
        for name, source in self.ties:
            value = p
            for key in source.split("."):
                value = value[key]
            is_turned = known[name] != known[source]
            p = _with(p, name.split("."), mg.transpose(value) if is_turned else value)
        y, new = self.inner(p, x, state)
        return y, *new


def _shapes(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        path = f"{prefix}{key}"
        inner = isinstance(value, Mapping)
        found.update(_shapes(value, f"{path}.") if inner else {path: value.shape})
    return found


def _without(tree: Mapping[str, Any], names: set[str], prefix: str = "") -> dict[str, Any]:
    return {
        key: _without(value, names, f"{prefix}{key}.") if isinstance(value, Mapping) else value
        for key, value in tree.items()
        if f"{prefix}{key}" not in names
    }


def _with(tree: Mapping[str, Any], keys: list[str], value: Any) -> Params:
    first, *rest = keys
    return Params({**tree, first: _with(tree[first], rest, value) if rest else value})
