"""Ways past a layer: the input added to its output, or mixed with it by a gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minigrad import named, sigmoid
from minigrad.errors import ShapeError
from rnn.cell import Cell
from rnn.params import Init, constant, glorot
from rnn.wrappers.wrapper import Wrapper, must_be_cell


@dataclass(frozen=True)
class Residual(Wrapper):
    """A cell with its input added to its output: y = x + ỹ (He et al. 2016; Wu et al. 2016).

    What recurs is what the cell makes, without the input.

    >>> import rnn
    >>> deep = rnn.Stack([rnn.LSTMCell(3, 5), Residual(rnn.LSTMCell(5, 5))])
    >>> deep.width
    5
    """

    cell: Cell

    def __post_init__(self) -> None:
        _fits(self)

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """One step of the cell, beside its input."""
        y, new = self.inner(p, x, state)
        return named("y", x + y), *new


@dataclass(frozen=True)
class Highway(Wrapper):
    """A cell with a gate between its output and its input: y = g ⊙ ỹ + (1 − g) ⊙ x.

    g = σ(x W_xg + b_g) (Srivastava et al. 2015, equation 3; over layers of recurrent networks,
    Zilly et al. 2017).

    Args:
        cell: as wide as its input.
        bias: where b_g starts; below 0, most of the input is carried past at first.

    >>> import rnn
    >>> Highway(rnn.RNNCell(4, 4)).init(0)
    Params(W_xh (4, 4), W_hh (4, 4), b_h (4,), W_xg (4, 4), b_g (4,))
    """

    cell: Cell
    bias: float = -1.0

    def __post_init__(self) -> None:
        _fits(self)

    def own_parameters(self) -> dict[str, Init]:
        """W_xg and b_g of the gate."""
        X = self.inputs
        return {"W_xg": glorot(X, X), "b_g": constant(self.bias, X)}

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """One step of the cell, mixed with its input."""
        y, new = self.inner(p, x, state)
        g = named("g", sigmoid(named("z_g", x @ p.W_xg + p.b_g)))
        return named("y", g * y + (1.0 - g) * x), *new


def _fits(wrapper: Wrapper) -> None:
    name, cell = wrapper.label, wrapper.cell
    must_be_cell(name, cell)
    if cell.width != cell.inputs:
        raise ShapeError(
            f"{name}: {cell.label} takes {cell.inputs} columns and gives {cell.width}; "
            "they meet only if they are as many"
        )
