"""The equations of a step, printed from its graph in the seed's notation.

Vectors are columns, as in the text: the graph's `x @ W_xh` is printed W_xh x, its `g @ W.T` is
Wᵀ g. Every named value has its line; what has no name is written where it is read.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from minigrad.facts import ATOM
from minigrad.folded import EVERY, STATIC, folded_adjoint
from viz import given
from viz.formulas.notation import Formula, Symbol, html, latex, typed, unicode
from viz.formulas.step import Step


@dataclass(frozen=True)
class Equations:
    """The equations of a step; notebooks show them set.

    As text they are in Unicode, or in ASCII where standard output cannot print that.

    Attributes:
        lines: left and right side of each, as symbols and signs.
        constants: arrays of the step that are written as a symbol, `c₁` if they have no name.
        inputs, outputs: how the inputs and outputs of the step are written, in their order.
    """

    lines: tuple[tuple[Formula, Formula], ...]
    constants: Mapping[Symbol, Any] = field(default_factory=dict)
    inputs: tuple[Formula, ...] = ()
    outputs: tuple[Formula, ...] = ()

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
    step = Step(given.folded("equations", cell))
    shown = _backward(step) if adjoint else step
    used = {p for line in shown.lines for p in line[1] if isinstance(p, Symbol)}
    constants = {s: value for s, value in shown.constants.items() if s in used}
    ends = shown.folded.step.inputs, shown.folded.step.outputs
    inputs, outputs = (tuple(shown.carried(shown.terms[k][0]) for k in end) for end in ends)
    return Equations(tuple(shown.lines), constants, inputs, outputs)


def _backward(step: Step) -> Step:
    """The formulas of the adjoint; what it saved from the forward run reads as it does there."""
    adjoint = folded_adjoint(step.folded)
    backward = adjoint.backward
    given = {backward.step.inputs[n]: step.terms[k] for n, k in enumerate(adjoint.step.residuals)}
    ends = zip(step.folded.step.outputs, step.folded.outputs, strict=True)
    results = [step.terms[k][0] for k, role in ends if role == EVERY]
    taken = [k for k in backward.step.inputs[len(given):] if k not in backward.origins()]
    for k, result in zip(taken, results, strict=False):
        whose = result[0] if len(result) == 1 else None
        whose = whose if isinstance(whose, Symbol) else Symbol("y")
        given[k] = (replace(whose, base=f"∂{whose.base}", offset=0, given=True),), ATOM
    wrt = []
    for k in adjoint.step.wrt:
        node = step.folded.input_node(k)
        scope, _, name = (node.name or f"input_{k + 1}").rpartition(".")
        at = None if step.folded.inputs[k] == STATIC else 0
        plain = step.symbol(name, scope, at)
        wrt.append(Symbol(f"∂{plain.base}", plain.sub, at))
    return Step(backward, given, wrt, step.layers, step.constants)
