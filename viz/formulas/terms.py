"""One operation as mathematics: what a node makes of the formulas of its operands.

Samples are rows in the graph and columns in print, so a product of the graph is printed the other
way round; axes are those of the graph. What has no sign of its own is written by its name, as a
call in Python: nothing that changes a number is left out.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.facts import ATOM, PRODUCT_OF, SHOWS_OPERAND, SUM_OF, SUMS, Formula
from minigrad.graph import Node
from viz.formulas.notation import Code, Function
from viz.formulas.notation import Formula as Written

Term = tuple[Written, int]


def written(node: Node, operands: list[Term], shape: tuple[int, ...] = ()) -> Term:
    """One operation, written as mathematics: by its own pattern, or as a call.

    Args:
        node: the operation.
        operands: the formulas of what it reads.
        shape: of the first operand.
    """
    a = operands[0]
    formula = PRIMITIVES[node.op].formula
    if formula is SHOWS_OPERAND and not node.attrs.keys() - {"dtype"}:
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
            if not (len(a[0]) == 1 and isinstance(a[0][0], str)):
                operands = operands[::-1]  # a number and a vector; 2 −x would be a difference
            needed = ATOM if operands[1][0][0] == "−" else PRODUCT_OF
            formula = Formula("a b", PRODUCT_OF, (PRODUCT_OF, needed))
    if node.op == "index":
        return (*held(a, ATOM), Code(f"[{position(node.attrs['position'], len(shape))}]")), ATOM
    if node.op == "concatenate" and node.attrs["axis"] == -1:
        return ("[", *_listed(operands, "; "), "]"), ATOM
    if formula is not None and _is_whole(node, formula, shape):
        return _by(formula, operands), formula.holds
    return (Function(_called(node.op)), "(", *_listed(operands, ", "), *_options(node, shape), ")"
            ), ATOM  # fmt: skip


def _is_whole(node: Node, formula: Formula, shape: tuple[int, ...]) -> bool:
    """Whether a pattern says all: ᵀ exchanges the last two axes, a sum over rows is of one row."""
    if formula is SHOWS_OPERAND:
        return False
    if "axes" in node.attrs:
        rank = len(shape)
        return rank > 1 and node.attrs["axes"] == (*range(-rank, -2), -1, -2)
    return node.op not in TRANSPOSED or len(shape) == 2


TRANSPOSED = tuple(n for n, p in PRIMITIVES.items() if p.formula and p.formula.pattern == "b aᵀ")
"""Products that sum over all leading axes, of which a matrix has one."""


def _by(formula: Formula, operands: list[Term]) -> Written:
    """The pattern of a formula, with its operands in place of the letters."""
    terms = zip("ab", operands, formula.needs, strict=False)
    place = {letter: held(term, needed) for letter, term, needed in terms}
    parts = re.split("([ab])", formula.pattern)
    return tuple(piece for part in parts if part for piece in place.get(part, (part,)))


def _called(op: str) -> str:
    """The name of an operation in a call: its sign, if no other has it that is called."""
    label = PRIMITIVES[op].label
    same = [name for name, p in PRIMITIVES.items() if p.label == label and not p.formula]
    same = [name for name in same if PRIMITIVES[name].lowering.chain != SUMS]
    return label if label.isalpha() and same == [op] else op


def _options(node: Node, shape: tuple[int, ...]) -> list[Any]:
    """The options of a call that are not what everyone expects."""
    found: list[Any] = []
    for name, value in node.attrs.items():
        if name == "keepdims" and not value:
            continue
        general = PRIMITIVES[node.op].kind == "general" and "keepdims" not in node.attrs
        if name == "axis" and value == (-1,) and general:
            continue  # of softmax and its like
        if node.op == "reshape" and shape[:1] == value[:1] and 0 not in value[1:]:
            value = (-1, *value[1:])  # samples, however many
        found += [", ", Code(f"{name}={_literal(name, value)}")]
    return found


def _literal(name: str, value: Any) -> str:
    if name == "positions":
        return f"[{', '.join(f'[{position(p, 0)}]' for p in value)}]"
    if isinstance(value, tuple) and len(value) == 1 and name in ("axis", "axes"):
        (value,) = value
    if isinstance(value, float):
        return number(value)
    if isinstance(value, str):
        return repr(value)
    return str(value).replace("-", "−")


def position(items: tuple[Any, ...], rank: int) -> str:
    """Where entries are taken, as in Python; of a slice of columns only the slice.

    >>> position((slice(None), slice(0, 5)), 2), position((0, None, slice(None)), 2)
    ('0:5', '0, None, :')
    """
    told = [_item(item) for item in items]
    is_whole = len(items) == rank or told[0] == "…"
    if is_whole and isinstance(items[-1], slice) and {":", "…"}.issuperset(told[:-1]):
        return told[-1]
    if len(told) == 1 and isinstance(items[0], slice) and rank != 1:
        return f"{told[0]}, …"
    return ", ".join(told)


def _item(item: Any) -> str:
    if isinstance(item, slice):
        ends = ["" if end is None else str(end) for end in (item.start, item.stop, item.step)]
        return ":".join(ends[:2] if item.step is None else ends).replace("-", "−")
    if item is ...:
        return "…"
    told = str(np.asarray(item).tolist()) if isinstance(item, np.ndarray) else str(item)
    return told.replace("-", "−")


def number(value: float) -> str:
    """A number, short if that is exact: what is printed is what is computed with.

    >>> number(0.5), number(-2.0), number(1 / 3)
    ('0.5', '−2', '0.3333333333333333')
    """
    short = f"{value:.4g}"
    return (short if float(short) == value else repr(float(value))).replace("-", "−")


def _listed(operands: list[Term], sign: str) -> Written:
    whole: list[Any] = [*operands[0][0]]
    for term in operands[1:]:
        whole += [sign, *term[0]]
    return tuple(whole)


def held(term: Term, least: int) -> Written:
    """The formula in brackets, if it holds together less tightly than its place needs."""
    formula, tight = term
    return formula if tight >= least else ("(", *formula, ")")
