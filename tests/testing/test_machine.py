"""Graphs built, differentiated, cut and freed in any order, against an engine too simple to fail.

The second engine is forward only: every value carries its derivative by each leaf beside it.
"""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

import minigrad as mg

SIZE = 3
UNARY = {
    "sin": (mg.sin, np.sin, np.cos),
    "tanh": (mg.tanh, np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "square": (mg.square, np.square, lambda x: 2 * x),
    "negative": (mg.negative, np.negative, lambda x: -np.ones(SIZE)),
}


class Pair:
    """A tensor, and what it should be: values, and derivatives entry by entry for each leaf."""

    def __init__(self, tensor, value, slopes):
        self.tensor, self.value, self.slopes = tensor, value, slopes

    def sizes(self):
        return 1 + np.max(np.abs(self.value)) + sum(np.max(np.abs(s)) for s in self.slopes.values())


class Graphs(RuleBasedStateMachine):
    pairs = Bundle("pairs")

    def __init__(self):
        super().__init__()
        self.leaves, self.arrays, self.expected = {}, {}, {}

    @rule(target=pairs, seed=st.integers(0, 999))
    def create(self, seed):
        array = np.random.default_rng(seed).uniform(-1, 1, SIZE)
        name = f"leaf{len(self.leaves)}"
        tensor = mg.Tensor(array, name)
        self.leaves[name], self.arrays[name] = tensor, (array, array.copy())
        return Pair(tensor, array.copy(), {name: np.ones(SIZE)})

    @rule(target=pairs, a=pairs, name=st.sampled_from(sorted(UNARY)))
    def apply(self, a, name):
        f, value, slope = UNARY[name]
        slopes = {k: slope(a.value) * s for k, s in a.slopes.items()}
        return self.kept(Pair(f(a.tensor), value(a.value), slopes), a)

    @rule(target=pairs, a=pairs, b=pairs, product=st.booleans())
    def combine(self, a, b, product):
        zero = np.zeros(SIZE)
        da, db = (b.value, a.value) if product else (1.0, 1.0)
        slopes = {
            k: da * a.slopes.get(k, zero) + db * b.slopes.get(k, zero)
            for k in a.slopes.keys() | b.slopes.keys()
        }
        tensor = a.tensor * b.tensor if product else a.tensor + b.tensor
        value = a.value * b.value if product else a.value + b.value
        return self.kept(Pair(tensor, value, slopes), a)

    def kept(self, pair, otherwise):
        """The pair, unless its numbers grow out of hand."""
        return pair if pair.sizes() < 1e6 else otherwise

    @rule(target=pairs, a=pairs)
    def detach(self, a):
        return Pair(mg.detach(a.tensor) + 0.0 * a.tensor, a.value, {k: 0.0 * s for k, s in
                    a.slopes.items()})  # fmt: skip

    @rule(a=pairs, seed=st.integers(0, 99))
    def backward(self, a, seed):
        w = np.random.default_rng(seed).uniform(-1, 1, SIZE)
        a.tensor.backward(w)
        for name, slope in a.slopes.items():
            total, size = self.expected.get(name, (0.0, 0.0))
            self.expected[name] = (total + w * slope, size + a.sizes() ** 2)

    @rule(a=pairs)
    def mutate(self, a):
        """Writing into an array that a leaf was made of changes nothing."""
        for name in a.slopes:
            self.arrays[name][0][:] = np.nan

    @rule(a=pairs)
    def free(self, a):
        """What is freed takes nothing else along."""
        copy = mg.sin(a.tensor) * a.tensor
        del copy

    @invariant()
    def gradients_are_the_sums_of_all_calls(self):
        for name, leaf in self.leaves.items():
            if name not in self.expected:
                continue
            wanted, size = self.expected[name]
            assert leaf.grad is not None
            assert np.all(np.abs(leaf.grad - wanted) <= 1e-12 * (1 + size)), name

    @invariant()
    def leaves_keep_their_values(self):
        for name, leaf in self.leaves.items():
            np.testing.assert_array_equal(leaf.data, self.arrays[name][1])


TestGraphs = Graphs.TestCase
TestGraphs.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
