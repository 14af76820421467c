"""Backpropagation through time in numbers: what a gradient is made of, for any cell.

Each function takes a cell, its parameters, a sequence and a loss, and gives back a frozen result
that prints as a table. All are operations on the folded graph of the cell and on its adjoint
(`surgery`, `adjoints`) or on the graph of all steps (`chain`): none of them knows a cell.
"""

from rnn.bptt.flow import Flow, flow
from rnn.bptt.ladder import Ladder, ladder
from rnn.bptt.ledger import Account, Ledger, ledger
from rnn.bptt.messages import Messages, messages
from rnn.bptt.paths import Path, Paths, paths
from rnn.bptt.rtrl import Cost, Rtrl, rtrl
from rnn.bptt.split import Split, split
from rnn.bptt.stages import Stages, stages
from rnn.bptt.steps import lyapunov
from rnn.bptt.totals import Derivative, Totals, totals
from rnn.bptt.truncation import Truncated, Truncation, truncated, truncation
from rnn.bptt.walk import Edge, Walk, walk
from rnn.bptt.why import Event, Why, why

__all__ = [
    "Account", "Cost", "Derivative", "Edge", "Event", "Flow", "Ladder", "Ledger", "Messages",
    "Path", "Paths", "Rtrl", "Split", "Stages", "Totals", "Truncated", "Truncation", "Walk",
    "Why", "flow", "ladder", "ledger", "lyapunov", "messages", "paths", "rtrl", "split", "stages",
    "totals", "truncated", "truncation", "walk", "why",
]  # fmt: skip
