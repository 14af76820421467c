"""Eight backward passes that are wrong, each the way people get them wrong, and nothing hidden.

Each is ordinary NumPy: a forward and a backward written by hand, such as `check_vjp` takes.
`minigrad check minigrad.testing.faults` shows what is said of each, and is there to be read: which
line of a report tells which mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

X = np.linspace(-1.0, 1.0, 6).reshape(2, 3)
W, V = np.linspace(0.5, 1.5, 6).reshape(3, 2), np.linspace(-0.5, 1.0, 6).reshape(3, 2)
ROWS = np.array([0, 2, 0])


@dataclass(frozen=True)
class Fault:
    """A forward and its wrong backward.

    Attributes:
        forward: `f(*arrays)`.
        backward: `backward(g, y, *arrays)`, one gradient for each array.
        example_inputs: the arrays that both are checked on.
        time_axis: the axis of the result that counts steps, if one does.

    >>> from minigrad.testing import check_vjp
    >>> fault = bias_averaged_over_the_batch
    >>> try:
    ...     check_vjp(fault.forward, fault.backward, *fault.example_inputs)
    ... except AssertionError as error:
    ...     print(str(error).splitlines()[4].strip())
    it is 0.5 times the right one
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    example_inputs: tuple[Any, ...]
    time_axis: int | None = None

    def __call__(self, *arrays: Any) -> Any:
        """The forward."""
        return self.forward(*arrays)


tanh_slope_at_the_input = Fault(np.tanh, lambda g, y, x: g * (1 - x * x), (X,))

bias_averaged_over_the_batch = Fault(
    lambda x, b: x + b, lambda g, y, x, b: (g, g.mean(axis=0)), (X, W[:, 0])
)

first_use_alone = Fault(lambda x: x * np.sin(x), lambda g, y, x: g * np.sin(x), (X,))

softmax_entry_by_entry = Fault(
    lambda x: np.exp(x) / np.sum(np.exp(x)), lambda g, y, x: g * y * (1 - y), (X[0],)
)

weights_exchanged = Fault(
    lambda x, W, V: (x @ W) * (x @ V),
    lambda g, y, x, W, V: (
        (g * (x @ V)) @ W.T + (g * (x @ W)) @ V.T, x.T @ (g * (x @ W)), x.T @ (g * (x @ V))
    ),
    (X, W, V),
)  # fmt: skip


def _overwrite(g: Any, y: Any, table: Any, rows: Any) -> Any:
    found = np.zeros_like(table)
    found[rows] = g  # np.add.at(found, rows, g) adds the row that is read twice
    return found, None


repeated_row_overwrites = Fault(lambda table, rows: table[rows], _overwrite, (W, ROWS))


def _in_place(g: Any, y: Any, x: Any) -> Any:
    g[x <= 0] = 0.0  # the caller's g, which another operation may read
    return g


cotangent_written_into = Fault(lambda x: np.maximum(x, 0.0), _in_place, (X,))


def _rnn(xs: Any, W_hh: Any) -> Any:
    hs = [np.zeros(xs.shape[1:], xs.dtype)]
    for x in xs:
        hs.append(np.tanh(x + hs[-1] @ W_hh))
    return np.stack(hs[1:])


def _one_step(g: Any, y: Any, xs: Any, W_hh: Any) -> Any:
    dz = g * (1 - y * y)  # dz[t] lacks dz[t + 1] @ W_hh.T, what comes back through time
    return dz, y[:-1].T @ dz[1:]


state_gradient_forgotten = Fault(_rnn, _one_step, (W, V[:2]), time_axis=0)
