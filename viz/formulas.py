"""One operation as mathematics: what a node makes of the formulas of its operands.

Samples are rows in the graph and columns in print, so a product of the graph is printed the other
way round, and a sum over samples is not printed at all.
"""

from __future__ import annotations

from typing import Any

from minigrad.core import PRIMITIVES
from minigrad.graph import Node
from viz.notation import Formula, Function

SUM_OF, PRODUCT_OF, MATRIX, ATOM = 1, 2, 3, 4
"""How tightly the parts of a formula hold together."""

Term = tuple[Formula, int]
SAME = ("alias", "astype", "detach", "expand_dims", "squeeze", "broadcast_to", "reshape")
"""What changes nothing that a formula shows; a sum over samples is not shown either."""

COMPARISONS = ("greater", "greater_equal", "less", "less_equal", "equal", "not_equal")


def written(node: Node, operands: list[Term]) -> Term:
    """One operation, written as mathematics."""
    a, b = operands[0], operands[-1]
    if node.op in SAME or (node.op == "sum" and node.attrs.get("axis") == (-2,)):
        return a
    if node.op in ("add", "add_n"):
        whole: list[Any] = [*held(a, SUM_OF)]
        for term in operands[1:]:
            minus = term[0][0] == "−"
            whole += [" − " if minus else " + ", *held(term, SUM_OF)[minus:]]
        return tuple(whole), SUM_OF
    if node.op == "subtract":
        return (*held(a, SUM_OF), " − ", *held(b, PRODUCT_OF)), SUM_OF
    if node.op == "negative":
        return ("−", *held(a, PRODUCT_OF)), PRODUCT_OF
    if node.op in ("multiply", "divide"):
        if node.op == "multiply" and node.inputs[0] == node.inputs[1]:
            return (*held(a, ATOM), "²"), ATOM
        number = any(len(p[0]) == 1 and isinstance(p[0][0], str) for p in operands)
        sign = " / " if node.op == "divide" else " " if number else " ⊙ "
        least = ATOM if node.op == "divide" else PRODUCT_OF
        return (*held(a, PRODUCT_OF), sign, *held(b, least)), PRODUCT_OF
    if node.op == "matmul":
        return (*held(b, MATRIX), " ", *held(a, MATRIX)), MATRIX
    if node.op == "lookup":
        return (*held(a, MATRIX), " ", *held(b, MATRIX)), MATRIX
    if node.op == "contract":
        return (*held(b, MATRIX), " ", *held(a, ATOM), "ᵀ"), MATRIX
    if node.op == "index":
        return (*held(a, ATOM), "[", _columns(node), "]"), ATOM
    if node.op == "transpose":
        return (*held(a, ATOM), "ᵀ"), ATOM
    if node.op == "square":
        return (*held(a, ATOM), "²"), ATOM
    if node.op in COMPARISONS:  # 1 where it holds, 0 elsewhere
        return ("[", *a[0], f" {PRIMITIVES[node.op].label} ", *b[0], "]"), ATOM
    if node.op == "concatenate":
        return ("[", *_listed(operands, "; "), "]"), ATOM
    label = PRIMITIVES[node.op].label
    name = label if label.isalpha() else node.op
    return (Function(name), "(", *_listed(operands, ", "), ")"), ATOM


def _columns(node: Node) -> str:
    """Which columns are taken, as in Python; "·" if they are not a range."""
    last = node.attrs["position"][-1] if isinstance(node.attrs["position"], tuple) else None
    return f"{last.start}:{last.stop}" if isinstance(last, slice) else "·"


def _listed(operands: list[Term], sign: str) -> Formula:
    whole: list[Any] = [*operands[0][0]]
    for term in operands[1:]:
        whole += [sign, *term[0]]
    return tuple(whole)


def held(term: Term, least: int) -> Formula:
    """The formula in brackets, if it holds together less tightly than its place needs."""
    formula, tight = term
    return formula if tight >= least else ("(", *formula, ")")
