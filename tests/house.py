"""The sources of the three packages, as tests read them, and a Python of its own to run one in."""

from __future__ import annotations

import ast
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("minigrad", "rnn", "viz")
"""From the ground up: a package imports itself and those before it."""


def sources() -> dict[str, str]:
    """The text of every module by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = path.read_text(encoding="utf-8")
    return found


def imports(source: str, known: Mapping[str, Any] | set[str]) -> dict[str, bool]:
    """Every module a source names in an import; whether it is imported at the top, not in a call.

    `from a import b` names `a.b` if that is a module, and `a` otherwise.
    """
    found: dict[str, bool] = {}
    for node, top in walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that they can be read"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else str(node.module) for name in inner]
        else:
            continue
        for name in names:
            found[name] = found.get(name, False) or top
    return found


def walk(tree: ast.AST, top: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    """All nodes, and whether they stand outside of functions and type-checking blocks."""
    for node in ast.iter_child_nodes(tree):
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        yield node, top
        yield from walk(node, top and not function and not typing)


def in_a_new_process(script: str, **environment: str) -> str:
    """What a script prints, run by a Python of its own with the default stack."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        cwd=ROOT, env={"PATH": "", **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
