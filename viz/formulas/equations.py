"""The equations of a step, printed from its graph in the seed's notation.

Vectors are columns, as in the text: the graph's `x @ W_xh` is printed W_xh x, its `g @ W.T` is
Wᵀ g. Every named value has its line; what has no name is written where it is read.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minigrad.facts import ATOM, PRODUCT_OF, SUM_OF
from minigrad.folded import EVERY, SEQUENCE, STATIC, SUM, Folded, folded_adjoint
from viz import given
from viz.formulas.notation import Formula, Symbol, html, latex, shifted, typed, unicode
from viz.formulas.terms import Term, held, written
from viz.quotients.layers import Layers


@dataclass(frozen=True)
class Equations:
    """The equations of a step; notebooks show them set.

    As text they are in Unicode, or in ASCII where standard output cannot print that.

    Attributes:
        lines: left and right side of each, as symbols and signs.
    """

    lines: tuple[tuple[Formula, Formula], ...]

    @property
    def unicode(self) -> str:
        """One line for each equation."""
        return "\n".join(f"{unicode(left)} = {unicode(right)}" for left, right in self.lines)

    @property
    def ascii(self) -> str:
        """One line for each equation, for any terminal."""
        return "\n".join(f"{typed(left)} = {typed(right)}" for left, right in self.lines)

    @property
    def latex(self) -> str:
        """An `aligned` block."""
        rows = " \\\\\n".join(f"{latex(left)} &= {latex(right)}" for left, right in self.lines)
        return f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}"

    @property
    def html(self) -> str:
        """A line for each equation, with real sub- and superscripts."""
        return "\n".join(f"{html(left)} = {html(right)}" for left, right in self.lines)

    def __str__(self) -> str:
        text = self.unicode
        try:
            text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
        except UnicodeEncodeError:
            return self.ascii
        return text

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"


def equations(cell: Any, adjoint: bool = False) -> Equations:
    """The equations of one time step of a cell or folded graph.

    Args:
        cell: what they are derived from.
        adjoint: those of backpropagation through time instead: ∂h stands for the derivative of
            the loss by h, ∂L/∂h for the part that does not come through later steps, and the
            gradients of parameters are sums over t.

    >>> import rnn
    >>> print(equations(rnn.RNNCell(3, 5)))
    z_h⁽ᵗ⁾ = W_xh x⁽ᵗ⁾ + W_hh h⁽ᵗ⁻¹⁾ + b_h
    h⁽ᵗ⁾ = tanh(z_h⁽ᵗ⁾)
    >>> print(equations(rnn.RNNCell(3, 5), adjoint=True))
    ∂h⁽ᵗ⁾ = ∂L/∂h⁽ᵗ⁾ + W_hhᵀ ∂z_h⁽ᵗ⁺¹⁾
    ∂z_h⁽ᵗ⁾ = ∂h⁽ᵗ⁾ ⊙ (1 − h⁽ᵗ⁾²)
    ∂W_xh = Σ ∂z_h⁽ᵗ⁾ x⁽ᵗ⁾ᵀ
    ∂W_hh = Σ ∂z_h⁽ᵗ⁾ h⁽ᵗ⁻¹⁾ᵀ
    ∂b_h = Σ ∂z_h⁽ᵗ⁾
    ∂x⁽ᵗ⁾ = W_xhᵀ ∂z_h⁽ᵗ⁾
    """
    given.flags("equations", adjoint=adjoint)
    step = _Step(given.folded("equations", cell))
    return Equations(tuple((_backward(step) if adjoint else step).lines))


@dataclass(frozen=True)
class _State(Symbol):
    """A state without a name, to be written out when its origin is known."""

    node: int = 0


class _Step:
    """The formulas of a folded graph's step.

    Args:
        folded: the graph.
        given: formulas of inputs that are known, by node.
        wrt: names of the outputs that have none.
        layers: which layers share a name, if other graphs share them.

    Attributes:
        terms: for each node the formula by which others read it.
        lines: the equations, in an order in which they can be computed.
    """

    def __init__(
        self,
        folded: Folded,
        given: Mapping[int, Term] | None = None,
        wrt: Sequence[Symbol] = (),
        layers: Layers | None = None,
    ) -> None:
        self.folded = folded
        self.nodes = folded.step.nodes
        self.owners = {
            folded.step.inputs[r.input]: r.name.removeprefix("∂").rpartition(".")[0]
            for r in folded.recurrences
        }
        self.layers = layers or Layers(
            ((node.name or "").rpartition(".")[2], self.scope(k))
            for k, node in enumerate(self.nodes)
        )
        states = {
            folded.step.outputs[r.output]: r.name or f"s_{n}"
            for n, r in enumerate(folded.recurrences, 1)
        }
        self.terms: list[Term] = []
        self.lines: list[tuple[Formula, Formula]] = []
        self.origins = folded.origins()
        self.left: dict[int, Symbol] = {}
        for k, node in enumerate(self.nodes):
            if node.op not in ("input", "constant") and node.name:
                self.left[k] = self.symbol(node.name, self.scope(k), 0)
            elif k in states and not wrt:
                scope, _, name = states[k].rpartition(".")
                self.left[k] = self.symbol(name, node.scope or scope, 0)
        for n, k in enumerate(folded.step.outputs if not wrt else ()):
            if folded.outputs[n] == EVERY and self.nodes[k].op not in ("input", "constant"):
                self.left.setdefault(k, Symbol("y", "", 0))
        for k in range(len(self.nodes)):
            term = (given or {}).get(k) or self.term(k)
            if k in self.left:
                self.lines.append(((self.left[k],), term[0]))
                term = ((self.left[k],), ATOM)
            self.terms.append(term)
        for n, symbol in enumerate(wrt):
            k, role = folded.step.outputs[n], folded.outputs[n]
            if role == SUM:
                self.lines.append(((symbol,), ("Σ ", *held(self.terms[k], PRODUCT_OF))))
            elif role == EVERY and k not in self.left:
                self.lines.append(((symbol,), self.terms[k][0]))
        self.lines = [(left, self._carried(right)) for left, right in self.lines]

    def scope(self, k: int) -> str:
        """The layer a node belongs to, by its tag, its name, or the state that it adds to."""
        node = self.nodes[k]
        path = (node.name or "").rpartition(".")[0]
        read = (self.owners[i] for i in (k, *node.inputs) if i in self.owners)
        return node.scope or path or next(read, "")

    def symbol(self, name: str, scope: str, offset: int | None) -> Symbol:
        """A name as the seed writes it, layers told apart by their subscript."""
        base, _, sub = name.partition("_")
        number = self.layers.sub(name.removeprefix("∂"), scope)
        return Symbol(base or name, ",".join(p for p in (sub, number) if p), offset)

    def term(self, k: int) -> Term:
        """The formula of a node from those of its operands."""
        node = self.nodes[k]
        if node.op == "input":
            return (self._input(k),), ATOM
        if node.op == "constant":
            size = np.size(node.value) == 1
            value = f"{np.asarray(node.value).item():.4g}".replace("-", "−") if size else ""
            return (value or Symbol(node.name or "c"),), ATOM
        operands = [self.terms[i] for i in node.inputs]
        return written(node, operands)

    def _input(self, k: int) -> Symbol:
        node, position = self.nodes[k], self.folded.step.inputs.index(k)
        name, scope = (node.name or f"input_{position + 1}").rpartition(".")[2], self.scope(k)
        role = self.folded.inputs[position]
        if role == STATIC:
            return self.symbol(name, scope, None)
        if role == SEQUENCE:
            return replace(self.symbol(name, scope, 0), given=name.startswith("∂"))
        origin, delay = self.origins[k]
        if origin in self.left:
            return Symbol(self.left[origin].base, self.left[origin].sub, -delay)
        return _State("", "", 0, node=k)

    def _carried(self, formula: Formula) -> Formula:
        """The formula with what a nameless state holds in its place, as it was at its own step."""
        found: list[Any] = []
        for part in formula:
            if isinstance(part, _State):
                origin, delay = self.origins[part.node]
                inner = held(self.terms[origin], SUM_OF if " + " in formula else PRODUCT_OF)
                found += shifted(inner, -delay)
            else:
                found.append(part)
        return tuple(found)


def _backward(step: _Step) -> _Step:
    """The formulas of the adjoint; what it saved from the forward run reads as it does there."""
    adjoint = folded_adjoint(step.folded)
    backward = adjoint.backward
    given = {backward.step.inputs[n]: step.terms[k] for n, k in enumerate(adjoint.step.residuals)}
    wrt = []
    for k in adjoint.step.wrt:
        node = step.folded.input_node(k)
        scope, _, name = (node.name or f"input_{k + 1}").rpartition(".")
        at = None if step.folded.inputs[k] == STATIC else 0
        plain = step.symbol(name, scope, at)
        wrt.append(Symbol(f"∂{plain.base}", plain.sub, at))
    return _Step(backward, given, wrt, step.layers)


__all__ = ["Equations", "equations"]
