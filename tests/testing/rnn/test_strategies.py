"""What the strategies draw can be run."""


import numpy as np
from hypothesis import given

from rnn.testing import (
    recurrent_networks,
    sequences,
)
from rnn.testing.problem import agree


@given(q=recurrent_networks())
def test_drawn_networks_give_the_same_numbers_on_the_graph(q):
    agree(q.run(unfolded=True), q.run(), "unfolded", q.roundings())


@given(pair=sequences(ragged=True))
def test_ragged_sequences_have_lengths_that_fit(pair):
    xs, lengths = pair
    assert lengths.shape == (xs.shape[1],)
    assert np.all(lengths <= len(xs))
