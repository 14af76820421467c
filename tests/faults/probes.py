"""Probes: laws of the engine, each on one draw of everything it is about.

All primitives, a few random programs, or an example written for one kind of fault. Probes run in
order, draw after draw, until one fails; the fault is then found, by that law.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import numpy as np

from minigrad.autodiff import grad, hvp, vjp
from minigrad.compile import compile
from minigrad.core import PRIMITIVES, Tensor
from minigrad.graph import isomorphic, trace
from minigrad.ops import absolute, maximum, relu, sin, sum, tanh
from minigrad.ops import max as greatest
from minigrad.testing.cases import draw_case
from minigrad.testing.check import check_gradients
from minigrad.testing.compare import compare
from minigrad.testing.flat import Flat
from minigrad.testing.laws import LAWS, Broken, check_law
from minigrad.testing.programs import Program, draw_fan_out, draw_program
from minigrad.testing.progress import doing
from minigrad.testing.promises import check_promises
from tests.faults.path_sum import path_sum
from tests.faults.planting import Fault

Probe = Callable[[int], None]
PROBES: dict[str, Probe] = {}
"""Every law of the engine, each on one draw."""


def finder(fault: Fault, probes: Mapping[str, Probe], draws: int = 8) -> str | None:
    """The name of the law that finds a fault in so many draws, None if none does."""
    with doing(f"planted {fault.name!r}"), fault.planted(), np.errstate(all="ignore"):
        for draw in range(draws):
            for name, probe in probes.items():
                try:
                    probe(draw)
                except Exception:  # a crash is a finding too
                    return name
    return None


def probe(name: str) -> Callable[[Probe], Probe]:
    """Enter a probe into the table."""
    return lambda function: PROBES.setdefault(name, function)


def _primitives(law: str) -> Probe:
    def on_every_primitive(draw: int) -> None:
        for primitive in PRIMITIVES.values():
            if primitive.kind != "loop":
                check_law(law, draw_case(primitive, Random(draw)), draw)

    return on_every_primitive


for _law in LAWS:
    PROBES[f"primitives: {_law}"] = _primitives(_law)


def _holds(program: Program, seed: int) -> None:
    f = Flat(program, program.values)
    broken = check_promises(f, seed)
    check = compare(f, seed)
    if broken or not check.holds:
        raise Broken(f"program {seed}\n{broken or check}")


@probe("random programs")
def random_programs(draw: int) -> None:
    """Reverse, forward and independent derivative agree, and promises hold."""
    for k in range(12):
        _holds(draw_program(Random(1000 * draw + k)), draw)


@probe("fan-out")
def fan_out(draw: int) -> None:
    """One parameter used 1 … 64 times."""
    for k in range(6):
        _holds(draw_fan_out(Random(1000 * draw + k)), draw)


@probe("path sum")
def paths(draw: int) -> None:
    """The sum over all paths of products of local slopes, taken without any rule."""
    for k in range(4):
        path_sum(draw_program(Random(1000 * draw + k), most=4), draw)


@probe("backward")
def backward(draw: int) -> None:
    """`.grad` of leaves and named tensors is what vjp gives; a second call adds to it."""
    for k in range(4):
        program = draw_program(Random(1000 * draw + k))
        leaves = [Tensor(x, f"x{n}") for n, x in enumerate(program.values)]
        out = program(*leaves)
        out.name = out.name or "result"
        seed = np.random.default_rng(0).normal(size=out.shape)
        wanted = [*vjp(program, *program.values)[1](seed), seed]
        for times in (1, 2):
            out.backward(seed)
            for x, g in zip([*leaves, out], wanted, strict=True):
                if x.grad is None or not np.array_equal(x.grad, times * g, equal_nan=True):
                    raise Broken(f"{x.name}.grad is {x.grad!r} after {times} calls, vjp is {g!r}")


@probe("kinks")
def kinks(draw: int) -> None:
    """The stated subgradients: relu′(0) = abs′(0) = 0, ties share equally."""
    x = np.array([0.0, 1.0, -1.0])
    for name, f, wanted in (
        ("relu", relu, [0, 1, 0]),
        ("absolute", absolute, [0, 1, -1]),
        ("maximum with a tie", lambda v: maximum(v, np.array([0.0, 0.0, 2.0])), [0.5, 1, 0]),
        ("max of a tie", lambda v: greatest(v * np.array([0.0, 0.0, 1.0])), [0, 0, 0]),
        ("max of three equal", lambda v: 3.0 * greatest(v * 0.0 + v[:1] - v[:1] + 1.0), [0, 0, 0]),
    ):
        found = grad(lambda v, f=f: sum(f(v)))(x)
        if not np.array_equal(found, wanted):
            raise Broken(f"{name}: the gradient at 0, 1, -1 is {found}, stated is {wanted}")
    shared = grad(lambda v: greatest(v))(np.array([2.0, 2.0, 1.0]))
    if not np.array_equal(shared, [0.5, 0.5, 0.0]):
        raise Broken(f"a tie of two shares {shared}, stated is [0.5, 0.5, 0]")


@probe("far out")
def far_out(draw: int) -> None:
    """Finite values and slopes at ±1000 where the true ones are."""
    for name in ("tanh", "sigmoid", "softplus"):
        for x in (-1e3, 1e3):
            slope = grad(PRIMITIVES[name])(x)
            if not np.isfinite(slope):
                raise Broken(f"{name} at {x}: slope {slope}")


@probe("nested")
def nested(draw: int) -> None:
    """A gradient inside of a gradient that reads the outer variable; Hessians; repeated uses."""
    if not np.allclose(grad(lambda x: x * grad(lambda y: x * y)(x))(3.0), 6.0, rtol=1e-12):
        raise Broken("d/dx x·(d/dy xy) is not 2x")
    f = lambda x: sum(sin(x) * x * tanh(x) + x * x * x + sin(x * x))
    x, v = np.random.default_rng(draw).normal(size=(2, 3))
    check_gradients(lambda x: grad(f)(x), x)
    found = hvp(f, x, v)
    reverse = vjp(grad(f), x)[1](v)[0]
    if not np.allclose(found, reverse, rtol=1e-12, atol=1e-12):
        raise Broken(f"Hessian times a vector: {found} and {reverse}")


@probe("same result twice")
def same_result_twice(draw: int) -> None:
    """Seeds of one tensor given as two results add up; an unused input gets zeros."""

    def twice(x: Any, unused: Any) -> Any:
        y = sin(x)
        return y, y

    x = np.arange(3.0)
    _, pull = vjp(twice, x, np.ones((2, 2)))
    g, none = pull((np.ones(3), np.full(3, 2.0)))
    if not np.allclose(g, 3 * np.cos(x), rtol=1e-14):
        raise Broken(f"cotangents of a result given twice do not add up: {g}")
    if np.shape(none) != (2, 2) or np.any(none):
        raise Broken(f"an unused input has the gradient {none!r}, wanted zeros of its shape")


@probe("own memory")
def own_memory(draw: int) -> None:
    """Two gradients that are equal are two arrays."""
    check_gradients(lambda a, b: a + b, np.ones(3), np.ones(3), seed=draw)


@probe("mutation")
def mutation(draw: int) -> None:
    """Writing into an array after it was read cannot change a gradient."""
    for first in (0, 1):
        x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
        leaf = Tensor(x, "x")
        loss = sum(leaf * leaf * y) if first else sum(y * leaf * leaf)
        x[0], y[0] = 99.0, 99.0
        loss.backward()
        if leaf.grad is None or not np.array_equal(leaf.grad, [6.0, 16.0]):
            raise Broken(f"an array was written into, and the gradient became {leaf.grad}")


@probe("structures")
def structures(draw: int) -> None:
    """Gradients come back under the names they were asked for."""
    tree = {"a": np.float64(2.0), "b": [np.float64(3.0), np.float64(5.0)]}
    found = grad(lambda t: t["a"] * t["b"][0] * t["b"][0] * t["b"][1])(tree)
    if (found["a"], found["b"][0], found["b"][1]) != (45.0, 60.0, 18.0):
        raise Broken(f"gradients in the wrong places: {found}")


@probe("isomorphism")
def isomorphism(draw: int) -> None:
    """Programs that do different things are not the same."""
    a, b = (trace(lambda x, k=k: x[k] * 1.0, np.ones(3)) for k in (0, 1))
    if isomorphic(a, b) or not isomorphic(a, a):
        raise Broken("x[0] and x[1] count as the same program")


@probe("compiled programs")
def compiled_programs(draw: int) -> None:
    """A compiled function gives the numbers of the function, for every set of shapes."""
    for k in range(6):
        program = draw_program(Random(1000 * draw + k), most=12)

        def every(*xs: Any, program: Program = program) -> Any:
            y = program(*xs)
            a = y * 1.5  # read at once, then not again: a result whose buffer looks free
            b = tanh(a)
            return a, sin(b) * b + 1.0, tanh(y), sum(sin(y) * y)

        run = compile(every)
        wanted = [np.array(y) for y in every(*program.values)]
        for _ in range(2):
            for found, y in zip(run(*program.values), wanted, strict=True):
                if not np.array_equal(found, y, equal_nan=True):
                    raise Broken(f"compiled program {k}: {found} instead of {y}")
    run = compile(lambda x: sum(x * float(x.shape[0])))
    for n in (2, 3):
        if run(np.ones(n)) != n * n:
            raise Broken(f"compiled for one shape, called with another: {run(np.ones(n))}")


@probe("look-ups")
def look_ups(draw: int) -> None:
    """Rows read several times, of tables of one to three axes, and by many indices."""
    rng = np.random.default_rng(draw)
    for shape, count in (((3,), (4,)), ((3, 2), (2, 3)), ((3, 2, 2), (5,)), ((9, 2), (1200,))):
        table, indices = rng.normal(size=shape), rng.integers(0, shape[0], count)
        check_gradients(lambda x, i: PRIMITIVES["lookup"](x, i) * 2.0, table, indices, seed=draw)
