"""Faults of the engine that the laws found; those that are not mended yet are marked so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn


@pytest.mark.parametrize("f", [mg.maximum, mg.minimum])
def test_compiled_maximum_writes_into_its_buffer_without_a_warning(f: Any) -> None:
    """Found by the probe "compiled programs": NumPy wants `out=` by name here."""
    run = mg.compile(lambda a, b: f(a, b) * 2.0)
    a, b = np.array([1.0, 5.0]), np.array([3.0, 4.0])
    np.testing.assert_array_equal(run(a, b), 2.0 * f(a, b))


@dataclass(frozen=True)
class Halved(rnn.Cell):
    """σ(x W + (h U) / 2): the −1 of the sigmoid by exp meets the half of the cell."""

    inputs: int
    hidden: int
    state = ("h",)

    def parameters(self) -> dict[str, Any]:
        H = self.hidden
        return {"W_xh": rnn.glorot(self.inputs, H), "W_hh": rnn.orthogonal(H, H)}

    def step(self, p: Any, x: Any, h: Any) -> Any:
        h = mg.sigmoid(x @ p.W_xh + 0.5 * (h @ p.W_hh))
        return h, h


def test_two_plain_numbers_in_one_product_can_be_regrouped() -> None:
    """Found by the law "repeatable" on a drawn cell."""
    cell = Halved(2, 3)
    p, xs = cell.init(0), np.ones((3, 1, 2))
    found, _ = rnn.run(cell, p, xs)
    wanted, _ = rnn.run(cell, p.tensors(), xs, unfolded=True)
    np.testing.assert_allclose(found, wanted.data, rtol=1e-14)


def test_a_recurrence_of_single_numbers_runs_as_a_scan() -> None:
    """Found by the probe "folding"."""

    def loop(w: Any, xs: list[Any], h: Any) -> Any:
        for t, x in enumerate(xs, 1):
            with mg.scope("rnn", t=t):
                h = mg.tanh(x + h * w)
        return h

    xs = [0.5, 1.0, -0.5]
    folded = mg.fold(mg.trace(loop, 0.5, xs, 0.0))
    (h,) = mg.scan(folded, 3, np.array(0.5), np.array(xs), np.array(0.0))
    np.testing.assert_allclose(h, loop(0.5, xs, 0.0), rtol=1e-15)
