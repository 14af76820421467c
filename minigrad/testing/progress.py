"""A check that takes long says what it is doing, on stderr.

Differences of every entry of a large array take minutes, and silence looks like a hang.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event, Thread

PATIENCE = 10.0
"""Seconds until something is said, and between two lines."""

_parts: ContextVar[list[str] | None] = ContextVar("parts", default=None)


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Say `what` if the body takes longer than `PATIENCE`; inside of another, both are said.

    >>> with doing("waiting"):
    ...     pass
    """
    outer = _parts.get()
    if outer is not None:
        outer.append(what)
        try:
            yield
        finally:
            outer.pop()
        return
    parts, done = [what], Event()

    def watch() -> None:
        while not done.wait(PATIENCE):
            print("minigrad:", ", ".join(parts), "…", file=sys.stderr, flush=True)

    token = _parts.set(parts)
    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()  # or a line may come after the end
        _parts.reset(token)


def now(what: str) -> None:
    """What the innermost `doing` is at from here on."""
    parts = _parts.get()
    if parts is not None:
        parts[-1] = what
