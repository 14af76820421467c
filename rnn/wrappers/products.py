"""What is done to products with weights, whatever the cell: `x @ p.W` with something for W."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import minigrad as mg
from minigrad import named
from rnn.cell import Cell
from rnn.checks import number
from rnn.params import Init, Params, constant
from rnn.wrappers.wrapper import Wrapper, must_be_cell


@dataclass(frozen=True)
class Product:
    """Stands where a cell reads a weight W: `a @ it` is what a function makes of a and W."""

    W: Any
    make: Callable[[Any, Any], Any]
    __array_ufunc__ = None
    """Arrays and tensors leave `@` to it."""

    def __rmatmul__(self, a: Any) -> Any:
        return self.make(a, self.W)


def recurrent_weights(wrapper: Wrapper) -> list[str]:
    """The names W_h· of what a cell reads its old state by.

    Raises:
        ValueError: it has none, or an output layer, whose W_ho reads the new state.
    """
    cell = wrapper.cell
    found = [name for name in cell.parameters() if name.startswith("W_h")]
    if not found or getattr(cell, "outputs", None):
        raise ValueError(
            f"{wrapper.label}: {cell!r:.80} has no weights W_h· that read nothing but its old "
            "state; wrap a recurrent layer, and put it into a Stack"
        )
    return found


@dataclass(frozen=True)
class LayerNormalised(Wrapper):
    """A cell whose products are normalised over their columns (Ba, Kiros and Hinton 2016, eq. 20).

    In place of a = x W there is g ⊙ (a − μ) / s, s = √(σ² + ε), with mean μ and variance σ² over
    the columns of each row, and likewise for h W; gains g start at 1, the cell's own biases are the
    biases. Each gate has its own μ and s; that of the memory, equation 22, is left out.

    Args:
        cell: with weights W_x· and W_h·, such as `RNNCell`, `LSTMCell`, `GRUCell`.
        epsilon: ε, in place of a division by zero.

    >>> import rnn
    >>> LayerNormalised(rnn.RNNCell(3, 4)).init(0)
    Params(W_xh (3, 4), W_hh (4, 4), b_h (4,), g_xh (4,), g_hh (4,))
    """

    cell: Cell
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        must_be_cell("LayerNormalised", self.cell)
        number("LayerNormalised", "epsilon", self.epsilon)
        if not self.epsilon:
            raise ValueError("LayerNormalised: epsilon must be a number above 0, got 0")
        recurrent_weights(self)

    def own_parameters(self) -> dict[str, Init]:
        """A gain for each product, g_xf for that with W_xf."""
        weights = self.cell.parameters().items()
        return {
            f"g_{name[2:]}": constant(1, init.shape[-1])
            for name, init in weights
            if name.startswith(("W_x", "W_h"))
        }

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """One step of the cell, its products normalised."""
        normal = {}
        for gain in self.own_parameters():
            unit = gain[2:]

            def make(a: Any, W: Any, gain: str = gain, unit: str = unit) -> Any:
                z = named(f"a_{unit}", a @ W)
                z = z - named(f"μ_{unit}", mg.mean(z, -1, keepdims=True))
                s = mg.sqrt(mg.mean(z * z, -1, keepdims=True) + self.epsilon)
                return p[gain] * (z / named(f"s_{unit}", s))

            normal[f"W_{unit}"] = Product(p[f"W_{unit}"], make)
        y, new = self.inner(Params({**p, **normal}), x, state)
        return y, *new
