"""Messages: what each reader of a value sends back to it, and what each use gives a parameter.

All steps as one graph, in which every use of a value is a place of its own: zero is added there,
so that the gradient by what is added is the message that comes back over that edge. The graph takes
the cotangents of the outputs and a switch for every delayed edge, so that it also tells the ledger
(one loss at a time), truncation (edges switched off) and immediate derivatives (all of them off).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.core import Array
from minigrad.folded import run_steps
from minigrad.graph import Graph, apply
from rnn.bptt.recorded import Loss, Recorded, recorded
from rnn.cell import Cell


class Edge(NamedTuple):
    """A use of a value.

    Attributes:
        value: the name of what is read; `reader`: of what is computed from it, or "L".
        delay: how many steps later it is read.
    """

    value: str
    reader: str
    delay: int


@dataclass(frozen=True, eq=False)
class Messages:
    """All steps of a run as one graph, and what it takes and gives.

    Attributes:
        run: the run it was made from.
        names: the named values of a step, in the order in which they are computed.
        edges: the uses of each of them, in the order in which cotangents come back over them,
            without those by the loss.
        heard: the value that is the output y, None where it has no name.
        graph: `graph(params, xs, starts, seeds, switches)`, where seeds are the cotangents of the
            outputs `(T, B, O)` and of every state by its edge `(T, B, H)`, and switches are 1 for
            each delayed edge and step, or 0 where no cotangent passes into that step's past;
        gives `ys[t]`, `values[name][t]`, `messages[edge][t]` (by the step of the value),
            `uses[param][t]`, and `x[t]`, which is empty for class indices.
    """

    run: Recorded
    names: tuple[str, ...]
    edges: tuple[Edge, ...]
    heard: str | None
    graph: Graph

    def arguments(
        self, seeds: Array | None = None, switches: Array | None = None
    ) -> tuple[Any, ...]:
        """What the graph takes for this run, with its own cotangents if no others are given."""
        run, count = self.run, len(self.run.params)
        ends = [run.folded.output_node(r.output) for r in run.edges]
        states = [np.zeros((run.steps, *node.shape), node.dtype) for node in ends]
        return (
            list(run.inputs[:count]),
            run.inputs[count],
            list(run.inputs[count + 1 :]),
            [run.seeded if seeds is None else seeds, *states],
            np.ones((run.steps, len(run.edges))) if switches is None else switches,
        )

    @cached_property
    def found(self) -> dict[str, Any]:
        """What the graph gives for this run."""
        return self(*self.arguments())

    def __call__(self, *args: Any) -> dict[str, Any]:
        """What the graph gives."""
        return self.graph(*args)  # type: ignore[no-any-return]  # as it was traced

    def total(self, found: Mapping[str, Any], seeds: Array) -> dict[str, list[Array]]:
        """dL/dv⁽ᵗ⁾ of every named value: the sum of its messages."""
        totals = {name: [np.zeros_like(x) for x in found["values"][name]] for name in self.names}
        if self.heard is not None:
            totals[self.heard] = [x + g for x, g in zip(totals[self.heard], seeds, strict=True)]
        for edge, parts in zip(self.edges, found["messages"], strict=True):
            totals[edge.value] = [
                x + part for x, part in zip(totals[edge.value], parts, strict=True)
            ]
        return totals


def messages(
    cell: Cell, params: Mapping[str, Any], xs: Any, loss: Loss, state: Any = None
) -> Messages:
    """The messages that come back to every named value, reader by reader.

    Args:
        cell: any.
        params: from `cell.init`.
        xs: the sequence `(T, B, X)`, or class indices `(T, B)`.
        loss: a function of the outputs `(T, B, O)` that gives a number.
        state: start values, as `rnn.run` takes them, and chooses them if None.

    >>> import numpy as np, minigrad as mg, rnn
    >>> cell = rnn.RNNCell(1, 1)
    >>> p = {"W_xh": np.array([[1.0]]), "W_hh": np.array([[0.5]]), "b_h": np.zeros(1)}
    >>> xs = np.array([1.0, 0.5]).reshape(2, 1, 1)
    >>> found = messages(cell, p, xs, lambda ys: mg.sum(ys[1]), (np.array([[0.2]]),))
    >>> for edge, parts in zip(found.edges, found.found["messages"]):
    ...     print(edge.value, edge.reader, edge.delay, [round(x.item(), 3) for x in parts])
    z_h h 0 [0.087, 0.487]
    h z_h 1 [0.243, 0.0]
    """
    run = recorded(cell, params, xs, loss, state)
    return of_run(run)


def of_run(run: Recorded) -> Messages:
    """The same of a run that is recorded."""
    names = {k: name for name, k in reversed(run.names.items())}
    ports = _ports(run, names)
    edges = tuple(dict.fromkeys(ports.values()))
    outputs = run.folded.step.outputs
    heard = names.get(outputs[0])
    steps, count = run.steps, len(run.params)

    def program(params: Any, xs: Any, starts: Any, seeds: Any, switches: Any) -> dict[str, Any]:
        values: dict[str, list[Any]] = {name: [None] * steps for name in names.values()}
        flags = [[switches[t, n] > 0.5 for n in range(len(run.edges))] for t in range(steps)]
        start = list(map(_start, run.edges, starts))
        steps_of_x = [xs[t] for t in range(steps)]

        def outputs(uses: Any, added: Any, xs: Any) -> tuple[list[Any], list[Any]]:
            def emit(k: int, t: int, operands: list[Any]) -> Any:
                node = run.folded.step.nodes[k]
                if node.op == "constant":
                    return node.value
                for port, source in enumerate(node.inputs):
                    if source in static:
                        operands[port] = uses[static[source]][t - 1]
                    edge = ports.get((k, port))
                    if edge is not None:
                        operands[port] = operands[port] + added[edges.index(edge)][t - 1]
                    if source in states:
                        x = operands[port]
                        operands[port] = mg.where(flags[t - 1][states[source]], x, mg.detach(x))
                with mg.scope(node.scope, t=t):
                    y = apply(node, operands)
                if k in names:
                    values[names[k]][t - 1] = y
                return y

            columns, _ = run_steps(run.folded, steps, [*params, xs, *start], emit)
            return columns[0], [columns[r.output] for r in run.edges]

        tied = [[w + 0.0 for _ in range(steps)] for w in params]
        read = [run.folded.step.nodes[run.names[e.value]] for e in edges]
        added = [[np.zeros(node.shape, node.dtype)] * steps for node in read]
        moves = xs.dtype.kind == "f"
        given = (tied, added, steps_of_x) if moves else (tied, added)
        (ys, _), pull = mg.vjp(
            lambda uses, added, *x: outputs(uses, added, x[0] if x else steps_of_x), *given
        )
        seeded = [[seed[t] for t in range(steps)] for seed in seeds]
        used, sent, *x = pull((seeded[0], seeded[1:]))
        by_value = [_at_value(e, parts) for e, parts in zip(edges, sent, strict=True)]
        return {
            "ys": ys, "values": values, "messages": by_value, "uses": used, "x": x[0] if x else [],
        }  # fmt: skip

    static = {run.folded.step.inputs[n]: n for n in range(count)}
    states = {run.folded.step.inputs[r.input]: n for n, r in enumerate(run.edges)}
    bare = Messages(run, tuple(dict.fromkeys(names.values())), edges, heard, None)  # type: ignore[arg-type]  # traced next
    graph = mg.trace(program, *bare.arguments())
    ordered = tuple(name for name in run.names if name in names.values())
    return Messages(run, ordered, edges, heard, graph)


def _start(edge: Any, given: Any) -> list[Any]:
    return [given] if abs(edge.delay) == 1 else [given[k] for k in range(abs(edge.delay))]


def _at_value(edge: Edge, parts: Sequence[Any]) -> list[Any]:
    """The messages by the step of the value that is read, not by that of the reader."""
    d, nothing = edge.delay, mg.zeros_like(parts[0])
    moved = [*parts[d:], *[nothing] * d] if d >= 0 else [*[nothing] * -d, *parts[:d]]
    return moved if abs(d) < len(parts) else [nothing] * len(parts)


def _ports(run: Recorded, names: Mapping[int, str]) -> dict[tuple[int, int], Edge]:
    """For each operation and operand that is a named value, of which use it is a part."""
    step, origins = run.folded.step, run.folded.origins()
    readers = _readers(run, names)
    found = {}
    for k in range(len(step.nodes) - 1, -1, -1):
        for port, source in enumerate(step.nodes[k].inputs):
            value, delay = origins.get(source, (source, 0))
            if value in names:
                found[k, port] = Edge(names[value], readers[k], delay)
    return found


def _readers(run: Recorded, names: Mapping[int, str]) -> list[str]:
    """For each operation the named value that it is a part of; several if it is a part of more."""
    step = run.folded.step
    users: list[Iterator[int]] = [iter(sorted({k for k, _ in pairs})) for pairs in step.users()]
    result = [""] * len(step.nodes)
    for k in range(len(step.nodes) - 1, -1, -1):
        if k in names:
            result[k] = names[k]
        else:
            parts = (part for user in users[k] for part in result[user].split(", "))
            result[k] = ", ".join(dict.fromkeys(filter(None, parts)))
            if not result[k]:
                result[k] = "L" if k == step.outputs[0] else "nothing"
    return result
