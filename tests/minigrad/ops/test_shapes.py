"""What moves entries only: joined, cut, turned, and back."""

import numpy as np
import pytest

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


CUBE = RNG.normal(size=(2, 3, 4))
UNDONE = {
    "transpose": (lambda x: mg.transpose(x, (2, 0, 1)), lambda y: mg.transpose(y, (1, 2, 0))),
    "reshape": (lambda x: mg.reshape(x, (4, -1)), lambda y: mg.reshape(y, (2, 3, 4))),
    "swapaxes": (lambda x: mg.swapaxes(x, 0, 2), lambda y: mg.swapaxes(y, 0, 2)),
    "moveaxis": (lambda x: mg.moveaxis(x, 0, -1), lambda y: mg.moveaxis(y, -1, 0)),
    "expand_dims": (lambda x: mg.expand_dims(x, (0, 2)), lambda y: mg.squeeze(y, (0, 2))),
    "flip": (lambda x: mg.flip(x, (0, 2)), lambda y: mg.flip(y, (0, 2))),
    "pad": (lambda x: mg.pad(x, ((1, 0), (0, 2), (1, 1))), lambda y: y[1:, :3, 1:5]),
    "broadcast_to": (lambda x: mg.broadcast_to(x, (5, 2, 3, 4)), lambda y: y[3]),
    "split": (lambda x: mg.split(x, (1, 3), -1), lambda y: mg.concatenate(y, -1)),
    "halves": (lambda x: mg.stack(mg.split(x, 2, -1)), lambda y: mg.concatenate([*y], -1)),
}


@pytest.mark.parametrize("name", UNDONE)
def test_what_moves_entries_is_undone_by_its_inverse(name):
    there, back = UNDONE[name]
    np.testing.assert_array_equal(back(there(CUBE)), CUBE)
    moved = there(CUBE)
    moved = np.concatenate([x.reshape(-1) for x in moved]) if name == "split" else moved
    assert not np.array_equal(np.ravel(moved), np.ravel(CUBE)) or np.shape(moved) != CUBE.shape


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: mg.split(CUBE, 2, 1), "axis of size 3 does not part into 2 equal pieces"),
        (lambda: mg.split(CUBE, (1, 1), 1), "add up to 2, the axis is 3"),
        (lambda: mg.pad(CUBE, ((1, 1),)), "do not fit 3 axes"),
    ],
)
def test_parts_that_do_not_fit_are_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
