"""Source: a list of instructions as Python, whose views are all made beforehand.

What is known now has a name of its own, numbered in the order of appearance. In a loop, views that
move are variables that run over the views of each chunk, or of each step.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.captured import Same
from minigrad.core import Array
from minigrad.engines.numpy import instructions as code
from minigrad.engines.numpy.alarms import quiet
from minigrad.engines.numpy.buffers import Buffers

Lines = list[str]


class Variables:
    """The variables of a loop: views of each chunk, or of each of its steps.

    Attributes:
        given: arguments that are read step by step.
    """

    def __init__(self, buffers: Buffers, steps: int, by_step: bool) -> None:
        self.given: list[str] = []
        self._buffers, self._steps, self._by_step = buffers, steps, by_step
        self._views: dict[str, code.View] = {}
        self._places: dict[str, Any] = {}

    def of(self, x: code.View) -> str:
        """The variable of a moving view."""
        name = x.label
        while self._views.setdefault(name, x) is not x:
            name += "_"
        if name not in self._places:
            rows = self._buffers.array(x, x.period or self._steps)
            # rows[k] of single numbers would be a number, and nothing can be written into it.
            single = list(rows) if rows.ndim > 1 else [rows[k, ...] for k in range(len(rows))]
            self._places[name] = single if self._by_step else rows
        return name

    def argument(self, name: str) -> str:
        """The part of an argument that has all steps."""
        if not self._by_step:
            return f"{name}[lo:hi]"
        if name not in self.given:
            self.given.append(name)
        return f"{name}_t"

    def pattern(self) -> str:
        """The tuple of the variables, as it is taken apart."""
        return f"({', '.join(self._views)},)" if self._views else "_"

    def views(self, lo: int, hi: int) -> tuple[Any, ...]:
        """Those of a chunk, or lists of those of its steps."""
        return tuple(self._part(x, self._places[name], lo, hi) for name, x in self._views.items())

    def _part(self, x: code.View, places: Any, lo: int, hi: int) -> Any:
        if not x.period:
            return places[lo:hi]
        if self._by_step:
            return [places[(t + x.turn) % x.period] for t in range(lo, hi)]
        return places[: hi - lo]  # a buffer of one chunk

    def steps(self, lo: int, hi: int, direction: int) -> list[tuple[Any, ...]]:
        """Those of each step of a chunk, in the order of the loop."""
        columns = self.views(lo, hi) or [[()] * (hi - lo)]
        return list(zip(*columns, strict=True))[::direction]


class Source:
    """A listing as Python.

    Attributes:
        names: what has a name in it, for `exec`.
        text: the source of the function `program`.
        before: the sources of the listings that it runs.
        results: those arrays that are known before any call, None for the others.
    """

    def __init__(self, listing: code.Listing, buffers: Buffers) -> None:
        self.names: dict[str, Any] = {}
        self.before: Lines = []
        self._buffers = buffers
        self._known: dict[Hashable, str] = {}
        for copy in listing.once:
            assert isinstance(copy.source, code.Constant)  # nothing else is there so early
            buffers.array(copy.out)[...] = copy.source.value
        ahead = [f"with {self._bind('quiet', quiet)}():"] if listing.quiet else []
        lines = self._lines(listing.body)
        results = [self._operand(x) for x in listing.results]
        lines.append(f"return [{', '.join(results)}]")
        self.results: list[Array | None] = [self.names.get(name) for name in results]
        body = textwrap.indent("\n".join(lines), "    " * len(ahead))
        body = textwrap.indent("\n".join([*ahead, body]), "    ")
        self.text = f"def program({', '.join(listing.parameters)}):\n{body}\n"

    def compiled(self) -> Callable[..., list[Array]]:
        """The function."""
        exec(compile(self.text, "<minigrad program>", "exec"), self.names)
        run: Callable[..., list[Array]] = self.names.pop("program")
        return run

    def _bind(self, prefix: str, value: Any) -> str:
        """A new name for a value that is known now."""
        name = f"{prefix}_{len(self.names)}"
        self.names[name] = value
        return name

    def _named(self, prefix: str, value: Any) -> str:
        """The one name of a value that is known now."""
        key = Same(value)
        if (name := self._known.get(key)) is None:
            name = self._known[key] = self._bind(prefix, value)
        return name

    # --- operands -----------------------------------------------------------------------------

    def _operand(self, x: code.Operand, of: Variables | None = None) -> str:
        """An operand as an expression, in a loop by its variables."""
        if isinstance(x, code.Given):
            return of.argument(x.name) if of is not None and x.moves else x.name
        if isinstance(x, code.Constant):
            return self._named(x.label, x.value)
        if x.step is not None:
            assert of is not None  # views move in loops only
            return of.of(x)
        key = x[:5]  # equal views have one name, whatever they are called
        if (name := self._known.get(key)) is None:
            name = self._known[key] = self._bind(x.label, self._buffers.array(x))
        return name

    def _call(
        self, op: str, function: Any, operands: Iterable[code.Operand], of: Variables | None
    ) -> str:
        """A call as an expression; of a method, if it makes another view."""
        name = "" if isinstance(function, code.Look) else self._named(op, function)
        given = [self._operand(x, of) for x in operands]
        if name:
            return f"{name}({', '.join(given)})"
        if function.method == "item":
            at = function.argument
            return f"{given[0]}[{at if isinstance(at, int) else self._bind('at', at)}]"
        return f"{given[0]}.{function.method}({function.argument})"

    # --- instructions -------------------------------------------------------------------------

    def _lines(self, body: Sequence[code.Instruction], of: Variables | None = None) -> Lines:
        return [line for x in body for line in self._written(x, of)]

    def _written(self, x: code.Instruction, of: Variables | None) -> Lines:
        """The lines of an instruction."""
        match x:
            case code.Call(op, function, operands, out):
                return [self._call(op, function, (*operands, out), of)]
            case code.Make(op, function, operands, out):
                place = out if isinstance(out, str) else f"{self._operand(out, of)}[...]"
                return [f"{place} = {self._call(op, function, operands, of)}"]
            case code.Product(op, left, right, out):
                return [self._call(op, PRODUCTS[op], (left, right, out), of)]
            case code.Reduce(source, axes, out):
                return [self._call("sum", _sum_over(axes), (source, out), of)]
            case code.Copy(source, out):
                return [f"{self._operand(out, of)}[...] = {self._operand(source, of)}"]
            case code.Run(name, program, operands):
                call = self._call("scan", program.run, operands, of)
                inner = call.partition("(")[0]
                self.before.append(program.source.replace("def program(", f"def {inner}(", 1))
                return [f"{name} = {call}"]
            case code.Loop():
                return self._loop(x)

    def _loop(self, loop: code.Loop) -> Lines:
        """Chunks of steps, and in each the steps one by one."""
        outer, inner = (Variables(self._buffers, loop.steps, by_step) for by_step in (False, True))
        name = self._bind("chunks", None)
        first, each = self._lines(loop.first, outer), self._lines(loop.each, inner)
        starts = range(0, loop.steps, loop.chunk)[:: loop.direction]
        spans = [(lo, min(lo + loop.chunk, loop.steps)) for lo in starts]
        self.names[name] = [
            (lo, hi, outer.views(lo, hi), inner.steps(lo, hi, loop.direction)) for lo, hi in spans
        ]
        if each:
            back = "[::-1]" if loop.direction < 0 else ""
            pattern, source = inner.pattern(), "steps"
            if inner.given:
                pattern = ", ".join([pattern, *(f"{given}_t" for given in inner.given)])
                parts = ", ".join(f"{given}[lo:hi]{back}" for given in inner.given)
                source = f"zip(steps, {parts})"
            each = [f"for {pattern} in {source}:", *(f"    {line}" for line in each)]
        body = (f"    {line}" for line in (*first, *each))
        return [f"for lo, hi, {outer.pattern()}, steps in {name}:", *body]


def _contract(a: Array, b: Array, out: Array) -> None:
    np.matmul(a.T, b, out)


PRODUCTS: dict[str, Callable[..., Any]] = {
    "dot": np.dot,
    "matmul": np.matmul,
    "contract": _contract,
}
"""`dot` has less to decide than `matmul`, but copies what has gaps."""


def _sum_over(axes: tuple[int, ...]) -> Callable[[Array, Array], None]:
    add: Any = np.add.reduce

    def into(x: Array, out: Array) -> None:
        add(x, axes, None, out)

    return into
