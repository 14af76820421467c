"""One operation as mathematics: what a node makes of the formulas of its operands.

Samples are rows in the graph and columns in print, so a product of the graph is printed the other
way round, and a sum over samples is not printed at all.
"""

from __future__ import annotations

import re
from typing import Any

from minigrad.core import PRIMITIVES
from minigrad.facts import ATOM, PRODUCT_OF, SHOWS_OPERAND, SUM_OF, SUMS, Formula
from minigrad.graph import Node
from viz.formulas.notation import Formula as Written
from viz.formulas.notation import Function

Term = tuple[Written, int]


def written(node: Node, operands: list[Term]) -> Term:
    """One operation, written as mathematics: by its own pattern, or as a function."""
    a = operands[0]
    formula = PRIMITIVES[node.op].formula
    if formula is SHOWS_OPERAND or (node.op == "sum" and node.attrs.get("axis") == (-2,)):
        return a
    if node.lowering.chain == SUMS:
        whole: list[Any] = [*held(a, SUM_OF)]
        for term in operands[1:]:
            minus = term[0][0] == "−"
            whole += [" − " if minus else " + ", *held(term, SUM_OF)[minus:]]
        return tuple(whole), SUM_OF
    if node.op == "multiply":
        if node.inputs[0] == node.inputs[1]:
            formula = PRIMITIVES["square"].formula
        elif any(len(p[0]) == 1 and isinstance(p[0][0], str) for p in operands):
            formula = Formula("a b", PRODUCT_OF, (PRODUCT_OF, PRODUCT_OF))  # a number and a vector
    if node.op == "index":
        return (*held(a, ATOM), "[", _columns(node), "]"), ATOM
    if node.op == "concatenate":
        return ("[", *_listed(operands, "; "), "]"), ATOM
    if formula is not None:
        return _by(formula, operands), formula.holds
    label = PRIMITIVES[node.op].label
    name = label if label.isalpha() else node.op
    return (Function(name), "(", *_listed(operands, ", "), ")"), ATOM


def _by(formula: Formula, operands: list[Term]) -> Written:
    """The pattern of a formula, with its operands in place of the letters."""
    terms = zip("ab", operands, formula.needs, strict=False)
    place = {letter: held(term, needed) for letter, term, needed in terms}
    parts = re.split("([ab])", formula.pattern)
    return tuple(piece for part in parts if part for piece in place.get(part, (part,)))


def _columns(node: Node) -> str:
    """Which columns are taken, as in Python; "·" if they are not a range."""
    last = node.attrs["position"][-1] if isinstance(node.attrs["position"], tuple) else None
    return f"{last.start}:{last.stop}" if isinstance(last, slice) else "·"


def _listed(operands: list[Term], sign: str) -> Written:
    whole: list[Any] = [*operands[0][0]]
    for term in operands[1:]:
        whole += [sign, *term[0]]
    return tuple(whole)


def held(term: Term, least: int) -> Written:
    """The formula in brackets, if it holds together less tightly than its place needs."""
    formula, tight = term
    return formula if tight >= least else ("(", *formula, ")")
