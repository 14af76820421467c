"""What is done with many of something, for every size n: the work that has to grow with n alone.

`tests/minigrad/test_cost.py` counts it, `tests/benchmarks/scaling.py` times it. Primitives of any
number of operands come from the table of primitives.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import minigrad as mg
import rnn
from minigrad.core import Primitive
from minigrad.folded import SEQUENCE, Folded, phases
from minigrad.testing import draw_case

HOUSE = str(Path(__file__).resolve().parents[1])

Work = Callable[[int], Callable[[], Any]]
"""For a size the run that is measured; what it runs on is made before."""


def cost(run: Callable[[], Any]) -> tuple[int, int]:
    """The lines of Python that a run goes through, and the bytes that they allocate.

    A copy of all operands at each of them is one line, but its bytes tell. What C does without
    allocating is not seen.
    """
    lines = allocated = before = 0

    def count(frame: Any, event: str, arg: Any) -> Any:
        nonlocal lines, allocated, before
        now, peak = tracemalloc.get_traced_memory()
        lines, allocated, before = lines + 1, allocated + peak - before, now
        tracemalloc.reset_peak()
        return count if frame.f_code.co_filename.startswith(HOUSE) else None

    others = sys.gettrace()  # such as that of coverage
    gc.collect()  # what others left behind would be cleaned up at the cost of this run
    gc.disable()
    tracemalloc.start()
    sys.settrace(count)
    try:
        run()
    finally:
        sys.settrace(others)
        tracemalloc.stop()
        gc.enable()
    return lines, allocated


# --- primitives of any number of operands -------------------------------------------------------


def _operands(primitive: Primitive) -> tuple[dict[str, Work], dict[str, Work]]:
    """What is done with an operation of n operands: the walks themselves, and what builds on them.

    A copy of all operands at each of them is seen in a walk alone, and only where n is large.
    """

    def work(make: Callable[[Any, list[Any]], Callable[[], Any]]) -> Work:
        def sized(n: int) -> Callable[[], Any]:
            case = draw_case(primitive, Random(n), n)
            return make(case.apply, case.points())

        return sized

    def of(f: Any) -> Any:
        return lambda *xs: mg.sum(mg.square(f(*xs)))

    def gradient(f: Any, xs: list[Any]) -> Any:
        return mg.grad(of(f), range(len(xs)))

    def of_gradient(f: Any, xs: list[Any]) -> Any:
        pulled = gradient(f, xs)
        return lambda *xs: mg.add_n(*(mg.sum(mg.square(g)) for g in pulled(*xs)))

    def named(about: dict[str, Any]) -> dict[str, Work]:
        return {f"{primitive.name}: {name}": work(make) for name, make in about.items()}

    walks = {
        "one tensor among arrays": lambda f, xs: lambda: f(mg.Tensor(xs[0]), *xs[1:]),
        "gradient": lambda f, xs: lambda: gradient(f, xs)(*xs),
        "jvp": lambda f, xs: lambda: mg.jvp(of(f), xs, xs),
    }
    others = {
        "second derivative": lambda f, xs: lambda: mg.grad(of_gradient(f, xs), range(len(xs)))(*xs),
        "adjoint": lambda f, xs: lambda: mg.adjoint(mg.trace(of(f), *xs)),
        "compiled gradient": lambda f, xs: lambda: mg.compile(gradient(f, xs))(*xs),
    }
    return named(walks), named(others)


VARIADIC = [p for p in mg.PRIMITIVES.values() if p.joint is not None and p.kind != "loop"]
"""Primitives of any number of operands. The inputs of a scan are as many as those of its step."""

WALKS = {name: work for p in VARIADIC for name, work in _operands(p)[0].items()}
"""Forward and backward through an operation of many operands."""


# --- graphs, loops and structures ---------------------------------------------------------------


def chain(x: Any, n: int) -> Any:
    """A graph n operations deep."""
    for k in range(n):
        x = mg.tanh(x) if k % 2 else x * 0.5
    return x


def fan(x: Any, n: int) -> Any:
    """One value that is read n times."""
    return mg.add_n(*(x * float(k) for k in range(n)))


def entries(x: Any, n: int) -> Any:
    """An array that is read entry by entry."""
    return mg.stack([x[k] * 2.0 for k in range(n)])


def _derivatives(f: Callable[[Any, int], Any], x: Callable[[int], Any]) -> dict[str, Work]:
    def loss(n: int) -> Any:
        return lambda x: mg.sum(mg.square(f(x, n)))

    name = str(f.__doc__).partition("\n")[0].rstrip(".")
    return {
        f"{name}: gradient": lambda n: lambda: mg.grad(loss(n))(x(n)),
        f"{name}: hvp": lambda n: lambda: mg.hvp(loss(n), x(n), x(n)),
        f"{name}: adjoint": lambda n: lambda: mg.adjoint(mg.trace(loss(n), x(n))),
        f"{name}: compiled": lambda n: lambda: mg.compile(mg.grad(loss(n)))(x(n)),
    }


def _weights(n: int) -> rnn.Params:
    return rnn.Params({f"w{k}": np.ones(2) for k in range(n)})


def _squares(p: Any) -> Any:
    return mg.add_n(*(mg.sum(mg.square(w)) for w in p.values()))


def _named(n: int) -> mg.Tensor:
    x = mg.Tensor(0.5)
    for k in range(n):
        with mg.scope("run", t=k):
            x = mg.named("h", mg.tanh(x))
    return x


class Step(rnn.Cell):
    """A cell whose step is of size n, in one of several ways."""

    def __init__(self, n: int, kind: str) -> None:
        self.inputs, self.hidden, self.state = (n if kind == "columns" else 2), 2, ("h",)
        self.n, self.kind = n, kind

    def parameters(self) -> dict[str, Any]:
        """As many weights as gates, where there are gates."""
        count = self.n if self.kind in ("gates", "weights") else 1
        return {f"W{k}": rnn.glorot(2, 2) for k in range(count)}

    def step(self, p: Any, x: Any, h: Any) -> Any:
        """One step."""
        if self.kind == "gates":
            h = mg.add_n(*(mg.tanh(h @ W + x) for W in p.values()))
        elif self.kind == "columns":
            h = mg.tanh(h @ p.W0 + mg.add_n(*(x[:, k : k + 1] for k in range(self.n))))
        elif self.kind == "deep":
            h = chain(h @ p.W0 + x, self.n)
        elif self.kind == "before the loop":
            h = mg.tanh(chain(x, self.n) @ p.W0 + h)
        else:
            h = mg.tanh(h @ p.W0 + x)
        return h, h


def _train(cell: rnn.Cell, T: int = 2, unfolded: bool = False, compiled: bool = True) -> Any:
    xs = np.ones((T, 1, cell.inputs))
    step = mg.grad(lambda p: mg.sum(rnn.run(cell, p, xs, unfolded=unfolded)[0]))
    params = cell.init(0)
    return lambda: (mg.compile(step) if compiled else step)(params)


WORK: dict[str, Work] = {
    **{name: work for p in VARIADIC for name, work in _operands(p)[1].items()},
    **_derivatives(chain, lambda n: np.ones(2)),
    **_derivatives(fan, lambda n: np.ones(2)),
    **_derivatives(entries, np.ones),
    "phases of a deep step": lambda n: (
        lambda: phases(Folded(mg.trace(lambda x: chain(x, n), 0.5), (SEQUENCE,), ("every",)))
    ),
    "parameters: gradient": lambda n: lambda: mg.grad(_squares)(_weights(n)),
    "parameters: compiled": lambda n: lambda: mg.compile(mg.grad(_squares))(_weights(n)),
    "parameters: a step of Adam": lambda n: lambda: _adam(_weights(n)),
    "find": lambda n: lambda: mg.find(_named(n), "h", t=3),
    "text": lambda n: lambda: mg.trace(lambda x: chain(x, n), 0.5).text(None),
    "isomorphic": lambda n: lambda: mg.isomorphic(*(mg.trace(lambda x: chain(x, n), 0.5),) * 2),
    "run of a cell of n parameters": lambda n: lambda: _train(Step(n, "weights"), compiled=False)(),
    **{
        f"compiled cell, {kind}": lambda n, kind=kind: _train(Step(max(1, n // 4), kind))
        for kind in ("gates", "columns", "deep", "before the loop")
    },
    "n steps, unfolded": lambda n: _train(rnn.RNNCell(2, 2), n, unfolded=True, compiled=False),
    "n steps, unfolded and compiled": lambda n: _train(rnn.RNNCell(2, 2), n // 2, unfolded=True),
    "unfold and fold": lambda n: lambda: mg.fold(mg.unfold(rnn.RNNCell(2, 2).folded(1), n)),
}
"""What is done with many operands, operations, parameters or steps."""


def _adam(params: rnn.Params) -> Any:
    optimizer = rnn.Adam(0.01)
    return optimizer.update(params, params, optimizer.init(params))
