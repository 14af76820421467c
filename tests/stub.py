"""What type checkers and editors read of `minigrad.ops`; `make readme` makes it from the table."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from pathlib import Path

from minigrad import ops
from minigrad.core import FUNCTIONS, Primitive

STUB = Path(ops.__file__).with_suffix(".pyi")


def text() -> str:
    """Every public name, imported from where it is defined."""
    homes: dict[str, list[str]] = defaultdict(list)
    for name in ops.__all__:
        made = FUNCTIONS[name]
        homes[(made.defined if isinstance(made, Primitive) else made).__module__].append(name)
    lines = [f'"""{__doc__}"""', ""]
    for home, names in sorted(homes.items()):
        lines += [f"from {home} import (", *(f"    {name}," for name in names), ")"]
    listed = textwrap.wrap(", ".join(f'"{name}"' for name in ops.__all__), 96)
    lines += ["", "__all__ = [", *(f"    {line}" for line in listed), "]  # fmt: skip", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    STUB.write_text(text(), encoding="utf-8")
