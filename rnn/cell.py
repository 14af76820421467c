"""What a cell is: sizes, parameters and one time step, and how its step becomes a folded graph.

Everything else (unfolding, BPTT, pictures, speed) is made from the graph of `step`.
"""

from __future__ import annotations

import inspect
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

import minigrad as mg
from minigrad.captured import Captured, fingerprint
from minigrad.errors import ShapeError
from minigrad.folded import EVERY, SEQUENCE, STATE, STATIC, Folded, Recurrence
from minigrad.graph import Graph, prune, trace_for_all
from minigrad.ops.shapes import shape_of
from minigrad.show import picture
from minigrad.tree import flatten
from rnn.edge import Edge, lags, read
from rnn.params import Params


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
        leaves, tree = flatten(_params(self.parameters()))
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
                made = _fold_step(self, batch, dtype, classes, ragged, restarts)
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


def _params(tree: Mapping[str, Any]) -> Params:
    return Params((k, _params(v) if isinstance(v, Mapping) else v) for k, v in tree.items())


def _fold_step(
    cell: Cell, batch: int, dtype: Any, classes: Any, ragged: bool, restarts: bool
) -> Folded:
    """Trace the step once and say what each input and output is."""
    values, paths = flatten(cell.edges())[0], state_paths(cell)
    edges, state_tree = flatten(read(cell.edges()))
    owner = [n for n, value in enumerate(values) for _ in value.lags]
    inits, params_tree = flatten(_params(cell.parameters()))
    params = params_tree.unflatten(np.full(i.shape, 0.5, dtype) for i in inits)
    kind = int if classes is True else classes
    x = np.zeros(batch, kind) if kind else np.full((batch, cell.inputs), 0.5, dtype)
    flags = [np.ones((batch, 1), bool)] if ragged else []
    again = [np.ones((batch, abs(e.delay)), bool) for e in edges] if restarts else []
    firsts = [np.full(e.first(batch, None).shape, 0.5, dtype) for e in edges] if restarts else []
    states = [np.full((batch, e.size), 0.5, dtype) for e in edges]

    def step(
        p: Any, firsts: list[Any], x: Any, flags: list[Any], again: list[Any], states: list[Any]
    ) -> list[Any]:
        for state, n in zip(states, owner, strict=True):
            state.name = paths[n].rpartition(".")[2]
        x.name = "x"
        rows = mg.astype(mg.one_hot(x, cell.inputs), dtype) if classes else x
        if restarts:
            for begins in again:
                begins.name = "begins"
            states = list(map(_restarted, states, firsts, again))
        if ragged:
            flags[0].name = "alive"
            # Padding may hold anything, NaN too: it is replaced before it can meet a weight.
            rows = rows if classes else mg.where(flags[0], rows, 0.0)
        own = state_tree.unflatten(states)
        _fits(cell, own)
        try:
            result = cell.step(p, rows, *own)
        except ShapeError as error:
            raise ShapeError(f"{cell!r}: in step: {error}") from error
        y, made = _checked(cell, result, batch, dtype)
        new = [made[n] for n in owner]
        if ragged:
            y = mg.where(flags[0], y, 0.0)
            new = [mg.where(flags[0], a, b) for a, b in zip(new, states, strict=True)]
        return [y, *new]

    given = (params, firsts, x, flags, again, states)
    with np.errstate(all="ignore"):  # the values are halves, and none of a run
        graph = trace_for_all(f"{cell!r}: step", step, *given, is_step=True)
    if classes:
        graph = look_up(graph)
    n, more = len(inits) + len(firsts), 1 + len(flags) + len(again)
    first = n + more
    recurrences = [
        Recurrence(1 + k, first + k, edge.delay, paths[n])
        for k, (edge, n) in enumerate(zip(edges, owner, strict=True))
    ]
    return Folded(
        graph,
        (*[STATIC] * n, *[SEQUENCE] * more, *[STATE] * len(edges)),
        (EVERY, *[STATE] * len(edges)),
        tuple(recurrences),
    )


def _restarted(state: Any, first: Any, begins: Any) -> Any:
    """A recurrent value, or a start value where it is from before a sample began anew."""
    for k in range(begins.shape[1]):
        value = first if begins.shape[1] == 1 else first[k]
        state = mg.where(begins[:, k : k + 1], value, state)
    return state


def _fits(cell: Cell, given: tuple[Any, ...]) -> None:
    """Raise unless `step` takes parameters, x and that state."""
    try:
        inspect.signature(cell.step).bind(None, None, *given)
    except TypeError as error:
        known = zip(state_paths(cell), flatten(cell.edges())[0], strict=True)
        told = ", ".join(f"{path} (t{-lag:+d})" for path, edge in known for lag in edge.lags)
        raise TypeError(
            f"{cell!r}: step must take p, x and {told or 'no state'}: {error}"
        ) from None


def _checked(cell: Cell, result: Any, batch: int, dtype: Any) -> tuple[Any, list[Any]]:
    """y and the new states of a step, or an error that names the edge that does not fit."""
    edges, paths = flatten(cell.edges())[0], state_paths(cell)
    if not isinstance(result, tuple) or not result:
        raise TypeError(
            f"{cell!r}: step must return (y, *state), got {type(result).__name__}; "
            "a cell without state returns (y,)"
        )
    y, *rest = result
    new, structure = flatten(tuple(rest))
    if structure.paths() != flatten(cell.edges())[1].paths():
        several = [f"{e.name} at lags {e.lags}" for e in edges if e.nearer]
        raise ValueError(
            f"{cell!r}: step returned {len(new)} new states after y, "
            f"wanted {len(edges)}: {', '.join(paths) or 'none'}"
            + (", in tuples as the state is nested" if len(new) == len(edges) else "")
            + (f"; what is read at several lags is given once: {several[0]}" if several else "")
        )
    if len(shape_of(y)) != 2 or shape_of(y)[0] != batch:
        raise ShapeError(
            f"{cell!r}: step returns y of shape {shape_of(y)}, wanted ({batch}, outputs): "
            "one row a sample"
        )
    for value, path, edge in zip(new, paths, edges, strict=True):
        if shape_of(value) != (batch, edge.size):
            raise ShapeError(
                f"{cell!r}: recurrent edge {path}: step returns {path} of shape "
                f"{shape_of(value)} but takes {path} of shape {(batch, edge.size)}"
            )
        found = getattr(value, "dtype", None)
        if found != dtype:
            raise TypeError(
                f"{cell!r}: recurrent edge {path}: step returns {path} of dtype {found} but "
                f"takes {path} of dtype {dtype}"
            )
    return y, new


def state_paths(cell: Cell) -> list[str]:
    """The dotted names of the recurrent values: `h`, `C`, or `layer1.h` in a stack."""
    edges = flatten(cell.edges())[0]
    return [
        f"{prefix}.{edge.name}" if prefix else edge.name
        for prefix, edge in zip(cell_paths(cell), edges, strict=True)
    ]


def cell_paths(cell: Cell) -> list[str]:
    """For each recurrent value, the path of the cell that owns it inside a nested one."""
    parts = getattr(cell, "parts", None)
    if parts is None:
        return [""] * len(cell.edges())
    return [
        f"{name}.{inner}" if inner else name
        for name, part in parts().items()
        for inner in cell_paths(part)
    ]


def look_up(graph: Graph) -> Graph:
    """Products of one-hot rows with a matrix become row look-ups of the class indices."""
    nodes = list(graph.nodes)

    def classes(k: int) -> int | None:
        while nodes[k].op == "astype":
            k = nodes[k].inputs[0]
        return nodes[k].inputs[0] if nodes[k].op == "one_hot" else None

    for k, node in enumerate(nodes):
        if node.op == "matmul" and (source := classes(node.inputs[0])) is not None:
            nodes[k] = replace(node, op="lookup", inputs=(node.inputs[1], source))
    return prune(nodes, graph.inputs, graph.outputs, graph.in_tree, graph.out_tree)
