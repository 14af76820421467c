"""How things scale: work against n, compiled training steps against T, a cell of one's own.

    python -m tests.benchmarks.scaling

One BLAS thread is set here, since a step's time is to be told apart from the waiting of threads.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import statistics
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import minigrad as mg
import rnn
from minigrad.lower.pipeline import prepared
from rnn import Cell
from tests.costs import WALKS, WORK, Work

HIDDEN, BATCH, ROUNDS = 64, 16, 7


@dataclass(frozen=True)
class FeedbackLSTM(Cell):
    """A peephole LSTM whose output is fed back into its gates: a user's own, nothing built in."""

    inputs: int
    hidden: int
    outputs: int
    state: ClassVar[Any] = ("h", "C", "y")

    def size(self, name: str) -> int:
        """The output has its own number of columns."""
        return self.outputs if name == "y" else self.hidden

    def parameters(self) -> dict[str, Any]:
        """Of each gate what it takes from x, h, y and C; and the output's."""
        X, H, Y = self.inputs, self.hidden, self.outputs
        p = {"W_hy": rnn.glorot(H, Y), "b_y": rnn.constant(0, Y)}
        for gate in "fico":
            p[f"W_x{gate}"], p[f"W_h{gate}"] = rnn.glorot(X, H), rnn.orthogonal(H, H)
            p[f"W_y{gate}"], p[f"b_{gate}"] = rnn.glorot(Y, H), rnn.constant(0, H)
            if gate != "c":
                p[f"w_c{gate}"] = rnn.constant(0.1, H)
        return p

    def step(self, p: Any, x: Any, h: Any, C: Any, y: Any) -> Any:
        """The equations as they would be written down."""
        f = mg.sigmoid(x @ p.W_xf + h @ p.W_hf + y @ p.W_yf + p.b_f + C * p.w_cf)
        i = mg.sigmoid(x @ p.W_xi + h @ p.W_hi + y @ p.W_yi + p.b_i + C * p.w_ci)
        new = mg.tanh(x @ p.W_xc + h @ p.W_hc + y @ p.W_yc + p.b_c)
        C = f * C + i * new
        o = mg.sigmoid(x @ p.W_xo + h @ p.W_ho + y @ p.W_yo + p.b_o + C * p.w_co)
        h = o * mg.tanh(C)
        y = mg.tanh(h @ p.W_hy + p.b_y)
        return y, h, C, y


def loss_of(cell: Cell) -> Any:
    """The mean square of all outputs, as a function of parameters and inputs."""
    return lambda p, xs: mg.mean(mg.square(rnn.run(cell, p, xs)[0]))


def step_of(cell: Cell, T: int, batch: int = BATCH) -> tuple[Any, float]:
    """A compiled training step on data of its own, and the seconds of its first answer."""
    xs = np.random.default_rng(0).normal(size=(T, batch, cell.inputs)).astype(np.float32)
    params = cell.init(0).astype(np.float32)
    step, start = mg.compile(mg.value_and_grad(loss_of(cell))), time.perf_counter()
    step(params, xs)
    return lambda: step(params, xs), time.perf_counter() - start


def seconds(*runs: Any) -> list[float]:
    """Seconds of each run, medians of interleaved rounds."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(ROUNDS):
        for run, found in zip(runs, times, strict=True):
            start = time.process_time()
            for _ in range(3):
                run()
            found.append((time.process_time() - start) / 3)
    return [statistics.median(found) for found in times]


def operations(cell: Cell) -> float:
    """Floating-point operations of one step, forward: two for each weight of a product."""
    folded = prepared(cell.folded(BATCH, "float32")).folded
    total = 0.0
    for node in folded.step.nodes:
        size = float(np.prod(node.shape))
        if node.op == "matmul":
            total += 2 * size * folded.step.nodes[node.inputs[0]].shape[-1]
        elif node.op not in ("input", "constant", "index", "reshape", "transpose", "expand_dims"):
            total += size
    return total


def seconds_of(work: Work, n: int) -> float:
    """Seconds of work of size n, the better of two runs."""
    runs, times = [work(n) for _ in range(2)], []
    for run in runs:
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Print the four tables."""
    print("work against n: ms at n = 500, 1000, 2000; twice the size takes … × as long")
    for name, work in {**WALKS, **WORK}.items():
        work(8)()
        once, twice, more = (seconds_of(work, n) for n in (500, 1000, 2000))
        told = ", ".join(f"{1e3 * t:7.1f}" for t in (once, twice, more))
        print(f"  {name:47s} {told}: {twice / once:.1f}, {more / twice:.1f} ×")
    cells: dict[str, Cell] = {
        "RNN": rnn.RNNCell(32, HIDDEN),
        "RNN, both recurrences": rnn.RNNCell(
            32, HIDDEN, 8, ("hidden-to-hidden", "output-to-hidden")
        ),
        "LSTM": rnn.LSTMCell(32, HIDDEN),
        "LSTM, peepholes": rnn.LSTMCell(32, HIDDEN, peepholes=True),
        "GRU": rnn.GRUCell(32, HIDDEN),
        "Stack of two LSTMs": rnn.Stack([rnn.LSTMCell(32, HIDDEN), rnn.LSTMCell(HIDDEN, HIDDEN)]),
        "Bidirectional LSTM": rnn.Bidirectional(rnn.LSTMCell(32, HIDDEN)),
    }
    print(f"H = {HIDDEN}, B = {BATCH}, float32, one thread")
    print("first answer at T = 1000 (loss and gradients)")
    for name, cell in cells.items():
        run, first = step_of(cell, 1000)
        (warm,) = seconds(run)
        print(f"  {name:24s} {first:6.3f} s, of which {warm:.3f} s is the step itself")
    print("time of a step and its buffers against T")
    for name in ("RNN", "LSTM", "GRU"):
        lengths = (500, 1000, 2000, 5000)
        times = seconds(*(step_of(cells[name], T)[0] for T in lengths))
        each = ", ".join(f"{1e6 * t / T:.2f}" for t, T in zip(times, lengths, strict=True))
        print(f"  {name:24s} {each} µs per time step at T = {', '.join(map(str, lengths))}")
    print("a cell of one's own, peepholes and the output fed back: X = 64, H = 128, Y = 16, B = 32")
    own, given = FeedbackLSTM(64, 128, 16), rnn.LSTMCell(64, 128)
    a, b = seconds(step_of(own, 50, 32)[0], step_of(given, 50, 32)[0])
    ratio = (a / operations(own)) / (b / operations(given))
    times = f"{1e3 * a:.2f} ms and {1e3 * b:.2f} ms"
    print(f"  {times} a step of T = 50: {ratio:.2f} × per counted operation")


if __name__ == "__main__":
    main()
