"""A symbol knows what NumPy knows of its results, and refuses to be looked at."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.engines.onnx.model import Model
from minigrad.engines.onnx.symbols import Symbol


def test_shapes_and_dtypes_are_those_that_numpy_says():
    x = Symbol(Model(), "x", np.zeros((2, 3), np.float32))
    assert (x.T.shape, x.reshape(-1).shape, x[..., None, 0].shape) == ((3, 2), (6,), (2, 1))
    for y in (x * 2.0, np.tanh(x), np.sum(x, axis=0), np.concatenate([x, x])):
        assert y.dtype == np.float32
    assert (x > 0).dtype == bool
    assert (x.astype("int64") / 2).dtype == np.float64
    assert np.shape(x) == (2, 3)


def test_values_are_not_there_to_be_looked_at():
    x = Symbol(Model(), "x", np.zeros(()))
    for look in (bool, float, int, np.asarray):
        with pytest.raises(TypeError, match="its values are not known while the file is written"):
            look(x)
