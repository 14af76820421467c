"""Random graphs: programs of any primitives, drawn, as the one representation there is.

A drawn program is a `Graph` and values for its inputs. It can be drawn as a picture, printed as
Python, cut down, and run in float64, in float32, on complex numbers, forward or backward. Draws
use only the interface of `random.Random`, so Hypothesis can supply it and shrink.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from minigrad import ops
from minigrad.core import PRIMITIVES, Array, Primitive, Tensor
from minigrad.core.kinds import BEYOND, FLAG, INDEX, INSIDE, MATRIX, POSITIVE, UNIT
from minigrad.graph import Graph, freeze, replay
from minigrad.testing.cases import draw_case

SHAPES = ((), (2,), (3,), (2, 3), (3, 2), (1, 3), (2, 1), (2, 3, 2), (2, 6))
LARGEST = 1e8
"""A value beyond it ends the line of a program: its derivatives would overflow."""


@dataclass(frozen=True)
class Program:
    """A graph and values of its inputs, the way a failing example is kept.

    >>> import minigrad as mg
    >>> program = Program(mg.trace(lambda x: mg.sin(x) * x, 0.0), (np.array(0.0),))
    >>> len(program), float(program()), round(float(program(2.0)), 3)
    (2, 0.0, 1.819)
    """

    graph: Graph
    values: tuple[Array, ...]

    def __call__(self, *values: Any) -> Any:
        """The one result for input values, its own if none are given."""
        (result,) = replay(self.graph, values or self.values)
        return result

    def __len__(self) -> int:
        """The number of operations."""
        return sum(node.op not in ("input", "constant") for node in self.graph.nodes)

    def __repr__(self) -> str:
        from minigrad.testing.text import program_text

        return program_text(self.graph, self.values)


def differentiable() -> list[Primitive]:
    """The primitives that random programs are made of: all that pass a gradient, but for loops."""
    return [
        p for p in PRIMITIVES.values() if p.kind not in ("loop", "stepwise") and p.name != "astype"
    ]


class _Builder:
    """A program in the making: tensors that exist so far, made by running it."""

    def __init__(self, random: Random, scale: float) -> None:
        self.random, self.scale = random, scale
        self.numbers = np.random.default_rng(random.getrandbits(32))
        self.leaves: list[Tensor] = []
        self.pool: list[Tensor] = []

    def leaf(self, shape: tuple[int, ...]) -> Tensor:
        x = Tensor(self.numbers.normal(size=shape) * self.scale, f"x{len(self.leaves)}")
        self.leaves.append(x)
        self.pool.append(x)
        return x

    def operand(self, shape: tuple[int, ...], kind: Any) -> Any:
        """Something of a shape and domain: what is there, brought into shape, or a new leaf."""
        if kind == FLAG:
            return self.numbers.random(shape) < 0.5
        if kind == INDEX:
            return self.numbers.integers(0, 3, shape)
        size = int(np.prod(shape))
        alike = [x for x in self.pool if x.shape == shape]
        same_size = [x for x in self.pool if x.size == size and x.shape != shape]
        if alike and self.random.random() < 0.8:
            x = alike[-1 - min(self.random.getrandbits(2), len(alike) - 1)]
        elif same_size and self.random.random() < 0.8:
            x = ops.reshape(same_size[-1], shape)
        elif self.pool and self.pool[-1].shape == () and self.random.random() < 0.3:
            x = ops.broadcast_to(self.pool[-1], shape)
        elif self.pool and size and self.pool[-1].size and self.random.random() < 0.6:
            # Entries of the newest value, some of them twice, so that programs hang together.
            last = self.pool[-1]
            x = ops.reshape(ops.reshape(last, (-1,))[np.arange(size) % last.size], shape)
        else:
            x = self.leaf(shape)
        return _brought_into(kind, x)

    def step(self, primitive: Primitive) -> bool:
        """Apply a primitive to what is there; False where the result is too large."""
        before = len(self.leaves), len(self.pool)
        case = draw_case(primitive, self.random)
        shapes = [x.shape for x in case.operands]
        if primitive.sample is None and self.pool and self.random.random() < 0.75:
            shapes = _like(self.pool[-1].shape, len(shapes), self.random)
        domain = primitive.domain
        operands: list[Any] = []
        for k, shape in enumerate(shapes):
            given = case.operands[k]
            if given.dtype.kind in "iu" or (given.dtype.kind == "b" and given.shape == shape):
                operands.append(given)
            else:
                operands.append(self.operand(shape, domain[min(k, len(domain) - 1)]))
        if type(operands[0]) is not Tensor and not any(type(x) is Tensor for x in operands):
            return False
        result = primitive(*operands, **case.attrs)
        data = result.data
        if data.size == 0 or not np.all(np.isfinite(data)) or np.max(np.abs(data)) > LARGEST:
            del self.leaves[before[0] :], self.pool[before[1] :]
            return False
        self.pool.append(result)
        return True


def _brought_into(kind: Any, x: Tensor) -> Tensor:
    """A value of the domain of an operand, made from any."""
    if x.dtype.kind == "b":
        x = ops.astype(x, float)  # NumPy would go on in half precision
    if kind in (POSITIVE, UNIT) and np.min(x.data, initial=1.0) < 0.125:
        return ops.softplus(x) + 0.125  # type: ignore[no-any-return]  # the table
    if kind == INSIDE and np.max(np.abs(x.data), initial=0.0) > 0.875:
        return 0.875 * ops.tanh(x)  # type: ignore[no-any-return]  # the table
    if kind == BEYOND and np.min(x.data, initial=4.0) < 2.25:
        return ops.softplus(x) + 2.25  # type: ignore[no-any-return]  # the table
    if kind == MATRIX:
        moved = 0.125 * ops.tanh(x)
        return moved + np.diag(np.arange(1.0, x.shape[-1] + 1))  # type: ignore[no-any-return]  # the table
    return x


def _like(shape: tuple[int, ...], count: int, random: Random) -> list[tuple[int, ...]]:
    """Shapes that broadcast with one that is there."""
    shapes = [shape]
    for _ in range(count - 1):
        kept = shape[random.randint(0, len(shape)) :] if random.random() < 0.3 else shape
        shapes.append(tuple(1 if random.random() < 0.2 else n for n in kept))
    return shapes if random.random() < 0.5 else shapes[::-1]


def draw_program(
    random: Random,
    primitives: Sequence[Primitive] | None = None,
    most: int = 8,
    scale: float = 1.0,
) -> Program:
    """A random program of up to `most` drawn operations, on inputs of about the size `scale`.

    >>> from random import Random
    >>> program = draw_program(Random(3), most=4)
    >>> program().dtype
    dtype('float64')
    """
    table = differentiable() if primitives is None else list(primitives)
    with np.errstate(all="ignore"):
        build = _Builder(random, scale)
        build.leaf(random.choice(SHAPES))
        for _ in range(random.randint(1, most)):
            build.step(random.choice(table))
        return finish(build.leaves, build.pool[-1])


def draw_fan_out(random: Random, scale: float = 1.0) -> Program:
    """A program that uses one parameter 1 … 64 times, as weights are shared in time.

    >>> graph = draw_fan_out(Random(1)).graph
    >>> 1 <= sum(graph.inputs[0] in node.inputs for node in graph.nodes) <= 64
    True
    """
    numbers = np.random.default_rng(random.getrandbits(32))
    uses = random.choice((1, 2, 3, 4, 5, 8, 12, 16, 17, 24, 33, 64))
    w = Tensor(numbers.normal(size=(2, 2)) * 0.5, "w")
    h = Tensor(numbers.normal(size=(1, 2)) * scale, "h")
    leaves, kind = [w, h], random.choice(("chain", "terms", "reads", "columns"))
    total = h
    for k in range(uses):
        if kind == "chain":
            total = ops.tanh(total @ w)
        elif kind == "terms":
            total = total + ops.sin(w * (0.25 * k))[0]
        elif kind == "reads":
            total = total + total * w[k % 2] * 0.125
        else:
            total = total + (w[:, k % 2] * w[k % 2])
    return finish(leaves, total)


def finish(leaves: Sequence[Tensor], result: Tensor) -> Program:
    """The program from leaves to a result; leaves that it does not use are left out."""
    used = freeze(leaves, [result])
    read = {i for node in used.nodes for i in node.inputs} | set(used.outputs)
    kept = [x for x, i in zip(leaves, used.inputs, strict=True) if i in read] or list(leaves[:1])
    return Program(freeze(kept, [result]), tuple(x.data for x in kept))
