"""Parameters are a dictionary whose entries are also attributes, and nothing beside it."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import rnn
from minigrad.habits import ATTRIBUTES

params = rnn.RNNCell(inputs=2, hidden=2).init(0)


def test_parameters_are_set_by_name():
    """An attribute beside the entry would be read by the cell, and trained by nobody."""
    p = copy.deepcopy(params)
    p.W_xh = p.W_xh * 0.0
    p.W_hh -= p.W_hh
    assert not p["W_xh"].any()
    assert not p["W_hh"].any()
    assert vars(p) == {}
    assert np.array_equal(p.W_xh, p["W_xh"])


def test_a_parameter_that_is_not_there_is_not_set():
    with pytest.raises(AttributeError, match="no parameter W_xx; there are: W_xh, W_hh, b_h"):
        copy.deepcopy(params).W_xx = 1.0


@pytest.mark.parametrize("name", ["zero_grad", "numpy", "parameters", "grad", "to"])
def test_parameters_say_how_it_is_done_here(name):
    with pytest.raises(AttributeError) as caught:
        getattr(params, name)
    assert (
        str(caught.value) == f"no parameter {name}; there are: W_xh, W_hh, b_h; {ATTRIBUTES[name]}"
    )
