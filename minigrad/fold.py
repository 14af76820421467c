"""Folding: from a graph of T tagged steps back to one step with delayed edges.

What is not a loop alone is cut in three: what comes before, the loop, what is made of its values.
The certificate is for the whole: put together again, the parts give the graph, node by node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from minigrad.embedded import Embedded, Operand, Picks, Positions
from minigrad.folded import SEQUENCE, STATIC, Folded
from minigrad.graph import Graph, difference
from minigrad.loop import HINT, regular
from minigrad.tree import flatten


def fold(graph: Graph) -> Folded:
    """The folded graph of the loop in a graph.

    The operations of the loop must be tagged with their step, as `rnn.run` and
    `minigrad.scope(name, t=t)` do, and all steps must be alike. `embed` tells what is around it.

    Raises:
        ValueError: no step is tagged, or steps differ; the message says where.

    >>> import minigrad as mg, numpy as np
    >>> def loop(w, xs, h):
    ...     for t, x in enumerate(xs, 1):
    ...         with mg.scope("rnn", t=t):
    ...             h = mg.named("h", mg.tanh(x + h * w))
    ...     return h
    >>> mg.fold(mg.trace(loop, 0.5, [1.0] * 7, 0.0)).recurrences
    (Recurrence(output=0, input=2, delay=1, name='h'),)
    """
    try:
        return regular(graph)[1]
    except ValueError as error:
        reads = _reads(graph)
        try:
            return embed(graph).folded
        except ValueError as wider:
            raise wider if reads else error from None


def embed(graph: Graph) -> Embedded:
    """The loop in a graph, and the graph around it.

    Raises:
        ValueError: steps differ, the loop cannot be cut out, or its values are read in a way that
            says nothing about other numbers of steps; the message says where.

    >>> import minigrad as mg, numpy as np
    >>> def loss(w, xs):
    ...     h, hs = 0.0, []
    ...     for t in range(1, len(xs) + 1):
    ...         with mg.scope("rnn", t=t):
    ...             h = mg.named("h", mg.tanh(xs[t - 1] + h * w))
    ...             hs.append(h)
    ...     return mg.sum(mg.stack(hs))
    >>> found = embed(mg.trace(loss, 0.5, np.ones(7)))
    >>> found.folded, len(found.unfold(100))
    (<Folded step of 6 nodes, recurrences: h delay 1>, 405)
    """
    reads, busy = _reads(graph), _busy(graph)
    nodes = graph.nodes
    leaves = ("input", "constant")
    inner = {k for k, n in enumerate(nodes) if n.t in busy and n.op not in leaves} - reads
    touched = set(inner)
    for k, node in enumerate(nodes):
        if k not in inner and any(i in touched for i in node.inputs):
            touched.add(k)
    for k in sorted(inner):
        late = [i for i in nodes[k].inputs if i in touched and i not in inner]
        if late:
            raise ValueError(
                f"fold: {nodes[late[0]].op} (%{late[0]}) is computed outside of any step but read "
                f"inside; {HINT}"
            )
    cut, place = _cut(graph, inner, touched)
    loop, folded = regular(cut, certified=False)
    back = {j: k for k, j in place.items()}
    given: list[int | tuple[int, ...] | Positions] = []
    for source, role in zip(loop.inputs(), folded.inputs, strict=True):
        known = [back[i] for i in source.given]
        if role == STATIC:
            given.append(known[0])
        elif role == SEQUENCE and known[0] in reads:
            given.append(_positions(graph, known))
        elif role == SEQUENCE and (made := [k for k in known if nodes[k].inputs]):
            raise ValueError(
                f"fold: {nodes[made[0]].op} (%{made[0]}) is computed outside of any step but read "
                f"inside; {HINT}"
            )
        else:
            given.append(tuple(known))
    outputs = {
        back[k]: (n, t) for n, (_, c) in enumerate(loop.outputs) if isinstance(c, int)
        for t, k in enumerate((row[c] for row in loop.rows), 1)
    }  # fmt: skip
    after = sorted(touched - inner)
    found = Embedded(
        folded, loop.T, graph,
        tuple(k for k in range(len(nodes)) if k not in touched and k not in reads),
        tuple(given),
        tuple((k, _operands(graph, nodes[k].inputs, outputs, loop.T, k)) for k in after),
        _operands(graph, graph.outputs, outputs, loop.T, None),
    )  # fmt: skip
    off = difference(graph, found.unfold(loop.T))
    if off is not None:
        raise ValueError(f"fold: unfolding does not give the graph again: {off}")
    return found


def _reads(graph: Graph) -> set[int]:
    """Tagged readings of one row of what is outside of every step."""
    nodes, busy = graph.nodes, _busy(graph)
    return {
        k
        for k, n in enumerate(nodes)
        if n.op == "index" and n.t in busy and nodes[n.inputs[0]].t is None
    }


def _busy(graph: Graph) -> set[int]:
    """The steps at which something is computed; start values are only named before or after."""
    idle = ("input", "constant", "index", "alias")
    return {n.t for n in graph.nodes if n.t is not None and n.op not in idle}


def _cut(graph: Graph, inner: set[int], touched: set[int]) -> tuple[Graph, dict[int, int]]:
    """The loop as a graph of its own: what it reads is an input, what is read of it an output.

    Returns:
        The graph, and for each of its nodes' originals its number.
    """
    nodes = graph.nodes
    used = sorted({i for k in inner for i in nodes[k].inputs if i not in inner})
    kept = sorted({*used, *inner})
    place = {k: j for j, k in enumerate(kept)}
    made = []
    for k in kept:
        node = nodes[k]
        if k in inner:
            made.append(replace(node, inputs=tuple(place[i] for i in node.inputs)))
        elif node.op == "constant":
            made.append(node)
        else:
            made.append(replace(node, op="input", inputs=(), attrs={}))
    asked = {i for k in touched - inner for i in nodes[k].inputs if i in inner}
    asked |= set(graph.outputs) & inner
    steps: dict[int, list[int]] = {}
    for k in sorted(inner):
        steps.setdefault(nodes[k].t or 0, []).append(k)
    order = {k: n for row in steps.values() for n, k in enumerate(row)}
    columns = sorted({order[k] for k in asked})
    rows = [steps[t] for t in sorted(steps)]
    outputs = [place[row[c]] for c in columns for row in rows if c < len(row)]
    inputs = [place[k] for k in used if nodes[k].op != "constant"]
    whole = Graph(tuple(made), tuple(inputs), tuple(outputs), *_trees(inputs, outputs))
    return whole, place


def _trees(inputs: Sequence[int], outputs: Sequence[int]) -> tuple[Any, Any]:
    return flatten(tuple(inputs))[1], flatten(tuple(outputs))[1]


def _positions(graph: Graph, known: Sequence[int]) -> Positions:
    """The rule by which T readings follow the steps."""
    nodes = [graph.nodes[k] for k in known]
    sources = {n.inputs[0] for n in nodes}
    tables = [n.attrs["position"] for n in nodes]
    varying = [p for p in range(len(tables[0]))
               if any(repr(table[p]) != repr(tables[0][p]) for table in tables)]  # fmt: skip
    numbers = [table[varying[0]] for table in tables] if len(varying) == 1 else []
    strides = {b - a for a, b in pairwise(numbers)}
    if len(sources) != 1 or strides not in ({1}, {-1}):
        raise ValueError(
            "fold: the positions at which a sequence is read do not go up or down by one from "
            f"step to step: {', '.join(str(table) for table in tables[:4])}"
        )
    (source,), stride = sources, strides.pop()
    place = varying[0]
    length = graph.nodes[source].shape[place]
    first = numbers[0] if stride > 0 else numbers[0] - length
    if stride > 0 and first < 0:
        first += length
    return Positions(source, first, stride, nodes[0], place)


def _operands(
    graph: Graph, operands: Sequence[int], outputs: dict[int, tuple[int, int]], T: int,
    reader: int | None,
) -> tuple[Operand, ...]:  # fmt: skip
    """Operands with runs of steps told by their ends."""
    found: list[Operand] = []
    n = 0
    while n < len(operands):
        if operands[n] not in outputs:
            found.append(operands[n])
            n += 1
            continue
        column, t = outputs[operands[n]]
        end = n + 1
        stride = 0
        while end < len(operands) and operands[end] in outputs:
            other, then = outputs[operands[end]]
            step = then - outputs[operands[end - 1]][1]
            if other != column or abs(step) != 1 or stride not in (0, step):
                break
            stride, end = step, end + 1
        last = outputs[operands[end - 1]][1]
        ends = _anchored(t, last, T)
        if ends is None:
            who = f"output {n + 1}" if reader is None else f"{graph.nodes[reader].op} (%{reader})"
            raise ValueError(
                f"fold: {who} reads step {t} alone; a loop gives the values of every step, their "
                "sum, or those of its first or last steps"
            )
        found.append(Picks(column, *ends))
        n = end
    return tuple(found)


def _anchored(first: int, last: int, T: int) -> tuple[int, int] | None:
    """The ends of a run of steps, counted from the end of time that it touches; None for none."""
    low, high = sorted((first, last))
    if low == 1 and high == T:
        return (1 if first == 1 else -1, -1 if last == T else 1)
    if high == T:
        return first - T - 1, last - T - 1
    return (first, last) if low == 1 else None


__all__ = ["embed", "fold"]
