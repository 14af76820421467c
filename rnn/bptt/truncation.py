"""Truncated backpropagation through time: how much of the gradient is left, and what is cut.

Two kinds bear the name. Windows: the sequence is cut into pieces, values are carried over the
cuts, cotangents are not; a loss just behind a cut reaches back no step at all. Sliding: each loss
reaches back k steps, wherever it stands. Readers mistake the first for the second.
Source: Williams and Peng (1990), An efficient gradient-based algorithm for on-line training of
recurrent network trajectories: BPTT(h; h′).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import minigrad as mg
from minigrad.core import Array
from rnn.bptt.adjoints import Adjoint
from rnn.bptt.ledger import one_loss_each
from rnn.bptt.recorded import Loss, Recorded, recorded
from rnn.bptt.surgery import cut
from rnn.bptt.table import ROWS, Result, Table
from rnn.cell import Cell


@dataclass(frozen=True, eq=False, repr=False)
class Truncated(Result):
    """One truncated gradient, and how it stands to the whole one.

    Attributes:
        kind: "windows" or "sliding"; `k1`, `k2`: as in TBPTT(k₁, k₂).
        gradient: by the name of the parameter.
        reach: which loss reaches which use, `(T, T)`, true at `[s − 1, t − 1]`.
        angle: between the two gradients, all parameters as one vector, in degrees; NaN if one is 0.
        ratio: of their norms, truncated to whole.
        bias: ‖truncated − whole‖ / ‖whole‖.
    """

    axes: ClassVar[Mapping[str, tuple[str, ...]]] = {"reach": ("loss step s", "use step t")}

    kind: str
    k1: int
    k2: int
    gradient: Mapping[str, Array]
    reach: Array
    angle: float
    ratio: float
    bias: float

    @property
    def name(self) -> str:
        """TBPTT(k₁, k₂), or sliding(k)."""
        return f"TBPTT({self.k1}, {self.k2})" if self.kind == "windows" else f"sliding({self.k2})"

    def picture(self) -> str:
        """Which loss (rows) reaches which use (columns): ● if it does, · if it is cut off."""
        T = len(self.reach)
        lines = (
            "".join("●" if self.reach[s, t] else "·" if t <= s else " " for t in range(T)).rstrip()
            for s in range(T)
        )
        return "\n".join(lines)

    @property
    def cut(self) -> float:
        """The share of the pairs of loss step and use step that no longer meet."""
        pairs = len(self.reach) * (len(self.reach) + 1) / 2
        return float(pairs - self.reach.sum()) / pairs

    def table(self) -> Table:
        """Angle, norm, bias and cut; of short sequences the picture, too."""
        row = (f"{self.angle:.3g}°", self.ratio, self.bias, f"{100 * self.cut:.0f} %")
        drawn = self.picture().split("\n") if len(self.reach) <= ROWS else []
        told = ["each loss step s (a row) reaches the use steps t with ●; at · it is cut off"]
        header = ("angle to the whole gradient", "norm", "bias", "cut")
        title = f"{self.name}, T = {len(self.reach)}"
        return Table(title, header, (row,), (*told * bool(drawn), *drawn))

    def drawn(self, axes: Any) -> None:
        """Which loss reaches which use, and dashed what is cut."""
        past = np.tri(len(self.reach), dtype=bool)
        for s, row in enumerate(self.reach):
            for uses, how in ((row, "C0-"), (past[s] & ~row, "C3--")):
                (steps,) = np.nonzero(uses)
                if steps.size:
                    axes.plot(steps[[0, -1]] + [0.6, 1.4], [s + 1, s + 1], how)
        axes.set(xlabel="use step t", ylabel="loss step s", title=f"{self.name}: dashed is cut")


@dataclass(frozen=True, eq=False, repr=False)
class Truncation(Result):
    """Truncated gradients as k grows, in both kinds.

    Attributes:
        cell: its name; `steps`: T.
        whole: the gradient without truncation, by the name of the parameter.
        windows, sliding: for each k.
    """

    cell: str
    steps: int
    whole: Mapping[str, Array]
    windows: tuple[Truncated, ...]
    sliding: tuple[Truncated, ...]
    axes: ClassVar[Mapping[str, tuple[str, ...]]] = {"reach": ("loss step s", "use step t")}

    @property
    def sentence(self) -> str:
        """By how much windows of k steps are off, beside spans of k steps, for the middle k."""
        w, s = (kind[len(kind) // 2] for kind in (self.windows, self.sliding))
        return (
            f"windows of {w.k2} steps are off by {w.bias:.0%} of the gradient, spans of {w.k2} "
            f"steps that slide by {s.bias:.0%}"
        )

    def table(self) -> Table:
        """For each k: angle and norm ratio of both kinds, and the share of pairs that is cut."""
        rows = []
        for w, s in zip(self.windows, self.sliding, strict=True):
            rows.append(
                (w.k2, f"{w.angle:.3g}°", w.ratio, w.bias, f"{100 * w.cut:.0f} %",
                 f"{s.angle:.3g}°", s.ratio, s.bias, f"{100 * s.cut:.0f} %")
            )  # fmt: skip
        return Table(
            f"truncated against the whole gradient, T = {self.steps}: {self.cell}",
            ("k", "windows: angle", "norm", "bias", "cut",
             "sliding: angle", "norm", "bias", "cut"),
            tuple(rows),
            ("norm and bias are relative to the whole gradient; cut is the share of the pairs of "
             "loss step and use step that no longer meet",
             self.sentence),
        )  # fmt: skip

    def drawn(self, axes: Any) -> None:
        """The bias of both kinds over k."""
        for kind, found in (("windows", self.windows), ("sliding", self.sliding)):
            axes.plot([x.k2 for x in found], [x.bias for x in found], ".-", label=kind)
        axes.set(xlabel="k", ylabel="‖truncated − whole‖ / ‖whole‖", title=self.cell)
        axes.legend()


def truncation(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    loss: Loss,
    ks: Sequence[int] | None = None,
    state: Any = None,
    lengths: Any = None,
) -> Truncation:
    """The truncated gradient against the whole one as k grows: windows of k steps, and sliding.

    Args:
        cell: any whose edges run forward in time.
        params: from `cell.init`.
        xs: the sequence `(T, B, X)`, or class indices `(T, B)`.
        loss: a function of the outputs `(T, B, O)` that gives a number.
        ks: numbers of steps; 1, 2, 5, 10, 20, … and T if None.
        state: start values, as `rnn.run` takes them, and chooses them if None.
        lengths: of ragged batches, as `rnn.run` takes them.

    >>> import numpy as np, minigrad as mg, rnn
    >>> cell = rnn.RNNCell(1, 1)
    >>> p = {"W_xh": np.array([[1.0]]), "W_hh": np.array([[0.5]]), "b_h": np.zeros(1)}
    >>> xs = np.array([1.0, 0.5, 0.25, 0.125]).reshape(4, 1, 1)
    >>> found = rnn.bptt.truncation(cell, p, xs, lambda ys: mg.sum(ys), ks=[2])
    >>> print(found.windows[0].picture())
    ●
    ●●
    ··●
    ··●●
    >>> print(found.sliding[0].picture())
    ●
    ●●
    ·●●
    ··●●
    """
    run = recorded(cell, params, xs, loss, state, lengths)
    T = run.steps
    if ks is None:
        ks = sorted({*(k for e in (1, 10, 100, 1000) for k in (e, 2 * e, 5 * e) if k < T), T})
    found = _masked(run, [*((k, k) for k in ks), *((1, k) for k in ks)])
    return Truncation(cell.label, T, run.gradient, tuple(found[: len(ks)]), tuple(found[len(ks) :]))


def truncated(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    loss: Loss,
    k1: int,
    k2: int,
    state: Any = None,
    lengths: Any = None,
) -> Truncated:
    """The gradient by TBPTT(k₁, k₂): after every k₁ steps, of their losses, back over the last k₂.

    k₁ = k₂ are windows that are carried on; k₁ = 1 is the sliding kind, each loss reaches back k₂.

    Args:
        cell: any whose edges run forward in time.
        params: from `cell.init`.
        xs: the sequence `(T, B, X)`, or class indices `(T, B)`.
        loss: a function of the outputs `(T, B, O)` that gives a number.
        k1: steps from one backward run to the next.
        k2: steps that one goes back, at least k₁.
        state: start values, as `rnn.run` takes them, and chooses them if None.
        lengths: of ragged batches, as `rnn.run` takes them.

    >>> import numpy as np, minigrad as mg, rnn
    >>> cell = rnn.LSTMCell(2, 3)
    >>> p, xs = cell.init(0), np.ones((6, 1, 2))
    >>> rnn.bptt.truncated(cell, p, xs, lambda ys: mg.sum(ys), 6, 6).bias < 1e-15
    True
    """
    (found,) = _masked(recorded(cell, params, xs, loss, state, lengths), [(k1, k2)])
    return found


def _masked(run: Recorded, kinds: Sequence[tuple[int, int]]) -> list[Truncated]:
    """Truncated gradients: sums over those entries of the ledger that a truncation leaves."""
    if run.edges and run.direction < 1:
        raise ValueError(
            f"truncation: {run.cell.label} has edges that run against time, so no step is the last"
        )
    reaches = np.array([_reach(run.steps, k1, k2) for k1, k2 in kinds])
    gradients = _gradients(run, reaches)
    whole = _vector(run.gradient)
    full = float(np.linalg.norm(whole))
    result = []
    for (k1, k2), reach, gradient in zip(kinds, reaches, gradients, strict=True):
        found = _vector(gradient)
        kind = "sliding" if k1 == 1 and k2 > 1 else "windows"
        ratio, bias = (
            (float(np.linalg.norm(x)) / full if full else float("nan"))
            for x in (found, found - whole)
        )
        result.append(Truncated(kind, k1, k2, gradient, reach, _angle(found, whole), ratio, bias))
    return result


def _reach(T: int, k1: int, k2: int) -> Array:
    """Which loss (rows) reaches which use (columns)."""
    if not 1 <= k1 <= k2:
        raise ValueError(f"truncation: wanted 1 ≤ k1 ≤ k2, got k1 = {k1}, k2 = {k2}")
    s, t = np.arange(T)[:, None], np.arange(T)
    # A last block that is short goes back as far as if it were whole.
    end = s - s % k1 + k1
    return (t <= s) & (t >= end - k2)


def _gradients(run: Recorded, reaches: Array) -> list[dict[str, Array]]:
    """For each table of who reaches whom the gradient that is left.

    A loss reaches the weights of a step through its output and through the values that it hands on.
    What arrives there is linear in the losses, so it is added up first, over those that reach the
    step; and steps that are cut apart take it to the weights in one run for each table.
    """
    T, count = run.steps, len(run.params)
    apart, given = cut(run.folded), run.without_edges()
    made = lambda *weights: mg.scan(apart, T, *weights, *given[count:])
    pull = mg.vjp(made, *given[:count])[1]
    arriving = _arriving(run, reaches)
    gradients = (pull([run.seeded, *(x[k] for x in arriving)]) for k in range(len(reaches)))
    return [dict(zip(run.params, gradient, strict=True)) for gradient in gradients]


def _arriving(run: Recorded, reaches: Array) -> list[Array]:
    """What comes over each delayed edge back to every step, from those losses that reach it.

    For each table of who reaches whom, `(K, T, B, H)`.
    """
    K, T = reaches.shape[:2]
    adjoint = Adjoint(run.folded, T, run.inputs, [r.input for r in run.edges], [0])
    n = adjoint.at_once(T)
    pull = adjoint.rows(n)
    shapes = [run.folded.input_node(r.input).shape for r in run.edges]
    totals = [np.zeros((T, K, int(np.prod(shape))), run.ys.dtype) for shape in shapes]
    for steps, seeds in one_loss_each(run, n):
        masks = np.moveaxis(reaches[:, steps], 2, 0).astype(run.ys.dtype)
        for r, total, found in zip(run.edges, totals, pull({0: seeds}), strict=True):
            last = max(T - r.delay, 0)  # what step t + d reads was made at t
            rows = found[r.delay :, : len(steps)].reshape(last, len(steps), total.shape[2])
            total[:last] += masks[:last] @ rows
    return [
        np.moveaxis(total.reshape(T, K, *shape), 1, 0)
        for total, shape in zip(totals, shapes, strict=True)
    ]


def _vector(gradient: Mapping[str, Array]) -> Array:
    return np.concatenate([np.zeros(0), *(g.ravel() for g in gradient.values())])


def _angle(a: Array, b: Array) -> float:
    """Between two vectors, in degrees, accurate for small ones too (Kahan)."""
    if not np.any(a) or not np.any(b):
        return float("nan")
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    return float(np.degrees(2 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b))))
