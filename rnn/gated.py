"""Cells with fewer gates: one that does two gates' work, and a memory cell of coupled gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from minigrad import named
from minigrad.core import Primitive
from rnn.activations import activation, settle
from rnn.cell import Cell
from rnn.cells import LSTMCell, gate_parameters, sizes
from rnn.params import Init, constant


@dataclass(frozen=True)
class MGUCell(Cell):
    """Minimal gated unit: one gate forgets and lets in (Zhou et al. 2016, equations 7 to 9).

    Args:
        inputs, hidden: sizes X and H.
        activation: of h̃.
        gate_activation: of f.

    >>> import viz
    >>> print(viz.equations(MGUCell(3, 4)))
    z_f⁽ᵗ⁾ = W_xf x⁽ᵗ⁾ + W_hf h⁽ᵗ⁻¹⁾ + b_f
    f⁽ᵗ⁾ = σ(z_f⁽ᵗ⁾)
    z_n⁽ᵗ⁾ = W_xn x⁽ᵗ⁾ + W_hn (f⁽ᵗ⁾ ⊙ h⁽ᵗ⁻¹⁾) + b_n
    h̃⁽ᵗ⁾ = tanh(z_n⁽ᵗ⁾)
    h⁽ᵗ⁾ = (1 − f⁽ᵗ⁾) ⊙ h⁽ᵗ⁻¹⁾ + f⁽ᵗ⁾ ⊙ h̃⁽ᵗ⁾
    """

    inputs: int
    hidden: int
    activation: str | Primitive = "tanh"
    gate_activation: str | Primitive = "sigmoid"
    state: ClassVar[Any] = ("h",)
    meanings: ClassVar[Mapping[str, str]] = {
        "f": "percent of the past to replace",
        "h̃": "potential memory",
        "h": "new memory",
    }

    def __post_init__(self) -> None:
        sizes(self, "inputs", "hidden")
        settle(self, "activation", "gate_activation")

    def parameters(self) -> dict[str, Init]:
        """W_x·, W_h·, b_· of f and n."""
        X, H = self.inputs, self.hidden
        return {**gate_parameters("f", X, H), **gate_parameters("n", X, H)}

    def step(self, p: Any, x: Any, h: Any) -> Any:
        """One time step; see the class for the equations."""
        sigma, phi = activation(str(self.gate_activation)), activation(str(self.activation))
        f = named("f", sigma(named("z_f", x @ p.W_xf + h @ p.W_hf + p.b_f)))
        n = named("h̃", phi(named("z_n", x @ p.W_xn + (f * h) @ p.W_hn + p.b_n)))
        h = named("h", (1.0 - f) * h + f * n)
        return h, h


@dataclass(frozen=True)
class CoupledLSTMCell(LSTMCell):
    """Memory cell that forgets as much as it lets in, f = 1 − i (Greff et al. 2017, "CIFG").

    Its arguments are those of `LSTMCell`; b_i starts at −`forget_bias`, so that f starts where the
    forget gate of an `LSTMCell` does.

    >>> import viz
    >>> print(viz.equations(CoupledLSTMCell(3, 4)))
    z_i⁽ᵗ⁾ = W_xi x⁽ᵗ⁾ + W_hi h⁽ᵗ⁻¹⁾ + b_i
    i⁽ᵗ⁾ = σ(z_i⁽ᵗ⁾)
    f⁽ᵗ⁾ = 1 − i⁽ᵗ⁾
    z_c⁽ᵗ⁾ = W_xc x⁽ᵗ⁾ + W_hc h⁽ᵗ⁻¹⁾ + b_c
    C̃⁽ᵗ⁾ = tanh(z_c⁽ᵗ⁾)
    C⁽ᵗ⁾ = f⁽ᵗ⁾ ⊙ C⁽ᵗ⁻¹⁾ + i⁽ᵗ⁾ ⊙ C̃⁽ᵗ⁾
    z_o⁽ᵗ⁾ = W_xo x⁽ᵗ⁾ + W_ho h⁽ᵗ⁻¹⁾ + b_o
    o⁽ᵗ⁾ = σ(z_o⁽ᵗ⁾)
    h⁽ᵗ⁾ = o⁽ᵗ⁾ ⊙ tanh(C⁽ᵗ⁾)
    """

    def parameters(self) -> dict[str, Init]:
        """Those of an `LSTMCell`, without the forget gate's."""
        p = {name: init for name, init in super().parameters().items() if name[-1] != "f"}
        return {**p, "b_i": constant(-self.forget_bias, self.hidden)}

    def step(self, p: Any, x: Any, h: Any, C: Any) -> Any:
        """One time step; see the class for the equations."""
        sigma, phi = activation(str(self.gate_activation)), activation(str(self.activation))
        z_i = x @ p.W_xi + h @ p.W_hi + p.b_i
        if self.peepholes:
            z_i = z_i + C * p.w_ci
        i = named("i", sigma(named("z_i", z_i)))
        f = named("f", 1.0 - i)
        C_new = named("C̃", phi(named("z_c", x @ p.W_xc + h @ p.W_hc + p.b_c)))
        C = named("C", f * C + i * C_new)
        z_o = x @ p.W_xo + h @ p.W_ho + p.b_o
        if self.peepholes:
            z_o = z_o + C * p.w_co
        o = named("o", sigma(named("z_o", z_o)))
        h = named("h", o * phi(C))
        return h, h, C
