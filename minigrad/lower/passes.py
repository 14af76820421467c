"""Passes: a folded graph to one that gives the same numbers with fewer and larger calls.

Each pass is small, can be switched off (`schedule(folded, passes=...)`), and is tested to change
nothing but rounding. They find by rule what is done by hand in fast recurrent code: gates computed
by one product and one exp, weight gradients by one product over all steps.
"""

from __future__ import annotations

from collections.abc import Callable

from minigrad.folded import Folded
from minigrad.lower.gates import (
    columns_as_gates,
    join_operands,
    merge_elementwise,
    merge_factors,
    merge_products,
)
from minigrad.lower.regroup import (
    distribute,
    eliminate_common,
    factor_out,
    flatten_piles,
    narrow_products,
    own_carriers,
    pile_up,
    reassociate,
)
from minigrad.lower.scale import scale_weights, sigmoid_by_exp

Pass = Callable[[Folded], Folded]

EARLY: tuple[Pass, ...] = (
    eliminate_common,
    narrow_products,
    factor_out,
    pile_up,
    join_operands,
    eliminate_common,
    columns_as_gates,
    distribute,
    flatten_piles,
    reassociate,
    factor_out,
    eliminate_common,
    merge_products,
    merge_elementwise,
    eliminate_common,
    merge_factors,
    eliminate_common,
)
"""Run before a graph is differentiated, so that its adjoint is made of large operations too."""

LATE: tuple[Pass, ...] = (
    sigmoid_by_exp,
    scale_weights,
    eliminate_common,
    merge_elementwise,
    eliminate_common,
    own_carriers,
)
"""Run when a graph is compiled, on what is to be run and no longer differentiated."""

PASSES: tuple[Pass, ...] = (*EARLY, *LATE)
"""In the order in which they run. `own_carriers` is needed, the others can be left out."""
