"""Overflow, division by zero and NaN in a program, said as NumPy was told to say them.

The calls of a program have lost the names of the operations they were made from. Where NumPy is to
raise (`np.errstate(all="raise")`), the operations are run again one by one, which tells the one
that fails, with its scope and its step. If none of them does, what the program met was harmless.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np


def watched(run: Callable[..., Any], one_by_one: Callable[..., Any]) -> Callable[..., Any]:
    """A program whose floating-point errors are those of its operations, run `one_by_one`."""

    def call(*inputs: Any) -> Any:
        try:
            return run(*inputs)
        except FloatingPointError:
            one_by_one(*inputs)
            with np.errstate(all="ignore"):
                return run(*inputs)

    return call


def quiet() -> AbstractContextManager[Any]:
    """What a program that takes sigmoids apart runs in: where exp(−x) overflows, σ is 0.

    Overflow elsewhere in it is not warned of either; whoever wants to know lets it be raised.
    """
    return nullcontext() if np.geterr()["over"] == "raise" else np.errstate(over="ignore")
