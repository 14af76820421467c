"""Steps one after the other: their graph, and running them one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from minigrad.core import TAG, Tag
from minigrad.folded.order import phases
from minigrad.folded.program import EVERY, SEQUENCE, STATE, STATIC, SUM, Folded
from minigrad.graph import Graph, Node, apply, prune
from minigrad.ops import add_n, zeros_like
from minigrad.tree import flatten


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

    for direction, group in folded.remembered("phases", lambda: phases(folded)):
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
