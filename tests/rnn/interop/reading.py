"""The stored numbers of a case, and whether ours agree with them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tests.rnn.interop.make_reference import FILE

ALLOWED = {"float32": 1e-6, "float64": 1e-12}
"""Relative to the largest number of an array, or to 1 where that is more."""


@cache
def stored() -> dict[str, dict[str, Any]]:
    """The numbers of each `library/case/precision`."""
    from safetensors.numpy import load_file

    found: dict[str, dict[str, Any]] = {}
    for key, value in load_file(FILE).items():
        *case, what = key.split("/")
        found.setdefault("/".join(case), {})[what] = value
    return found


def starting(numbers: dict[str, Any], what: str) -> dict[str, Any]:
    """The numbers whose names begin so, by the rest of their names."""
    return {key[len(what) :]: v for key, v in numbers.items() if key.startswith(what)}


def same(found: Any, wanted: Any, what: str, precision: str) -> None:
    """Fail unless two arrays agree to the precision."""
    found = np.asarray(getattr(found, "data", found))
    assert (found.shape, str(found.dtype)) == (wanted.shape, precision), what
    far = np.max(np.abs(found - wanted), initial=0.0) / max(1.0, np.max(np.abs(wanted), initial=0))
    assert far <= ALLOWED[precision], f"{what}: apart by {far:.2g}, allowed {ALLOWED[precision]}"
