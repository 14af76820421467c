"""The cell line, split: what ∂C⁽ᵗ⁾/∂C⁽ᵏ⁾ owes to the line itself, and what went round through h.

That long-term memories flow without exploding or vanishing is said of the line. It is true while
the forget gate is near 1, and while the way round does not drown it.
Source: Hochreiter and Schmidhuber (1997), Long short-term memory, section 3; Arpit et al. (2019),
h-detach: modifying the LSTM gradient towards better optimization, equation 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from minigrad.core import Array
from rnn.bptt.ladder import default_state, last_step, one_sample, rungs
from rnn.bptt.table import Result, Table
from rnn.cell import Cell


@dataclass(frozen=True, eq=False, repr=False)
class Split(Result):
    """∂C⁽ᵗ⁾/∂C⁽ᵏ⁾ for one t and every k, as a sum of two.

    Attributes:
        cell: its name; `of`: the name of the line, C in an LSTM; `to`: the step t.
        total: all ways, `(T, n, n)`, that of step k at k − 1.
        direct: those along the line's own delayed edge alone; in an LSTM a product of diag f.
    """

    cell: str
    of: str
    to: int
    total: Array
    direct: Array
    axes: ClassVar[Mapping[str, tuple[str, ...]]] = dict.fromkeys(
        ("total", "direct", "roundabout"), ("step k", "unit at t", "unit at k")
    )

    @property
    def roundabout(self) -> Array:
        """All ways that use another delayed edge once at least: total − direct."""
        return self.total - self.direct

    def norms(self) -> Array:
        """The spectral norms of total, direct and roundabout, `(T, 3)`."""
        parts = (self.total, self.direct, self.roundabout)
        return np.stack([np.linalg.norm(x, 2, axis=(-2, -1)) for x in parts], axis=-1)

    @property
    def sentence(self) -> str:
        """Whether the line keeps, and whether the way round drowns it."""
        norms, far = self.norms(), self._order()[-1]
        _, straight, way = (float(x) for x in norms[far - 1])
        steps = abs(self.to - far)
        over = next((k for k in self._order() if norms[k - 1, 2] > norms[k - 1, 1]), None)
        drowned = (
            "that is nowhere more"
            if over is None
            else f"from {abs(self.to - over)} on that is more"
        )
        return (
            f"after {steps} steps {straight:.2g} is left along the line of {self.of}, {way:.2g} by "
            f"the way round; {drowned}"
        )

    def _order(self) -> list[int]:
        T = len(self.total)
        has_past = np.any(self.total[: self.to - 1]) or not np.any(self.total[self.to :])
        return list(range(self.to, 0, -1) if has_past else range(self.to, T + 1))

    def table(self) -> Table:
        """Norms over k."""
        norms = self.norms()
        rows = [(k, abs(self.to - k), *(float(x) for x in norms[k - 1])) for k in self._order()]
        return Table(
            f"∂{self.of}⁽ᵗ⁾/∂{self.of}⁽ᵏ⁾ from t = {self.to}, largest singular values: {self.cell}",
            ("k", "steps", "total", "along the line", "round"),
            tuple(rows),
            (self.sentence,),
        )

    def drawn(self, axes: Any) -> None:
        """The norms over the number of steps, on a logarithmic axis."""
        order = self._order()
        norms = self.norms()[[k - 1 for k in order]]
        norms[norms == 0] = np.nan  # which a logarithmic axis cannot show
        for values, name in zip(norms.T, ("total", "along the line", "round"), strict=True):
            axes.semilogy([abs(self.to - k) for k in order], values, label=name)
        axes.set(xlabel="steps", title=f"‖∂{self.of}⁽ᵗ⁾/∂{self.of}⁽ᵏ⁾‖")
        axes.legend()


def split(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    of: str | None = None,
    to: int | None = None,
    sample: int = 0,
    state: Any = None,
    lengths: Any = None,
) -> Split:
    """∂C⁽ᵗ⁾/∂C⁽ᵏ⁾ as what came along the line of C alone, and what went round.

    Args:
        cell: any with more than one state (with one, nothing goes round).
        params: from `cell.init`.
        xs: the sequence `(T, B, X)`, or class indices `(T, B)`.
        of: the name of the state; the last one if None, C in an LSTM.
        to: the step t; the last if None (the first where all edges run against time).
        sample: which of the B samples.
        state: start values, as `rnn.run` takes them, and chooses them if None.
        lengths: of ragged batches, as `rnn.run` takes them.

    >>> import numpy as np, rnn
    >>> cell = rnn.LSTMCell(2, 8, forget_bias=3.0)
    >>> xs = np.random.default_rng(0).normal(size=(40, 1, 2))
    >>> print(rnn.bptt.split(cell, cell.init(0), xs).sentence)
    after 39 steps 0.2 is left along the line of C, 2.8 by the way round; from 8 on that is more
    """
    run = one_sample(cell, params, xs, sample, state, lengths)
    of = default_state(run) if of is None else of
    to = last_step(run, to)
    line = [r.name for r, k in zip(run.edges, run.made, strict=True) if k == run.node(of)]
    if not line:
        names = ", ".join(r.name for r in run.edges)
        raise ValueError(f"split: {of} is not carried from step to step; there are {names}")
    total, direct = rungs(run, of, of, to), rungs(run, of, of, to, only=line)
    return Split(cell.label, of, to, total, direct)
