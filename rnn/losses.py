"""Losses: one number for how far outputs are from what was wanted.

Each is a mean over the entries that count. A mask says which do; the others are replaced before
they meet any arithmetic, so whatever they hold, NaN too, their gradient is exactly zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import Tensor
from minigrad.errors import ShapeError
from minigrad.ops.composite import wide
from rnn.checks import tensor_or_array


def mse(y: Any, target: Any, mask: Any = None) -> Any:
    """The mean squared error, a scalar in the squared unit of y.

    Args:
        y: outputs `(...)`.
        target: what was wanted, in the same shape.
        mask: true where an entry counts; its axes are the leading ones of y, so `(T,)`, `(T, B)`
            and the full shape all fit `(T, B, O)`. All entries if None.

    Raises:
        ShapeError: y and target differ in shape (they are not broadcast), or the mask does not fit.
        ValueError: the mask lets no entry count.

    >>> import numpy as np, rnn
    >>> float(rnn.mse(np.array([1.0, 2.0, 9.0]), np.zeros(3), np.array([True, True, False])))
    2.5
    """
    y, target = _same_shape("mse", y, target)
    y, target, keep = _counted("mse", mask, y, target)
    return _mean(mg.square(y - target), keep)


def cross_entropy(logits: Any, targets: Any, mask: Any = None) -> Any:
    """The mean of −log p(target), in nats; divide by log 2 for bits.

    p is the softmax of the logits, which is never formed: log p is their log_softmax.

    Args:
        logits: `(..., n)`, any real numbers.
        targets: class indices 0 … n−1, `(...)`.
        mask: true where a target counts, as in `mse`; masked targets may be any integer.

    Raises:
        ShapeError: targets lack or exceed the leading axes of the logits.
        TypeError: targets are not integers.
        IndexError: a target that counts is not a class.

    >>> import numpy as np, rnn
    >>> round(float(rnn.cross_entropy(np.zeros((5, 2, 8)), np.zeros((5, 2), int)) / np.log(2)), 6)
    3.0
    """
    logits, targets = _real(logits), tensor_or_array(targets)
    if mask is None:
        return -mg.mean(mg.pick(mg.log_softmax(logits), targets))
    if logits.shape[:-1] != targets.shape:
        raise ShapeError(
            f"cross_entropy: targets have shape {targets.shape}, the logits {logits.shape} want "
            f"{logits.shape[:-1]}, one class index a row"
        )
    keep = _fit("cross_entropy", mask, targets.shape)
    logits = mg.where(mg.expand_dims(keep, -1), logits, 0.0)
    targets = mg.where(keep, targets, 0)
    return -_mean(mg.pick(mg.log_softmax(logits), targets), keep)


def binary_cross_entropy(logits: Any, targets: Any, mask: Any = None) -> Any:
    """The mean of −t log σ(z) − (1 − t) log(1 − σ(z)), in nats, accurate for every logit z.

    Written as t·softplus(−z) + (1 − t)·softplus(z), in which nothing overflows or cancels. At
    z = ±∞, which stands for certainty, a term that has no weight is 0.

    Args:
        logits: z `(...)`, any real numbers or ±∞.
        targets: t in [0, 1], in the same shape; numbers or booleans.
        mask: true where an entry counts, as in `mse`.

    >>> import numpy as np, rnn
    >>> float(rnn.binary_cross_entropy(np.array([-1e3, 1e3]), np.array([False, True])))
    0.0
    """
    logits, targets = _same_shape("binary_cross_entropy", logits, targets)
    if targets.dtype != logits.dtype:
        targets = mg.astype(targets, logits.dtype)
    z, t, keep = _counted("binary_cross_entropy", mask, logits, targets)
    values = t._data if isinstance(t, Tensor) else t
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise ValueError(
            f"binary_cross_entropy: targets must lie in [0, 1], got {values.min():g} … "
            f"{values.max():g}"
        )
    return _mean(_weighed(t, mg.softplus(-z)) + _weighed(1.0 - t, mg.softplus(z)), keep)


def _weighed(weight: Any, value: Any) -> Any:
    """Their product, where 0·∞ is 0."""
    nothing = mg.logical_and(mg.equal(weight, 0), mg.equal(value, np.inf))
    return weight * mg.where(nothing, 0.0, value)


def _real(x: Any) -> Any:
    """Whole numbers as real ones: differences of unsigned ones wrap, squares of small ones too."""
    x = tensor_or_array(x)
    return x if x.dtype.kind in "fc" else mg.astype(x, float)


def _same_shape(where: str, y: Any, target: Any) -> tuple[Any, Any]:
    y, target = _real(y), _real(target)
    if y.shape != target.shape:
        raise ShapeError(
            f"{where}: outputs have shape {y.shape}, targets {target.shape}; they are not "
            "broadcast, bring both to one shape"
        )
    return y, target


def _fit(where: str, mask: Any, shape: tuple[int, ...]) -> Any:
    """The mask in a full shape, after its leading axes."""
    mask = tensor_or_array(mask)
    if mask.dtype != bool:
        raise TypeError(f"{where}: mask must be true or false, got dtype {mask.dtype}; mask > 0")
    lead = shape[: mask.ndim]
    if mask.ndim > len(shape) or any(
        m not in (1, n) for m, n in zip(mask.shape, lead, strict=True)
    ):
        raise ShapeError(
            f"{where}: mask has shape {mask.shape}, which does not fit the leading axes of {shape}"
        )
    if not (mask._data if isinstance(mask, Tensor) else mask).any():
        raise ValueError(f"{where}: the mask lets no entry count, so there is no mean")
    rest = (1,) * (len(shape) - mask.ndim)
    return mg.broadcast_to(mg.reshape(mask, (*mask.shape, *rest)), shape)


def _counted(where: str, mask: Any, y: Any, target: Any) -> tuple[Any, Any, Any]:
    """Both with 0 where nothing counts, and the mask in full shape."""
    if mask is None:
        return y, target, None
    keep = _fit(where, mask, y.shape)
    return mg.where(keep, y, 0.0), mg.where(keep, target, 0.0), keep


def _mean(values: Any, keep: Any) -> Any:
    """The mean over the entries that count; the others are finite but not zero."""
    if keep is None:
        return mg.mean(values)
    values, narrow = wide(values)
    return narrow(mg.sum(mg.where(keep, values, 0.0)) / mg.sum(mg.astype(keep, values.dtype)))
