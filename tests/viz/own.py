"""Ten cells that nobody drew for: as their authors would write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import minigrad as mg
import rnn


def weights(**sizes: tuple[int, int]) -> dict[str, Any]:
    return {name: rnn.glorot(*size) for name, size in sizes.items()}


@dataclass(frozen=True)
class TwoLags(rnn.Cell):
    """Reads its state one and two steps back."""

    inputs: int = 3
    hidden: int = 4
    state = ("h", "before")

    def parameters(self):
        X, H = self.inputs, self.hidden
        return weights(W_xh=(X, H), W_hh=(H, H), V_hh=(H, H))

    def step(self, p, x, h, before):
        new = mg.named("h", mg.tanh(x @ p.W_xh + h @ p.W_hh + before @ p.V_hh))
        return new, new, h


class Lagged(TwoLags):
    """Says so."""

    state = {"h": (1, 2)}

    def step(self, p, x, h, before):
        new, *_ = super().step(p, x, h, before)
        return new, new


@dataclass(frozen=True)
class Window(rnn.Cell):
    """Attention over the last four inputs."""

    inputs: int = 3
    hidden: int = 4
    state = ("h", "K")

    def size(self, name):
        return self.hidden * (4 if name == "K" else 1)

    def parameters(self):
        X, H = self.inputs, self.hidden
        return weights(W_k=(X, H), W_q=(H, H), W_ch=(H, H), W_hh=(H, H))

    def step(self, p, x, h, K):
        K = mg.named("K", mg.concatenate([K[:, self.hidden :], x @ p.W_k], axis=-1))
        keys = mg.reshape(K, (-1, 4, self.hidden))
        q = mg.named("q", h @ p.W_q)
        a = mg.named("a", mg.softmax(mg.sum(mg.expand_dims(q, -2) * keys, axis=-1)))
        c = mg.named("c", mg.sum(mg.expand_dims(a, -1) * keys, axis=-2))
        h = mg.named("h", mg.tanh(c @ p.W_ch + h @ p.W_hh))
        return h, h, K


@dataclass(frozen=True)
class Residual(rnn.Cell):
    """Adds to its state what an inner layer makes of it."""

    inputs: int = 3
    hidden: int = 4
    state = ("h",)

    def parameters(self):
        X, H = self.inputs, self.hidden
        return weights(W_xu=(X, H), W_hu=(H, H), W_uh=(H, H))

    def step(self, p, x, h):
        u = mg.named("u", mg.relu(x @ p.W_xu + h @ p.W_hu))
        h = mg.named("h", h + u @ p.W_uh)
        return h, h


@dataclass(frozen=True)
class Highway(rnn.Cell):
    """A recurrent highway (Zilly et al. 2017): one gate between the new and the old."""

    inputs: int = 3
    hidden: int = 4
    state = ("s",)

    def parameters(self):
        X, H = self.inputs, self.hidden
        return weights(W_xg=(X, H), W_sg=(H, H), W_xt=(X, H), W_st=(H, H))

    def step(self, p, x, s):
        g = mg.named("g", mg.tanh(x @ p.W_xg + s @ p.W_sg))
        t = mg.named("t", mg.sigmoid(x @ p.W_xt + s @ p.W_st))
        s = mg.named("s", g * t + s * (1.0 - t))
        return s, s


@dataclass(frozen=True)
class Zoneout(rnn.Cell):
    """Keeps a part of its old state, as at test time (Krueger et al. 2017)."""

    inputs: int = 3
    hidden: int = 4
    state = ("h",)

    def parameters(self):
        X, H = self.inputs, self.hidden
        return {**weights(W_xh=(X, H), W_hh=(H, H)), "b_h": rnn.constant(0.1, H)}

    def step(self, p, x, h):
        new = mg.named("ĥ", mg.tanh(x @ p.W_xh + h @ p.W_hh + p.b_h))
        h = mg.named("h", 0.15 * h + 0.85 * new)
        return h, h


@dataclass(frozen=True)
class Peeping(rnn.Cell):
    """An LSTM with peepholes by names of its own, its operands the other way round."""

    inputs: int = 3
    hidden: int = 4
    state = ("s", "m")

    def parameters(self):
        X, H = self.inputs, self.hidden
        found = weights(**{f"U_{k}": (X, H) for k in "kwns"}, **{f"V_{k}": (H, H) for k in "kwns"})
        return {**found, "p_k": rnn.constant(0.2, H), "p_s": rnn.constant(-0.2, H)}

    def step(self, p, x, s, m):
        keep = mg.named("keep", mg.sigmoid(x @ p.U_k + s @ p.V_k + m * p.p_k))
        write = mg.named("write", mg.sigmoid(x @ p.U_w + s @ p.V_w))
        new = mg.named("new", mg.tanh(x @ p.U_n + s @ p.V_n))
        m = mg.named("m", new * write + m * keep)
        show = mg.named("show", mg.sigmoid(x @ p.U_s + s @ p.V_s + m * p.p_s))
        s = mg.named("s", mg.tanh(m) * show)
        return s, s, m


@dataclass(frozen=True)
class MGU(rnn.Cell):
    """Minimal gated unit (Zhou et al. 2016)."""

    inputs: int = 3
    hidden: int = 4
    state = ("h",)

    def parameters(self):
        X, H = self.inputs, self.hidden
        return weights(W_xf=(X, H), W_hf=(H, H), W_xh=(X, H), W_hh=(H, H))

    def step(self, p, x, h):
        f = mg.named("f", mg.sigmoid(x @ p.W_xf + h @ p.W_hf))
        new = mg.named("h̃", mg.tanh(x @ p.W_xh + (f * h) @ p.W_hh))
        h = mg.named("h", (1.0 - f) * h + f * new)
        return h, h


@dataclass(frozen=True)
class Blend(rnn.Cell):
    """A gated cell of any build: its line, what weighs it, and what its candidate reads.

    Args:
        memory: a state of its own on the line, of which a gate shows a part.
        weighs: "two" gates, or "keep" or "write", one gate of which the other is 1 minus it.
        reset: "" for none, "before" or "after" the product, "same" for the gate on the line.
        turned: the operands of products and sums the other way round.
    """

    inputs: int = 3
    hidden: int = 4
    memory: bool = False
    weighs: str = "keep"
    reset: str = ""
    turned: bool = False

    @property
    def state(self):
        return ("h", "C") if self.memory else ("h",)

    def parameters(self):
        X, H = self.inputs, self.hidden
        return weights(**{f"W_{k}{g}": (X if k == "x" else H, H) for g in "zirno" for k in "xh"})

    def step(self, p, x, h, C=None):
        turn = (lambda a, b: (b, a)) if self.turned else (lambda a, b: (a, b))
        times = lambda a, b: mg.multiply(*turn(a, b))
        plus = lambda a, b: mg.add(*turn(a, b))
        gate = lambda g: mg.named(g, mg.sigmoid(x @ p[f"W_x{g}"] + h @ p[f"W_h{g}"]))
        z = gate("z")
        keep, write = {
            "two": lambda: (z, gate("i")),
            "keep": lambda: (z, 1.0 - z),
            "write": lambda: (1.0 - z, z),
        }[self.weighs]()
        past = h @ p.W_hn
        if self.reset == "after":
            past = times(gate("r"), past)
        elif self.reset:
            past = times(z if self.reset == "same" else gate("r"), h) @ p.W_hn
        n = mg.named("n", mg.tanh(plus(x @ p.W_xn, past)))
        old = C if self.memory else h
        new = mg.named("C" if self.memory else "h", plus(times(keep, old), times(write, n)))
        if not self.memory:
            return new, new
        h = mg.named("h", times(gate("o"), mg.tanh(new)))
        return h, h, new


@dataclass(frozen=True)
class FastWeights(rnn.Cell):
    """A matrix of fast weights, the outer products of its states (Ba et al. 2016)."""

    inputs: int = 3
    hidden: int = 4
    state = ("h", "A")

    def size(self, name):
        return self.hidden ** (2 if name == "A" else 1)

    def parameters(self):
        X, H = self.inputs, self.hidden
        return weights(W_xh=(X, H), W_hh=(H, H))

    def step(self, p, x, h, A):
        H = self.hidden
        outer = mg.expand_dims(h, -1) * mg.expand_dims(h, -2)
        A = mg.named("A", 0.9 * A + 0.5 * mg.reshape(outer, (-1, H * H)))
        z = mg.named("z", x @ p.W_xh + h @ p.W_hh)
        read = mg.sum(mg.reshape(A, (-1, H, H)) * mg.expand_dims(mg.tanh(z), -2), axis=-1)
        h = mg.named("h", mg.tanh(z + read))
        return h, h, A


@dataclass(frozen=True)
class ThreeOutputs(rnn.Cell):
    """Gives a mean, a spread and a flag side by side."""

    inputs: int = 3
    hidden: int = 4
    state = ("h",)

    def parameters(self):
        X, H = self.inputs, self.hidden
        return weights(W_xh=(X, H), W_hh=(H, H), W_m=(H, 2), W_s=(H, 2), W_p=(H, 1))

    def step(self, p, x, h):
        h = mg.named("h", mg.tanh(x @ p.W_xh + h @ p.W_hh))
        mean = mg.named("m", h @ p.W_m)
        spread = mg.named("s", mg.exp(h @ p.W_s))
        flag = mg.named("p", mg.sigmoid(h @ p.W_p))
        return mg.named("y", mg.concatenate([mean, spread, flag], axis=-1)), h


NESTED = rnn.Stack([rnn.Stack([MGU(3, 4), rnn.LSTMCell(4, 4)]), rnn.Bidirectional(Highway(4, 3))])
CELLS = {
    "two lags": TwoLags(), "attention": Window(), "residual": Residual(), "highway": Highway(),
    "zoneout": Zoneout(), "peepholes renamed": Peeping(), "MGU": MGU(),
    "fast weights": FastWeights(),
    "nested stack": NESTED, "three outputs": ThreeOutputs(), "one unit": Peeping(3, 1),
    "eight units": Lagged(3, 8),
}  # fmt: skip
