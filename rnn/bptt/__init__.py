"""Backpropagation through time in numbers: what a gradient is made of, for any cell."""

from rnn.bptt.ladder import Ladder, ladder, lyapunov
from rnn.bptt.ledger import Account, Ledger, ledger
from rnn.bptt.rtrl import Cost, Rtrl, rtrl
from rnn.bptt.split import Split, split
from rnn.bptt.totals import Derivative, Totals, totals
from rnn.bptt.truncation import Truncated, Truncation, truncated, truncation

__all__ = [
    "Account", "Cost", "Derivative", "Ladder", "Ledger", "Rtrl", "Split", "Totals", "Truncated",
    "Truncation", "ladder", "ledger", "lyapunov", "rtrl", "split", "totals", "truncated",
    "truncation",
]  # fmt: skip
