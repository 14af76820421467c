"""How a fault is planted: one definition is wrong while a `with` block runs, then right again.

A `Rewrite` exchanges one expression or statement of a function. It is found by its syntax tree in
whatever module of a package defines the function, so neither a reformatting nor a move matters, and
its code object is exchanged, so that every reference to the function sees it. A `WrongRule` takes
the place of a vjp rule, a `WrongPush` that of a jvp, a `WrongSlope` that of both.
"""

from __future__ import annotations

import ast
import inspect
import pkgutil
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import FunctionType
from typing import Any

from minigrad import folded
from minigrad.core import PRIMITIVES
from minigrad.scan import POOL
from rnn import cell
from viz.columns.layered import layered

CACHES = (folded.forget, POOL.forget, cell._FOLDED.clear, layered.cache_clear)
"""What was made before a fault must not be used after it: functions that forget it."""


@dataclass(frozen=True)
class Fault:
    """One thing that can be wrong.

    Attributes:
        name: how it is called.
        area: the part of the house it is in.
        about: one line, what a person did wrong.
        seed: how it is planted.
    """

    name: str
    area: str
    about: str
    seed: Any

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Run the body of the `with` in a house that has this fault."""
        _forget()
        try:
            with self.seed.planted():
                yield
        finally:
            _forget()


def _forget() -> None:
    for clear in CACHES:
        clear()


def table(area: str, *rows: tuple[str, str, Any]) -> dict[str, Fault]:
    """Faults of an area by name, from rows of name, about and seed."""
    return {name: Fault(name, area, about, seed) for name, about, seed in rows}


def rewrites(
    area: str, package: str, *rows: tuple[str, str, str, str, str]
) -> dict[str, Fault]:
    """Faults of an area, from rows of name, about, function, and what in it becomes what."""
    return table(area, *((name, about, Rewrite(package, *what)) for name, about, *what in rows))


@dataclass(frozen=True)
class Rewrite:
    """In the function of that qualified name, wherever it is in a package, `old` becomes `new`."""

    package: str
    function: str
    old: str
    new: str

    def found(self) -> tuple[FunctionType, ast.Module]:
        """The one function that has `old`, once, and its tree with `new` in its place.

        Raises:
            LookupError: there is none, or there are several.
        """
        named = functions(self.package).get(self.function, ())
        made = [(function, _Exchange(self.old, self.new), _tree(function)) for function in named]
        trees = [(function, exchange, exchange.visit(tree)) for function, exchange, tree in made]
        times = sum(exchange.times for _, exchange, _ in trees)
        if times != 1:
            where = ", ".join(function.__module__ for function in named) or "no module"
            raise LookupError(
                f"`{self.old}` stands {times} times, wanted once, in {self.function} of "
                f"{self.package} (defined in {where}): the source has changed, so say in this row "
                "which function and expression it is now"
            )
        return next((function, tree) for function, exchange, tree in trees if exchange.times)

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Run the body of the `with` with the changed code."""
        function, tree = self.found()
        scope: dict[str, Any] = {}
        code = compile(ast.fix_missing_locations(tree), f"<fault in {self.function}>", "exec")
        exec(code, function.__globals__, scope)
        right = function.__code__
        function.__code__ = scope[function.__name__].__code__
        try:
            yield
        finally:
            function.__code__ = right


class _Exchange(ast.NodeTransformer):
    """Puts one piece of syntax in the place of another, and counts how often."""

    def __init__(self, old: str, new: str) -> None:
        self.old, self.new, self.times = _syntax(old), _syntax(new), 0
        if isinstance(self.old, ast.stmt) and isinstance(self.new, ast.expr):
            self.new = ast.Expr(self.new)
        self.text = ast.unparse(self.old)

    def visit(self, node: ast.AST) -> Any:
        if type(node) is type(self.old) and ast.unparse(node) == self.text:
            self.times += 1
            return self.new
        return self.generic_visit(node)


def _syntax(text: str) -> Any:
    (statement,) = ast.parse(text).body
    return statement.value if isinstance(statement, ast.Expr) else statement


def _tree(function: FunctionType) -> ast.Module:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    (definition,) = tree.body
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    return tree


@cache
def functions(package: str) -> Mapping[str, list[FunctionType]]:
    """The functions that a package defines, by qualified name."""
    found: dict[str, list[FunctionType]] = defaultdict(list)
    for info in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        if not info.name.endswith("__main__"):
            module = import_module(info.name)
            for function in dict.fromkeys(_defined(vars(module), info.name)):
                found[function.__qualname__].append(function)
    return found


def _defined(space: Mapping[str, Any], module: str) -> Iterator[FunctionType]:
    """Functions of a module and of its classes, under decorators and in primitives too."""
    for thing in space.values():
        if isinstance(thing, type) and thing.__module__ == module:
            yield from _defined(vars(thing), module)
            continue
        for way in ("fget", "func", "__func__", "forward"):  # property, cached, static, primitive
            thing = getattr(thing, way, thing) if not isinstance(thing, type) else thing
        function = inspect.unwrap(thing) if callable(thing) else None
        if isinstance(function, FunctionType) and function.__module__ == module:
            yield function


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
        right, still = primitive.rules, primitive.still
        primitive.rules = _Rules(right, self.i, self.wrong)
        primitive.still = still - {self.i}
        try:
            yield
        finally:
            primitive.rules, primitive.still = right, still


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


@dataclass(frozen=True)
class WrongSlope:
    """`wrong(y, *operands, **attrs)` in place of ∂y/∂xᵢ, in the vjp and in the jvp alike."""

    primitive: str
    i: int
    wrong: Callable[..., Any]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Run the body of the `with` with the wrong derivative in both directions."""
        rule = WrongRule(
            self.primitive, self.i, lambda _, g, y, *xs, **attrs: g * self.wrong(y, *xs, **attrs)
        )
        with WrongPush(self.primitive, self._push).planted(), rule.planted():
            yield

    def _push(self, right: Any, tangents: Any, y: Any, xs: Any, attrs: Any) -> Any:
        slope = tangents[self.i]
        others = [None if k == self.i else t for k, t in enumerate(tangents)]
        rest = None if all(t is None for t in others) else right(others, y, xs, attrs)
        if slope is None:
            return rest
        own = slope * self.wrong(y, *xs, **attrs)
        return own if rest is None else rest + own
