"""Recurrent programs: one time step as a graph, and the delayed edges that close the loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from minigrad.graph import Graph, Node, isomorphic, prune
from minigrad.show import picture

STATIC, SEQUENCE, STATE = "static", "sequence", "state"
EVERY, SUM, ONCE = "every", "sum", "once"
DUAL = {STATIC: SUM, SUM: STATIC, SEQUENCE: EVERY, EVERY: SEQUENCE, STATE: STATE}

_epoch = [0]


def forget() -> None:
    """Let all folded graphs forget what was made from them: a definition has changed."""
    _epoch[0] += 1


@dataclass(frozen=True)
class Recurrence:
    """A delayed edge: output `output` of step t is input `input` of step t + delay.

    A negative delay runs against time. The |delay| values that come from outside of steps 1 … T
    are its start values.
    """

    output: int
    input: int
    delay: int
    name: str = ""


@dataclass(frozen=True, eq=False)
class Folded:
    """A recurrent program: one step as a graph, and how its steps are connected.

    Attributes:
        step: the graph of one time step.
        inputs: the role of each input of the step: "static" (the same at every step), "sequence"
            (one value a step) or "state" (from another step, or a start value).
        outputs: the role of each output: "every" (one value a step), "sum" (added up over steps),
            "once" (the same at every step) or "state" (what a recurrence carries; the last |delay|
            values are results).
        recurrences: the delayed edges, one for each state.
    """

    step: Graph
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    recurrences: tuple[Recurrence, ...] = ()

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.step.inputs) or len(self.outputs) != len(self.step.outputs):
            raise ValueError(
                f"folded graph: {len(self.inputs)} input and {len(self.outputs)} output roles for "
                f"a step with {len(self.step.inputs)} inputs and {len(self.step.outputs)} outputs"
            )
        fed = [r.input for r in self.recurrences]
        if sorted(fed) != [k for k, role in enumerate(self.inputs) if role == STATE]:
            raise ValueError("folded graph: every state input needs exactly one recurrence")
        for r in self.recurrences:
            taken, given = self.input_node(r.input), self.output_node(r.output)
            if r.delay == 0:
                raise ValueError(f"recurrent edge {r.name}: a delay of 0 is not a recurrence")
            if (taken.shape, taken.dtype) != (given.shape, given.dtype):
                raise ValueError(
                    f"recurrent edge {r.name}: step returns {given.signature()}, "
                    f"but takes {taken.signature()}"
                )

    def input_node(self, k: int) -> Node:
        """The node of the step's k-th input."""
        return self.step.nodes[self.step.inputs[k]]

    def output_node(self, k: int) -> Node:
        """The node of the step's k-th output."""
        return self.step.nodes[self.step.outputs[k]]

    def input_name(self, k: int) -> str:
        """Its name, for messages and pictures."""
        return self.input_node(k).name or f"input {k + 1}"

    @cached_property
    def plain(self) -> tuple[int, ...]:
        """The positions of the outputs that are not states: sequences and sums."""
        return tuple(k for k, role in enumerate(self.outputs) if role != STATE)

    def with_role(self, role: str) -> list[int]:
        """The positions of the inputs that have a role."""
        return [k for k, r in enumerate(self.inputs) if r == role]

    def origins(self) -> dict[int, tuple[int, int]]:
        """For the node of each state input, the node it comes from and the delay."""
        inputs, outputs = self.step.inputs, self.step.outputs
        return {inputs[r.input]: (outputs[r.output], r.delay) for r in self.recurrences}

    def is_like(self, other: Folded) -> bool:
        """Whether two folded graphs are the same program."""
        return self is other or same_folded(self, other)

    def remembered(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` gives, made once for this graph and kept as long as the graph is."""
        kept = self.__dict__.get("_kept")
        if kept is None or kept[0] != _epoch[0]:
            kept = self.__dict__["_kept"] = (_epoch[0], {})
        if key not in kept[1]:
            kept[1][key] = make()
        return kept[1][key]

    def text(self) -> str:
        """Roles, recurrences and the step, as text."""
        lines = ["folded("]
        for k, role in enumerate(self.inputs):
            lines.append(f"  {role} %{self.step.inputs[k]} {self.input_name(k)}")
        for r in self.recurrences:
            source = self.step.outputs[r.output]
            lines.append(
                f"  %{self.step.inputs[r.input]} at t is %{source} at t {-r.delay:+d}"
                + (f"  # {r.name}" if r.name else "")
            )
        outputs = ", ".join(
            f"{role} %{i}" for role, i in zip(self.outputs, self.step.outputs, strict=True)
        )
        return "\n".join([*lines, f") -> {outputs}", self.step.text()])

    __str__ = text
    _repr_svg_ = picture

    def __repr__(self) -> str:
        edges = ", ".join(f"{r.name or r.output} delay {r.delay}" for r in self.recurrences)
        return f"<Folded step of {len(self.step)} nodes, recurrences: {edges or 'none'}>"


def narrowed(folded: Folded, used: frozenset[int]) -> Folded:
    """The folded graph with only those results (outputs that are not states) that are used."""

    def make() -> Folded:
        states = (k for k, role in enumerate(folded.outputs) if role == STATE)
        kept = sorted([*(folded.plain[n] for n in used), *states])
        outputs = tuple(folded.step.outputs[k] for k in kept)
        step = prune(folded.step.nodes, folded.step.inputs, outputs)
        edges = (replace(r, output=kept.index(r.output)) for r in folded.recurrences)
        roles = tuple(folded.outputs[k] for k in kept)
        return Folded(step, folded.inputs, roles, tuple(edges))

    return folded.remembered(("narrowed", used), make)  # type: ignore[no-any-return]  # see make


def same_folded(a: Folded, b: Folded) -> bool:
    """Whether two folded graphs are isomorphic: equal steps, roles and delayed edges.

    Where the states stand among the outputs does not count, as in the unfolded graph.
    """
    a, b = _states_last(a), _states_last(b)
    return (
        a.inputs == b.inputs
        and a.outputs == b.outputs
        and [r.delay for r in a.recurrences] == [r.delay for r in b.recurrences]
        and isomorphic(a.step, b.step)
    )


def _states_last(folded: Folded) -> Folded:
    """The same with outputs in the order of the unfolded graph, states in that of their inputs."""
    edges = sorted(folded.recurrences, key=lambda r: r.input)
    first = folded.plain
    order = [*first, *(r.output for r in edges)]
    return Folded(
        folded.step.giving(tuple(folded.step.outputs[k] for k in order)),
        folded.inputs,
        tuple(folded.outputs[k] for k in order),
        tuple(replace(r, output=len(first) + n) for n, r in enumerate(edges)),
    )
