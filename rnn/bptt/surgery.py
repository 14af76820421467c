"""Operations on folded graphs with which gradients over time are taken apart.

`probed` adds zero to inner values, so that a gradient by what is added is the total derivative by
the value. `cut` turns delayed edges into given sequences, which carry no cotangent. `lifted` puts
one more axis in front of some inputs, so that one run does for many cotangents or tangents. None
of them knows a cell: all read the step and its edges.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.folded import EVERY, SEQUENCE, Folded
from minigrad.graph import Graph, Node, apply


def rerun(step: Graph, inputs: Sequence[Any], change: Callable[[int, Any], Any]) -> list[Any]:
    """The value of every node; `change(k, value)` is what takes the place of node k's."""
    given = dict(zip(step.inputs, inputs, strict=True))
    values: list[Any] = []
    for k, node in enumerate(step.nodes):
        if k in given:
            value = given[k]
        elif node.op == "constant":
            value = node.value
        else:
            value = apply(node, [values[i] for i in node.inputs])
        values.append(change(k, value))
    return values


def owned(folded: Folded) -> Folded:
    """The same, in which what a state becomes is computed, not an input: names stand for one."""
    step = folded.step
    plain = set(step.inputs) | {k for k, node in enumerate(step.nodes) if node.op == "constant"}
    bare = {r.output: r.name for r in folded.recurrences if step.outputs[r.output] in plain}
    if not bare:
        return folded

    def again(inputs: list[Any]) -> list[Any]:
        values = rerun(step, inputs, lambda k, x: x)
        results = [values[i] for i in step.outputs]
        for k, name in bare.items():
            scope, _, last = name.rpartition(".")
            with mg.scope(scope):
                results[k] = mg.named(last, mg.alias(results[k]))
        return results

    return replace(folded, step=mg.trace(again, _examples(folded)))


def computed(folded: Folded, made: Sequence[int] | None = None) -> dict[str, int]:
    """The named values of a step and what becomes of its states, by dotted name: their nodes.

    What becomes of them are the nodes `made`, one for each delayed edge, or what the edges carry.

    >>> import rnn
    >>> list(computed(rnn.LSTMCell(2, 3).folded()))
    ['z_f', 'z_i', 'f', 'i', 'z_c', 'C̃', 'C', 'z_o', 'o', 'h']
    """
    found: dict[str, int] = {}
    step = folded.step
    for k, node in enumerate(step.nodes):
        if node.name and node.op not in ("input", "constant") and _is_real(node):
            path = f"{node.scope}.{node.name}" if node.scope else node.name
            count = sum(name.partition("#")[0] == path for name in found)
            found[f"{path}#{count + 1}" if count else path] = k
    made = made or [step.outputs[r.output] for r in folded.recurrences]
    for r, k in zip(folded.recurrences, made, strict=True):
        if found.get(r.name, k) != k:
            found[f"{r.name} (state)"] = k
        elif _is_real(step.nodes[k]):
            found[r.name] = k
    return found


def probed(folded: Folded, nodes: Sequence[int]) -> Folded:
    """With a sequence input more for each of the nodes, added to its value, and that as output.

    The gradient by such an input is the total derivative by the value, at every step.
    """
    step = folded.step
    shapes = [np.zeros(step.nodes[k].shape, step.nodes[k].dtype) for k in nodes]

    def again(inputs: list[Any], probes: list[Any]) -> list[Any]:
        def change(k: int, value: Any) -> Any:
            for _, probe in filter(lambda pair: pair[0] == k, zip(nodes, probes, strict=True)):
                value = value + probe
            return value

        values = rerun(step, inputs, change)
        return [values[i] for i in (*step.outputs, *nodes)]

    return replace(
        folded,
        step=mg.trace(again, _examples(folded), shapes),
        inputs=(*folded.inputs, *[SEQUENCE] * len(nodes)),
        outputs=(*folded.outputs, *[EVERY] * len(nodes)),
    )


def cut(folded: Folded, edges: Collection[str] | None = None) -> Folded:
    """Without those delayed edges, or any: their states are sequences given from outside."""
    gone = [r for r in folded.recurrences if edges is None or r.name in edges]
    inputs, outputs = list(folded.inputs), list(folded.outputs)
    for r in gone:
        inputs[r.input], outputs[r.output] = SEQUENCE, EVERY
    kept = tuple(r for r in folded.recurrences if r not in gone)
    return replace(folded, inputs=tuple(inputs), outputs=tuple(outputs), recurrences=kept)


def lifted(step: Graph, lead: Collection[int], n: int, inputs: Sequence[Any]) -> list[Any]:
    """The outputs of a graph whose inputs in `lead` have an axis of n in front.

    Outputs have that axis too. What does not depend on those inputs is computed once.
    """
    given = dict(zip(step.inputs, inputs, strict=True))
    values: list[Any] = []
    has = fronted(step, lead)
    for k, node in enumerate(step.nodes):
        if k in given:
            values.append(given[k])
        elif node.op == "constant":
            values.append(node.value)
        else:
            operands = [values[i] for i in node.inputs]
            fronts = [has[i] for i in node.inputs]
            ranks = [len(step.nodes[i].shape) for i in node.inputs]
            if has[k]:
                values.append(_beside(node, operands, fronts, ranks, n))
            else:
                values.append(apply(node, operands))
    return [
        values[i] if has[i] else mg.broadcast_to(values[i], (n, *step.nodes[i].shape))
        for i in step.outputs
    ]


def fronted(step: Graph, lead: Collection[int]) -> list[bool]:
    """For each node of a graph whether it has the axis in front that the inputs in `lead` have."""
    first = {step.inputs[k] for k in lead}
    has: list[bool] = []
    for k, node in enumerate(step.nodes):
        has.append(k in first or any(has[i] for i in node.inputs))
    return has


def _beside(node: Node, operands: list[Any], fronts: list[bool], ranks: list[int], n: int) -> Any:
    """One operation with an axis of n in front of some operands."""
    primitive = mg.PRIMITIVES[node.op]
    top, lift = max(ranks), primitive.lift
    if lift == "align" or node.op == "contract":
        operands = [
            mg.reshape(x, (n, *[1] * (top - rank), *x.shape[1:])) if front and rank < top else x
            for x, front, rank in zip(operands, fronts, ranks, strict=True)
        ]
    if lift == "align":
        return primitive(*operands, **node.attrs)
    if node.op == "contract":
        # The one operation that sums over leading axes: beside one that stays it is a product.
        a, g = operands
        y = mg.matmul(mg.swapaxes(a, -1, -2), g)
        return mg.sum(y, axis=tuple(range(1, top - 1))) if top > 2 else y
    full = [
        x if front or not rank else mg.broadcast_to(x, (n, *x.shape))
        for x, front, rank in zip(operands, fronts, ranks, strict=True)
    ]
    if lift is not None:
        return primitive(*full, **(lift(node.attrs, n) if callable(lift) else node.attrs))
    parts = [
        [x[j] if front else x for x, front in zip(operands, fronts, strict=True)] for j in range(n)
    ]
    return mg.stack([primitive(*part, **node.attrs) for part in parts])


def _examples(folded: Folded) -> list[Any]:
    return [folded.input_node(k).example() for k in range(len(folded.inputs))]


def _is_real(node: Node) -> bool:
    return node.dtype is not None and node.dtype.kind == "f"
