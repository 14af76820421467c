"""What type checkers and editors read of `minigrad.ops`; `make readme` makes it from the table."""

from __future__ import annotations

import re
import textwrap
from collections import defaultdict
from pathlib import Path

from minigrad import ops
from minigrad.core import FUNCTIONS, Primitive

STUB = Path(ops.__file__).with_suffix(".pyi")


def natural(name: str) -> list[object]:
    """What names are ordered by: log2 is before log10."""
    parts = re.split(r"(\d+)", name)
    return [int(part) if part.isdigit() else part for part in parts]


def homes() -> dict[str, list[str]]:
    """The public names, by the module in which they are defined."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in sorted(ops.__all__, key=natural):
        made = FUNCTIONS[name]
        found[(made.defined if isinstance(made, Primitive) else made).__module__].append(name)
    return dict(sorted(found.items()))


def text() -> str:
    """Every public name, imported from where it is defined."""
    lines = [f'"""{__doc__}"""', ""]
    for home, names in homes().items():
        lines += [f"from {home} import (", *(f"    {name}," for name in names), ")"]
    listed = textwrap.wrap(", ".join(f'"{name}"' for name in sorted(ops.__all__, key=natural)), 96)
    lines += ["", "__all__ = [", *(f"    {line}" for line in listed), "]  # fmt: skip", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    STUB.write_text(text(), encoding="utf-8")
