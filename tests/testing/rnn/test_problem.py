"""A cell on a sequence: what runs of it may differ by, and that more is told."""

import numpy as np
import pytest

import rnn
from rnn.testing import Broken, DoesNotApply
from rnn.testing.problem import agree, causal, problem


def test_a_problem_has_no_zeros_that_hide_a_mistake():
    q = problem(rnn.LSTMCell(3, 4), 5, 2, seed=1)
    assert all(np.all(w != 0) for w in q.params.values())
    assert all(np.all(s != 0) for s in q.start)
    assert q.xs.shape == (5, 2, 3)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"h": np.array([1.0, 2.5])}, r"run: result.h\[1\] is 2, wanted 2.5; apart by 0.5"),
        ({"h": np.array([1.0, np.nan])}, r"run: result.h\[1\] is 2, wanted nan"),
        ({"h": np.ones(3)}, r"run: result.h has shapes \(2,\) and \(3,\)"),
        ({"C": np.ones(2)}, "run: .'.*h'. and .'.*C'."),
    ],
)
def test_what_is_apart_is_told_by_its_place(wanted, told):
    found = {"h": np.array([1.0, 2.0])}
    agree(found, found, "run")
    with pytest.raises(Broken, match=told.replace("result.", r"\S*")):
        agree(found, wanted, "run", roundings=4)


def test_a_law_of_causes_does_not_apply_against_time():
    causal(rnn.GRUCell(2, 3))
    with pytest.raises(DoesNotApply, match="an edge runs against time"):
        causal(rnn.Bidirectional(rnn.GRUCell(2, 3)))
