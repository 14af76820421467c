"""What a failed check leaves in a folder: report, program, picture, and its numbers as JSON."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from minigrad.core import PRIMITIVES
from minigrad.testing.report import GradientMismatch
from minigrad.testing.text import program_text

ARTIFACTS = "MINIGRAD_ARTIFACTS"
"""The environment variable that names the folder for what fails."""


def save(error: GradientMismatch, folder: Path) -> str:
    """Write the files of one failure under a name of its own; says which, or why it could not.

    A report must not be lost because a disk is full, so nothing is raised.
    """
    files = {"txt": f"{error}\n", "json": json.dumps(facts(error), indent=1) + "\n"}
    if error.program is not None:
        files["py"] = program_text(error.program.graph, error.program.values) + "\n"
    picture = error.svg()
    if picture is not None:
        files["svg"] = picture
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = _claim(folder, error)
        for suffix, content in files.items():
            # A lone surrogate in a name is no UTF-8.
            data = content.encode("utf-8", "backslashreplace")
            path.with_suffix(f".{suffix}").write_bytes(data)
    except OSError as problem:
        return f"not saved: {problem}"
    return f"saved: {', '.join(str(path.with_suffix(f'.{suffix}')) for suffix in files)}"


def _claim(folder: Path, error: GradientMismatch) -> Path:
    """A file named after the operations that fail; another process may look for one meanwhile."""
    nodes = error.program.graph.nodes if error.program is not None else ()
    stem = "-".join(node.op for node in nodes if node.op in PRIMITIVES)[:40] or "gradient"
    for count in itertools.count(1):
        path = folder / (f"{stem}.txt" if count == 1 else f"{stem}-{count}.txt")
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            continue
        return path
    raise AssertionError("counting never ends")


def facts(error: GradientMismatch) -> dict[str, Any]:
    """What was found, for programs to read; a number that JSON has not is a string.

    Keys: seed, method, kink, promises, entry, primitive, node, graph, program, and comparisons,
    each with the names of the inputs that moved and whether it holds.
    """
    check, whole, small = error.check, error.whole, error.program
    comparisons = [
        {
            **asdict(c),
            "leaf": check.names if c.leaf < 0 else [check.names[c.leaf]],
            "holds": bool(c.holds),
        }
        for c in check.comparisons
    ]
    told = {
        "seed": error.seed,
        "method": check.method,
        "kink": str(check.kink) if check.kink else None,
        "promises": list(error.promises),
        "entry": asdict(error.entry) if error.entry else None,
        "primitive": error.primitive,
        "node": error.node,
        "graph": whole.graph.text(limit=None) if whole else None,
        "program": program_text(small.graph, small.values) if small else None,
        "comparisons": comparisons,
    }
    plain: dict[str, Any] = _plain(told)
    return plain


def _plain(value: Any) -> Any:
    """The same with "nan" and "inf" for what JSON has no number for."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
