"""What a caller gave, at the door: right, or one sentence on what came and what was wanted."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from inspect import signature
from pathlib import Path
from typing import Any

from minigrad.folded import Folded
from rnn.cell import Cell
from rnn.checks import whole
from viz.scene.style import Style
from viz.scene.styles import STYLES
from viz.scene.tables import made, read

Styled = str | os.PathLike[str] | Mapping[str, Any] | Style
"""A style by its name, by the name of a TOML file, by a table, or itself."""

MANY = 1_000_000_000
"""More than any number of steps that somebody means."""


def choice(where: str, what: str, given: Any, known: Collection[str | None]) -> None:
    """Refuse what is not one of the known words."""
    if not isinstance(given, str | None) or given not in known:
        names = ", ".join(repr(k) for k in known)
        raise ValueError(f"{where}: unknown {what} {given!r:.60}; there are {names}")


def flags(where: str, **given: Any) -> None:
    """Refuse what is neither true nor false."""
    for what, value in given.items():
        if not isinstance(value, bool):
            raise TypeError(f"{where}: {what} must be True or False, got {value!r:.60}")


def count(where: str, what: str, given: Any, most: int) -> int:
    """A whole number from 1 on."""
    whole(where, what, given, 1, most)
    return int(given)


def styled(where: str, given: Styled) -> Style:
    """The style of that name, of a TOML file, or a table; a style as it is."""
    if isinstance(given, Style):
        return given
    if isinstance(given, Mapping):
        return made(given)
    if isinstance(given, os.PathLike) or (isinstance(given, str) and given.endswith(".toml")):
        return read(Path(given))
    choice(where, "style", given, STYLES)
    return STYLES[given]


def cell(where: str, given: Any) -> Cell:
    """A cell with its sizes."""
    if not isinstance(given, Cell):
        raise refused(where, "a cell", given)
    return given


def folded(where: str, given: Any, wanted: str = "a cell or a folded graph") -> Folded:
    """The folded graph of a cell, or one that was given."""
    if isinstance(given, Folded):
        return given
    can_fold = callable(getattr(given, "folded", None)) and not isinstance(given, type)
    made = given.folded() if can_fold else None
    if not isinstance(made, Folded):
        raise refused(where, wanted, given)
    return made


def refused(where: str, wanted: str, given: Any) -> TypeError:
    """The error for something else than was wanted; a class of cells lacks its sizes."""
    if isinstance(given, type) and issubclass(given, Cell):
        asked = (p.name for p in signature(given).parameters.values() if p.default is p.empty)
        made = f"{given.__name__}({', '.join(asked)})"
        return TypeError(f"{where} takes {wanted}, got a class; make a cell of it: {made}")
    return TypeError(f"{where} takes {wanted}, got {given!r:.60}")
