"""A loop in a graph: what it is given, and what is made of its values.

A sequence may be one array that is read at the position t + k, or from its end; what leaves the
loop may be stacked, reversed, summed, or the last value alone. Ends of runs are counted from the
end of time that they belong to, so that the whole is known for any number of steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from minigrad.core import Tensor, scope
from minigrad.folded import SEQUENCE, Folded, run_folded
from minigrad.graph import Graph, Node, apply, freeze


@dataclass(frozen=True)
class Positions:
    """Where an array is read at the steps 1 … T: `first + stride · (t − 1)`, counted in steps.

    Attributes:
        source: the node that is read.
        first: the position at step 1; from the end, as −1, if the sequence is read backwards.
        stride: +1, or −1.
        node: the reading, with its position at step 1.
        place: which part of the position counts the steps.
    """

    source: int
    first: int
    stride: int
    node: Node
    place: int

    def at(self, t: int, length: int) -> Node:
        """The reading at a step, of an array with so many rows."""
        position = list(self.node.attrs["position"])
        start = self.first if self.first >= 0 else length + self.first
        position[self.place] = start + self.stride * (t - 1)
        return replace(self.node, attrs={**self.node.attrs, "position": tuple(position)}, t=t)


@dataclass(frozen=True)
class Picks:
    """Values of one output of the loop, from a step to a step; −1 is the last step, −T the first.

    Attributes:
        output: of the folded graph, one that gives a value at every step.
        first, last: ends of the run, in the order in which it is read.
    """

    output: int
    first: int
    last: int

    def steps(self, T: int) -> range:
        """The steps in their order."""
        a, b = (t if t > 0 else T + 1 + t for t in (self.first, self.last))
        return range(a, b + 1) if a <= b else range(a, b - 1, -1)


Operand = int | Picks


@dataclass(frozen=True, eq=False)
class Embedded:
    """A loop in a graph: what it is given, and what is made of its values.

    Attributes:
        folded: the loop; its outputs are values of every step.
        T: the number of steps that were seen.
        graph: what was folded.
        before: nodes of the graph that the loop does not influence.
        given: for each input of the loop a node (static), nodes of T steps or `Positions` in an
            array (sequence), or the nodes of start values (state).
        after: nodes of the graph that are made of the loop's values, each with its operands.
        results: the operands that are results.
    """

    folded: Folded
    T: int
    graph: Graph
    before: tuple[int, ...]
    given: tuple[int | tuple[int, ...] | Positions, ...]
    after: tuple[tuple[int, tuple[Operand, ...]], ...]
    results: tuple[Operand, ...]

    def unfold(self, T: int) -> Graph:
        """The graph for T steps: the loop unfolded, with everything around it.

        Numbers that were computed from T when the graph was traced, such as the divisor of a mean,
        stay as they were.

        Raises:
            ValueError: the sequence is constants of the graph, so there are no others to read.
        """
        for k, given in enumerate(self.given):
            fixed = isinstance(given, tuple) and not self._is_list(given)
            if fixed and T != self.T and self.folded.inputs[k] == SEQUENCE:
                raise ValueError(
                    f"unfold: the sequence {self.folded.input_name(k)} is {self.T} constants; "
                    "trace with the sequence as an argument"
                )
        leaves: list[Tensor] = []
        values: dict[int, Any] = {}
        lists = {given[0]: given for given in self.given
                 if isinstance(given, tuple) and self._is_list(given)}  # fmt: skip
        inside = {k for given in lists.values() for k in given[1:]}
        copies: dict[int, list[Tensor]] = {}
        for k in self.graph.inputs:
            if k in inside:
                continue
            count = T if k in lists else 1
            made = [self._leaf(k, T) for _ in range(count)]
            leaves += made
            copies[k], values[k] = made, made[0] if made else None
        for k in self.before:
            node = self.graph.nodes[k]
            if node.op == "constant":
                values[k] = node.value
            elif node.op != "input":
                values[k] = apply(node, [values[i] for i in node.inputs])
        columns = run_folded(self.folded, T, [
            self._value(given, values, copies, T) for given in self.given
        ])[0]  # fmt: skip

        def read(operands: Sequence[Operand]) -> Iterator[Any]:
            for operand in operands:
                if isinstance(operand, Picks):
                    yield from (columns[operand.output][t - 1] for t in operand.steps(T))
                else:
                    yield values[operand]

        for k, operands in self.after:
            values[k] = apply(self.graph.nodes[k], list(read(operands)))
        return freeze(leaves, list(read(self.results)))

    def _is_list(self, given: tuple[int, ...]) -> bool:
        """Whether a sequence is a list of inputs, one for each step."""
        roles = dict(zip(self.given, self.folded.inputs, strict=True))
        return roles[given] == SEQUENCE and all(self.graph.nodes[k].op == "input" for k in given)

    def _leaf(self, k: int, T: int) -> Tensor:
        """An input for T steps: arrays that are read step by step grow with T."""
        node = self.graph.nodes[k]
        shape = list(node.shape)
        for given in self.given:
            if isinstance(given, Positions) and k in self._made_of(given.source):
                length = self.graph.nodes[given.source].shape[given.place]
                if shape[given.place : given.place + 1] == [length]:
                    shape[given.place] += T - self.T
        return Tensor(replace(node, shape=tuple(shape)).example(), node.name)

    def _made_of(self, k: int) -> set[int]:
        """A node and all that it is made of."""
        found, stack = {k}, [k]
        while stack:
            new = set(self.graph.nodes[stack.pop()].inputs) - found
            found |= new
            stack += new
        return found

    def _value(
        self,
        given: int | tuple[int, ...] | Positions,
        values: dict[int, Any],
        copies: dict[int, list[Tensor]],
        T: int,
    ) -> Any:
        """What an input of the loop is given."""
        if isinstance(given, int):
            return values[given]
        if isinstance(given, tuple):
            return copies[given[0]] if self._is_list(given) else [values[k] for k in given]
        array, found = values[given.source], []
        for t in range(1, T + 1):
            node = given.at(t, array.shape[given.place])
            with scope("", t=t):
                found.append(apply(node, [array]))
        return found
