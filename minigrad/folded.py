"""Folded graphs: one time step, and the delayed edges that close the loop.

`unfold` copies the step and turns each delayed edge into an ordinary one; `adjoint` gives the
folded graph of backpropagation through time, which runs the other way. Folded graphs are closed
under it, because the roles come in dual pairs: a static input is read at every step, so its
cotangent is a SUM over steps; a sequence input's cotangent is a sequence; a state's is a state.
Source: Wan and Beaufays, Neural Computation 8(1), 1996: BPTT is the transposed signal-flow graph.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from minigrad.core import TAG, Tag
from minigrad.graph import Graph, GraphAdjoint, Node, apply, graph_adjoint, isomorphic, prune
from minigrad.ops import add_n, zeros_like
from minigrad.show import picture
from minigrad.tree import flatten

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


# --- the order in which steps run -------------------------------------------------------------


def components(folded: Folded) -> list[tuple[int, list[int]]]:
    """Strongly connected components of the step with its delayed edges, in a runnable order.

    Returns:
        Pairs `(direction, nodes)`: +1 or −1 for a loop over time, 0 where nothing recurs.

    Raises:
        ValueError: a loop has delays of both signs, so no order of the steps can run it.
    """
    nodes, origins = folded.step.nodes, folded.origins()
    sources = [
        [*node.inputs, *((origins[k][0],) if k in origins else ())] for k, node in enumerate(nodes)
    ]
    # Tarjan's algorithm without recursion; sources first, so the order found is runnable.
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    on_stack: set[int] = set()
    stack: list[int] = []
    found: list[list[int]] = []
    for root in range(len(nodes)):
        work = [(root, iter(sources[root]))] if root not in index else []
        while work:
            k, rest = work[-1]
            if k not in index:
                index[k] = low[k] = len(index)
                stack.append(k)
                on_stack.add(k)
            for j in rest:
                if j not in index:
                    work.append((j, iter(sources[j])))
                    break
                if j in on_stack:
                    low[k] = min(low[k], index[j])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[k])
                if low[k] == index[k]:
                    group = [stack.pop()]
                    while group[-1] != k:
                        group.append(stack.pop())
                    on_stack.difference_update(group)
                    found.append(sorted(group))
    result = []
    for group in found:
        inside = set(group)
        signs = {1 if origins[k][1] > 0 else -1 for k in group if k in origins
                 and origins[k][0] in inside}  # fmt: skip
        if len(signs) > 1:
            raise ValueError(
                "a loop has delays of both signs, so its steps cannot be ordered in time: "
                + ", ".join(f"{r.name} delay {r.delay}" for r in folded.recurrences)
            )
        result.append((signs.pop() if signs else 0, group))
    return result


def phases(folded: Folded) -> list[tuple[int, list[int]]]:
    """Runs over the steps, `(direction, nodes)`: one, unless directions are mixed.

    Within a phase the steps are taken one after the other, and in each the nodes in order.
    """
    result: list[tuple[int, list[int]]] = []
    origins = folded.origins()
    for direction, group in components(folded):
        # A node that only reads a delayed value needs the producer of all steps before it.
        reads = [1 if origins[k][1] > 0 else -1 for k in group if k in origins]
        direction = direction or (reads[0] if reads else 0)
        if result and (not direction or not result[-1][0] or result[-1][0] == direction):
            result[-1][1].extend(group)
            result[-1] = (result[-1][0] or direction, result[-1][1])
        else:
            result.append((direction, list(group)))
    return [(direction or 1, sorted(group)) for direction, group in result]


def run_steps(
    folded: Folded, T: int, inputs: Sequence[Any], emit: Callable[[int, int, list[Any]], Any]
) -> tuple[list[list[Any]], list[list[Any]]]:
    """Run through the steps 1 … T, calling `emit(node, t, operands)` for every operation.

    Args:
        folded: what to run.
        T: number of steps.
        inputs: for each input of the step: a value (static), a list of T values (sequence), or
            the list of |delay| start values (state), in order of time.
        emit: makes the value of a node at step t; operands is empty for constants.

    Returns:
        For each output of the step its T values, and for each recurrence its last values: those
        of steps T−d+1 … T, or for a negative delay those of steps 1 … |d|, in order of time.
    """
    nodes, origins = folded.step.nodes, folded.origins()
    role = {i: (folded.inputs[k], inputs[k]) for k, i in enumerate(folded.step.inputs)}
    values: list[list[Any]] = [[None] * T for _ in nodes]

    def reach(source: int, t: int, delay: int, start: Sequence[Any]) -> Any:
        """The value of a node at step t, or the start value that stands for it."""
        if 1 <= t <= T:
            return values[source][t - 1]
        return start[t + delay - 1] if delay > 0 else start[t - T - 1]

    for direction, group in phases(folded):
        for t in range(1, T + 1) if direction > 0 else range(T, 0, -1):
            for k in group:
                node = nodes[k]
                if k in role:
                    kind, given = role[k]
                    if kind == STATE:
                        source, delay = origins[k]
                        value = reach(source, t - delay, delay, given)
                    else:
                        value = given if kind == STATIC else given[t - 1]
                else:
                    value = emit(k, t, [values[i][t - 1] for i in node.inputs])
                values[k][t - 1] = value
    last = []
    for r in folded.recurrences:
        source, start = folded.step.outputs[r.output], inputs[r.input]
        ends = range(T - r.delay + 1, T + 1) if r.delay > 0 else range(1, -r.delay + 1)
        last.append([reach(source, t, r.delay, start) for t in ends])
    return [values[i] for i in folded.step.outputs], last


def by_step(folded: Folded, inputs: Sequence[Any]) -> list[Any]:
    """Whole inputs as `run_folded` takes them: lists of values for sequences and states."""
    single = {r.input for r in folded.recurrences if abs(r.delay) == 1}
    return [
        x if role == STATIC else [x] if k in single else [x[t, ...] for t in range(len(x))]
        for k, (role, x) in enumerate(zip(folded.inputs, inputs, strict=True))
    ]


def run_folded(folded: Folded, T: int, inputs: Sequence[Any]) -> tuple[list[Any], list[list[Any]]]:
    """Values of the outputs (a list of T for "every", one for "sum") and last values of states.

    Tensors among the inputs make it recorded: every operation of every step is then on the graph,
    named, and tagged with the current scope and its step.
    """
    outer = TAG.get() or Tag("")
    tags: dict[tuple[str, int], Tag] = {}

    def emit(k: int, t: int, operands: list[Any]) -> Any:
        node = folded.step.nodes[k]
        if node.op == "constant":
            return node.value
        tag = tags.get((node.scope, t))
        if tag is None:
            path = ".".join(part for part in (outer.scope, node.scope) if part)
            tag = tags[node.scope, t] = Tag(path, t, outer.run)
        return apply(node, operands, tag)

    columns, last = run_steps(folded, T, inputs, emit)
    results: list[Any] = []
    for k, column in enumerate(columns):
        if folded.outputs[k] == SUM:
            node = folded.output_node(k)
            results.append(add_n(*column) if column else zeros_like(node.example()))
        else:
            results.append(column)
    return results, last


def unfold(folded: Folded, T: int) -> Graph:
    """The ordinary graph of T steps: T copies of the step, each delayed edge now a plain one.

    Arguments of the graph: for each input of the step a value (static), a list of T values
    (sequence) or a list of |delay| start values (state). Results: a list of T values for each
    "every", a value for each "sum", then a list of |delay| last values for each recurrence.
    """
    if not isinstance(folded, Folded):
        raise TypeError(f"unfold takes a folded graph, got {folded!r:.60}; cell.folded() gives one")
    if not isinstance(T, int) or T < 0:
        raise ValueError(f"unfold: the number of steps must be a whole number ≥ 0, got {T!r}")
    nodes: list[Node] = []

    def add(node: Node) -> int:
        nodes.append(node)
        return len(nodes) - 1

    given: list[Any] = []
    delays = {r.input: r.delay for r in folded.recurrences}
    for k, role in enumerate(folded.inputs):
        node = replace(folded.input_node(k), inputs=())
        if role == STATIC:
            given.append(add(node))
        elif role == SEQUENCE:
            given.append([add(replace(node, t=t)) for t in range(1, T + 1)])
        else:
            d = delays[k]
            steps = range(1 - d, 1) if d > 0 else range(T + 1, T - d + 1)
            given.append([add(replace(node, t=t)) for t in steps])

    def emit(k: int, t: int, operands: list[int]) -> int:
        return add(replace(folded.step.nodes[k], inputs=tuple(operands), t=t))

    columns, last = run_steps(folded, T, given, emit)
    results: list[Any] = []
    for k, column in enumerate(columns):
        node = folded.output_node(k)
        if folded.outputs[k] == EVERY:
            results.append(list(column))
        elif folded.outputs[k] == SUM:
            if column:
                about = Node("add_n", tuple(column), {}, node.shape, node.dtype, name=node.name)
            else:
                about = Node("constant", (), {}, node.shape, node.dtype, zeros_like(node.example()))
            results.append(add(about))
    leaves, in_tree = flatten(tuple(given))
    outputs, out_tree = flatten((*results, *last))
    return prune(nodes, leaves, outputs, in_tree, out_tree)


# --- differentiation ------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class FoldedAdjoint:
    """A folded graph made to emit what backward will read, and the one that reads it.

    Attributes:
        forward: the original with further "every" outputs, the residuals.
        backward: its inputs are the static residuals, the residual sequences, then a cotangent
            for each differentiable output of the original, in the dual role; its outputs are
            the cotangents of the original's differentiable inputs, in the dual role.
        step: the adjoint of the step.
        static, emitted: positions, in the residuals of the step, of those that are static inputs
            (as input numbers of the original) and of those emitted at every step.
    """

    forward: Folded
    backward: Folded
    step: GraphAdjoint
    static: tuple[int, ...]
    emitted: tuple[int, ...]

    @cached_property
    def static_places(self) -> frozenset[int]:
        """Positions, in the residuals of the step, of those that are static inputs."""
        return frozenset(range(len(self.step.residuals))) - {*self.emitted}

    def __iter__(self) -> Iterator[Folded]:
        return iter((self.forward, self.backward))


def folded_adjoint(
    folded: Folded, silent: Collection[int] = (), fixed: Collection[int] = ()
) -> FoldedAdjoint:
    """Backpropagation through time as a folded graph: roles become their duals, delays flip.

    Outputs in `silent` and inputs in `fixed` (not states) have no cotangent: the backward graph
    does without.
    """
    pair = graph_adjoint(folded.step, silent, fixed)
    number = {i: k for k, i in enumerate(folded.step.inputs)}
    residuals = pair.residuals
    is_static = [folded.inputs[number[i]] == STATIC if i in number else False for i in residuals]
    static = tuple(k for k, yes in enumerate(is_static) if yes)
    emitted = tuple(k for k, yes in enumerate(is_static) if not yes)
    every = tuple(residuals[k] for k in emitted)
    outputs = (*folded.step.outputs, *every)
    forward = Folded(
        replace(folded.step, outputs=outputs, out_tree=flatten(outputs)[1]),
        folded.inputs,
        (*folded.outputs, *[EVERY] * len(every)),
        folded.recurrences,
    )
    # Inputs of the backward step: residuals in their old order, then the cotangents.
    seeds = len(residuals)
    roles = [STATIC if yes else SEQUENCE for yes in is_static]
    roles += [DUAL[folded.outputs[k]] for k in pair.seeded]
    wrt = {k: n for n, k in enumerate(pair.wrt)}
    seeded = {k: n for n, k in enumerate(pair.seeded)}
    edges = tuple(
        Recurrence(
            output=wrt[r.input],
            input=seeds + seeded[r.output],
            delay=-r.delay,
            name=f"∂{r.name}" if r.name else "",
        )
        for r in folded.recurrences
        if r.input in wrt
    )
    backward = Folded(
        pair.backward, tuple(roles), tuple(DUAL[folded.inputs[k]] for k in pair.wrt), edges
    )
    return FoldedAdjoint(
        forward, backward, pair, tuple(number[residuals[k]] for k in static), emitted
    )


def adjoint(x: Graph | Folded) -> GraphAdjoint | FoldedAdjoint:
    """The pair (forward that keeps what backward reads, backward) of a graph or folded graph.

    >>> import minigrad as mg, numpy as np
    >>> forward, backward = mg.adjoint(mg.trace(mg.tanh, np.ones(2)))
    >>> print(backward)
    graph(%0: float64[2], %1: float64[2])
      %0 = input: float64[2]
      %1 = input: float64[2]
      %2 = multiply(%0, %0): float64[2]
      %3 = constant 1.0: number
      %4 = subtract(%3, %2): float64[2]
      %5 = multiply(%1, %4): float64[2]
      return %5
    """
    if not isinstance(x, Folded | Graph):
        raise TypeError(
            f"adjoint takes a graph or a folded graph, got {x!r:.60}; "
            "trace(f, ...) and cell.folded() give them"
        )
    return folded_adjoint(x) if isinstance(x, Folded) else graph_adjoint(x)


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
    outputs = tuple(folded.step.outputs[k] for k in order)
    return Folded(
        replace(folded.step, outputs=outputs, out_tree=flatten(outputs)[1]),
        folded.inputs,
        tuple(folded.outputs[k] for k in order),
        tuple(replace(r, output=len(first) + n) for n, r in enumerate(edges)),
    )
