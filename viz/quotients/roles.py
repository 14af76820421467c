"""What the inputs of a step are: given at every step, known before it, or cotangents."""

from __future__ import annotations

from minigrad.folded import SEQUENCE, Folded
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
