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
from minigrad.passes import PASSES
from minigrad.program import Program
from minigrad.schedule import Nest


def explain(x: Any, steps: int = 50) -> str:
    """How a cell or folded graph runs, forward and backward.

    Args:
        x: a `Folded`, or an object whose `folded()` gives one, such as a cell.
        steps: the number of steps T that buffers are counted for.

    >>> import minigrad as mg, rnn
    >>> print(mg.explain(rnn.RNNCell(64, 128).folded(batch=32)).split("backward")[0].rstrip())
    forward
      passes: nothing to change
      once, for all steps: matmul[32, 128]
      loop over t = 1 … T
        for 8 steps at once: add[32, 128]
        each step, 3 calls: matmul[32, 128], add[32, 128], tanh[32, 128]
      buffers: 3.6 MB for 50 steps
    """
    folded = x.folded() if hasattr(x, "folded") else x
    if not isinstance(folded, Folded):
        raise TypeError(f"explain takes a cell or a folded graph, got {x!r:.60}")
    forward, backward = folded_adjoint(folded)
    parts = [("forward", forward), ("backward", backward)]
    return "\n".join(f"{name}\n{_told(part, steps)}" for name, part in parts)


def _told(folded: Folded, steps: int) -> str:
    program = Program(folded, steps)
    plan, nodes = program.plan, program.nodes
    lines = [f"passes: {_passes(folded)}"]
    if plan.static:
        lines.append(f"once, from parameters alone: {_counted(nodes[k] for k in plan.static)}")
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


def _passes(folded: Folded) -> str:
    """What each pass that changed something did to the number of operations."""
    told = []
    for change in PASSES:
        before, folded = len(folded.step), change(folded)
        if len(folded.step) != before:
            told.append(f"{change.__name__} {before} → {len(folded.step)}")
    return ", ".join(told) or "nothing to change"


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
        size = program.storage.chunk[nest]
        lines.append(f"{'  ' if looped else ''}for {size} steps at once: {_listed(batched)}")
    if looped:
        lines.append(f"  each step, {len(looped)} calls: {_listed(looped)}")
    return lines


def _listed(nodes: Iterable[Node]) -> str:
    return ", ".join(f"{node.op}{list(node.shape)}" for node in nodes)


def _counted(nodes: Iterable[Node]) -> str:
    counts = Counter(node.op for node in nodes)
    return ", ".join(f"{op} × {n}" if n > 1 else op for op, n in counts.items())
