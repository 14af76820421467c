"""What a folded graph becomes when it runs: the schedule in words.

What runs once, what before and in each loop over time, forward and backward; how the passes got
there, and what the buffers take.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from minigrad.folded import Folded, folded_adjoint
from minigrad.graph import Node
from minigrad.passes import LATE, PASSES
from minigrad.prepare import prepared
from minigrad.program import Program
from minigrad.schedule import Nest


def explain(x: Any, steps: int = 50) -> str:
    r"""How a cell or folded graph runs, forward and backward.

    Args:
        x: a `Folded`, or an object whose `folded()` gives one, such as a cell.
        steps: the number of steps T that buffers are counted for.

    >>> import minigrad as mg, rnn
    >>> forward = mg.explain(rnn.RNNCell(64, 128).folded(batch=32)).split("backward")[0]
    >>> print(forward.split("operations)\n")[-1].rstrip())
      once, from parameters alone: expand_dims, concatenate
      loop over t = 1 … T
        each step, 2 calls: matmul[32, 128], tanh[32, 128]
      buffers: 2.8 MB for 50 steps
    """
    folded = x.folded() if hasattr(x, "folded") else x
    if not isinstance(folded, Folded):
        raise TypeError(f"explain takes a cell or a folded graph, got {x!r:.60}")
    forward, backward = folded_adjoint(prepared(folded).folded)
    parts = [("forward", folded, forward), ("backward", backward, prepared(backward).folded)]
    return "\n".join(f"{name}\n{_told(given, made, steps)}" for name, given, made in parts)


def _told(original: Folded, folded: Folded, steps: int) -> str:
    program = Program(folded, steps, LATE)
    plan, nodes = program.plan, program.nodes
    lines = _passes(original)
    front = [node for node in prepared(original).front.nodes if node.op != "input"]
    static = [*front, *(nodes[k] for k in plan.static)]
    if static:
        lines.append(f"once, from parameters alone: {_counted(static)}")
    for block in plan.blocks:
        if isinstance(block, Nest):
            lines += _nest(program, block)
        elif not program.storage.values[block].is_view:
            lines.append(f"once, for all steps: {_listed([nodes[block]])}")
    sums = [nodes[k] for k in sorted(plan.summed)]
    if sums:
        lines.append(f"sums over steps, each one call: {_counted(sums)}")
    lines.append(f"buffers: {program.nbytes / 1e6:.1f} MB for {steps} steps")
    return "\n".join(f"  {line}" for line in lines)


def _passes(folded: Folded) -> list[str]:
    """Each pass that changed something: the number of operations, and what it is for."""
    told = {}
    for change in PASSES:
        before, folded = len(folded.step), change(folded)
        if len(folded.step) != before:
            aim = str(change.__doc__).splitlines()[0]
            told[change] = f"{change.__name__}: {aim} ({before} → {len(folded.step)} operations)"
    return list(told.values())


def _nest(program: Program, nest: Nest) -> list[str]:
    """The two parts of a nest, without what is only a view."""
    places = program.storage.values
    batched, looped = (
        [program.nodes[k] for k in part if not places[k].is_view and program.nodes[k].op != "input"]
        for part in (nest.batched, nest.looped)
    )
    lines = []
    if looped:
        lines.append(f"loop over t = {'1 … T' if nest.direction > 0 else 'T … 1'}")
    if batched:
        size = program.storage.needs.chunk[nest]
        lines.append(f"{'  ' if looped else ''}for {size} steps at once: {_listed(batched)}")
    if looped:
        calls = [node for node in looped if not node.lowering.joins]
        lines.append(f"  each step, {len(calls)} calls: {_listed(calls)}")
    return lines


def _listed(nodes: Iterable[Node]) -> str:
    return ", ".join(f"{node.op}{list(node.shape)}" for node in nodes)


def _counted(nodes: Iterable[Node]) -> str:
    counts = Counter(node.op for node in nodes)
    return ", ".join(f"{op} × {n}" if n > 1 else op for op, n in counts.items())
