"""How a fault is planted: one definition is changed while a `with` block runs, then put back.

A `Rewrite` replaces a piece of a function's own source text and swaps its code object, so every
reference to the function, in tables and default arguments too, sees the fault. A `WrongRule`
replaces the vjp of a primitive, a `WrongPush` its jvp. A text that is not found is an error: a
fault that cannot be planted any more must not count as found.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from minigrad.core import PRIMITIVES
from minigrad.folded import forget as forget_made
from minigrad.scan import POOL

CACHES: list[Callable[[], None]] = [forget_made, POOL.forget]
"""What was made before a fault must not be used after it: functions that forget it."""


def forget() -> None:
    """Empty every cache of adjoints, programs and traced steps."""
    for clear in CACHES:
        clear()


@dataclass(frozen=True)
class Rewrite:
    """Pieces of the source of `module.path`, each occurring once, become others."""

    module: str
    path: str
    changes: tuple[tuple[str, str], ...]

    def target(self) -> Any:
        """The function whose code is changed."""
        found: Any = import_module(self.module)
        for part in self.path.split("."):
            found = getattr(found, part)
        return inspect.unwrap(getattr(found, "forward", found))

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Run the body of the `with` with the changed code."""
        function = self.target()
        source = textwrap.dedent(inspect.getsource(function))
        for old, new in self.changes:
            if source.count(old) != 1:
                raise LookupError(
                    f"{self.module}.{self.path} has {old!r} {source.count(old)} times, wanted once"
                )
            source = source.replace(old, new)
        definition = ast.parse(source).body[0]
        assert isinstance(definition, ast.FunctionDef)
        definition.decorator_list = []
        scope: dict[str, Any] = {}
        code = compile(ast.Module([definition], []), f"<fault in {self.path}>", "exec")
        exec(code, function.__globals__, scope)
        right = function.__code__
        function.__code__ = scope[definition.name].__code__
        try:
            yield
        finally:
            function.__code__ = right


class _Rules(Sequence[Any]):
    """The rules of a primitive, with that of operand i replaced."""

    def __init__(self, right: Any, i: int, wrong: Any) -> None:
        self.right, self.i, self.wrong = right, i, wrong

    def __getitem__(self, k: Any) -> Any:
        if k != self.i:
            return self.right[k]
        right = self.right[k]
        return lambda g, y, *xs, **attrs: self.wrong(right, g, y, *xs, **attrs)

    def __len__(self) -> int:
        return len(self.right)


@dataclass(frozen=True)
class WrongRule:
    """`wrong(right, g, y, *operands, **attrs)` in place of the vjp rule of operand i."""

    primitive: str
    i: int
    wrong: Callable[..., Any]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Run the body of the `with` with the wrong rule."""
        primitive = PRIMITIVES[self.primitive]
        right = primitive.rules
        primitive.rules = _Rules(right, self.i, self.wrong)
        try:
            yield
        finally:
            primitive.rules = right


@dataclass(frozen=True)
class WrongSlope:
    """`wrong(y, *operands, **attrs)` in place of ∂y/∂xᵢ, in the vjp and in the jvp alike."""

    primitive: str
    i: int
    wrong: Callable[..., Any]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Run the body of the `with` with the wrong derivative in both directions."""
        primitive = PRIMITIVES[self.primitive]
        right = primitive.push

        def push(tangents: Any, y: Any, xs: Any, attrs: Any) -> Any:
            slope = tangents[self.i]
            others = [None if k == self.i else t for k, t in enumerate(tangents)]
            rest = None if all(t is None for t in others) else right(others, y, xs, attrs)
            if slope is None:
                return rest
            own = slope * self.wrong(y, *xs, **attrs)
            return own if rest is None else rest + own

        rule = WrongRule(
            self.primitive, self.i, lambda _, g, y, *xs, **attrs: g * self.wrong(y, *xs, **attrs)
        )
        primitive.push = push
        try:
            with rule.planted():
                yield
        finally:
            primitive.push = right


@dataclass(frozen=True)
class WrongPush:
    """`wrong(right, tangents, y, operands, attrs)` in place of a primitive's jvp."""

    primitive: str
    wrong: Callable[..., Any]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Run the body of the `with` with the wrong jvp."""
        primitive = PRIMITIVES[self.primitive]
        right = primitive.push
        primitive.push = lambda *args: self.wrong(right, *args)
        try:
            yield
        finally:
            primitive.push = right
