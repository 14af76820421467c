"""Random recurrent programs: plain Python loops over numbers, as a learner writes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad.graph import Graph
from rnn.cells import RECURRENCES

READERS: dict[str, Callable[[list[Any]], Any]] = {
    "all": lambda ys: ys,
    "stacked": mg.stack,
    "reversed": lambda ys: (ys[::-1], mg.sum(mg.stack(ys[::-1]))),
    "the last": lambda ys: mg.exp(ys[-1]),
    "a loss": lambda ys: mg.sum(mg.square(mg.stack(ys))),
    "a sum over steps": lambda ys: mg.exp(mg.add_n(*ys)),
    "both ends": lambda ys: ys[0] * 2.0 + mg.exp(ys[-1]),
    "all but the first": lambda ys: mg.stack(ys[1:] or ys),
}
"""What is made of the outputs."""

FEW = 3
"""Steps with inputs alone, where outputs come later."""


@dataclass(frozen=True)
class Loops:
    """Layers of simple recurrent units over a sequence of numbers.

    Attributes:
        delays: of the recurrences, for each layer.
        ways: +1 and −1 for the directions of every layer.
        kinds: of recurrences.
        start: the start values are "given", "zero", or "absent": then the first step has no term.
        outputs: at "every" step, at the "last" alone, only after a few steps ("late"), or "after"
            a few steps that alone have an input.
        reader: what is made of them.
        given: the sequence is a "list", or an array that is read "outside" of the tagged steps or
            "inside" of them.
        apart: every layer and direction has a scope of its own.
    """

    delays: tuple[int, ...]
    ways: tuple[int, ...]
    kinds: tuple[str, ...]
    start: str
    outputs: str
    reader: str
    given: str
    apart: bool

    def __call__(self, T: int) -> Graph:
        """The trace of T steps."""
        return mg.trace(lambda *args: self.run(T, *args), *self.arguments(T))

    def arguments(self, T: int) -> list[Any]:
        """Weights, inputs and, if they are given, start values."""
        parts = [(d, way) for d in self.delays for way in self.ways]
        xs: Any = np.ones(FEW if self.outputs == "after" else T)
        args: list[Any] = [[[0.5, 0.3, 0.2, 0.4, 0.6] for _ in parts],
                           list(xs) if self.given == "list" else xs]  # fmt: skip
        if self.start == "given":
            args.append([[0.1] * d for d, _ in parts])
        return args

    def run(self, T: int, w: Any, xs: Any, starts: Any = None) -> Any:
        """What is made of the outputs, and values that the next steps would read."""
        steps = range(1, (FEW if self.outputs == "after" else T) + 1)
        inside = self.given == "inside"
        values: dict[int, Any] = {t: None if inside else xs[t - 1] for t in steps}
        ends: list[Any] = []
        n = 0
        for layer, delay in enumerate(self.delays):
            found = []
            for way in self.ways:
                h, o = {}, {}
                if self.start != "absent":
                    before = range(1 - delay, 1) if way > 0 else range(T + 1, T + 1 + delay)
                    h = {t: starts[n][k] if starts else 0.0 for k, t in enumerate(before)}
                    o = dict(h)
                for t in range(1, T + 1)[::way]:
                    with mg.scope(f"layer{layer}{way:+d}" if self.apart else "rnn", t=t):
                        x = xs[t - 1] if layer == 0 and inside and t in values else values.get(t)
                        h[t] = self.state(w[n], x, h.get(t - way * delay), o.get(t - way * delay))
                        if layer + 1 < len(self.delays) or self.shown(t, T):
                            o[t] = self.output(w[n], h[t], o.get(t - way * delay))
                if delay > 1:  # Without these, some steps would make nothing that is wanted.
                    last = range(T - delay + 1, T + 1) if way > 0 else range(1, delay + 1)
                    ends += [v[t] for v in (h, o) for t in last if t in v]
                found.append({t: o[t] for t in range(1, T + 1) if t in o})
                n += 1
            values = found[0] if len(found) == 1 else self.both(*found)
        return READERS[self.reader]([values[t] for t in sorted(values)]), ends

    def shown(self, t: int, T: int) -> bool:
        """Whether a step has an output."""
        return t > FEW if self.outputs in ("late", "after") else self.outputs == "every" or t == T

    def state(self, w: Any, x: Any, h: Any, o: Any) -> Any:
        """z = x w₀ [+ h w₁] [+ o w₂], h = tanh z; terms that do not exist are left out."""
        terms = [] if x is None else [x * w[0]]
        terms += [h * w[1]] if "hidden-to-hidden" in self.kinds and h is not None else []
        terms += [o * w[2]] if "output-to-hidden" in self.kinds and o is not None else []
        z = terms[0]
        for term in terms[1:]:
            z = z + term
        return mg.named("h", mg.tanh(z))

    def output(self, w: Any, h: Any, o: Any) -> Any:
        """o = h w₃ [+ o w₄]."""
        fed = "output-to-output" in self.kinds and o is not None
        return h * w[3] + o * w[4] if fed else h * w[3]

    def both(self, one: dict[int, Any], other: dict[int, Any]) -> dict[int, Any]:
        """The outputs of two directions together."""
        sums = {}
        for t in one:
            with mg.scope("both" if self.apart else "rnn", t=t):
                sums[t] = one[t] + other[t]
        return sums


@st.composite
def loops(draw: st.DrawFn) -> Loops:
    """1–3 layers, delays 1–3, any recurrences, directions, starts, outputs and readers."""
    outputs = draw(st.sampled_from(["every", "every", "last", "late", "after"]))
    every = outputs == "every"
    layers = 1 if outputs == "after" else draw(st.integers(1, 3))
    longest = FEW - 1 if outputs == "after" else 3
    ways: Sequence[int] = draw(st.sampled_from([(1,), (-1,), (1, -1)])) if every else (1,)
    # Against time the last output is the first that is made, and the rest would be for nothing.
    readers = [r for r in sorted(READERS) if r not in ("the last", "both ends") or ways == (1,)]
    if not every:
        readers.remove("both ends")
    kinds = draw(st.sets(st.sampled_from(RECURRENCES), min_size=1).map(sorted))
    return Loops(
        tuple(draw(st.integers(1, longest)) for _ in range(layers)),
        tuple(ways),
        tuple(kinds) if every else ("hidden-to-hidden",),
        draw(st.sampled_from(["given", "zero", "absent"])),
        outputs,
        draw(st.sampled_from(readers)),
        draw(st.sampled_from(["list", "outside", "inside"])),
        draw(st.booleans()),
    )


def by_hand(T: int, backwards: bool = False) -> Graph:
    """A loop over one array, with a loss after it."""

    def f(w: Any, xs: Any) -> Any:
        h, ys = 0.0, []
        scaled = xs * 2.0
        for t in range(1, T + 1):
            with mg.scope("rnn", t=t):
                h = mg.tanh(scaled[T - t if backwards else t - 1] + h * w)
                ys.append(h)
        return mg.sum(mg.stack(ys[::-1])), ys[-1]

    return mg.trace(f, 0.5, np.ones(T))


__all__ = ["FEW", "Loops", "by_hand", "loops"]
