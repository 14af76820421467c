"""A result as text for a terminal, or as JSON with every number."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from rnn.bptt.table import ROWS, Result, Table, wrapped
from viz.cli.study.setup import Setup


def as_text(s: Setup, result: Result, all_rows: bool) -> str:
    """What is studied, and the table; every row of it if that is wanted."""
    table = result.table()
    if s.text is not None and table.header[0] in STEP:
        table = _read(table, s.text)
    most = len(table.rows) if all_rows else ROWS
    lines = [*wrapped(s.title), "", table.text(most)]
    if len(table.rows) > most:
        lines.append(f"… stands for {len(table.rows) - most + 1} rows, which --all prints")
    return "\n".join(lines)


STEP = ("t", "k", "s")
"""The headings of columns that hold steps."""


def _read(table: Table, text: str) -> Table:
    """The same with the character that is read beside every step."""
    rows = tuple(
        (t, repr(text[t - 1]) if isinstance(t, int) else "", *more) for t, *more in table.rows
    )
    step, *rest = table.header
    return dataclasses.replace(table, header=(step, "reads", *rest), rows=rows)


def as_json(s: Setup, result: Result) -> str:
    """What is studied, the table with all its rows, and the arrays by name, on one line.

    Numbers that JSON does not have are texts: "nan", "inf", "-inf".
    """
    table = result.table()
    told = {
        "network": repr(s.cell),
        "weights": s.weights,
        "task": s.task,
        "steps": len(s.xs),
        "text": s.text,
        "table": dataclasses.asdict(table),
        "axes": result.axes,
        "numbers": result,
    }
    return json.dumps(plain(told), ensure_ascii=False, allow_nan=False)


def plain(x: Any) -> Any:
    """The same in dictionaries, lists, texts and numbers.

    >>> plain({"a": np.array([1.0, np.nan]), 2: (None, np.int64(3))})
    {'a': [1.0, 'nan'], '2': [None, 3]}
    """
    if isinstance(x, np.ndarray | np.generic):
        x = x.tolist()
    if dataclasses.is_dataclass(x):
        return {f.name: plain(getattr(x, f.name)) for f in dataclasses.fields(x)}
    if isinstance(x, Mapping):
        return {str(key): plain(value) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return [plain(item) for item in x]
    if isinstance(x, float) and not np.isfinite(x):
        return str(x)
    return x
