"""What moves entries only: joined, cut, turned, and back."""

import numpy as np

import minigrad as mg
from minigrad.testing import check_gradients

RNG = np.random.default_rng(0)


def test_what_was_stacked_comes_apart_again():
    parts = [RNG.normal(size=(2, 3)) for _ in range(4)]
    for axis in (0, 1, -1):
        apart = mg.unstack(mg.stack(parts, axis), axis)
        assert all(np.array_equal(x, y) for x, y in zip(apart, parts, strict=True))
    check_gradients(lambda x: [mg.sin(y) * (k + 1.0) for k, y in enumerate(mg.unstack(x, 1))],
                    RNG.normal(size=(2, 3)))  # fmt: skip


def test_axes_of_size_one_fall_away():
    assert mg.squeeze(mg.Tensor(np.ones((1, 2, 1)))).shape == (2,)
