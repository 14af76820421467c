"""Arrays of which only name, shape and dtype are known, and NumPy's functions on them.

A symbol carries an array of zeros like its values will be. NumPy applied to these tells the shape
and the dtype of every result, so nothing is said twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from minigrad.core import Array
from minigrad.engines.onnx.functions import FUNCTIONS, added, entries

ASKS = (np.shape, np.ndim, np.size, np.result_type)
"""What is asked of shapes and dtypes alone, which are known."""


class Symbol(NDArrayOperatorsMixin):
    """The name of a value in an ONNX graph.

    Attributes:
        model: what it is written into.
        name: the value's.
        like: zeros of its shape and dtype.
    """

    def __init__(self, model: Any, name: str, like: Array) -> None:
        self.model, self.name, self.like = model, name, like
        self.shape, self.dtype, self.ndim, self.size = like.shape, like.dtype, like.ndim, like.size

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        kwargs.pop("out", None)
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        return self._called(name, getattr(ufunc, method), inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self._called(func.__name__, func, args, kwargs)

    def _called(self, name: str, func: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
        if name not in FUNCTIONS and func not in ASKS:
            raise TypeError(f"{name} is not written as ONNX; write it with functions that are")
        with np.errstate(all="ignore"):
            like = func(*_likes(args), **kwargs)
        if func in ASKS:
            return like
        several = isinstance(like, tuple)
        return FUNCTIONS[name](self.model, like if several else np.asarray(like), *args, **kwargs)

    def __getitem__(self, position: Any) -> Any:
        return entries(self.model, self, position, np.asarray(self.like[_likes(position)]))

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("its values are not known while the file is written")

    __bool__ = __float__ = __int__ = __index__ = __array__

    @property
    def T(self) -> Any:
        """Axes in reverse order."""
        return np.transpose(self, tuple(range(self.ndim))[::-1])

    @property
    def real(self) -> Symbol:
        """Itself: files have real numbers."""
        return self

    def reshape(self, *shape: Any) -> Any:
        """The entries in another shape."""
        return np.reshape(self, shape[0] if isinstance(shape[0], tuple) else shape)

    def astype(self, dtype: Any) -> Symbol:
        """The entries in another precision."""
        made: Symbol = self.model.cast(self, np.dtype(dtype))
        return made

    def zeros(self, shape: Sequence[int], dtype: Any) -> Symbol:
        """Zeros to add to."""
        made: Symbol = self.model.symbol(np.zeros(shape, dtype))
        return made

    def added(self, position: Any, part: Any) -> Any:
        """The values with a part added at a position; repeated entries add up."""
        return added(self.model, self, position, part)


def _likes(x: Any) -> Any:
    """Zeros in place of symbols, in lists and tuples too."""
    if isinstance(x, tuple | list):
        return type(x)(map(_likes, x))
    return x.like if isinstance(x, Symbol) else x
