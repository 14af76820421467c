"""Laws of batches: a cell that mixes its samples breaks them, and no other."""

from dataclasses import dataclass

import pytest

import minigrad as mg
import rnn
from rnn.testing import (
    Broken,
    all_laws,
    assert_law,
)


@dataclass(frozen=True)
class Careless(rnn.Cell):
    """Mixes its samples, and knows what it was called before."""

    inputs: int
    hidden: int
    state = ("h",)

    def parameters(self):
        return {"W_xh": rnn.glorot(self.inputs, self.hidden)}

    def step(self, p, x, h):
        h = mg.tanh(x @ p.W_xh + mg.mean(h, 0, True))
        return h, h


def test_a_cell_that_mixes_samples_breaks_the_laws_of_batches_alone():
    card = all_laws(Careless(3, 4))
    assert {"batch permutation", "padding"} <= set(card.broken)
    assert "gradient" not in card.broken
    assert "BROKEN  batch permutation" in str(card)
    with pytest.raises(Broken, match="samples"):
        assert_law("batch permutation", Careless(3, 4))
