"""A run that is studied: the folded graph, what goes into it, and where the loss comes in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import Array
from minigrad.folded import STATE, STATIC, Folded, Recurrence
from minigrad.tree import flatten, leaf_paths
from rnn.bptt.surgery import computed, owned, probed
from rnn.cell import Cell
from rnn.run import lasting, run, starting

Loss = Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class Recorded:
    """A cell on a sequence.

    Attributes:
        cell: any; `folded`: its folded graph, for this batch and precision.
        inputs: the inputs of the folded graph, as `minigrad.scan` takes them.
        params: the dotted names of the parameters, in the order of the static inputs.
        ys: the outputs `(T, B, O)`.
        loss: its value; None where no loss was given.
        seeds: ∂L/∂y⁽ᵗ⁾ `(T, B, O)`: where, and how much, the loss comes in.
        is_ragged: whether samples end at different steps, behind which their states stand still.
    """

    cell: Cell
    folded: Folded
    inputs: tuple[Array, ...]
    params: tuple[str, ...]
    ys: Array
    loss: float | None = None
    seeds: Array | None = None
    is_ragged: bool = False

    @property
    def steps(self) -> int:
        """T."""
        return len(self.ys)

    @cached_property
    def names(self) -> dict[str, int]:
        """The named values of a step, by dotted name: their nodes."""
        return computed(self.folded, self.made)

    @cached_property
    def made(self) -> list[int]:
        """For each delayed edge the node that a step makes for it."""
        step = self.folded.step
        nodes = [step.outputs[r.output] for r in self.edges]
        if not self.is_ragged:
            return nodes
        # What an edge carries is chosen by the flag from what the step makes and what was before.
        inner = [step.nodes[k].inputs[1] for k in nodes]
        return [k if i in step.inputs else i for k, i in zip(nodes, inner, strict=True)]

    @property
    def edges(self) -> tuple[Recurrence, ...]:
        """The delayed edges."""
        return self.folded.recurrences

    def node(self, name: str) -> int:
        """The node of a named value, which may be told by the end of its name."""
        if name in self.names:
            return self.names[name]
        hits = [k for path, k in self.names.items() if path.endswith(f".{name}")]
        if len({*hits}) == 1:
            return hits[0]
        what = "several values are" if hits else "no value is"
        raise LookupError(
            f"{self.cell.label}: {what} named {name}; there are: {', '.join(self.names)}"
        )

    @cached_property
    def values(self) -> dict[str, Array]:
        """Every named value at every step, `(T, B, ...)`."""
        nodes = list(dict.fromkeys(self.names.values()))
        found = mg.scan(probed(self.folded, nodes), self.steps, *self.inputs, *self.zeros(nodes))
        by_node = dict(zip(nodes, found[1:], strict=False))
        return {name: by_node[k] for name, k in self.names.items()}

    @cached_property
    def before(self) -> tuple[Array, ...]:
        """For each delayed edge what it brings to every step, `(T, B, H)`."""
        result = []
        made = [self.folded.step.outputs[r.output] for r in self.edges]
        nodes = list(dict.fromkeys(made))
        found = mg.scan(probed(self.folded, nodes), self.steps, *self.inputs, *self.zeros(nodes))
        for r, node in zip(self.edges, made, strict=True):
            start = self.inputs[r.input]
            start = start[None] if abs(r.delay) == 1 else start
            whole = found[1 + nodes.index(node)]
            if r.delay > 0:
                result.append(np.concatenate([start, whole])[: self.steps])
            else:
                result.append(np.concatenate([whole, start])[-r.delay :][: self.steps])
        return tuple(result)

    def zeros(self, nodes: Sequence[int]) -> list[Array]:
        """Zeros `(T, B, ...)` for what `probed` adds to the nodes."""
        found = [self.folded.step.nodes[k] for k in nodes]
        return [np.zeros((self.steps, *node.shape), node.dtype) for node in found]

    def without_edges(self) -> tuple[Array, ...]:
        """The inputs of the folded graph whose delayed edges are cut: sequences in their place."""
        inputs = list(self.inputs)
        for r, sequence in zip(self.edges, self.before, strict=True):
            inputs[r.input] = sequence
        return tuple(inputs)

    @cached_property
    def gradient(self) -> dict[str, Array]:
        """dL/dW of every parameter by name, by backpropagation through time as `rnn` runs it."""
        count = len(self.params)
        rest = self.inputs[count:]
        run = lambda *weights: mg.scan(self.folded, self.steps, *weights, *rest)[0]
        found = mg.vjp(run, *self.inputs[:count])[1](self.seeded)
        return dict(zip(self.params, found, strict=True))

    @property
    def seeded(self) -> Array:
        """∂L/∂y⁽ᵗ⁾ `(T, B, O)`, which needs a loss."""
        assert self.seeds is not None
        return self.seeds

    @property
    def direction(self) -> int:
        """+1 or −1 if all edges run that way, 0 where they are mixed."""
        signs = {1 if r.delay > 0 else -1 for r in self.edges}
        return signs.pop() if len(signs) == 1 else 0


def recorded(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    loss: Loss | None = None,
    state: Any = None,
    lengths: Any = None,
) -> Recorded:
    """Run a cell on a sequence and keep what a study reads.

    Args:
        cell: any.
        params: from `cell.init`.
        xs: the sequence `(T, B, X)`, or class indices `(T, B)`.
        loss: a function of the outputs `(T, B, O)` that gives a number.
        state: start values, as `rnn.run` takes them, and chooses them if None.
        lengths: of ragged batches, as `rnn.run` takes them.

    >>> import numpy as np, minigrad as mg, rnn
    >>> cell = rnn.RNNCell(2, 3)
    >>> r = recorded(cell, cell.init(0), np.ones((4, 1, 2)), lambda ys: mg.sum(ys[-1]))
    >>> r.steps, list(r.names), r.seeds[:, 0, 0].tolist()
    (4, ['z_h', 'h'], [0.0, 0.0, 0.0, 1.0])
    """
    params, xs, state = mg.tree_map(plain, (params, xs, state))
    # It checks everything, and says by name what does not fit.
    ys, _ = run(cell, params, xs, state, lengths)
    if not len(ys):
        raise ValueError(f"xs has shape {xs.shape}: without a step there is nothing to study")
    order = leaf_paths(cell.init(0))
    given = dict(zip(leaf_paths(params), flatten(params)[0], strict=True))
    weights = [np.asarray(given[path]) for path in order]
    (T, batch), classes, flags = xs.shape[:2], xs.ndim == 2, []
    dtype = ys.dtype
    if lengths is not None:
        lengths = np.asarray(lengths)
        flags = [lasting(lengths, T)[..., None]]
        xs = np.where(flags[0][..., 0], xs, 0) if classes else xs
    starts = starting(cell, params, state, batch, dtype, lengths, T)
    floats = [w.astype(dtype) for w in weights]
    inputs = (*floats, xs if classes else xs.astype(dtype), *flags, *starts)
    folded = owned(cell.folded(batch, dtype, classes, bool(flags)))
    assert folded.inputs[: len(weights)] == (STATIC,) * len(weights)
    assert folded.inputs[len(inputs) - len(starts) :] == (STATE,) * len(starts)
    if loss is None:
        return Recorded(cell, folded, inputs, tuple(order), ys, is_ragged=bool(flags))
    value, seeds = mg.value_and_grad(loss)(ys)
    return Recorded(cell, folded, inputs, tuple(order), ys, float(value), seeds, bool(flags))


def plain(x: Any) -> Any:
    """An array as it is, of a tensor the values."""
    return x.data if isinstance(x, mg.Tensor) else x
