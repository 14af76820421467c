"""Folded graphs: one time step, and the delayed edges that close the loop.

`unfold` copies the step and turns each delayed edge into an ordinary one; `adjoint` gives the
folded graph of backpropagation through time, which runs the other way.
"""

from minigrad.folded.order import components, phases
from minigrad.folded.program import (
    DUAL,
    EVERY,
    ONCE,
    SEQUENCE,
    STATE,
    STATIC,
    SUM,
    Folded,
    Recurrence,
    forget,
    narrowed,
    same_folded,
)
from minigrad.folded.reverse import FoldedAdjoint, adjoint, folded_adjoint, no_cotangent
from minigrad.folded.unfolding import by_step, run_folded, run_steps, unfold

__all__ = [
    "DUAL", "EVERY", "ONCE", "SEQUENCE", "STATE", "STATIC", "SUM", "Folded", "FoldedAdjoint",
    "Recurrence", "adjoint", "by_step", "components", "folded_adjoint", "forget", "narrowed",
    "no_cotangent", "phases", "run_folded", "run_steps", "same_folded", "unfold",
]  # fmt: skip
