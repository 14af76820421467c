"""JAX arrays to which NumPy's functions apply, each as the function of its name in `jax.numpy`.

A primitive's forward is written once, with NumPy. NumPy asks its operands what its functions are to
do (NEP 13 and NEP 18), so that line is both engines'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import dtypes
from numpy.lib.mixins import NDArrayOperatorsMixin

FEW = 1 << 12
"""Rows of which a transposed matrix is soon written; of more, that takes longer than it saves."""


class Array(NDArrayOperatorsMixin):
    """A JAX array, or one that JAX traces, as an operand of NumPy's functions.

    >>> import jax, numpy as np
    >>> np.sum(np.tanh(Array(jax.numpy.zeros((2, 3)))) + 1, axis=0).value
    Array([2., 2., 2.], dtype=float32)
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = jnp.asarray(value)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        kwargs.pop("out", None)  # a result that may be written into an operand is only returned
        function = _namesake(ufunc)
        return _called(function if method == "__call__" else getattr(function, method), inputs,
                       kwargs)  # fmt: skip

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _called(_namesake(func), args, kwargs)

    @property
    def T(self) -> Array:
        """The matrix transposed. For aᵀb in double precision a processor writes it down: what XLA
        only sees as transposed goes to a library that takes 1.8 times as long.
        """
        found = self.value.T
        if found.dtype == np.float64 and len(self.value) <= FEW and jax.default_backend() == "cpu":
            found = jax.lax.optimization_barrier(found)
        return Array(found)

    def __getitem__(self, position: Any) -> Array:
        return Array(self.value[bare(position)])

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.value, name)
        if callable(found):
            return lambda *args, **kwargs: _called(found, args, kwargs)
        return Array(found) if isinstance(found, jnp.ndarray) else found

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("its values are not known while the program is made, only at each call")

    __bool__ = __float__ = __int__ = __index__ = __array__

    def astype(self, dtype: Any) -> Array:
        """The entries in another precision, if JAX has it."""
        return Array(self.value.astype(dtypes.canonicalize_dtype(dtype)))

    def zeros(self, shape: Sequence[int], dtype: Any) -> Array:
        """Zeros on the same device."""
        return Array(jnp.zeros(tuple(shape), dtype))

    def added(self, position: Any, part: Any) -> Array:
        """The array with a part added at a position; repeated entries add up."""
        return Array(self.value.at[bare(position)].add(bare(part)))


TRIANGLE = {name: partial(getattr(jnp.linalg, name), symmetrize_input=False)
            for name in ("cholesky", "eigh")}  # fmt: skip
"""Those of which NumPy reads one triangle, and JAX the mean of both if nothing is said."""


def _namesake(function: Any) -> Callable[..., Any]:
    """The function of `jax.numpy`, or of its `linalg`, that has the name of one of NumPy's."""
    name, is_linalg = function.__name__, getattr(function, "__module__", "") == "numpy.linalg"
    found: Callable[..., Any] | None
    found = TRIANGLE.get(name) or getattr(jnp.linalg if is_linalg else jnp, name, None)
    if found is None:
        raise TypeError(f"jax.numpy has no {name}; write it with functions it has")
    return found


def _called(function: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]) -> Any:
    return _ours(function(*bare(args), **{key: bare(x) for key, x in kwargs.items()}))


def _ours(found: Any) -> Any:
    """Our arrays in place of JAX's, of several results too."""
    if isinstance(found, tuple):
        return tuple(map(_ours, found))
    return Array(found) if isinstance(found, jnp.ndarray) else found


def bare(x: Any) -> Any:
    """JAX's arrays in place of ours, in lists and tuples too."""
    if isinstance(x, tuple | list):
        return type(x)(map(bare, x))
    return x.value if isinstance(x, Array) else x
