"""Scan: a folded graph run over a sequence, as one node of the graph.

The forward run is a compiled program that also keeps what backward will read; the vjp is the scan
of the adjoint, the jvp the scan of the tangent. Both are scans of folded graphs, so derivatives
of any order exist. Each live node owns the buffers of its program and gives them back when it is
freed: two runs, then both backwards, are right.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from minigrad.autodiff import jvp
from minigrad.core import Outputs, Primitive, Tensor
from minigrad.define import AnyNumber
from minigrad.folded import STATE, Folded, FoldedAdjoint, Recurrence, folded_adjoint
from minigrad.graph import prune, replay, trace
from minigrad.habits import unmasked
from minigrad.ops import zeros_like
from minigrad.passes import LATE
from minigrad.prepare import prepared
from minigrad.program import Program

_ADJOINTS: WeakKeyDictionary[Folded, dict[Any, FoldedAdjoint]] = WeakKeyDictionary()
_TANGENTS: WeakKeyDictionary[Folded, Folded] = WeakKeyDictionary()
_NARROWED: WeakKeyDictionary[Folded, dict[frozenset[int], Folded]] = WeakKeyDictionary()


class _Pool:
    """Programs that nobody is using: the last few of each folded graph."""

    def __init__(self) -> None:
        self.free: WeakKeyDictionary[Folded, list[Program]] = WeakKeyDictionary()
        self.lock = threading.Lock()

    def take(self, folded: Folded, steps: int) -> Program:
        """A program for that many steps, a waiting one if there is one."""
        with self.lock:
            waiting = self.free.get(folded, [])
            for k, program in enumerate(waiting):
                if steps == program.T:
                    return waiting.pop(k)
        return Program(folded, steps, LATE)

    def give(self, folded: Folded, program: Program) -> None:
        """Take a program back; of many lengths only the last few wait, as each holds buffers."""
        with self.lock:
            waiting = self.free.setdefault(folded, [])
            waiting.append(program)
            del waiting[:-WAITING]

    def forget(self, folded: Folded) -> None:
        """Let go of the programs of a folded graph that nobody is using."""
        with self.lock:
            self.free.pop(folded, None)


WAITING = 4
"""How many unused programs of one folded graph are kept."""

POOL = _Pool()
"""Where live scans take their programs from."""


def adjoint_of(
    folded: Folded, silent: frozenset[int] = frozenset(), fixed: frozenset[int] = frozenset()
) -> FoldedAdjoint:
    """The adjoint, made once; silent outputs and fixed inputs have no cotangent."""
    known = _ADJOINTS.setdefault(folded, {})
    if (silent, fixed) not in known:
        known[silent, fixed] = folded_adjoint(folded, silent, fixed)
    return known[silent, fixed]


def scan(folded: Folded, steps: int, *inputs: Any) -> list[Any]:
    """Run a folded graph over `steps` steps, as one node of several results.

    Args:
        folded: what to run.
        steps: the number of steps T.
        inputs: one for each input of the folded graph: a value (static), `(T, ...)` (sequence),
            or the start value (state; `(d, ...)` for a delay of d > 1 steps).

    Returns:
        For each "every" output `(T, ...)` and for each "sum" its value, in order; then for each
        recurrence its last values.

    >>> import minigrad as mg, numpy as np, rnn
    >>> cell = rnn.RNNCell(3, 5)
    >>> p = cell.init(0)
    >>> xs, h = np.ones((7, 2, 3)), np.zeros((2, 5))
    >>> ys, last = mg.scan(cell.folded(2), 7, p.W_xh, p.W_hh, p.b_h, xs, h)
    >>> ys.shape, bool((ys[-1] == last).all())
    ((7, 2, 5), True)
    """
    for k, x in enumerate(inputs):
        unmasked(x, f"scan: input {k + 1}")
    ready = prepared(folded)
    inputs, folded = tuple(ready.inputs(folded, inputs)), ready.folded
    if not any(type(x) is Tensor for x in inputs):
        return list(_run(*inputs, folded=folded, kept=folded, steps=steps))
    kept = adjoint_of(folded).forward
    node = SCAN(*inputs, folded=folded, kept=kept, steps=steps)
    # The residuals stand behind the results of the original, the last values behind both.
    whole = len(kept.plain)
    places = (*range(len(folded.plain)), *range(whole, whole + len(folded.recurrences)))
    return [project(node, k=k) for k in places]


def narrowed(folded: Folded, used: frozenset[int]) -> Folded:
    """The folded graph with only those results (outputs that are not states) that are used."""
    known = _NARROWED.setdefault(folded, {})
    if used not in known:
        states = (k for k, role in enumerate(folded.outputs) if role == STATE)
        kept = sorted([*(folded.plain[n] for n in used), *states])
        outputs = tuple(folded.step.outputs[k] for k in kept)
        step = prune(folded.step.nodes, folded.step.inputs, outputs)
        edges = (replace(r, output=kept.index(r.output)) for r in folded.recurrences)
        roles = tuple(folded.outputs[k] for k in kept)
        known[used] = Folded(step, folded.inputs, roles, tuple(edges))
    return known[used]


def _run(*inputs: Any, folded: Folded, kept: Folded, steps: int) -> Outputs:
    """The results of a program, in arrays of their own; residuals stay in the program's buffers."""
    program = POOL.take(kept, steps)
    outputs, last = program(*inputs)
    own = len(folded.plain)
    views = [x[...] for x in outputs[own:]]  # of their own, as they are made read-only
    values = Outputs([*map(_copy, outputs[:own]), *views, *map(_copy, last)])
    if kept is folded:
        POOL.give(kept, program)
    else:
        values.release = lambda: POOL.give(kept, program)
    return values


def _copy(x: Any) -> Any:
    array = np.array(x)
    array.flags.writeable = False
    return array


def _pull(
    g: Sequence[Any],
    y: Any,
    operands: Sequence[Any],
    attrs: dict[str, Any],
    asked: frozenset[int],
) -> list[Any]:
    """Cotangents of the operands that are asked for: the scan of the adjoint."""
    folded, kept, steps = attrs["folded"], attrs["kept"], attrs["steps"]
    arrived = dict(zip(kept.plain, g, strict=False))
    ends = dict(zip([r.output for r in kept.recurrences], g[len(arrived) :], strict=True))
    heard = {k for k, cotangent in arrived.items() if cotangent is not None}
    if any(k >= len(folded.outputs) for k in heard):
        # Second order: residuals have cotangents of their own, so they count as outputs.
        folded = kept
        y = SCAN(*operands, folded=kept, kept=adjoint_of(kept).forward, steps=steps)
    silent = frozenset(folded.plain) - heard
    fixed = frozenset(k for k, role in enumerate(folded.inputs) if role != STATE and k not in asked)
    adjoint = adjoint_of(folded, silent, fixed)
    whole = adjoint_of(folded)
    emitted = {whole.step.residuals[k]: n for n, k in enumerate(whole.emitted)}
    number = {i: k for k, i in enumerate(folded.step.inputs)}
    own = len(folded.plain)
    inputs: list[Any] = []
    for k, node in enumerate(adjoint.step.residuals):
        if k in adjoint.static_places:
            inputs.append(operands[number[node]])
        else:
            place = own + emitted[node]
            inputs.append(project(y, k=place) if type(y) is Tensor else y[place])
    for k in adjoint.step.seeded:
        role = folded.outputs[k]
        seed = ends[k] if role == STATE else arrived[k]
        inputs.append(_zero_end(folded, k) if seed is None else seed)
    found = scan(adjoint.backward, steps, *inputs)
    return _sorted_back(adjoint, found, len(operands))


def _zero_end(folded: Folded, k: int) -> Any:
    """The cotangent of last values that nobody used."""
    (edge,) = (r for r in folded.recurrences if r.output == k)
    node, d = folded.output_node(k), abs(edge.delay)
    return np.zeros(node.shape if d == 1 else (d, *node.shape), node.dtype)


def _sorted_back(adjoint: FoldedAdjoint, found: list[Any], count: int) -> list[Any]:
    """The results of the backward scan at the places of the operands they belong to."""
    backward = adjoint.backward
    by_output = dict(zip(backward.plain, found, strict=False))
    for edge, value in zip(backward.recurrences, found[len(backward.plain) :], strict=True):
        by_output[edge.output] = value
    parts: list[Any] = [None] * count
    for k, operand in enumerate(adjoint.step.wrt):
        parts[operand] = by_output[k]
    return parts


def tangent_of(folded: Folded) -> Folded:
    """The folded graph of the jvp: inputs and their tangents in, tangents of outputs out."""
    if folded in _TANGENTS:
        return _TANGENTS[folded]
    step = folded.step
    nodes = [folded.input_node(k) for k in range(len(folded.inputs))]
    moving = [
        k for k, node in enumerate(nodes) if node.dtype is not None and node.dtype.kind == "f"
    ]
    edges = folded.recurrences

    def both(values: list[Any], tangents: list[Any]) -> tuple[list[Any], list[Any]]:
        def primal(*chosen: Any) -> list[Any]:
            inputs = list(values)
            for k, x in zip(moving, chosen, strict=True):
                inputs[k] = x
            return replay(step, inputs)

        outputs, moved = jvp(primal, [values[k] for k in moving], tangents)
        return [outputs[r.output] for r in edges], moved

    examples = [node.example() for node in nodes]
    graph = trace(both, examples, [examples[k] for k in moving])
    turned = {k: len(nodes) + n for n, k in enumerate(moving)}
    recurrences = [
        *(Recurrence(n, r.input, r.delay, r.name) for n, r in enumerate(edges)),
        *(Recurrence(len(edges) + r.output, turned[r.input], r.delay, f"d{r.name}") for r in edges),
    ]
    result = Folded(
        graph,
        (*folded.inputs, *(folded.inputs[k] for k in moving)),
        (*[STATE] * len(edges), *folded.outputs),
        tuple(recurrences),
    )
    _TANGENTS[folded] = result
    return result


def _push(tangents: Sequence[Any], y: Any, operands: Sequence[Any], attrs: dict[str, Any]) -> Any:
    """Tangents of all results: the scan of the tangent."""
    kept, steps = attrs["kept"], attrs["steps"]
    moving = [k for k, x in enumerate(operands) if x.dtype.kind == "f"]
    given = [zeros_like(operands[k]) if tangents[k] is None else tangents[k] for k in moving]
    found = scan(tangent_of(kept), steps, *operands, *given)
    own = len(kept.plain)
    return Outputs([*found[:own], *found[own + len(kept.recurrences) :]])


SCAN = Primitive("scan", _run, AnyNumber(_pull), _push, kind="loop", joint=_pull)


def _together(node: Tensor, parts: list[tuple[Any, Tensor]]) -> list[Any]:
    """The cotangents of the results of a node, None where a result was not used."""
    gathered: list[Any] = [None] * len(node._data)
    for g, user in parts:
        k = user.attrs["k"]
        gathered[k] = g if gathered[k] is None else gathered[k] + g
    return gathered


project = Primitive(
    "project",
    lambda outputs, k: outputs[k],
    [lambda g, y, x, k: _together(x, [(g, y)])],
    lambda tangents, y, xs, attrs: tangents[0][attrs["k"]],
    kind="loop",
    collect=_together,
    label="part",
)
