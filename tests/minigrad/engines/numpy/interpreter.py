"""A second engine for lists of instructions: raw bytes, and views by offset and strides alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.engines.numpy import instructions as code
from minigrad.engines.numpy.program import Program


class Interpreter:
    """Runs the list of a program, one instruction after the other, on memory of its own."""

    def __init__(self, program: Program) -> None:
        self.listing = program.instructions
        kept = list(_kept(self.listing.body))
        assert len({*kept}) == len(kept), f"a name is kept twice: {kept}"
        # Filled with ones: whatever is read before it is written is wrong.
        self.memory = [np.frombuffer(bytearray(b"\xff" * x.nbytes), np.uint8)
                       for x in program.storage.buffers.memory]  # fmt: skip

    def __call__(self, *inputs: Any) -> list[Any]:
        return [np.array(x) for x in self.run(self.listing, inputs)]

    def run(self, listing: code.Listing, inputs: Iterable[Any]) -> list[Any]:
        names = dict(zip(listing.parameters, inputs, strict=True))
        with np.errstate(over="ignore" if listing.quiet else "warn"):
            for x in (*listing.once, *listing.body):
                self.do(x, names, None)
        # As they lie: a sum adds up in the order of its operand in memory.
        return [self.value(x, names, None) for x in listing.results]

    def value(self, x: Any, names: dict[str, Any], at: Any) -> Any:
        """An operand at step `at`, or at all the steps of a range, time in front."""
        match x:
            case code.Constant():
                return x.value
            case code.Given(name, moves):
                whole = names[name]
                return whole if at is None or not moves else whole[_steps(at)]
        shape, strides, offset = x.shape, x.strides, x.offset
        if x.step is not None:
            first = at if isinstance(at, int) else at.start
            offset += x.step * ((first + x.turn) % x.period if x.period else first)
            if not isinstance(at, int):
                shape, strides = (len(at), *shape), (x.step, *strides)
        raw = self.memory[x.buffer][offset:]
        size = x.dtype.itemsize
        start = raw[: len(raw) // size * size].view(x.dtype) if raw.size else np.empty(0, x.dtype)
        return np.lib.stride_tricks.as_strided(start, shape, strides)

    def do(self, x: Any, names: dict[str, Any], at: Any) -> None:
        get = lambda y: self.value(y, names, at)
        match x:
            case code.Call(_, function, operands, out):
                function(*map(get, operands), get(out))
            case code.Product(op, left, right, out):
                a, b = get(left), get(right)
                if op == "contract":
                    a, b = (np.reshape(y, (-1, y.shape[-1])) for y in (a, b))
                product = np.dot if op == "dot" else np.matmul
                product(a.T if op == "contract" else a, b, get(out))
            case code.Reduce(source, axes, out):
                np.sum(get(source), axes, out=get(out))
            case code.Copy(source, out):
                get(out)[...] = get(source)
            case code.Make(_, function, operands, str(name)):
                names[name] = function(*map(get, operands))
            case code.Make(_, function, operands, out):
                get(out)[...] = function(*map(get, operands))
            case code.Run(name, program, operands):
                names[name] = self.run(program.instructions, map(get, operands))
            case code.Loop(steps, chunk, direction):
                starts = range(0, steps, chunk)
                for lo in starts[::direction]:
                    span = range(lo, min(lo + chunk, steps))
                    self.each(x.first, names, span)
                    for t in span[::direction]:
                        self.each(x.each, names, t)

    def each(self, body: Iterable[Any], names: dict[str, Any], at: Any) -> None:
        for x in body:
            self.do(x, names, at)


def _kept(body: Iterable[Any]) -> Iterable[str]:
    """The names under which a list keeps what it makes."""
    for x in body:
        if isinstance(x, code.Loop):
            yield from _kept((*x.first, *x.each))
        elif isinstance(x, code.Run):
            yield x.name
        elif isinstance(x, code.Make) and isinstance(x.out, str):
            yield x.out


def _steps(at: Any) -> Any:
    return at if isinstance(at, int) else slice(at.start, at.stop)
