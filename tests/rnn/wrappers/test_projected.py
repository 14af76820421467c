"""A projection is a product behind each step, which is what is read back."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
import rnn
from rnn.testing import problem


@pytest.mark.parametrize("inner", [rnn.LSTMCell(2, 5), rnn.CoupledLSTMCell(2, 5, peepholes=True)])
def test_what_is_projected_is_read_back(inner):
    """Reading r = h W_hr by W is reading h by W_hr W."""
    q = problem(rnn.Projected(inner, 3), 5, 2, 0)
    p = q.params
    wide = {
        name: p["W_hr"] @ p[name] if name.startswith("W_h") else p[name]
        for name in inner.parameters()
    }
    zero = inner.start(2)
    ys, (r, C) = rnn.run(q.cell, p, q.xs)
    wanted, (h, memory) = rnn.run(inner, wide, q.xs, zero)
    np.testing.assert_allclose(ys, wanted @ p["W_hr"], rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(r, h @ p["W_hr"], rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(C, memory, rtol=1e-11, atol=1e-13)


def test_a_cell_that_reads_h_in_other_ways_is_told():
    with pytest.raises(mg.ShapeError, match=r"GRUCell reads h in other ways than by W_h·"):
        rnn.Projected(rnn.GRUCell(2, 5), 3)
