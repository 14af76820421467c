"""Where an operation stands in a recurrent program: its scope and its time step.

A tag is put on every operation when it is made, the derivative's too: those inherit the tag of
the operation they belong to. `minigrad.folding` finds loops by them, drawings their columns.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

_runs = itertools.count(1)


class Tag(NamedTuple):
    """Where in a recurrent program an operation stands."""

    scope: str
    t: int | None = None
    run: int = 0


TAG: ContextVar[Tag | None] = ContextVar("tag", default=None)
"""The tag of what is made now."""


class tagged:  # reads as a statement; a generator would cost a derivative 5 %
    """Put this tag on all operations inside."""

    __slots__ = ("tag", "token")

    def __init__(self, tag: Tag | None) -> None:
        self.tag = tag

    def __enter__(self) -> None:
        self.token = TAG.set(self.tag)

    def __exit__(self, *_: object) -> None:
        TAG.reset(self.token)


@contextmanager
def scope(name: str, t: int | None = None) -> Iterator[None]:
    """Tag all operations inside with a scope and, if given, the time step `t`.

    Scopes nest: `layer1` inside `rnn` is `rnn.layer1`. Each entry of a scope without `t`, outside
    of any step, is a run of its own, so a cell that is run twice is told apart.

    >>> import minigrad as mg
    >>> with mg.scope("rnn", t=3):
    ...     h = mg.tanh(mg.Tensor(0.5))
    >>> h.scope, h.t
    ('rnn', 3)
    """
    outer = TAG.get() or Tag("")
    run = outer.run if outer.t is not None or t is not None else next(_runs)
    path = f"{outer.scope}.{name}" if outer.scope and name else outer.scope or name
    with tagged(Tag(path, outer.t if t is None else t, run)):
        yield


def scope_path(tag: Tag | None, runs: dict[str, dict[int, int]]) -> str:
    """The scope of a tag as text; a second run of the same scope is called `name#2`.

    `runs` collects what was seen so far, so that tags of one graph are told apart.
    """
    if tag is None or not tag.scope:
        return ""
    outer, dot, rest = tag.scope.partition(".")
    seen = runs.setdefault(tag.scope, {})  # an inner scope has a run of its own
    count = seen.setdefault(tag.run, len(seen) + 1)
    return f"{outer}{f'#{count}' if count > 1 else ''}{dot}{rest}"
