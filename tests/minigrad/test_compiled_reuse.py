"""A compiled function traces once for each structure, shape and dtype, whatever their order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg

KINDS = [
    np.ones(2),
    np.ones(3),
    np.ones((3, 2)),
    np.ones(2, np.float32),
    {"a": np.ones(2), "b": np.ones(3)},
    {"a": np.ones(3), "b": np.ones(2)},
    [np.ones(2), np.ones(3)],
]


@given(order=st.lists(st.sampled_from(range(len(KINDS))), min_size=1, max_size=40))
def test_what_was_called_before_is_not_traced_again(order):
    """f itself runs at the first call of each kind only, however the kinds take turns."""
    calls = []

    def f(x):
        calls.append(x)
        leaves = x.values() if isinstance(x, dict) else x if isinstance(x, list) else [x]
        return sum((mg.sum(leaf * leaf) for leaf in leaves), 0.0)

    compiled, seen = mg.compile(f), set()
    for kind in order:
        before = len(calls)
        found = compiled(KINDS[kind])
        assert (len(calls) > before) == (kind not in seen)
        seen.add(kind)
        traced = len(calls)
        assert float(found) == float(f(KINDS[kind]))
        del calls[traced:]
