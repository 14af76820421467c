"""The passes: what each is for, in which order they run, and what each buys.

A pass takes a folded graph to one that gives the same numbers with fewer and larger calls. Each is
small, can be left out (`planned(folded, passes=...)`), and is tested to change nothing but
rounding. They find by rule what is done by hand in fast recurrent code: gates computed by one
product and one call of tanh, weight gradients by one product over all steps.

What a pass buys is given in calls of one step, without it and with it, each left out alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

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


class Pass(NamedTuple):
    """A step on the way down.

    Attributes:
        change: the function.
        why: the reason for it, and for its place.
        buys: calls of one step without it → with it.
    """

    change: Callable[[Folded], Folded]
    why: str
    buys: str

    @property
    def name(self) -> str:
        """What the function is called."""
        return self.change.__name__


EARLY: tuple[Pass, ...] = (
    Pass(narrow_products, "a product over one term is no product: it can merge with its like",
         "RNN backward 4 → 3"),
    Pass(factor_out, "a x + b x is (a + b) x, before terms are put on piles",
         "GRU backward 13 → 5"),
    Pass(pile_up, "terms of one shape that are summed stand on a pile, whose sum is one call",
         "LSTM backward 12 → 7"),
    Pass(join_operands, "x W + h U + b is [x h 1] times the weights on each other: one product a "
         "gate, which the next passes make one for all gates", "RNN forward 3 → 2"),
    Pass(columns_as_gates, "gates cut from the columns of one product are gates like any other, so "
         "what follows merges them too", "LSTM in one product, forward 22 → 13"),
    Pass(distribute, "a factor in front of a sum goes to its terms, where it meets other factors "
         "that do not wait for the loop", "LSTM backward 9 → 7"),
    Pass(flatten_piles, "a pile on a pile is one pile", "LSTM backward 9 → 7"),
    Pass(reassociate, "products and sums are grouped so that what does not carry the state leaves "
         "the loop; after all that makes them longer", "LSTM backward 12 → 7"),
    Pass(merge_products, "products that share their left operand are one, by the weights side by "
         "side", "LSTM forward 21 → 12"),
    Pass(merge_elementwise, "the same operation on slices of one array is one call; after products "
         "have made them slices", "LSTM forward 18 → 12"),
    Pass(merge_factors, "a s, b s, c s of one s are [a b c] s; last, as it takes what is left",
         "LSTM backward 9 → 7"),
)  # fmt: skip
"""Before a graph is differentiated, so that its adjoint is made of large operations too."""

LATE: tuple[Pass, ...] = (
    Pass(sigmoid_by_exp, "three calls in place that all gates share; late, as the derivative of σ "
         "needs σ", "no call of Python inside of NumPy's"),
    Pass(scale_weights, "the −1 of exp(−x) goes into the weights, once a run",
         "LSTM forward 13 → 12"),
    Pass(own_carriers, "a state gets a node of its own where it is also something else; needed, as "
         "every history has one buffer", "nothing"),
)  # fmt: skip
"""On what is to be run, and no longer differentiated."""

PASSES: tuple[Pass, ...] = (*EARLY, *LATE)
"""All in their order. The last is needed, the others can be left out."""


def changed(folded: Folded, passes: Iterable[Pass]) -> Folded:
    """The folded graph after the passes, each in turn.

    Equal expressions are computed once before the first, and after each that changed anything: a
    pass may count on it, and need not care what it leaves behind twice.
    """
    folded = eliminate_common(folded)
    for each in passes:
        found = each.change(folded)
        folded = folded if found is folded else eliminate_common(found)
    return folded
