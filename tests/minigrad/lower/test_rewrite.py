"""A step under change: nodes come in any order, and are sorted at the end."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

import rnn
from minigrad.lower.rewrite import Rewrite
from tests.minigrad.folding import assert_same


@given(seed=st.integers(0, 2**32 - 1))
def test_nodes_may_be_added_in_any_order(seed):
    """Copies put behind, read in the place of what they copy: the sorted step is the same."""
    folded = rnn.LSTMCell(3, 4).folded(2)
    work, random, users = Rewrite(folded), Random(seed), folded.step.users()
    for k in random.sample(range(len(folded.step)), 8):
        node = work.nodes[k]
        if node.inputs:
            copy = work.add(node.op, node.inputs, node.shape, **node.attrs)
            for user, _ in users[k]:
                swapped = tuple(copy if i == k else i for i in work.nodes[user].inputs)
                work.nodes[user] = replace(work.nodes[user], inputs=swapped)
    found = work.done()
    assert all(i < k for k, node in enumerate(found.step.nodes) for i in node.inputs)
    assert_same(found, folded)


def test_an_unchanged_step_is_itself():
    folded = rnn.LSTMCell(3, 4).folded(2)
    assert Rewrite(folded).done() is folded
