"""The report of a wrong gradient: which entry, by how much, whose fault, how to see it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.autodiff import jvp, vjp
from minigrad.core import PRIMITIVES, Tensor
from minigrad.graph import Graph, replay
from minigrad.show import picture
from minigrad.testing.cases import Case
from minigrad.testing.compare import Comparison, GradientCheck, compare
from minigrad.testing.flat import Flat
from minigrad.testing.laws import Broken
from minigrad.testing.minimise import minimise
from minigrad.testing.numeric import Line, complex_step, richardson
from minigrad.testing.programs import Program, finish
from minigrad.testing.progress import now
from minigrad.testing.rounding import expanded
from minigrad.testing.text import program_text

ENTRIES = 400
"""Entries of the inputs that are looked at one by one."""


class GradientMismatch(Broken):
    """A gradient is wrong; the message is the whole report.

    Attributes:
        check: all numbers.
        seed: of the random directions.
        promises: those broken besides, in words.
        entry: the entry of the inputs that is farthest off, None if there are none.
        whole: the function as a program, None if it could not be recorded.
        node: the first node of `whole` whose own rule disagrees, None if each is right alone.
        program: the smallest program that still fails, None if it could not be recorded.
        primitive: the first primitive in it whose own rule disagrees.

    >>> import minigrad as mg
    >>> from minigrad.testing import check_gradients
    >>> try:
    ...     check_gradients(lambda x: 2.0 * mg.sin(mg.detach(x)), 0.5)
    ... except GradientMismatch as error:
    ...     print(error.entry.place, error.primitive, len(error.whole), len(error.program))
    x None 3 1
    """

    check: GradientCheck
    seed: int
    promises: Sequence[str] = ()
    entry: Entry | None = None
    whole: Program | None = None
    node: int | None = None
    program: Program | None = None
    primitive: str | None = None

    def svg(self) -> str | None:
        """The function's graph with the node at fault marked; None where it cannot be drawn."""
        if self.whole is None:
            return None
        marked = {} if self.node is None else {self.node: "its own rule disagrees"}
        return picture(self.whole.graph, level="op", marked=marked)

    _repr_svg_ = svg


@dataclass(frozen=True)
class Entry:
    """One entry of a gradient, by three ways."""

    place: str
    backward: float
    forward: float
    independent: float


def mismatch(f: Flat, check: GradientCheck, broken: Sequence[str], seed: int) -> GradientMismatch:
    """The error that `check_gradients` raises."""
    wrong = [c for c in check.comparisons if not c.holds]
    lines = [f"  promise broken: {what}" for what in broken]
    error = GradientMismatch()
    error.check, error.seed, error.promises = check, seed, broken
    if wrong:
        worst = max(wrong, key=lambda c: abs(c.got - c.wanted) / (c.allowed or 1e-300))
        error.entry = worst_entry(f, seed)
        lines += _numbers(error.entry, check, worst)
        if check.is_cut:
            lines.append(
                "  no result is a tensor, so no gradient reaches the inputs: "
                ".data, .item() or a NumPy array took the values without the graph"
            )
        program = recorded(f, seed)
        if program is not None:
            error.whole, error.node = program, first_wrong(program, seed)
            small = minimise(program, lambda p: disagrees(p, seed))
            blamed = first_wrong(small, seed)
            error.program = small
            error.primitive = small.graph.nodes[blamed].op if blamed is not None else None
            lines += _about(error, blamed)
    lines.append(f"  replay: check_gradients(fn, *inputs, seed={seed})")
    error.args = ("the gradient is wrong\n" + "\n".join(lines),)
    return error


def _numbers(entry: Entry | None, check: GradientCheck, worst: Comparison) -> list[str]:
    lines = []
    if entry is not None:
        lines += [
            f"  entry {entry.place}",
            f"    backward {entry.backward:.12g}   forward {entry.forward:.12g}   "
            f"independent {entry.independent:.12g}",
        ]
    lines += [
        f"  along a random direction {worst.what} differ: {worst.got:.15g} and {worst.wanted:.15g}",
        f"    apart by {abs(worst.got - worst.wanted):.2g}, allowed {worst.allowed:.2g} "
        f"(64·ε·S, path scale S = {worst.scale:.3g}"
        + (", and the error of differences)" if worst.what == "differences" else ")"),
    ]
    if check.kink is not None:
        lines.append(f"  a kink is near: {check.kink}; what moves to it is held still")
    return lines


def worst_entry(f: Flat, seed: int) -> Entry | None:
    """The entry of the inputs whose gradient is farthest off, relative to its own size."""
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        outputs, pull = vjp(lambda *xs: f(*xs), *f.points)
        seeds = [np.asarray(rng.normal(size=np.shape(y))) for y in outputs]
        back = pull([w.astype(np.asarray(y).dtype) for w, y in zip(seeds, outputs, strict=True)])
        worst: tuple[float, Entry] | None = None
        places = [(k, i) for k, x in enumerate(f.points) for i in np.ndindex(x.shape)]
        for n, (k, index) in enumerate(places[:ENTRIES]):
            now(f"looking for the entry that is farthest off, {n} of {len(places[:ENTRIES])}")
            along = [np.zeros_like(x) for x in f.points]
            along[k][index] = 1.0
            tangents = jvp(lambda *xs: f(*xs), list(f.points), along)[1]
            forward = float(sum(np.sum(w * t) for w, t in zip(seeds, tangents, strict=True)))
            independent = _independent(f, along, seeds)
            given = float(back[k][index])
            off = max(abs(given - independent), abs(given - forward))
            ratio = off / max(abs(given), abs(forward), abs(independent), 1e-300)
            ratio = np.inf if np.isnan(ratio) else ratio
            if worst is None or ratio > worst[0]:
                worst = (ratio, Entry(f.place(k, index), given, forward, independent))
    return worst[1] if worst else None


def _independent(f: Flat, along: Any, seeds: Any) -> float:
    line = Line(f, f.points, along, seeds)
    value = complex_step(line)
    rough, off = richardson(line, 0.0)
    # A complex step that was dropped on the way gives 0, or anything; differences decide.
    return rough if value is None or not abs(value - rough) <= off else value


def recorded(f: Flat, seed: int) -> Program | None:
    """The function as a program with one result that fails, loops taken step by step."""
    leaves = [Tensor(x, name) for x, name in zip(f.points, f.names, strict=True)]
    with np.errstate(all="ignore"):
        for output in f(*leaves):
            if type(output) is Tensor and output.dtype.kind == "f":
                fresh, (result,) = expanded([output], leaves)
                program = finish(fresh, result)
                if disagrees(program, seed):
                    return program
    return None


def disagrees(program: Program, seed: int) -> bool:
    """Whether a program's derivatives do not fit together."""
    check = compare(Flat(program, program.values), seed)
    return not check.holds


def first_wrong(program: Program, seed: int) -> int | None:
    """The first node whose own rule disagrees on the values it has here; None if all are right."""
    graph = program.graph
    whole = Graph(graph.nodes, graph.inputs, tuple(range(len(graph.nodes))), graph.in_tree,
                  graph.out_tree)  # fmt: skip
    with np.errstate(all="ignore"):
        values = replay(whole, program.values)
    for k, node in enumerate(graph.nodes):
        if node.op in ("input", "constant"):
            continue
        operands = tuple(np.asarray(values[i]) for i in node.inputs)
        case = Case(PRIMITIVES[node.op], operands, dict(node.attrs))
        if not case.wrt:
            continue
        check = compare(Flat(case.apply, case.points()), seed)
        if not check.holds:
            return k
    return None


def _about(error: GradientMismatch, blamed: int | None) -> list[str]:
    """Whose fault it is, whether a kink explains it, and the smallest program."""
    whole, small = error.whole, error.program
    assert whole is not None
    assert small is not None
    if blamed is None and any(node.op == "detach" for node in small.graph.nodes):
        whose = "detach lets no gradient through, and the result depends on what it is given"
    elif blamed is None:
        whose = (
            "each primitive is right alone; the fault is where cotangents meet "
            "(several uses, broadcasting, the order of the walk)"
        )
    else:
        whose = f"first wrong primitive: {small.graph.nodes[blamed].op}{_where(error)}"
    check = compare(Flat(small, small.values), 0)
    text = program_text(small.graph, small.values)
    return [
        f"  {whose}",
        f"  kinks: {check.kink or 'none near'}",
        f"  smallest failing program ({len(whole)} → {len(small)} operations):",
        *(f"    {line}" for line in text.splitlines()),
        "  graph:",
        *(f"    {line}" for line in marked(small.graph, blamed).splitlines()[1:]),
    ]


def _where(error: GradientMismatch) -> str:
    """The name and the step of the node at fault, if it has them."""
    if error.whole is None or error.node is None:
        return ""
    node = error.whole.graph.nodes[error.node]
    name = ".".join(part for part in (node.scope, node.name or "") if part)
    told = f"{name}{'' if node.t is None else f' at t = {node.t}'}".strip()
    return f" ({told})" if told else ""


def marked(graph: Graph, node: int | None) -> str:
    """The text of a graph with an arrow at one node."""
    lines = graph.text(limit=None).splitlines()
    if node is not None:
        lines[node + 1] += "   ← here"
    return "\n".join(lines)
