"""Anomalies: a run stops where the first value stops being finite, and says where that is.

Inside `anomaly()` the result of every operation is looked at, forward and backward; what runs as a
program is run operation by operation first. Outside of it nothing is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from minigrad.errors import describe

WAY: ContextVar[str] = ContextVar("way", default="")
"""Which way runs what is looked at: "forward", "backward" or "forward mode"; "" if nobody looks."""


OPEN: list[str] = []
"""One entry for each `anomaly()` that is open, in whatever thread.

Asked before `WAY`, which alone decides, it takes a tenth of the time: an operation on small arrays
is asked, too.
"""


class NotFinite(FloatingPointError):
    """The first value that is not finite; the message says where it is made."""


@contextmanager
def heading(way: str) -> Iterator[None]:
    """Inside, what is looked at is said to run that way."""
    token = WAY.set(way)
    try:
        yield
    finally:
        WAY.reset(token)


@contextmanager
def anomaly() -> Iterator[None]:
    """Any run inside stops where the first value stops being finite, in one sentence.

    It names the way (forward, backward), the operation, its scope and step, and how many entries
    are NaN, or infinite out of finite ones. Infinities that are given, as in a mask of −∞, pass;
    NaN that is given is told where it is first read. Eager runs, scans, compiled functions and
    derivatives of any order are looked at, in this thread; they take several times as long.

    Raises:
        NotFinite: there is such a value; it is a `FloatingPointError`.

    >>> import minigrad as mg
    >>> try:
    ...     with mg.anomaly(), mg.scope("rnn", t=3):
    ...         mg.log(mg.Tensor([1.0, 0.0], "p"))
    ... except FloatingPointError as error:
    ...     print(error)
    forward, log in rnn at t = 3 makes 1 of 2 entries infinite, out of p (2,)
    """
    OPEN.append("")
    try:
        with heading("forward"), np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            yield
    finally:
        OPEN.pop()


def spoiled(value: Any, operands: Sequence[Any]) -> tuple[int, str] | None:
    """How many entries are "NaN", or else "infinite" although all operands are finite.

    >>> spoiled(np.array([np.inf, 1.0]), [2.0]), spoiled(np.array(np.inf), [-np.inf])
    ((1, 'infinite'), None)
    """
    if not _is_real(value):
        return None
    if count := int(np.sum(np.isnan(value))):
        return count, "NaN"
    if not (count := int(np.sum(np.isinf(value)))):
        return None
    return (count, "infinite") if all(np.all(np.isfinite(x)) for x in _reals(operands)) else None


def look(what: str, value: Any, operands: Sequence[Any]) -> None:
    """Raise if a value that `what` made out of operands is spoiled."""
    wrong = spoiled(value, operands)
    if wrong is None:
        return
    count, kind = wrong
    given = [x for x in operands if any(np.any(np.isnan(a)) for a in _reals([x]))]
    told = " and ".join(map(describe, given or operands)) or "finite ones"
    raise NotFinite(
        f"{WAY.get()}, {what} makes {count} of {np.size(value)} entries {kind}, "
        f"{'given NaN by' if given else 'out of'} {told}"
    )


def _reals(operands: Sequence[Any]) -> Iterator[Any]:
    values = (getattr(x, "_data", x) for x in operands)
    return (x for x in values if _is_real(x))


def _is_real(x: Any) -> bool:
    """Whether it holds floating-point numbers, or complex ones."""
    return isinstance(x, float) or getattr(getattr(x, "dtype", None), "kind", "") in ("f", "c")
