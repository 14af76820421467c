"""Every primitive's one forward runs on JAX's arrays: same values, shapes, dtypes, NaN and ties."""

from __future__ import annotations

from random import Random
from typing import Any

import jax
import numpy as np
import pytest

import minigrad as mg
from minigrad.core.kinds import elementwise
from minigrad.engines.xla.arrays import Array
from minigrad.engines.xla.face import check, pure
from minigrad.graph import replay
from minigrad.testing import draw_case
from minigrad.testing.rounding import ROUNDINGS
from minigrad.tree import flatten
from tests.minigrad.ops.calls import CALLS
from tests.minigrad.ops.test_vocabulary import of_tensors, operands

PRIMITIVES = sorted((p for p in mg.PRIMITIVES.values() if p.kind != "loop"), key=lambda p: p.name)


def on_jax(f: Any, *args: Any) -> list[Any]:
    """The results of a function on JAX, and on NumPy, of its one graph."""
    xs = flatten(args)[0]
    with np.errstate(all="ignore"):
        graph = mg.trace(f, *args)
        wanted = replay(graph, xs)
    found = jax.jit(pure(graph))(*xs)
    return [*zip(map(np.asarray, found), map(np.asarray, wanted), strict=True)]


def assert_same(found: Any, wanted: Any, what: str = "") -> None:
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), what
    eps = float(np.finfo(wanted.dtype).eps) if wanted.dtype.kind == "f" else 0.0
    size = float(np.max(np.abs(wanted), initial=1.0, where=np.isfinite(wanted)))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=ROUNDINGS * eps * size, err_msg=what)


NARROW = {"int64": "int32"}
"""What JAX makes of whole numbers that are not told to have 64 bits."""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_primitive_gives_what_it_gives_on_numpy(dtype: str):
    """In one program, as XLA takes its time for each."""
    cases, given = [], []
    for primitive in PRIMITIVES:
        if dtype == "float32" and primitive.name in ("astype", "one_hot"):
            continue  # they make double precision
        for seed in range(2):
            case = draw_case(primitive, Random(seed))
            cases.append(case)
            given.append([x.astype(dtype) if x.dtype.kind == "f" else x for x in case.operands])

    def every(*operands: Any) -> Any:
        return [c.primitive(*xs, **c.attrs) for c, xs in zip(cases, operands, strict=True)]

    with jax.enable_x64(dtype == "float64"):
        found = on_jax(every, *given)
    for case, (y, wanted) in zip(cases, found, strict=True):
        narrow = NARROW.get(wanted.dtype.name, wanted.dtype) if dtype == "float32" else wanted.dtype
        assert_same(y, wanted.astype(narrow), str(case))


EDGES = np.array([-np.inf, -1.0, -0.0, 0.0, 1.0, 1.0, np.inf, np.nan])
"""Numbers at which conventions are needed."""

CONVENTIONS = {
    "maximum": lambda x: mg.maximum(x, mg.flip(x)),
    "minimum of a tie": lambda x: mg.minimum(x, x),
    "max": mg.max,
    "relu": mg.relu,
    "abs": mg.abs,
    "sign": mg.sign,
    "clip": lambda x: mg.clip(x, -1.0, 1.0),
    "sigmoid": mg.sigmoid,
    "softplus": mg.softplus,
    "logsumexp": lambda x: mg.logsumexp(x[:6]),
    "softmax": lambda x: mg.softmax(x[1:6]),
    "power": lambda x: mg.power(x, 0),
    "comparison": lambda x: mg.where(x >= 0, x, -1.0),
    "argmax": lambda x: mg.argmax(x) * x,
    "argmin": lambda x: mg.argmin(x[:7]) * x,
    "argsort": lambda x: mg.argsort(x) * x,
    "searchsorted": lambda x: mg.searchsorted(np.array([-1.0, 0.0, 1.0, np.inf, np.nan]), x) * x,
    "sort": lambda x: mg.sort(x) * np.arange(8.0),
    "cumprod": mg.cumprod,
    "median": lambda x: mg.median(x[:7]),
}

PAIRS = np.array(np.meshgrid(EDGES, EDGES)).reshape(2, -1)
BY_ENTRIES = [
    p for p in PRIMITIVES
    if p.by_entries and p.sample is None and all(isinstance(d, tuple) for d in p.domain)
]  # fmt: skip
"""Primitives of one or two real numbers."""


def test_nan_ties_and_infinity_are_as_on_numpy():
    def both(x: Any) -> Any:
        values = [f(x) for f in CONVENTIONS.values()]
        return values, [mg.grad(lambda z, f=f: mg.sum(f(z)))(x) for f in CONVENTIONS.values()]

    with jax.enable_x64(True), np.errstate(all="ignore"):
        for what, (y, wanted) in zip([*CONVENTIONS] * 2, on_jax(both, EDGES), strict=True):
            assert_same(y, wanted, what)


def test_every_primitive_by_entries_is_as_on_numpy_at_all_edges_and_their_pairs():
    """Values and gradients, also where a function has no value."""

    def every(one: Any, a: Any, b: Any) -> Any:
        found = []
        for p in BY_ENTRIES:
            xs = (a, b)[-len(p.rules) :] if len(p.rules) == 2 else (one,)
            found.append(p(*xs))
            if p.kind != "stepwise":
                wrt = tuple(range(len(xs)))
                found += mg.grad(lambda *z, p=p: mg.sum(p(*z)), wrt=wrt)(*xs)
        return found

    with jax.enable_x64(True), np.errstate(all="ignore"):
        for y, wanted in on_jax(every, EDGES, *PAIRS):
            assert_same(y, wanted)


def test_the_vocabulary_of_numpy_compiles_to_what_numpy_computes():
    """Each call that is several primitives, in one program."""
    calls, given = [], []
    for f in CALLS.values():
        xs = operands(f)
        several = len(mg.trace(of_tensors(f), *xs)) > len(xs) + 1
        if several and of_tensors(f)(*map(mg.Tensor, xs)):
            calls.append(of_tensors(f))
            given.append(xs)

    def every(*given: Any) -> Any:
        return [f(*xs) for f, xs in zip(calls, given, strict=True)]

    with jax.enable_x64(True), np.errstate(all="ignore"):
        found = on_jax(every, *given)
    assert len(calls) > 80
    for (y, replayed), wanted in zip(found, flatten(every(*given))[0], strict=True):
        assert_same(y, wanted)
        assert_same(replayed, wanted)


DOUBLE = {"float_power", "cov", "corrcoef", "cov of columns", "diff with ends"}
"""Calls whose results have double precision in NumPy too."""


@pytest.mark.parametrize("name", [name for name in CALLS if name not in DOUBLE])
def test_values_and_gradients_of_single_precision_are_computed_in_it(name: str):
    """Else JAX refuses the program, or has to have both."""
    run, given = of_tensors(CALLS[name]), operands(CALLS[name])
    xs = [x.astype("float32") if x.dtype == float else x for x in given]
    check(mg.trace(run, *xs))
    if run(*map(mg.Tensor, xs)) and all(x.dtype == np.float32 for x in xs):
        loss = lambda *ys: mg.add_n(*(mg.sum(y * y) for y in run(*ys)))
        check(mg.trace(mg.grad(loss, wrt=tuple(range(len(xs)))), *xs))


@pytest.mark.parametrize("exponent", [-1, 0, 0.5, 2, 3.0])
def test_the_slope_of_a_power_has_the_precision_of_its_base(exponent: float):
    slope = mg.grad(lambda x: mg.sum(x**exponent))
    x = np.array([0.5, 2.0], np.float32)
    check(mg.trace(slope, x))
    np.testing.assert_allclose(slope(x), exponent * np.power(x, exponent - 1), rtol=1e-6)


def test_a_primitive_of_ones_own_needs_no_second_spelling():
    @elementwise(lambda y, x: mg.cos(x) * 0.5, public=False)
    def half_sine(x: Any) -> Any:
        """Half of sin x."""
        return np.sin(x) / 2

    try:
        for found, wanted in on_jax(half_sine, np.ones(3, np.float32)):
            assert_same(found, wanted)
    finally:
        del mg.PRIMITIVES["half_sine"]


def test_a_forward_that_looks_at_values_is_refused_by_its_name():
    @elementwise(lambda y, x: y, public=False)
    def looks(x: Any) -> Any:
        """Exp, unless something is too large."""
        return np.exp(x) if np.max(x) < 10 else x

    try:
        with pytest.raises(TypeError, match=r"^looks does not run on this engine: its values"):
            on_jax(looks, np.ones(3, np.float32))
    finally:
        del mg.PRIMITIVES["looks"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sum_of_outer_products_is_differentiated_and_batched_by_jax(dtype: str):
    """Its left operand is written down transposed where it is a double, which JAX sees through."""
    f = lambda a, b: mg.sum(mg.square(mg.PRIMITIVES["contract"](a, b)))
    a, b = (np.random.default_rng(k).normal(size=(2, 5, 3, n)).astype(dtype)
            for k, n in enumerate((4, 2)))  # fmt: skip
    with jax.enable_x64(True):
        one = mg.to_jax(f, a[0], b[0])
        barriers = str(jax.make_jaxpr(one)(a[0], b[0])).count("optimization_barrier")
        slopes = jax.jit(jax.vmap(jax.grad(one)))(a, b)
    assert barriers == (dtype == "float64" and jax.default_backend() == "cpu")
    for found, x, y in zip(slopes, a, b, strict=True):
        assert_same(np.asarray(found), np.asarray(mg.grad(f)(x, y)), dtype)


def test_an_index_outside_of_a_table_gives_nan_as_nothing_can_be_raised():
    f = mg.compile(lambda x, i: (mg.take(x, i), mg.ops.pick(x, i)), engine="jax")
    x = np.ones((2, 3), np.float32)
    assert np.isfinite(f(x, np.array([1, 0]))[0]).all()
    rows, entries = f(x, np.array([2, -1]))
    assert np.isnan(rows).all()
    assert np.isnan(entries).tolist() == [False, True]


def test_numpy_functions_apply_and_what_jax_has_not_is_told():
    x = Array(np.arange(4.0, dtype=np.float32))
    assert float(np.add.reduce(x * 2, 0).value) == 12.0
    assert x.reshape(2, 2).T.shape == (2, 2)
    assert float(x.added((np.array([1, 1]),), 1.0).value[1]) == 3.0
    with pytest.raises(TypeError, match=r"jax\.numpy has no busday_count"):
        np.busday_count(x, x)  # type: ignore[call-overload]  # any function that JAX has not
