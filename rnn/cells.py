"""The cells, each written as the seed text writes its equations.

Samples are rows, so the text's `W_xh x` is `x @ W_xh`. Weights are named by where they come from
and where they go; recurrent ones start orthogonal, those of inputs Glorot, biases at zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import minigrad as mg
from minigrad import named
from minigrad.core import Primitive
from rnn.activations import activation, settle
from rnn.cell import Cell
from rnn.checks import whole
from rnn.params import Init, constant, glorot, orthogonal

RECURRENCES = ("hidden-to-hidden", "output-to-hidden", "output-to-output")


@dataclass(frozen=True)
class RNNCell(Cell):
    """The simple recurrent cell with any mix of the three recurrences (Elman 1990; Jordan 1986).

    z_h = x W_xh [+ h⁽ᵗ⁻¹⁾ W_hh] [+ o⁽ᵗ⁻¹⁾ W_oh] + b_h,  h = σ_h(z_h)
    z_o = h W_ho [+ o⁽ᵗ⁻¹⁾ W_oo] + b_o,                   o = σ_o(z_o)

    Args:
        inputs, hidden: sizes X and H.
        outputs: size O of the output layer; None for a layer of hidden units alone, y = h.
        recurrence: "hidden-to-hidden", "output-to-hidden", "output-to-output", or several.
        activation: σ_h, the name of a function of one tensor entry by entry, or that function.
        output_activation: σ_o; None for the identity (logits, regression).

    >>> import rnn
    >>> rnn.RNNCell(3, 5, 2, recurrence=("hidden-to-hidden", "output-to-hidden")).init(0)
    Params(W_xh (3, 5), W_hh (5, 5), W_oh (2, 5), b_h (5,), W_ho (5, 2), b_o (2,))
    """

    inputs: int
    hidden: int
    outputs: int | None = None
    recurrence: str | Sequence[str] = "hidden-to-hidden"
    activation: str | Primitive = "tanh"
    output_activation: str | Primitive | None = None

    def __post_init__(self) -> None:
        sizes(self, "inputs", "hidden", "outputs")
        chosen = (self.recurrence,) if isinstance(self.recurrence, str) else tuple(self.recurrence)
        for name in chosen:
            if name not in RECURRENCES:
                raise ValueError(
                    f"RNNCell: unknown recurrence {name!r}; there are {', '.join(RECURRENCES)}"
                )
            if name.startswith("output") and self.outputs is None:
                raise ValueError(f"RNNCell: {name} recurrence needs outputs=, the size of o")
        object.__setattr__(self, "recurrence", tuple(n for n in RECURRENCES if n in chosen))
        settle(self, "activation", "output_activation")

    @property
    def state(self) -> tuple[str, ...]:
        """h if hidden units recur, o if outputs do."""
        from_h = "hidden-to-hidden" in self.recurrence
        from_o = any(name.startswith("output") for name in self.recurrence)
        return ("h",) * from_h + ("o",) * from_o

    def size(self, name: str) -> int:
        """H for h, O for o."""
        return self.hidden if name == "h" else int(self.outputs or 0)

    def parameters(self) -> dict[str, Init]:
        """W_xh, b_h and, as switched on, W_hh, W_oh, W_ho, W_oo, b_o."""
        X, H, O = self.inputs, self.hidden, self.outputs
        p = {"W_xh": glorot(X, H)}
        if "hidden-to-hidden" in self.recurrence:
            p["W_hh"] = orthogonal(H, H)
        if "output-to-hidden" in self.recurrence and O is not None:
            p["W_oh"] = orthogonal(O, H)
        p["b_h"] = constant(0, H)
        if O is not None:
            p["W_ho"] = glorot(H, O)
            if "output-to-output" in self.recurrence:
                p["W_oo"] = orthogonal(O, O)
            p["b_o"] = constant(0, O)
        return p

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """One time step; see the class for the equations."""
        before = dict(zip(self.state, state, strict=True))
        z_h = x @ p.W_xh
        if "hidden-to-hidden" in self.recurrence:
            z_h = z_h + before["h"] @ p.W_hh
        if "output-to-hidden" in self.recurrence:
            z_h = z_h + before["o"] @ p.W_oh
        z_h = named("z_h", z_h + p.b_h)
        h = named("h", activation(str(self.activation))(z_h))
        if self.outputs is None:
            return (h, *[h for _ in self.state])
        z_o = h @ p.W_ho
        if "output-to-output" in self.recurrence:
            z_o = z_o + before["o"] @ p.W_oo
        z_o = named("z_o", z_o + p.b_o)
        o = named("o", activation(str(self.output_activation or "identity"))(z_o))
        new = {"h": h, "o": o}
        return (o, *[new[name] for name in self.state])


def sizes(cell: Any, *names: str) -> None:
    """Raise unless these fields of a cell are whole numbers of at least 1."""
    for name in names:
        value = getattr(cell, name)
        if value is None and isinstance(cell, RNNCell) and name == "outputs":
            continue
        whole(type(cell).__name__, name, value)


def gate_parameters(gate: str, inputs: int, hidden: int, bias: float = 0) -> dict[str, Init]:
    """W_x `(X, H)`, W_h `(H, H)` and b `(H,)` of one gate, under its letter."""
    return {
        f"W_x{gate}": glorot(inputs, hidden),
        f"W_h{gate}": orthogonal(hidden, hidden),
        f"b_{gate}": constant(bias, hidden),
    }


@dataclass(frozen=True)
class LSTMCell(Cell):
    """Memory cell with a forget gate (Hochreiter and Schmidhuber 1997; Gers et al. 2000).

    Args:
        inputs, hidden: sizes X and H.
        forget_bias: where b_f starts. With 1 the gate begins near σ(1) = 0.73 instead of 0.5, so
            a gradient survives tens of steps before anything is learnt (Jozefowicz et al. 2015).
        peepholes: gates also see the cell state, through weights per unit (Gers et al. 2002).
        activation: of the candidate, and of the memory when it is shown.
        gate_activation: of f, i and o.

    >>> import rnn
    >>> rnn.LSTMCell(inputs=3, hidden=5).state
    ('h', 'C')
    """

    inputs: int
    hidden: int
    forget_bias: float = 1.0
    peepholes: bool = False
    activation: str | Primitive = "tanh"
    gate_activation: str | Primitive = "sigmoid"
    state: ClassVar[Any] = ("h", "C")
    meanings: ClassVar[Mapping[str, str]] = {
        "f": "percent to remember",
        "i": "percent of it to add",
        "C̃": "potential long-term memory",
        "C": "new long-term memory",
        "o": "percent to show",
        "h": "new short-term memory",
    }

    def __post_init__(self) -> None:
        sizes(self, "inputs", "hidden")
        settle(self, "activation", "gate_activation")

    def parameters(self) -> dict[str, Init]:
        """W_x·, W_h·, b_· of f, i, c and o; with peepholes w_cf, w_ci, w_co."""
        X, H = self.inputs, self.hidden
        p: dict[str, Init] = {}
        for gate in "fico":
            p |= gate_parameters(gate, X, H, self.forget_bias if gate == "f" else 0)
            if self.peepholes and gate != "c":
                p[f"w_c{gate}"] = constant(0, H)
        return p

    def step(self, p: Any, x: Any, h: Any, C: Any) -> Any:
        """The three stages of the text: what to remember, what to add, what to show."""
        sigma, phi = activation(str(self.gate_activation)), activation(str(self.activation))
        z_f = x @ p.W_xf + h @ p.W_hf + p.b_f
        z_i = x @ p.W_xi + h @ p.W_hi + p.b_i
        if self.peepholes:
            z_f, z_i = z_f + C * p.w_cf, z_i + C * p.w_ci
        f = named("f", sigma(named("z_f", z_f)))  # stage 1: the percent to remember
        i = named("i", sigma(named("z_i", z_i)))  # stage 2: the percent of the candidate to add
        C_new = named("C̃", phi(named("z_c", x @ p.W_xc + h @ p.W_hc + p.b_c)))
        C = named("C", f * C + i * C_new)
        z_o = x @ p.W_xo + h @ p.W_ho + p.b_o
        if self.peepholes:
            z_o = z_o + C * p.w_co
        o = named("o", sigma(named("z_o", z_o)))  # stage 3: the percent of the memory to show
        h = named("h", o * phi(C))
        return h, h, C


@dataclass(frozen=True)
class GRUCell(Cell):
    """Gated recurrent unit (Cho et al. 2014).

    z is the update gate: h = (1 − z) ⊙ h̃ + z ⊙ h⁽ᵗ⁻¹⁾.

    Args:
        inputs, hidden: sizes X and H.
        reset: where the reset gate r acts: "after" the product, r ⊙ (h W_hn + b_hn), as in cuDNN
            and PyTorch; or "before" it, (r ⊙ h) W_hn, as in the paper.
        activation: of h̃.
        gate_activation: of r and z.
    """

    inputs: int
    hidden: int
    reset: str = "after"
    activation: str | Primitive = "tanh"
    gate_activation: str | Primitive = "sigmoid"
    state: ClassVar[Any] = ("h",)
    meanings: ClassVar[Mapping[str, str]] = {
        "r": "percent of the past to read",
        "z": "percent of the past to keep",
        "h̃": "potential memory",
        "h": "new memory",
    }

    def __post_init__(self) -> None:
        sizes(self, "inputs", "hidden")
        if self.reset not in ("after", "before"):
            raise ValueError(f"GRUCell: reset is 'after' or 'before', got {self.reset!r}")
        settle(self, "activation", "gate_activation")

    def parameters(self) -> dict[str, Init]:
        """W_x·, W_h·, b_· of r, z and n; b_hn if the reset gate acts after the product."""
        X, H = self.inputs, self.hidden
        p: dict[str, Init] = {}
        for gate in "rzn":
            p |= gate_parameters(gate, X, H)
        if self.reset == "after":
            p["b_hn"] = constant(0, H)
        return p

    def step(self, p: Any, x: Any, h: Any) -> Any:
        """One time step; see the class for the equations."""
        sigma, phi = activation(str(self.gate_activation)), activation(str(self.activation))
        r = named("r", sigma(named("z_r", x @ p.W_xr + h @ p.W_hr + p.b_r)))
        z = named("z", sigma(named("z_z", x @ p.W_xz + h @ p.W_hz + p.b_z)))
        past = r * (h @ p.W_hn + p.b_hn) if self.reset == "after" else (r * h) @ p.W_hn
        n = named("h̃", phi(named("z_n", x @ p.W_xn + past + p.b_n)))
        h = named("h", (1.0 - z) * n + z * h)
        return h, h


@dataclass(frozen=True)
class Dense(Cell):
    """A layer without state, the same at every step: y = σ(x W + b).

    Args:
        inputs, outputs: sizes X and O.
        activation: the name of a function entry by entry; None for the identity.
    """

    inputs: int
    outputs: int
    activation: str | Primitive | None = None

    def __post_init__(self) -> None:
        sizes(self, "inputs", "outputs")
        settle(self, "activation")

    def parameters(self) -> dict[str, Init]:
        """W of shape (X, O) and b of shape (O,)."""
        return {"W": glorot(self.inputs, self.outputs), "b": constant(0, self.outputs)}

    def step(self, p: Any, x: Any) -> Any:
        """One time step."""
        z = named("z", x @ p.W + p.b)
        return (named("o", activation(str(self.activation or "identity"))(z)),)


def concatenated(params: Mapping[str, Any], into: str = "h") -> Any:
    """The weights into a unit as one matrix, `[W_xh; W_hh]` of shape `(X + H, H)`.

    For rows, `[x, h] @ concatenated(p)` equals `x @ W_xh + h @ W_hh`: the two stand on top of each
    other. It is a view made of the same weights: gradients flow to W_xh and W_hh.

    Args:
        params: of an RNN, LSTM or GRU cell.
        into: the target in the names: "h" for W_xh and W_hh, "f" for W_xf and W_hf, and so on.

    >>> import rnn
    >>> rnn.concatenated(rnn.LSTMCell(3, 5).init(0), into="f").shape
    (8, 5)
    """
    names = [f"W_{source}{into}" for source in "xho" if f"W_{source}{into}" in params]
    if not names:
        raise KeyError(f"concatenated: no weights W_·{into} among {', '.join(params)}")
    return mg.concatenate([params[name] for name in names], axis=0)
