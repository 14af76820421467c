"""What the inputs of a step are: given at every step, known before it, or cotangents."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.facts import SUMS
from minigrad.folded import EVERY, SEQUENCE, STATIC, Folded
from minigrad.graph import Node
from viz.scene.label import scoped


def origins(folded: Folded) -> dict[int, tuple[int, int, str]]:
    """For each state input the node it comes from, the delay, and the name of the value.

    A state that is only handed on is the value it was, one delay later: a cell that returns h and
    the h before has one state, read at two lags.

    >>> import rnn
    >>> [delay for _, delay, _ in origins(rnn.LSTMCell(3, 5).folded()).values()]
    [1, 1]
    """
    step, made = folded.step, folded.origins()
    names = {step.outputs[r.output]: r.name or f"state{n}"
             for n, r in reversed(list(enumerate(folded.recurrences, 1)))}  # fmt: skip
    found = {}
    for k in made:
        (origin, delay), seen = made[k], {k}
        while origin in made and origin not in seen:
            seen.add(origin)
            origin, delay = made[origin][0], delay + made[origin][1]
        if origin in made:  # states that only change places
            origin, delay = made[k]
        found[k] = (origin, delay, names[origin])
    return found


def lagged(folded: Folded) -> Folded:
    """The same network with a longer delay in place of each state that is only handed on.

    Its adjoint has one cotangent for each value; it starts from other values.
    """
    made, outputs = origins(folded), list(folded.step.outputs)
    edges = []
    for r in folded.recurrences:
        origin, delay, name = made[folded.step.inputs[r.input]]
        outputs[r.output] = origin
        edges.append(replace(r, delay=delay, name=name))
    step = replace(folded.step, outputs=tuple(outputs))
    return replace(folded, step=step, recurrences=tuple(edges))


def sequences(folded: Folded) -> list[int]:
    """The inputs that come with every step; in an adjoint only cotangents, not saved values."""
    given = folded.with_role(SEQUENCE)
    if is_adjoint(folded):  # the cotangent of a result without a name comes last
        return [k for k in given if folded.input_name(k).startswith("∂")] or given[-1:]
    return given


def known(folded: Folded) -> set[int]:
    """Parameters, saved values and what is made from them alone: slopes, transposed weights."""
    step = folded.step
    found = set(step.inputs) - set(folded.origins())
    found -= {step.inputs[k] for k in sequences(folded)}
    for k, node in enumerate(step.nodes):
        if node.inputs and all(i in found or step.nodes[i].op == "constant" for i in node.inputs):
            found.add(k)
    return found


def is_adjoint(folded: Folded) -> bool:
    """Whether a folded graph takes cotangents, as those of backpropagation through time do."""
    names = [folded.input_name(k) for k in range(len(folded.inputs))]
    return any(name.startswith("∂") for name in (*names, *(r.name for r in folded.recurrences)))


def given_name(folded: Folded, k: int) -> str:
    """The name of an input; a cotangent that also recurs is given as a derivative of the loss.

    The whole ∂h is ∂L/∂h, which the loss gives, and what comes from the next step.
    """
    name = folded.step.nodes[k].name or ""
    is_given = k not in {folded.step.inputs[r.input] for r in folded.recurrences}
    recurs = {scoped(r.name)[1] for r in folded.recurrences}
    return f"∂L/{name}" if name.startswith("∂") and name in recurs and is_given else name


def memories(folded: Folded) -> dict[int, str]:
    """The states that are memories, by the nodes they come from.

    A memory is there to make another state from: within the step, without a weight on the way, and
    it is no result itself. In an adjoint all ways are turned round.

    >>> import rnn
    >>> set(memories(rnn.LSTMCell(3, 5).folded()).values())
    {'C'}
    """
    nodes, made, fixed = folded.step.nodes, origins(folded), statics(folded)
    names = {origin: name for origin, _, name in made.values()}
    if is_adjoint(folded):
        found = {
            k
            for start, (origin, _, _) in made.items()
            for k in reached(nodes, start, fixed) & names.keys()
            if k != origin and k != start
        }
    else:
        ends = zip(folded.step.outputs, folded.outputs, strict=True)
        results = {k for k, role in ends if role == EVERY}
        found = {k for k in names.keys() - results if reached(nodes, k, fixed) & names.keys()}
    return {k: names[k] for k in sorted(found)}


def gates(folded: Folded) -> dict[int, str]:
    """What a gate is for, by what it multiplies: forget, input, candidate, output, update, reset.

    An update gate weighs the old state, and the other way round the candidate; a reset gate weighs
    what the candidate is made of.

    >>> import rnn
    >>> list(gates(rnn.LSTMCell(3, 5).folded()).values())
    ['forget', 'input', 'candidate', 'output']
    >>> sorted(gates(rnn.GRUCell(3, 5).folded()).values())
    ['candidate', 'reset', 'update']
    """
    nodes, made, found = folded.step.nodes, origins(folded), dict[int, str]()
    named = {} if is_adjoint(folded) else memories(folded)

    def bare(k: int) -> int:
        while nodes[k].is_alias:
            k = nodes[k].inputs[0]
        return k

    def factors(k: int) -> list[int]:
        return [bare(i) for i in nodes[k].inputs] if nodes[k].op == "multiply" else []

    def weight(k: int) -> int:  # 1 − z weighs as z does, the other way round
        given = nodes[k].inputs
        if nodes[k].op != "subtract" or nodes[given[0]].op != "constant":
            return k
        return bare(given[1]) if np.all(nodes[given[0]].value == 1) else k

    for state in () if is_adjoint(folded) else sorted({origin for origin, *_ in made.values()}):
        old = {i for i, (origin, _, _) in made.items() if origin == state}
        stack, terms = [bare(state)], list[int]()
        while stack:
            k = stack.pop()
            if nodes[k].lowering.chain == SUMS:
                stack += [bare(i) for i in nodes[k].inputs][::-1]
            else:
                terms.append(k)
        pairs = [pair for pair in map(factors, terms) if pair]
        fresh = [pair for pair in pairs if not old.intersection(pair)]
        kept = {weight(k) for pair in pairs for k in pair
                if old.intersection(pair) and k not in old and not is_leaf(nodes[k])}  # fmt: skip
        coupled = kept & {weight(k) for pair in fresh for k in pair}
        found |= {k: "update" if k in coupled else "forget" for k in kept}
        for pair in fresh if kept or state in named else ():
            if coupled.intersection(map(weight, pair)):
                candidates = [k for k in pair if weight(k) not in coupled]
            elif sum(nodes[k].op == "sigmoid" for k in pair) == 1:
                pair.sort(key=lambda k: nodes[k].op != "sigmoid")
                found[pair[0]], candidates = "input", pair[1:]
            else:
                continue
            found |= dict.fromkeys(candidates, "candidate")
            for k in candidates:
                found = {**dict.fromkeys(_resets(folded, k), "reset"), **found}
        shown = reached(nodes, state, statics(folded)) if state in named else set()
        for other in {origin for origin, _, _ in made.values()} & shown:
            pair = factors(bare(other))
            found |= {k: "output" for k in pair if k not in shown and not is_leaf(nodes[k])}
    return found


def _resets(folded: Folded, candidate: int) -> set[int]:
    """What multiplies, on the way to a candidate, a value made of the states before alone."""
    nodes, made, fixed = folded.step.nodes, origins(folded), statics(folded)
    ends = {origin for origin, _, _ in made.values()}
    past, needed, found = {*made, *fixed}, {candidate}, set[int]()
    for k in range(candidate + 1):
        if nodes[k].inputs and past.issuperset(nodes[k].inputs):
            past.add(k)
    for k in range(candidate, -1, -1):
        if k not in needed or k in past or k in ends:
            continue
        needed |= set(nodes[k].inputs)
        if nodes[k].op == "multiply" and past.difference(fixed).intersection(nodes[k].inputs):
            found |= {i for i in nodes[k].inputs if i not in past}
    return found


def is_leaf(node: Node) -> bool:
    """Whether a node is given, not made."""
    return not node.inputs


def reached(
    nodes: Sequence[Node], start: int, weights: Collection[int], within: Iterable[int] | None = None
) -> set[int]:
    """All that is made from a node without a weight on the way, itself not among it."""
    found = {start}
    for k in range(start + 1, len(nodes)) if within is None else within:
        node = nodes[k]
        weighed = is_product(node) or any(i in weights and nodes[i].shape for i in node.inputs)
        if k > start and found.intersection(node.inputs) and not weighed:
            found.add(k)
    return found - {start}


def is_product(node: Node) -> bool:
    """Whether a parameter that a node reads is a weight on an edge."""
    return node.op in PRIMITIVES and PRIMITIVES[node.op].is_product


def statics(folded: Folded) -> set[int]:
    """Parameters, constants, and for an adjoint what it has saved from the forward run."""
    step = folded.step
    found = {step.inputs[k] for k in folded.with_role(STATIC)}
    found |= {k for k, node in enumerate(step.nodes) if node.op == "constant"}
    return found
