"""The former name of `minigrad.core.kinds`."""

from minigrad.core.kinds import (
    FLAG,
    INDEX,
    POSITIVE,
    REAL,
    UNIT,
    bilinear,
    elementwise,
    entrywise,
    general,
    linear,
    negative_axes,
    rank,
    stepwise,
    underflows,
    zeros,
)  # fmt: skip

__all__ = [
    "FLAG", "INDEX", "POSITIVE", "REAL", "UNIT", "bilinear", "elementwise", "entrywise", "general",
    "linear", "negative_axes", "rank", "stepwise", "underflows", "zeros",
]  # fmt: skip
