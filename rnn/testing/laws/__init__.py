"""Laws of recurrence, on any cell: time, batches, padding, weights, and BPTT.

A law raises `Broken` with the numbers, or `DoesNotApply` where a cell has not what it is about.
They are the numbered laws L31 to L56 of the literature on testing such networks, and a few that
belong to this library: one run on the graph, compiled and folded is the same run. Missing is L53,
the orders of weights of other libraries, which are not read or written here.
"""

from rnn.testing.laws import batches, runs, simple, steps, truncation, weights
from rnn.testing.problem import Law

LAWS: dict[str, Law] = {
    **runs.LAWS,
    **steps.LAWS,
    **truncation.LAWS,
    **batches.LAWS,
    **weights.LAWS,
    **simple.LAWS,
}
"""Every recurrent law by its name, in the order of a report card."""

__all__ = ["LAWS", "Law"]
