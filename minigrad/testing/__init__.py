"""Property-based testing of gradients, for this engine and for code of your own.

`check_gradients` checks a function of tensors, `check_vjp` a forward and backward written by hand
in plain NumPy. Random programs, strategies for Hypothesis, and faults to read are here too; only
the strategies need Hypothesis. `README.md` beside this file starts from nothing. What is where:

* `check`: `check_gradients`. It compares three derivatives (`compare`; `flat` makes a function of
  leaves, `numeric` has derivatives without rules, `rounding` what they may differ by), and holds
  what a gradient promises besides (`promises`).
* `report`: what is said of a wrong one, with the smallest program that fails (`minimise`) as Python
  (`text`), in files (`artifacts`); `progress` says what takes long.
* `handwritten`: `check_vjp`, and its report; `faults`: eight backward passes to try it on.
* `laws`, on one application of a primitive (`cases`); `programs`, of random primitives;
  `strategies`, of all of these for Hypothesis; `plugin`, for pytest.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from minigrad.extras import needed
from minigrad.testing.cases import Case, draw_case
from minigrad.testing.check import check_gradients
from minigrad.testing.compare import GradientCheck
from minigrad.testing.handwritten import check_vjp
from minigrad.testing.laws import LAWS, Broken, check_law
from minigrad.testing.programs import Program, draw_fan_out, draw_program
from minigrad.testing.report import GradientMismatch
from minigrad.testing.text import program_text

STRATEGIES = ("shapes", "tensors", "broadcast_args", "indices", "graphs", "fan_outs")

__all__ = [
    "LAWS", "Broken", "Case", "GradientCheck", "GradientMismatch", "Program", "broadcast_args",
    "check_gradients", "check_law", "check_vjp", "draw_case", "draw_fan_out", "draw_program",
    "fan_outs", "graphs", "indices", "program_text", "shapes", "tensors",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """The strategies, which import Hypothesis, when they are asked for."""
    if name not in STRATEGIES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    needed("hypothesis", "testing", f"minigrad.testing.{name}")
    return getattr(import_module("minigrad.testing.strategies"), name)
