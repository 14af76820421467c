"""NumPy's functions on tensors give NumPy's result or a refusal, never another number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg

rng = np.random.default_rng(0)
a = rng.normal(size=(3, 5))
cube = rng.normal(size=(2, 3, 5))
narrow = a.astype(np.float32)
whole = np.arange(6).reshape(2, 3)

# Each takes `t`, which makes a tensor of an array, or leaves it as it is.
SAME: dict[str, Any] = {
    "split into equal parts": lambda t: np.split(t(a), 5, axis=1),
    "take along an axis": lambda t: np.take(t(a), [1, 0], axis=1),
    "flattened and joined": lambda t: np.concatenate([t(a), a[0]], axis=None),
    "flattened cumsum": lambda t: np.cumsum(t(a)),
    "product over nothing": lambda t: np.prod(t(a[:0]), 0),
    "cumsum along an axis": lambda t: np.cumsum(t(a), 0),
    "norm along an axis": lambda t: np.linalg.norm(t(a), axis=1),
    "norm of all": lambda t: np.linalg.norm(t(a)),
    "reshape": lambda t: np.reshape(t(a), (5, -1)),
    "transpose": lambda t: np.transpose(t(cube), (2, 0, 1)),
    "transpose by keyword": lambda t: np.transpose(t(cube), axes=(2, 0, 1)),
    "standard deviation": lambda t: np.std(t(a), axis=0, ddof=1),
    "variance": lambda t: np.var(t(a), 0),
    "clip below": lambda t: np.clip(t(a), None, 0.5),
    "pad all around": lambda t: np.pad(t(a), 1),
    "pad before and after": lambda t: np.pad(t(a), (1, 2)),
    "pad each axis": lambda t: np.pad(t(a), ((1, 2), (3, 4))),
    "stack on the last axis": lambda t: np.stack([t(a), a], -1),
    "stack on a new last axis": lambda t: np.stack([t(a), a], axis=2),
    "concatenate": lambda t: np.concatenate([t(a), a], axis=-1),
    "move the last axis": lambda t: np.moveaxis(t(cube), -1, 0),
    "move the first axis": lambda t: np.moveaxis(t(cube), 0, -1),
    "squeeze": lambda t: np.squeeze(t(a[None]), 0),
    "expand": lambda t: np.expand_dims(t(a), (0, 2)),
    "flip": lambda t: np.flip(t(a)),
    "product over axes": lambda t: np.prod(t(a), axis=(0, 1)),
    "minimum over an axis": lambda t: np.min(t(a), 1, keepdims=True),
    "broadcast": lambda t: np.broadcast_to(t(a[0]), (3, 5)),
    "swap axes": lambda t: np.swapaxes(t(cube), 0, 2),
    "a product of batches": lambda t: np.matmul(t(cube), a.T),
    "a negative power": lambda t: np.power(t(np.abs(a)), -2),
    "an index by flags": lambda t: t(a)[:, [True, False, True, False, True]],
    "an index by flags of both axes": lambda t: t(a)[a > 0],
    "an index by two lists": lambda t: t(a)[[0, 2], [1, 1]],
    "an index by lists apart": lambda t: t(cube)[[0, 1], :, [1, 2]],
    "an index with a new axis": lambda t: t(a)[None, ..., -1],
    "an index by a NumPy integer": lambda t: t(a)[np.int64(-1)],
    "a mean of integers": lambda t: np.mean(t(whole), 0),
    "a count of flags": lambda t: np.sum(t(a > 0)),
    "a quotient of integers": lambda t: t(whole + 1) / t(whole + 1),
    "a power of integers": lambda t: t(whole) ** 2,
    "a number to the power": lambda t: 2 ** t(a),
    "an array from the left": lambda t: a.T @ t(a),
    "a single times a number": lambda t: t(narrow) * 2.5,
    "a single times a double": lambda t: t(narrow) * np.float64(2),
    "a single plus an array of one double": lambda t: t(narrow) + np.array(2.0),
    "a mean of singles": lambda t: np.mean(t(narrow)),
    "a deviation of singles": lambda t: np.std(t(narrow), 0),
    "halves chosen by flags": lambda t: np.where(a > 0, t(a.astype(np.float16)), 0.0),
    "a comparison": lambda t: t(a) < 0.0,
    "an equality": lambda t: t(a) == a,
    "an absolute value": lambda t: abs(t(a)),
}

REFUSED: dict[str, Any] = {
    "into an array": lambda t: np.add(t(a), a, out=np.empty((3, 5))),
    "at some places": lambda t: np.add(t(a), a, out=np.zeros((3, 5)), where=a > 0),
    "a reduction of a ufunc": lambda t: np.add.reduce(t(a)),
    "an accumulation of a ufunc": lambda t: np.add.accumulate(t(a)),
    "another dtype": lambda t: np.sum(t(a), dtype=np.float32),
    "a first value": lambda t: np.max(t(a), axis=1, initial=0.0),
    "edges repeated": lambda t: np.pad(t(a), 1, mode="edge"),
    "positions of truth": lambda t: np.where(t(a)),
    "written in place": lambda t: np.copyto(np.empty((3, 5)), t(a)),
    "positions that a value decides": lambda t: np.nonzero(t(a)),
}


def plain(x: Any) -> list[Any]:
    parts = x if isinstance(x, list | tuple) else [x]
    return [part.data if type(part) is mg.Tensor else np.asarray(part) for part in parts]


@pytest.mark.parametrize("name", SAME)
def test_a_call_on_tensors_is_the_call_on_arrays(name):
    """Shapes, dtypes and values; and it is recorded."""
    found, wanted = SAME[name](mg.Tensor), plain(SAME[name](lambda x: x))
    parts = found if isinstance(found, list) else [found]
    assert all(type(part) is mg.Tensor and part.primitive is not None for part in parts)
    assert [(x.shape, x.dtype) for x in plain(found)] == [(x.shape, x.dtype) for x in wanted]
    for x, y in zip(plain(found), wanted, strict=True):
        # Sums of at most 15 terms, in whatever order, and a few operations around them.
        eps = np.finfo(y.dtype).eps if y.dtype.kind == "f" else 0.0
        scale = np.max(np.abs(y), initial=0) if eps else 0.0
        assert np.all(np.abs(1.0 * x - y) <= 32 * eps * scale)


@pytest.mark.parametrize("name", REFUSED)
def test_a_call_that_has_no_meaning_here_is_refused(name):
    REFUSED[name](lambda x: x)  # NumPy itself takes it
    with pytest.raises((TypeError, ValueError)):
        REFUSED[name](mg.Tensor)


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.reshape(t(a), (5, 3), order="F"),
        lambda t: np.sum(t(a), 0, np.float32),
        lambda t: np.take(t(a), [0, 1], mode="wrap"),
        lambda t: np.quantile(t(a), 0.5, method="lower"),
    ],
)
def test_a_meaning_that_only_numpy_has_is_refused_and_the_way_out_is_named(call):
    call(lambda x: x)
    with pytest.raises(TypeError, match=r"np\.\w+ on tensors.*(minigrad\.\w+|takes)"):
        call(mg.Tensor)


def test_a_tensor_is_not_put_into_an_array_as_a_number():
    """NumPy tells it in its own words; ours are the cause."""
    array = np.zeros(2)
    with pytest.raises(ValueError, match="setting an array element") as caught:
        array[0] = mg.Tensor(1.0)
    assert "write tensor.item()" in str(caught.value.__cause__)
