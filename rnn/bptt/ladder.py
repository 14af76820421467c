"""The ladder of Jacobians ∂h⁽ᵗ⁾/∂h⁽ᵏ⁾: whether what a step knew can still be felt later.

One run of the adjoint from step t, for a whole basis at once, gives all rungs. They are checked
against the product of one-step Jacobians, which also bounds them.
Source: Bengio, Simard and Frasconi (1994), Learning long-term dependencies with gradient descent is
difficult; Pascanu, Mikolov and Bengio (2013), equation 5.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import minigrad as mg
from minigrad.core import Array
from rnn.bptt.adjoints import Adjoint
from rnn.bptt.recorded import Recorded, recorded
from rnn.bptt.steps import lyapunov, products, steps_of
from rnn.bptt.surgery import cut, probed
from rnn.bptt.table import Result, Table
from rnn.cell import Cell

FELT = 0.01
"""A gradient counts as surviving while a hundredth of it arrives."""


@dataclass(frozen=True, eq=False, repr=False)
class Ladder(Result):
    """∂v⁽ᵗ⁾/∂u⁽ᵏ⁾ for one t and every k.

    Attributes:
        cell: its name; `of`, `by`: the names of v and u; `to`: the step t.
        jacobians: `(T, n, m)`, that of step k at k − 1; zero where u⁽ᵏ⁾ has no way to v⁽ᵗ⁾.
        singular: their singular values `(T, min(n, m))`, largest first.
        product: the same as the product of one-step Jacobians; None where edges run both ways in
            time, so that there is no such product.
        bound: the product of the norms of its factors, `(T,)`; None as above.
        exponents: finite-time Lyapunov exponents of the state, per step, largest first; None as
            above.
        delay: of the longest delayed edge, without a sign.
    """

    cell: str
    of: str
    by: str
    to: int
    jacobians: Array
    singular: Array
    product: Array | None
    bound: Array | None
    exponents: Array | None
    delay: int = 1
    axes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "jacobians": ("step k", "unit of v", "unit of u"),
        "singular": ("step k", "place"),
        "product": ("step k", "unit of v", "unit of u"),
        "bound": ("step k",),
        "exponents": ("place",),
    }

    @property
    def gains(self) -> Array:
        """The largest singular values `(T,)`: how much of a change can arrive at most."""
        return self.singular[:, 0] if self.singular.size else np.zeros(len(self.singular))

    @property
    def survives(self) -> int | None:
        """The number of steps from which on less than 1 % arrives; None if it never does."""
        felt = [lag for lag, k in enumerate(self._backwards()) if self.gains[k - 1] >= FELT]
        first = felt[-1] + 1 if felt else 0
        return first if first < len(self._backwards()) else None

    @property
    def verdict(self) -> str:
        """By the gain over the whole ladder: "vanishing", "exploding" or "neither"."""
        gain, _ = self._left()
        return "vanishing" if gain < FELT else "exploding" if gain > 1 / FELT else "neither"

    @property
    def sentence(self) -> str:
        """What the numbers say."""
        order = self._backwards()
        if len(order) < 2:
            return "there is only one step, so nothing can vanish or explode"
        gain, steps = self._left()
        said = {
            "vanishing": "vanishes",
            "exploding": "explodes",
            "neither": "neither vanishes nor explodes",
        }[self.verdict]
        lived = "never below 1 %" if self.survives is None else f"below 1 % from {self.survives} on"
        what = f"∂{self.of}/∂{self.by} from t = {self.to}"
        return f"{what} {said}: {gain:.2g} is left after {steps} steps; {lived}"

    def _left(self) -> tuple[float, int]:
        """What is left at the end of the ladder, and after how many steps.

        Where no edge is as short as a step some steps are passed by, and nothing of them is left:
        then it is the farthest of the last d of which something is, d being the longest delay.
        """
        gains = [float(self.gains[k - 1]) for k in self._backwards()]
        end = len(gains) - 1
        last = range(end, max(-1, end - self.delay), -1)
        lag = next((lag for lag in last if gains[lag]), end)
        return gains[lag], lag

    def _backwards(self) -> list[int]:
        """The steps from t on against time, or with it where the edges run that way."""
        T = len(self.jacobians)
        back = list(range(self.to, 0, -1))
        return back if self._has_past() else list(range(self.to, T + 1))

    def _has_past(self) -> bool:
        """Whether a step before t has a way to it, or none after it has."""
        return bool(np.any(self.jacobians[: self.to - 1])) or not np.any(self.jacobians[self.to :])

    def table(self) -> Table:
        """For each k: the largest and the smallest singular value, the bound, the check."""
        rows = []
        for k in self._backwards():
            off = None if self.product is None else _apart(self.jacobians, self.product, k - 1)
            bound = None if self.bound is None else float(self.bound[k - 1])
            values = self.singular[k - 1]
            rows.append((k, abs(self.to - k), float(values[0]), float(values[-1]), bound, off))
        notes = [self.sentence]
        if self.exponents is not None and len(self.exponents):
            rates = ", ".join(f"{x:+.3g}" for x in self.exponents[:4])
            notes.append(f"Lyapunov exponents per step, largest first: {rates}"
                         + (", …" if len(self.exponents) > 4 else ""))  # fmt: skip
        return Table(
            f"∂{self.of}⁽ᵗ⁾/∂{self.by}⁽ᵏ⁾ from t = {self.to}: {self.cell}",
            ("k", "steps", "largest σ", "smallest σ", "bound", "off the product by"),
            tuple(rows),
            tuple(notes),
        )

    def drawn(self, axes: Any) -> None:
        """All singular values over k, on a logarithmic axis, and the bound."""
        order = self._backwards()
        steps = [abs(self.to - k) for k in order]
        axes.semilogy(steps, self.singular[[k - 1 for k in order]], color="C0", linewidth=0.8)
        if self.bound is not None:
            axes.semilogy(steps, self.bound[[k - 1 for k in order]], "k--", label="bound")
            axes.legend()
        axes.set(xlabel="steps", title=f"singular values of ∂{self.of}⁽ᵗ⁾/∂{self.by}⁽ᵏ⁾")


def ladder(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    of: str | None = None,
    by: str | None = None,
    to: int | None = None,
    sample: int = 0,
    state: Any = None,
    lengths: Any = None,
) -> Ladder:
    """∂v⁽ᵗ⁾/∂u⁽ᵏ⁾ for every step k: total derivatives, singular values, what survives.

    Args:
        cell: any.
        params: from `cell.init`.
        xs: the sequence `(T, B, X)`, or class indices `(T, B)`.
        of: the name of v, any named value or state; the last state if None.
        by: the name of u; that of v if None.
        to: the step t; the last if None (the first where all edges run against time).
        sample: which of the B samples.
        state: start values, as `rnn.run` takes them, and chooses them if None.
        lengths: of ragged batches, as `rnn.run` takes them.

    >>> import numpy as np, rnn
    >>> cell = rnn.RNNCell(1, 1)
    >>> p = {"W_xh": np.array([[1.0]]), "W_hh": np.array([[0.5]]), "b_h": np.zeros(1)}
    >>> xs = np.array([1.0, 0.5, 0.25]).reshape(3, 1, 1)
    >>> print(rnn.bptt.ladder(cell, p, xs))
    ∂h⁽ᵗ⁾/∂h⁽ᵏ⁾ from t = 3: RNNCell
    k  steps  largest σ  smallest σ   bound  off the product by
    3      0          1           1       1                   0
    2      1      0.354       0.354   0.354                   0
    1      2     0.0887      0.0887  0.0887                   0
    ∂h/∂h from t = 3 neither vanishes nor explodes: 0.089 is left after 2 steps; never below 1 %
    Lyapunov exponents per step, largest first: -1.33
    """
    run = one_sample(cell, params, xs, sample, state, lengths)
    of = default_state(run) if of is None else of
    by = of if by is None else by
    to = last_step(run, to)
    jacobians = rungs(run, of, by, to)
    singular = np.linalg.svd(jacobians, compute_uv=False)
    product = bound = exponents = None
    if run.direction:
        parts = steps_of(run, of, by)
        product, bound = products(parts, to, run.direction)
        product[to - 1], bound[to - 1] = jacobians[to - 1], singular[to - 1, 0]
        exponents = lyapunov(parts.state[:: run.direction])
    delay = max(abs(edge.delay) for edge in run.edges) if run.edges else 1
    return Ladder(cell.label, of, by, to, jacobians, singular, product, bound, exponents, delay)


def one_sample(
    cell: Cell, params: Mapping[str, Any], xs: Any, sample: int, state: Any, lengths: Any
) -> Recorded:
    """The run of one sample of a batch."""
    if state is not None:
        state = mg.tree_map(lambda s: np.asarray(s)[..., sample : sample + 1, :], state)
    if lengths is not None:
        lengths = np.asarray(lengths)[sample : sample + 1]
    return recorded(cell, params, xs[:, sample : sample + 1], None, state, lengths)


def default_state(run: Recorded, first: bool = False) -> str:
    """The state that is asked about if none is: the last one, C in an LSTM, or the first."""
    if not run.edges:
        raise ValueError(f"{run.cell.label} has no state, so nothing is carried from step to step")
    made = run.made[0 if first else -1]
    return next(name for name, k in run.names.items() if k == made)


def last_step(run: Recorded, to: int | None) -> int:
    """The step t that was asked for: the last if none was, the first where edges run backwards."""
    if to is None:
        return 1 if run.direction < 0 else run.steps
    if not 1 <= to <= run.steps:
        raise ValueError(f"t = {to} is not a step; there are steps 1 to {run.steps}")
    return to


def rungs(run: Recorded, of: str, by: str, to: int, only: Collection[str] | None = None) -> Array:
    """∂v⁽ᵗ⁾/∂u⁽ᵏ⁾ for every k, `(T, n, m)`; by way of some delayed edges only, or of all."""
    v, u = run.node(of), run.node(by)
    folded = probed(run.folded, [u, v])
    inputs = list(run.inputs)
    if only is not None:
        gone = [r.name for r in run.edges if r.name not in only]
        folded = cut(folded, gone)
        for r, sequence in zip(run.edges, run.before, strict=True):
            if r.name in gone:
                inputs[r.input] = sequence
    own = len(run.folded.inputs)
    adjoint = Adjoint(
        folded, run.steps, [*inputs, *run.zeros([u, v])], [own], [len(folded.outputs) - 1]
    )
    shape = run.folded.step.nodes[v].shape
    n = int(np.prod(shape))
    seeds = np.zeros((run.steps, n, *shape), run.ys.dtype)
    seeds[to - 1] = np.eye(n).reshape(n, *shape)
    (found,) = adjoint.rows(n)({len(folded.outputs) - 1: seeds})
    return found.reshape(run.steps, n, -1)


def _apart(a: Array, b: Array, k: int) -> float:
    """The largest difference, in units of the largest entry."""
    scale = float(np.max(np.abs(b[k]), initial=0.0))
    return float(np.max(np.abs(a[k] - b[k]), initial=0.0)) / (scale or 1.0)
