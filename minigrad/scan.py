"""Scan: a folded graph run over a sequence, as one node of the graph.

The forward run is a compiled program that also keeps what backward will read; the vjp is the scan
of the adjoint, the jvp the scan of the tangent. Both are scans of folded graphs, so derivatives
of any order exist. Each live node owns the buffers of its program and gives them back when it is
freed: two runs, then both backwards, are right.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.anomaly import WAY, heading
from minigrad.autodiff import jvp
from minigrad.core import FROZEN, Outputs, Primitive, Tensor
from minigrad.engines.numpy.program import Program
from minigrad.errors import ShapeError
from minigrad.facts import Lowering
from minigrad.folded import (
    EVERY,
    SEQUENCE,
    STATE,
    Folded,
    FoldedAdjoint,
    Recurrence,
    by_step,
    folded_adjoint,
    no_cotangent,
    run_folded,
)
from minigrad.graph import replay, trace
from minigrad.habits import unmasked
from minigrad.lower.passes import LATE
from minigrad.lower.pipeline import prepared
from minigrad.ops import stack, zeros_like

IDLE_BYTES = 1 << 28
"""How many bytes of buffers programs that nobody is using may hold, all together: 256 MiB."""


class Pool:
    """Programs that nobody is using, those used last kept longest."""

    def __init__(self) -> None:
        self.idle: list[tuple[Folded, Program]] = []
        self.lock = threading.Lock()

    def take(self, folded: Folded, steps: int) -> Program:
        """A program for that many steps, a waiting one if there is one."""
        with self.lock:
            for k in range(len(self.idle) - 1, -1, -1):
                if self.idle[k][0] is folded and steps == self.idle[k][1].T:
                    return self.idle.pop(k)[1]
        return Program(folded, steps, LATE)

    def give(self, folded: Folded, program: Program) -> None:
        """Take a program back; the oldest go where all together hold too many bytes."""
        with self.lock:
            self.idle.append((folded, program))
            held = sum(p.nbytes for _, p in self.idle)
            while self.idle and (held > IDLE_BYTES or len(self.idle) > MOST_IDLE):
                held -= self.idle.pop(0)[1].nbytes

    def forget(self, folded: Folded | None = None) -> None:
        """Let go of all programs of a folded graph, or of all."""
        with self.lock:
            self.idle = [x for x in self.idle if folded is not None and x[0] is not folded]


MOST_IDLE = 64
"""How many programs may wait: each is looked at when one is taken, and has code beside buffers."""

POOL = Pool()
"""Where live scans take their programs from."""


def adjoint_of(
    folded: Folded, silent: frozenset[int] = frozenset(), fixed: frozenset[int] = frozenset()
) -> FoldedAdjoint:
    """The adjoint, made once; silent outputs and fixed inputs have no cotangent."""
    return folded.remembered(  # type: ignore[no-any-return]  # what is made
        ("adjoint", silent, fixed), lambda: folded_adjoint(folded, silent, fixed)
    )


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

    Raises:
        ShapeError: an input of another shape; nothing is broadcast.
        TypeError: an input of another dtype; nothing is cast.

    Within the `step` of a cell it is unrolled: its steps become operations of that step.

    >>> import minigrad as mg, numpy as np, rnn
    >>> cell = rnn.RNNCell(3, 5)
    >>> p = cell.init(0)
    >>> xs, h = np.ones((7, 2, 3)), np.zeros((2, 5))
    >>> ys, last = mg.scan(cell.folded(2), 7, p.W_xh, p.W_hh, p.b_h, xs, h)
    >>> ys.shape, bool((ys[-1] == last).all())
    ((7, 2, 5), True)
    """
    _check(folded, steps, inputs)
    if (trace := FROZEN.get()) is not None and trace.is_step:
        return unrolled(folded, steps, by_step(folded, inputs))
    if WAY.get():
        _look(folded, steps, inputs)
        with heading(""):
            return scan(folded, steps, *inputs)
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


def _look(folded: Folded, steps: int, inputs: Sequence[Any]) -> None:
    """Run operation by operation, everything by its name, so that what is not finite is told."""
    values = by_step(folded, [x._data if type(x) is Tensor else x for x in inputs])
    for k, value in enumerate(values):
        name = folded.input_name(k)
        is_list = isinstance(value, list)
        values[k] = [Tensor(x, name) for x in value] if is_list else Tensor(value, name)
    run_folded(folded, steps, values)


def _check(folded: Folded, steps: int, inputs: Sequence[Any]) -> None:
    """Refuse what does not fit the inputs of a folded graph, which would be broadcast or cast."""
    if type(steps) is not int or steps < 0:
        raise ValueError(f"scan: the number of steps must be a whole number ≥ 0, got {steps!r}")
    if len(inputs) != len(folded.inputs):
        raise TypeError(f"scan: {len(inputs)} inputs given, the step takes {len(folded.inputs)}")
    delays = {r.input: abs(r.delay) for r in folded.recurrences}
    for k, (role, x) in enumerate(zip(folded.inputs, inputs, strict=True)):
        node, lead = folded.input_node(k), delays.get(k, 1)
        front = (steps,) if role == SEQUENCE else (lead,) if lead > 1 else ()
        unmasked(x, f"scan: input {k + 1}")
        found = x if isinstance(x, Tensor | np.ndarray) else np.asarray(x, node.dtype)
        if found.shape != (*front, *node.shape):
            raise ShapeError(
                f"scan: {role} {folded.input_name(k)} has shape {found.shape}, wanted "
                f"{(*front, *node.shape)}" + (f" for {steps} steps" if role == SEQUENCE else "")
            )
        if found.dtype != node.dtype:
            raise TypeError(
                f"scan: {role} {folded.input_name(k)} has dtype {found.dtype}, wanted {node.dtype}"
            )


def unrolled(folded: Folded, steps: int, inputs: Sequence[Any]) -> list[Any]:
    """What a scan gives, with every operation of every step on the graph.

    Args:
        folded: what to run.
        steps: the number of steps T.
        inputs: as `run_folded` takes them.
    """
    columns, last = run_folded(folded, steps, inputs)
    results = []
    for k in folded.plain:
        node, column = folded.output_node(k), columns[k]
        if folded.outputs[k] == EVERY:
            column = stack(column) if steps else np.zeros((0, *node.shape), node.dtype)
        results.append(column)
    return results + [ends[0] if len(ends) == 1 else stack(ends) for ends in last]


def _run(*inputs: Any, folded: Folded, kept: Folded, steps: int) -> Outputs:
    """The results of a program, in arrays of their own; residuals stay in the program's buffers."""
    if WAY.get():
        _look(kept, steps, inputs)
    program = POOL.take(kept, steps)
    found, own, ends = program.run(*inputs), len(folded.plain), len(kept.plain)
    views = [x[...] for x in found[own:ends]]  # of their own, as they are made read-only
    values = Outputs([*map(_copy, found[:own]), *views, *map(_copy, found[ends:])])
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
    places = [len(folded.plain) + emitted[adjoint.step.residuals[k]] for k in adjoint.emitted]
    read = (project(y, k=at) if type(y) is Tensor else y[at] for at in places)
    inputs = adjoint.residuals(operands, read)
    for k in adjoint.step.seeded:
        role = folded.outputs[k]
        seed = ends[k] if role == STATE else arrived[k]
        inputs.append(no_cotangent(folded, k) if seed is None else seed)
    found = scan(adjoint.backward, steps, *inputs)
    return _sorted_back(adjoint, found, len(operands))


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
    return folded.remembered("tangent", lambda: _tangent(folded))  # type: ignore[no-any-return]  # see _tangent


def _tangent(folded: Folded) -> Folded:
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
    with np.errstate(all="ignore"):  # the examples are none of a run
        graph = trace(both, examples, [examples[k] for k in moving])
    turned = {k: len(nodes) + n for n, k in enumerate(moving)}
    recurrences = [
        *(Recurrence(n, r.input, r.delay, r.name) for n, r in enumerate(edges)),
        *(Recurrence(len(edges) + r.output, turned[r.input], r.delay, f"d{r.name}") for r in edges),
    ]
    return Folded(
        graph,
        (*folded.inputs, *(folded.inputs[k] for k in moving)),
        (*[STATE] * len(edges), *folded.outputs),
        tuple(recurrences),
    )


def _push(tangents: Sequence[Any], y: Any, operands: Sequence[Any], attrs: dict[str, Any]) -> Any:
    """Tangents of all results: the scan of the tangent."""
    kept, steps = attrs["kept"], attrs["steps"]
    moving = [k for k, x in enumerate(operands) if x.dtype.kind == "f"]
    given = [zeros_like(operands[k]) if tangents[k] is None else tangents[k] for k in moving]
    found = scan(tangent_of(kept), steps, *operands, *given)
    own = len(kept.plain)
    return Outputs([*found[:own], *found[own + len(kept.recurrences) :]])


SCAN = Primitive("scan", _run, [], _push, kind="loop", joint=_pull, public=False)


def _together(node: Tensor, parts: list[tuple[Any, Tensor]]) -> list[Any]:
    """The cotangents of the results of a node, None where a result was not used."""
    gathered: list[Any] = [None] * len(node._data)
    for g, user in parts:
        k = user.attrs["k"]
        gathered[k] = g if gathered[k] is None else gathered[k] + g
    return gathered


def _one_of(outputs: Outputs, k: int) -> Any:
    """One of the several results of a node, by number."""
    return outputs[k]


project = Primitive(
    "project",
    _one_of,
    [lambda g, y, x, k: _together(x, [(g, y)])],
    lambda tangents, y, xs, attrs: tangents[0][attrs["k"]],
    kind="loop",
    collect=_together,
    label="part",
    public=False,
    lowering=Lowering(view=True),
)
