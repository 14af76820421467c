"""A nested structure is its leaves in order, and what puts them back."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import rnn
from minigrad.tree import flatten, leaf_paths, tree_map

Pair = namedtuple("Pair", "first second")  # as callers write them

TREES = st.recursive(
    st.floats(allow_nan=False) | st.none() | st.builds(lambda: np.ones(2)),
    lambda inner: st.lists(inner, max_size=3)
    | st.lists(inner, max_size=3).map(tuple)
    | st.builds(Pair, inner, inner)
    | st.dictionaries(st.sampled_from("dcba"), inner, max_size=3)
    | st.dictionaries(st.sampled_from("dcba"), inner, max_size=3).map(rnn.Params),
    max_leaves=8,
)


def alike(a: Any, b: Any) -> bool:
    """The same containers, of the same classes and order, around the same leaves."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(alike(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(alike, a, b))
    return a is b


@given(TREES)
def test_leaves_put_back_are_the_tree(tree):
    leaves, structure = flatten(tree)
    assert not any(isinstance(leaf, dict | list | tuple) for leaf in leaves)
    assert alike(structure.unflatten(leaves), tree)
    assert alike(structure.writer()(leaves), tree)
    assert alike(tree_map(lambda leaf: leaf, tree), tree)


@given(TREES, TREES)
@example({"a": 1.0}, {"b": 1.0})
@example({"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0})
@example([1.0], (1.0,))
def test_a_structure_takes_the_leaves_of_its_like_and_of_no_other(tree, other):
    structure = flatten(tree)[1]
    found = structure.reader()(other)
    if found is not None and any(isinstance(leaf, dict | list | tuple) for leaf in found):
        found = None  # which is left to the caller
    assert (found is not None) == (flatten(other)[1] == structure)
    if found is not None:
        assert all(a is b for a, b in zip(found, flatten(other)[0], strict=True))


@given(TREES)
def test_every_leaf_has_a_path_that_leads_to_it(tree):
    leaves = flatten(tree)[0]
    for leaf, path in zip(leaves, leaf_paths(tree, "tree"), strict=True):
        found = tree
        for step in path.removeprefix("tree").replace("[", ".").replace("]", "").split(".")[1:]:
            found = found[step if isinstance(found, dict) else int(step)]
        assert found is leaf


def test_trees_of_other_structures_are_not_put_together():
    with pytest.raises(ValueError, match=r"the structures differ: \['a'\] and \['b'\]"):
        tree_map(lambda a, b: a + b, {"a": 1}, {"b": 2})
