"""What a folded graph becomes when it runs: the schedule in words.

What runs once, what before and in each loop over time, forward and backward; how the passes got
there, and what the buffers take.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from minigrad.engines import Engine, Way, engine_of
from minigrad.folded import Folded
from minigrad.graph import Node
from minigrad.lower.passes import PASSES, changed
from minigrad.lower.pipeline import Lowered, lowered
from minigrad.lower.schedule import Nest


class Explanation(str):
    """Text that is shown as it reads, also where Python shows what a line gave."""

    __slots__ = ()
    __repr__ = str.__str__


def explain(x: Any, steps: int = 50, engine: str | Engine = "numpy") -> Explanation:
    r"""How a cell or folded graph runs, forward and backward.

    Args:
        x: a `Folded`, or an object whose `folded()` gives one, such as a cell.
        steps: the number of steps T that buffers are counted for.
        engine: what runs it, as `compile` takes it; the schedule is the same for all.

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
    ways = zip(("forward", "backward"), lowered(folded), strict=True)
    runs = engine_of(engine, "explain")
    told = (f"{name}\n{_told(way, runs.way(way.folded, steps))}" for name, way in ways)
    return Explanation("\n".join(told))


def _told(way: Lowered, found: Way) -> str:
    plan, nodes = found.plan, found.plan.folded.step.nodes
    lines = _passes(way.given)
    front = [node for node in way.front.nodes if node.op != "input"]
    static = [*front, *(nodes[k] for k in plan.static)]
    if static:
        lines.append(f"once, from parameters alone: {_counted(static)}")
    for block in plan.blocks:
        if isinstance(block, Nest):
            lines += _nest(found, block)
        elif block not in found.free:
            lines.append(f"once, for all steps: {_listed([nodes[block]])}")
    sums = [nodes[k] for k in sorted(plan.summed)]
    if sums:
        lines.append(f"sums over steps, each one call: {_counted(sums)}")
    lines.append(found.cost)
    return "\n".join(f"  {line}" for line in lines)


def _passes(folded: Folded) -> list[str]:
    """Each pass that changed something: the number of operations, and what it is for."""
    told, folded = [], changed(folded, ())
    for each in PASSES:
        before, folded = folded, changed(folded, [each])
        if len(folded.step) != len(before.step):
            aim = str(each.change.__doc__).splitlines()[0]
            sizes = f"{len(before.step)} → {len(folded.step)} operations"
            told.append(f"{each.name}: {aim} ({sizes})")
    return told


def _nest(found: Way, nest: Nest) -> list[str]:
    """The two parts of a nest, without what is only a view."""
    nodes = found.plan.folded.step.nodes
    batched, looped = (
        [nodes[k] for k in part if k not in found.free and nodes[k].op != "input"]
        for part in (nest.batched, nest.looped)
    )
    lines = []
    if looped:
        lines.append(f"loop over t = {'1 … T' if nest.direction > 0 else 'T … 1'}")
    if batched:
        lines.append(
            f"{'  ' if looped else ''}for {found.chunk[nest]} steps at once: {_listed(batched)}"
        )
    if looped:
        calls = [node for node in looped if not node.lowering.joins]
        lines.append(f"  each step, {len(calls)} calls: {_listed(calls)}")
    return lines


def _listed(nodes: Iterable[Node]) -> str:
    return ", ".join(f"{node.op}{list(node.shape)}" for node in nodes)


def _counted(nodes: Iterable[Node]) -> str:
    counts = Counter(node.op for node in nodes)
    return ", ".join(f"{op} × {n}" if n > 1 else op for op, n in counts.items())
