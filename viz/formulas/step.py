"""The formulas of a step: what each node is called, and what others read in its place.

What has a name has a line; what has none is written where it is read, a nameless state as it was
at its own step. No two values are called the same: the second one gets a prime.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.facts import ATOM, PRODUCT_OF, SUM_OF, SUMS
from minigrad.folded import EVERY, STATIC, SUM, Folded
from minigrad.graph import Node
from viz.formulas.notation import Formula, Symbol, shifted
from viz.formulas.terms import Term, held, number, written
from viz.quotients.layers import Layers
from viz.quotients.roles import origins


@dataclass(frozen=True)
class _State(Symbol):
    """A state without a name, to be written out when its origin is known."""

    node: int = 0


class Step:
    """The formulas of a folded graph's step.

    Args:
        folded: the graph.
        given: formulas of inputs that are known, by node.
        wrt: names of the outputs that have none.
        layers: which layers share a name, and `constants`, if other graphs share them.

    Attributes:
        terms: for each node the formula by which others read it.
        lines: the equations, in an order in which they can be computed.
        constants: arrays that are written as a symbol.
    """

    def __init__(
        self,
        folded: Folded,
        given: Mapping[int, Term] | None = None,
        wrt: Sequence[Symbol] = (),
        layers: Layers | None = None,
        constants: Mapping[Any, Any] = MappingProxyType({}),
    ) -> None:
        self.folded = folded
        self.nodes = folded.step.nodes
        self.given, self.wrt = given or {}, wrt
        self.owners = {
            folded.step.inputs[r.input]: r.name.removeprefix("∂").rpartition(".")[0]
            for r in folded.recurrences
        }
        self.layers = layers or Layers(
            ((node.name or "").rpartition(".")[2], self.scope(k))
            for k, node in enumerate(self.nodes)
        )
        self.constants: dict[Any, Any] = dict(constants)
        self.origins = origins(folded)
        self.left = self._names()
        self.tight: dict[int, int] = {}
        self.terms: list[Term] = []
        self.cyclic: set[int] = set()
        while True:  # again where a state that is written out holds less tightly than was thought
            self.terms, self.lines = self._written()
            self.cyclic = self._cyclic()
            found = {
                k: ATOM if k in self.cyclic else self.terms[o][1]
                for k, (o, _, _) in self.origins.items()
            }
            if found == self.tight:
                break
            self.tight = found
        for n, symbol in enumerate(wrt):
            k, role = folded.step.outputs[n], folded.outputs[n]
            if role == SUM:
                self.lines.append(((symbol,), ("Σ ", *held(self._summed(k), PRODUCT_OF))))
            elif role == EVERY and k not in self.left:
                self.lines.append(((symbol,), self.terms[k][0]))
        self.lines = [(left, self.carried(right)) for left, right in self.lines]
        self.lines = [*self._later(), *self.lines, *self._handed()]

    def _names(self) -> dict[int, Symbol]:
        """The left sides: of what has a name, of states, of results; no two are the same."""
        folded, nodes, wrt = self.folded, self.nodes, self.wrt
        states = {o: r for _, (o, _, r) in reversed(self.origins.items())}
        results = [k for k, role in zip(folded.step.outputs, folded.outputs, strict=True)
                   if role == EVERY and not wrt]  # fmt: skip
        found: dict[int, Symbol] = {}
        for k, node in enumerate(nodes):
            if node.op in ("input", "constant"):
                continue
            if node.name:
                found[k] = self.symbol(node.name, self.scope(k), 0)
            elif k in states and not wrt:
                scope, _, name = (states[k] or f"s_{k}").rpartition(".")
                found[k] = self.symbol(name, node.scope or scope, 0)
            elif k in results:
                found[k] = Symbol("y", "", 0)
        taken = {self._input(k) for k in folded.step.inputs if k not in self.origins}
        taken = {replace(s, offset=0) for s in taken}
        # States and results keep their names, what was called the same on the way gets a prime.
        named = {k for k in found if nodes[k].name or k in states}
        for k in sorted(found, key=lambda k: (k not in named, k not in {*states, *results}, -k)):
            while found[k] in taken:
                found[k] = replace(found[k], base=f"{found[k].base}′")
            taken.add(found[k])
        return found

    def _written(self) -> tuple[list[Term], list[tuple[Formula, Formula]]]:
        terms: list[Term] = []
        lines: list[tuple[Formula, Formula]] = []
        for k in range(len(self.nodes)):
            term = self.given.get(k) or self.term(k, terms)
            if k in self.left:
                lines.append(((self.left[k],), term[0]))
                term = ((self.left[k],), ATOM)
            terms.append(term)
        return terms, lines

    def scope(self, k: int) -> str:
        """The layer a node belongs to, by its tag, its name, or the state that it adds to."""
        node = self.nodes[k]
        path = (node.name or "").rpartition(".")[0]
        read = (self.owners[i] for i in (k, *node.inputs) if i in self.owners)
        return node.scope or path or next(read, "")

    def symbol(self, name: str, scope: str, offset: int | None) -> Symbol:
        """A name as the seed writes it, layers told apart by their subscript."""
        base, _, sub = name.partition("_")
        number = self.layers.sub(name, scope)
        return Symbol(base or name, ",".join(p for p in (sub, number) if p), offset)

    def term(self, k: int, terms: Sequence[Term]) -> Term:
        """The formula of a node from those of its operands."""
        node = self.nodes[k]
        if node.op == "input":
            symbol = self._input(k)
            return (symbol,), self.tight.get(k, ATOM) if isinstance(symbol, _State) else ATOM
        if node.op == "constant":
            if np.size(node.value) == 1 and np.asarray(node.value).dtype.kind in "fiub":
                return (number(np.asarray(node.value).item()),), ATOM
            symbol = Symbol(node.name or "c", "" if node.name else str(len(self.constants) + 1))
            self.constants[symbol] = node.value
            return (symbol,), ATOM
        first = self.nodes[node.inputs[0]]
        kept = first.attrs.get("keepdims") and node.inputs[0] not in self.left
        if node.op == "squeeze" and kept and first.attrs["axis"] == node.attrs["axis"]:
            whole = replace(first, attrs={**first.attrs, "keepdims": False})
            return self.operation(whole, terms)
        return self.operation(node, terms)

    def same(self, term: Term) -> float | None:
        """The number that all entries of a nameless constant array are, if that is what it is."""
        flat = np.ravel(self.constants.get(term[0][0], ())) if len(term[0]) == 1 else np.empty(0)
        is_one = flat.size and flat.dtype.kind in "fiu" and np.all(flat == flat[0])
        return float(flat[0]) if is_one else None

    def operation(self, node: Node, terms: Sequence[Term]) -> Term:
        """The formula of an operation; an entrywise one stretches its operands by itself."""
        operands = [terms[i] for i in node.inputs]
        shapes = [self.nodes[i].shape for i in node.inputs]
        stretches = PRIMITIVES[node.op].signature.replace("()", "").strip(",->") == ""
        for n, i in enumerate(node.inputs if stretches else ()):
            given = self.nodes[i]
            if i in self.left or np.broadcast_shapes(*shapes[:n], *shapes[n + 1 :]) != node.shape:
                continue
            if given.op == "broadcast_to":
                operands[n], shapes[n] = terms[given.inputs[0]], self.nodes[given.inputs[0]].shape
            elif (same := self.same(operands[n])) is not None:
                operands[n], shapes[n] = ((number(same),), ATOM), ()
        if node.lowering.chain == SUMS:
            kept = [self.nodes[i].dtype == node.dtype for i in node.inputs]
            operands = [
                term if same or term[1] > SUM_OF else (term[0], 0)  # True + True is no 2
                for term, same in zip(operands, kept, strict=True)
            ]
        if node.lowering.chain == SUMS and len(node.inputs) > 1:
            some = [term for term in operands if term[0] != ("0",)]
            operands = some or operands[:1]
            if len(operands) == 1:
                return operands[0]
        return written(node, operands, shapes[0])

    def _input(self, k: int) -> Symbol:
        if k in self.origins:
            origin, delay, name = self.origins[k]
            if origin in self.left:
                return replace(self.left[origin], offset=-delay)
            if self.nodes[origin].op not in ("input", "constant"):
                return _State("", "", 0, node=k)
            if not self.is_own(origin):  # an input that waits
                return replace(self._input(origin), offset=-delay)
            scope, _, name = name.rpartition(".")
            return self.symbol(name, scope, -delay)
        node, position = self.nodes[k], self.folded.step.inputs.index(k)
        name, scope = (node.name or f"input_{position + 1}").rpartition(".")[2], self.scope(k)
        if self.folded.inputs[position] == STATIC:
            return self.symbol(name, scope, None)
        return replace(self.symbol(name, scope, 0), given=name.startswith("∂"))

    def is_own(self, origin: int) -> bool:
        """Whether a state made from a node has a name of its own: it is a constant, or a state that
        changes places with another.
        """
        static = {self.folded.step.inputs[k] for k in self.folded.with_role(STATIC)}
        return origin in self.origins or origin in static or self.nodes[origin].op == "constant"

    def _summed(self, k: int) -> Term:
        """What is added up over steps: the sum over samples stands in that over steps."""
        node = self.nodes[k]
        if k not in self.left and node.op == "sum" and not node.attrs["keepdims"]:
            rank = len(self.nodes[node.inputs[0]].shape)
            axes = tuple(a for a in node.attrs["axis"] if a != -rank)
            if not axes and rank > 1:
                return self.terms[node.inputs[0]]
        return self.terms[k]

    def carried(self, formula: Formula) -> Formula:
        """The formula with what a nameless state holds in its place, as it was at its own step."""
        found: list[Any] = []
        for part in formula:
            if not isinstance(part, _State):
                found.append(part)
                continue
            origin, delay, name = self.origins[part.node]
            if part.node in self.cyclic:
                found.append(replace(self._total(name), offset=part.offset))
                continue
            inner = self.carried(self.terms[origin][0])
            if inner[0] == "−" and found and found[-1] == " + ":
                found[-1], inner = " − ", inner[1:]
            found += shifted(inner, (part.offset or 0) - delay)
        return tuple(found)

    def _cyclic(self) -> set[int]:
        """Nameless states that are made from themselves: they have a line of their own."""
        read = {
            k: {p.node for p in self.terms[o][0] if isinstance(p, _State)}
            for k, (o, _, _) in self.origins.items()
        }
        found = set()
        for k in read:
            seen, stack = set[int](), list(read[k])
            while stack:
                if (state := stack.pop()) not in seen:
                    seen.add(state)
                    stack += read[state]
            found |= {k} & seen
        return found

    def _total(self, name: str) -> Symbol:
        """What reaches a nameless state from other steps: a total derivative, under its name."""
        scope, _, bare = name.removeprefix("∂").rpartition(".")
        symbol = self.symbol(f"∂{bare}", scope, 0)
        taken = symbol in self.left.values()
        later = ",".join(filter(None, (symbol.sub, "later")))
        return replace(symbol, sub=later) if taken else symbol

    def _later(self) -> list[tuple[Formula, Formula]]:
        """What nameless states made from themselves bring from other steps."""
        found: list[tuple[Formula, Formula]] = []
        for k in sorted(self.cyclic):
            origin, delay, name = self.origins[k]
            right = shifted(self.carried(self.terms[origin][0]), -delay)
            found.append(((self._total(name),), right))
        return found

    def _handed(self) -> list[tuple[Formula, Formula]]:
        """States and results that are inputs as they came."""
        found: list[tuple[Formula, Formula]] = []
        for origin, _, name in dict.fromkeys(self.origins.values()):
            if self.is_own(origin) and not self.wrt:
                scope, _, bare = name.rpartition(".")
                found.append(((self.symbol(bare, scope, 0),), self.terms[origin][0]))
        for k, role in zip(self.folded.step.outputs, self.folded.outputs, strict=True):
            if role == EVERY and not self.wrt and k not in self.left:
                found.append(((Symbol("y", "", 0),), self.terms[k][0]))
        return found
