"""The report of a wrong gradient: which entry, by how much, whose fault, how to see it again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.autodiff import jvp, vjp
from minigrad.core import PRIMITIVES, Tensor
from minigrad.graph import Graph, replay
from minigrad.testing.cases import Case
from minigrad.testing.check import Comparison, Flat, GradientCheck, compare
from minigrad.testing.laws import Broken
from minigrad.testing.minimise import minimise
from minigrad.testing.numeric import complex_step, richardson
from minigrad.testing.programs import Program, finish
from minigrad.testing.rounding import expanded
from minigrad.testing.text import program_text

ENTRIES = 400
"""Entries of the inputs that are looked at one by one."""


class GradientMismatch(Broken):
    """A gradient is wrong; the message is the whole report.

    Attributes:
        check: all numbers.
        program: the smallest program that still fails, None if it could not be recorded.
        primitive: the first primitive whose own rule disagrees, None if each is right alone.
    """

    check: GradientCheck
    program: Program | None = None
    primitive: str | None = None


@dataclass(frozen=True)
class Entry:
    """One entry of a gradient, by three ways."""

    place: str
    backward: float
    forward: float
    independent: float


def mismatch(
    f: Flat, check: GradientCheck, broken: Sequence[str], seed: int, artifacts: Any = None
) -> GradientMismatch:
    """The error that `check_gradients` raises."""
    wrong = [c for c in check.comparisons if not c.holds]
    lines = [f"  promise broken: {what}" for what in broken]
    error = GradientMismatch()
    if wrong:
        worst = max(wrong, key=lambda c: abs(c.got - c.wanted) / (c.allowed or 1e-300))
        lines += _numbers(f, check, worst, seed)
        program = recorded(f, seed)
        if program is not None:
            small = minimise(program, lambda p: disagrees(p, seed))
            blamed = first_wrong(small, seed)
            error.program = small
            error.primitive = small.graph.nodes[blamed].op if blamed is not None else None
            lines += _about(small, blamed, len(program))
            if artifacts is not None:
                told = save(small, "\n".join(lines), Path(artifacts))
                lines.append(f"  saved: {told}")
    lines.append(f"  replay: check_gradients(fn, *inputs, seed={seed})")
    error.args = ("the gradient is wrong\n" + "\n".join(lines),)
    error.check = check
    return error


def _numbers(f: Flat, check: GradientCheck, worst: Comparison, seed: int) -> list[str]:
    entry = worst_entry(f, seed)
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
        lines.append(f"  a kink is near: {check.kink}; only rules were compared with each other")
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
        for k, index in places[:ENTRIES]:
            along = [np.zeros_like(x) for x in f.points]
            along[k][index] = 1.0
            tangents = jvp(lambda *xs: f(*xs), list(f.points), along)[1]
            forward = float(sum(np.sum(w * t) for w, t in zip(seeds, tangents, strict=True)))
            independent = _independent(f, along, seeds)
            given = float(back[k][index])
            off = max(abs(given - independent), abs(given - forward))
            ratio = off / max(abs(given), abs(forward), abs(independent), 1e-300)
            name = f"{f.names[k]}[{', '.join(map(str, index))}]" if index else f.names[k]
            if worst is None or not ratio <= worst[0]:
                worst = (ratio, Entry(name, given, forward, independent))
    return worst[1] if worst else None


def _independent(f: Flat, along: Any, seeds: Any) -> float:
    try:
        value = complex_step(f, f.points, along, seeds)
    except (TypeError, ValueError):
        value = 0.0
    rough, off = richardson(f, f.points, along, seeds, 1.0)
    # A complex step that was dropped on the way gives 0, or anything; differences decide.
    return value if abs(value - rough) <= 16 * off + 1e-6 * abs(rough) else rough


def recorded(f: Flat, seed: int) -> Program | None:
    """The function as a program with one result that fails, loops taken step by step."""
    leaves = [Tensor(x, name) for x, name in zip(f.points, f.names, strict=True)]
    with np.errstate(all="ignore"):
        for output in f(*leaves):
            if type(output) is Tensor and output.dtype.kind == "f":
                fresh, result = expanded(output, leaves)
                program = finish(fresh, result)
                if disagrees(program, seed):
                    return program
    return None


def disagrees(program: Program, seed: int) -> bool:
    """Whether a program's derivatives do not fit together."""
    check = compare(Flat(program, program.values), seed)
    return not all(c.holds for c in check.comparisons)


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
        if not all(c.holds for c in check.comparisons):
            return k
    return None


def _about(program: Program, blamed: int | None, before: int) -> list[str]:
    """Whose fault it is, whether a kink explains it, and the program."""
    if blamed is None:
        whose = (
            "each primitive is right alone; the fault is where cotangents meet "
            "(several uses, broadcasting, the order of the walk)"
        )
    else:
        whose = f"first wrong primitive: {program.graph.nodes[blamed].op}"
    check = compare(Flat(program, program.values), 0)
    kink = f"{check.kink}" if check.kink else "none near"
    text = program_text(program.graph, program.values)
    return [
        f"  {whose}",
        f"  kinks: {kink}",
        f"  smallest failing program ({before} → {len(program)} operations):",
        *(f"    {line}" for line in text.splitlines()),
        "  graph:",
        *(f"    {line}" for line in marked(program.graph, blamed).splitlines()[1:]),
    ]


def marked(graph: Graph, node: int | None) -> str:
    """The text of a graph with an arrow at one node."""
    lines = graph.text(limit=None).splitlines()
    if node is not None:
        lines[node + 1] += "   ← here"
    return "\n".join(lines)


def save(program: Program, report: str, folder: Path) -> str:
    """Write report, program and picture into a folder; returns the names."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = "-".join(node.op for node in program.graph.nodes if node.op in PRIMITIVES)[:40]
    files = {"txt": report, "py": program_text(program.graph, program.values) + "\n"}
    with suppress(ImportError, ValueError, TypeError):  # the text has the graph too
        files["svg"] = import_module("viz").draw(program.graph, level="op").svg()
    for suffix, content in files.items():
        (folder / f"{stem}.{suffix}").write_text(content, encoding="utf-8")
    return ", ".join(str(folder / f"{stem}.{suffix}") for suffix in files)
