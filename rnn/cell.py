"""What a cell is: sizes, parameters and one time step.

Everything else (unfolding, BPTT, pictures, speed) is made from the graph of `step` (`rnn.step`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from minigrad.captured import Captured, fingerprint
from minigrad.folded import Folded
from minigrad.show import picture
from minigrad.tree import flatten
from rnn.edge import Edge, lags
from rnn.params import Params, nested
from rnn.step import fold_step


class Cell:
    """One step of a recurrent network.

    A subclass is a frozen dataclass of sizes with three things:

    * `state`: the names of the recurrent values, as a tuple, or a dictionary from name to delay, or
      to a tuple of delays, nearest first: with `{"h": (1, 2)}` step takes h⁽ᵗ⁻¹⁾ and h⁽ᵗ⁻²⁾, and
      gives h once;
    * `parameters()`: the name, shape and first values of each parameter;
    * `step(p, x, *state) -> (y, *new_state)`, on rows: x is `(B, X)`, a state `(B, H)`.

    A recurrent value has `self.hidden` columns unless `size(name)` says otherwise.

    >>> import minigrad as mg, rnn
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Leaky(rnn.Cell):
    ...     inputs: int
    ...     hidden: int
    ...     state = ("h",)
    ...     def parameters(self):
    ...         return {"W_xh": rnn.glorot(self.inputs, self.hidden)}
    ...     def step(self, p, x, h):
    ...         h = mg.named("h", 0.9 * h + mg.tanh(x @ p.W_xh))
    ...         return h, h
    >>> Leaky(inputs=3, hidden=5).folded(batch=2)
    <Folded step of 8 nodes, recurrences: h delay 1>
    """

    inputs: int
    state: ClassVar[Any] = ()
    idle: ClassVar[tuple[str, ...]] = ()
    """Parameters without effect on a run, if that is meant (law "every parameter matters")."""
    meanings: ClassVar[Mapping[str, str]] = {}
    """What its named values stand for, in words, for `rnn.bptt.stages`."""

    def parameters(self) -> Mapping[str, Any]:
        """Each parameter's `Init`; nested dictionaries for nested cells."""
        raise NotImplementedError(f"{type(self).__name__} needs parameters()")

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """One time step."""
        raise NotImplementedError(f"{type(self).__name__} needs step(p, x, *state)")

    def size(self, name: str) -> int:
        """The number of columns of a recurrent value."""
        return int(getattr(self, "hidden"))  # noqa: B009  # only cells with state need it

    _repr_svg_ = picture

    @property
    def label(self) -> str:
        """The name under which operations of a run are tagged and drawn."""
        return type(self).__name__

    @property
    def width(self) -> int:
        """The number of columns of the output y."""
        return self.folded(1).output_node(0).shape[-1]

    def edges(self) -> Any:
        """The recurrent values as `Edge`s, nested as the state is."""
        given = self.state if isinstance(self.state, Mapping) else dict.fromkeys(self.state, 1)
        delays = {name: lags(self.label, name, found) for name, found in given.items()}
        return tuple(Edge(k, d, self.size(k), nearer=tuple(n)) for k, (*n, d) in delays.items())

    def init(self, seed: int | np.random.Generator = 0, dtype: Any = float) -> Params:
        """First values: Glorot for input weights, orthogonal for recurrent ones, biases zero.

        Exceptions are documented in the cell, such as the LSTM's forget bias.
        """
        rng = np.random.default_rng(seed)
        leaves, tree = flatten(nested(self.parameters()))
        return tree.unflatten(leaf.draw(rng, leaf.shape).astype(dtype) for leaf in leaves)  # type: ignore[no-any-return]  # Params

    def start(
        self,
        batch: int,
        dtype: Any = float,
        params: Mapping[str, Any] | None = None,
        rng: int | np.random.Generator | None = None,
    ) -> tuple[Any, ...]:
        """The start state for `batch` rows, nested as the cell: each `(B, H)`, or `(d, B, H)` for a
        delay of d > 1 steps. It is zero, but for what is learnt and for masks.

        Args:
            batch: number of rows B.
            dtype: of all of it.
            params: those of the cell, for a start that is learnt (`rnn.LearnedStart`).
            rng: a generator, or a seed for one, that draws the masks (`rnn.Dropout`,
                `rnn.Zoneout`); without it they hold what is expected of them, which is how a
                trained network is used.
        """
        rng = drawing(rng)
        if hasattr(self, "parts"):
            return tuple(
                part.start(batch, dtype, None if params is None else params[name], rng)
                for name, part in self.parts().items()
            )
        leaves, tree = flatten(self.edges())
        return tree.unflatten(edge.first(batch, rng).astype(dtype) for edge in leaves)  # type: ignore[no-any-return]  # a tuple, as edges() is

    def folded(
        self,
        batch: int = 1,
        dtype: Any = float,
        classes: bool | type[np.integer[Any]] = False,
        ragged: bool = False,
        restarts: bool = False,
    ) -> Folded:
        """The folded graph of this cell for `batch` rows.

        Inputs: every parameter (static), x (sequence), every recurrent value at each of its lags
        (state). Outputs: y at every step, then the states, one for each lag.

        Args:
            batch: number of rows B.
            dtype: of parameters and states, and of x unless `classes`.
            classes: x is class indices `(B,)`, of that type, or int; its products with weights
                become row look-ups.
            ragged: after x there is a sequence of flags `(B, 1)`, true where a sample has a step.
            restarts: after the parameters there are the start values of each lag
                (static), and after x and its flags, for each lag, `(B, |d|)` flags: in column j
                true where start value j stands in for a value from before a sample began anew.
        """
        dtype = np.dtype(dtype)
        key = (fingerprint(self), batch, dtype, classes, ragged, restarts)
        with _lock:
            known = _FOLDED.get(key)
            if known is None or not known[0].unchanged():
                made = fold_step(self, state_paths(self), batch, dtype, classes, ragged, restarts)
                known = _FOLDED[key] = Captured(self), made
            _FOLDED.move_to_end(key)
            if len(_FOLDED) > MOST_FOLDED:
                _FOLDED.popitem(last=False)
        return known[1]


def drawing(rng: int | np.random.Generator | None) -> np.random.Generator | None:
    """The generator that was given or seeded; None for no draws."""
    return None if rng is None else np.random.default_rng(rng)


MOST_FOLDED = 64
"""How many folded graphs of cells are kept; what is made of them lives and dies with them."""

_FOLDED: OrderedDict[Any, tuple[Captured, Folded]] = OrderedDict()
_lock = threading.RLock()  # a step may itself run a cell


def state_paths(cell: Cell) -> list[str]:
    """The dotted names of the recurrent values: `h`, `C`, or `layer1.h` in a stack."""
    if not hasattr(cell, "parts"):
        return [edge.name for edge in flatten(cell.edges())[0]]
    return [f"{name}.{path}" for name, part in cell.parts().items() for path in state_paths(part)]
