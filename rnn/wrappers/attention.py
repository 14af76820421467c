"""A cell that looks back at a sequence which was read before, such as an encoder's outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import named
from minigrad.errors import ShapeError
from minigrad.tree import flatten
from rnn import checks
from rnn.cell import Cell, state_paths
from rnn.checks import whole
from rnn.edge import Edge
from rnn.params import Init, glorot
from rnn.wrappers.noise import kept
from rnn.wrappers.wrapper import Wrapper, must_be_cell


@dataclass(frozen=True)
class Attention(Wrapper):
    """A cell that reads, beside x, a mixture c of the S rows of a memory (Bahdanau et al. 2015).

    k = W_hk h⁽ᵗ⁻¹⁾, a = softmax(e + Mᵀ k), c = M a = Σ_s a_s M_s, and the cell reads [x; c]. The
    score is the "general" one of Luong et al. (2015, equation 8), taken of the state before the
    step as in Bahdanau et al. (equation 6). Memory M and e, which is 0, or −∞ where M is padding,
    are recurrent values that pass themselves on: `attending` puts them into the start state.

    Args:
        cell: reads X + C columns; its first recurrent value is h.
        rows: the most rows S that the memory has.
        columns: C of each.

    >>> import numpy as np, rnn
    >>> encoder, decoder = rnn.GRUCell(3, 4), Attention(rnn.GRUCell(2 + 4, 5), rows=7, columns=4)
    >>> read, _ = rnn.run(encoder, encoder.init(0), np.ones((7, 2, 3)))
    >>> ys, _ = rnn.run(decoder, decoder.init(1), np.ones((3, 2, 2)), decoder.attending(read))
    >>> ys.shape
    (3, 2, 5)
    """

    cell: Cell
    rows: int
    columns: int

    def __post_init__(self) -> None:
        must_be_cell("Attention", self.cell)
        whole("Attention", "rows", self.rows)
        whole("Attention", "columns", self.columns)
        if self.cell.inputs <= self.columns or not flatten(self.cell.edges())[0]:
            raise ShapeError(
                f"Attention: the cell has a state, and reads the columns of x and {self.columns} "
                f"of the memory; {self.cell!r:.80} takes {self.cell.inputs} columns and has "
                f"{len(state_paths(self.cell))} recurrent values"
            )

    @property
    def inputs(self) -> int:  # type: ignore[override]  # what the memory leaves
        """The columns of x alone."""
        return self.cell.inputs - self.columns

    def own_parameters(self) -> dict[str, Init]:
        """W_hk, from h to what is looked for."""
        return {"W_hk": glorot(flatten(self.cell.edges())[0][0].size, self.columns)}

    def own_edges(self) -> tuple[Edge, ...]:
        """M, row after row, and e."""
        return (Edge("M", 1, self.rows * self.columns), Edge("e", 1, self.rows))

    def attending(self, memory: Any, lengths: Any = None, state: Any = None) -> tuple[Any, ...]:
        """The start state with a memory in it, through which gradients flow back.

        Args:
            memory: outputs of another run, `(S, B, C)`, with S at most `rows`.
            lengths: how many steps of each sample are looked at, `(B,)`; all if None.
            state: the rest of the start state, the cell's, in one row; zeros if None.
        """
        memory = checks.tensor_or_array(memory)
        if memory.ndim != 3 or memory.shape[0] > self.rows or memory.shape[2] != self.columns:
            raise ShapeError(
                f"Attention: memory has shape {memory.shape}, wanted "
                f"(S, B, {self.columns}) with S at most {self.rows}"
            )
        steps, batch, _ = memory.shape
        seen = np.full(batch, steps) if lengths is None else checks.lengths(lengths, steps, batch)
        if seen.min() < 1:
            raise ValueError("Attention: a sample of length 0 has nothing to look at")
        padded = np.arange(self.rows) >= seen[:, None]
        e = np.where(padded, -np.inf, 0.0).astype(memory.dtype)
        # What is padding may hold NaN, and 0 times NaN would be in the sum.
        memory = mg.where(padded.T[:steps, :, None], 0.0, memory)
        memory = mg.pad(memory, ((0, self.rows - steps), (0, 0), (0, 0)))
        M = mg.reshape(mg.transpose(memory, (1, 0, 2)), (batch, self.rows * self.columns))
        own = self.cell.start(batch, memory.dtype) if state is None else state
        return (*flatten(own)[0], M, e)

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """One step of the cell on x and what it looks at."""
        *before, M, e = state
        memory = mg.reshape(M, (-1, self.rows, self.columns))
        k = mg.expand_dims(named("k", before[0] @ p.W_hk), -2)
        scores = mg.squeeze(k @ mg.transpose(memory, (0, 2, 1)), -2)
        a = named("a", mg.softmax(e + scores, -1))
        c = named("c", mg.squeeze(mg.expand_dims(a, -2) @ memory, -2))
        y, new = self.inner(p, mg.concatenate([x, c], axis=-1), before)
        return y, *new, kept("M", M), kept("e", e)
