"""Numbers that somebody gave, checked where they have a name."""

from __future__ import annotations

from typing import Any

import numpy as np


def whole(where: str, name: str, value: Any, least: int = 1, most: int | None = None) -> None:
    """Raise unless a value is a whole number, and neither too small nor too large.

    >>> whole("train", "steps", 2.5)
    Traceback (most recent call last):
    ValueError: train: steps must be a whole number ≥ 1, got 2.5
    """
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or value < least or (most is not None and value > most):
        span = f"≥ {least}" if most is None else f"from {least} to {most:,}"
        raise ValueError(f"{where}: {name} must be a whole number {span}, got {value!r:.60}")


def number(where: str, name: str, value: Any) -> None:
    """Raise unless a value is a number that is finite and not negative.

    >>> number("Recipe", "rate", float("nan"))
    Traceback (most recent call last):
    ValueError: Recipe: rate must be a number ≥ 0 and finite, got nan
    """
    real = isinstance(value, int | float | np.integer | np.floating)
    if isinstance(value, bool) or not real or not 0 <= value < np.inf:
        raise ValueError(f"{where}: {name} must be a number ≥ 0 and finite, got {value!r}")
