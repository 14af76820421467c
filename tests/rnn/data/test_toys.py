"""Toy problems are made by their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.data import toys


@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(2, 20), batch=st.integers(1, 4))
def test_toys_are_made_by_their_formulas(seed: int, steps: int, batch: int) -> None:
    def draw(toy: Any) -> Any:
        return toy(np.random.default_rng(seed), steps, batch)

    xs, total = draw(toys.adding)
    assert (xs[..., 1].sum(0) == 2).all()
    assert (xs[: steps // 2, :, 1].sum(0) == 1).all()
    np.testing.assert_allclose(total[:, 0], (xs[..., 0] * xs[..., 1]).sum(0))

    xs, targets = draw(toys.copy_memory)
    assert xs.shape == targets.shape == (steps + 20, batch)
    assert (targets[-10:] == xs[:10]).all()
    assert (targets[:-10] == 0).all()
    assert ((xs == 9).sum(0) == 1).all()
    assert (xs[-11] == 9).all()

    bits, odd = draw(toys.parity)
    assert (odd[0] == bits[0]).all()
    assert (odd[1:] == (odd[:-1] != bits[1:])).all()

    xs, after = draw(toys.sines)
    assert (after[:-1] == xs[1:]).all()
    turn = (after[1:-1] + xs[:-2]) * xs[2:] - (after[2:] + xs[1:-1]) * xs[1:-1]
    np.testing.assert_allclose(turn, 0, atol=1e-12)  # (x⁺ + x⁻) / x = 2 cos ω at every step


def test_a_toy_that_is_too_short_is_told() -> None:
    with pytest.raises(ValueError, match="adding: needs at least 2 steps, got 1"):
        toys.adding(np.random.default_rng(0), 1, 1)
