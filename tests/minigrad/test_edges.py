"""Numbers at the edge: every function of the public namespace against arithmetic of 60 digits.

Values and gradients at zeros, the smallest and the largest numbers, infinities, NaN, where
functions saturate and where operands tie, in each precision, in each way to compute: on arrays, on
tensors, compiled, in a loop, and in a compiled loop.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpf

import minigrad as mg
import rnn

mpmath.mp.dps = 60
DTYPES = pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
VALUE, SLOPE = 4, 8
"""Units in the last place that a value and a gradient may be off by."""

inf, nan = mpf("inf"), mpf("nan")


def sigma(x: mpf) -> mpf:
    return 1 / (1 + mpmath.exp(-x))


def softplus(x: mpf) -> mpf:
    return x if x == inf else mpmath.log1p(mpmath.exp(x))


def root_slope(x: mpf) -> mpf:
    return 1 / (2 * mpmath.sqrt(x)) if x else inf


def pole(x: mpf) -> mpf:
    return 1 / x if x else inf


# By name: the value, the slope, the domain, and whether the slope is a difference of numbers near
# 1, which has their precision and no more.
UNARY: dict[str, tuple[Any, Any, Any, bool]] = {
    "exp": (mpmath.exp, mpmath.exp, (-inf, inf), False),
    "expm1": (mpmath.expm1, mpmath.exp, (-inf, inf), False),
    "log": (mpmath.log, lambda x: 1 / x if x else inf, (0, inf), False),
    "log1p": (mpmath.log1p, lambda x: 1 / (1 + x) if x + 1 else inf, (-1, inf), False),
    "sqrt": (mpmath.sqrt, root_slope, (0, inf), False),
    "square": (lambda x: x * x, lambda x: 2 * x, (-inf, inf), False),
    "negative": (lambda x: -x, lambda x: mpf(-1), (-inf, inf), False),
    "tanh": (mpmath.tanh, lambda x: mpmath.sech(x) ** 2, (-inf, inf), True),
    "sigmoid": (sigma, lambda x: sigma(x) * sigma(-x), (-inf, inf), True),
    "softplus": (softplus, sigma, (-inf, inf), False),
    "sin": (mpmath.sin, mpmath.cos, (-99, 99), True),
    "cos": (mpmath.cos, lambda x: -mpmath.sin(x), (-99, 99), True),
    "tan": (mpmath.tan, lambda x: mpmath.sec(x) ** 2, (-99, 99), False),
    "arcsin": (mpmath.asin, lambda x: pole(1 - x * x) ** mpf(0.5), (-1, 1), False),
    "arccos": (mpmath.acos, lambda x: -pole(1 - x * x) ** mpf(0.5), (-1, 1), False),
    "arctan": (mpmath.atan, lambda x: 1 / (1 + x * x), (-inf, inf), False),
    "sinh": (mpmath.sinh, mpmath.cosh, (-inf, inf), False),
    "cosh": (mpmath.cosh, mpmath.sinh, (-inf, inf), False),
    "arcsinh": (mpmath.asinh, lambda x: (1 + x * x) ** mpf(-0.5), (-inf, inf), False),
    "arccosh": (mpmath.acosh, lambda x: pole(x * x - 1) ** mpf(0.5), (1, inf), False),
    "arctanh": (lambda x: mpmath.atanh(x) if abs(x) < 1 else x * inf,
                lambda x: pole(1 - x * x), (-1, 1), False),
    "exp2": (lambda x: mpf(2) ** x, lambda x: mpf(2) ** x * mpmath.log(2), (-inf, inf), False),
    "log2": (lambda x: mpmath.log(x) / mpmath.log(2), lambda x: pole(x) / mpmath.log(2), (0, inf),
             False),
    "log10": (lambda x: mpmath.log(x) / mpmath.log(10), lambda x: pole(x) / mpmath.log(10),
              (0, inf), False),
    "cbrt": (lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
             lambda x: pole(3 * mpmath.cbrt(abs(x)) ** 2), (-inf, inf), False),
    "erf": (mpmath.erf, lambda x: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x), (-inf, inf),
            True),
    "erfc": (lambda x: mpmath.erfc(x) if x < 1e4 else mpf(0),
             lambda x: -2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x), (-inf, inf), True),
    "absolute": (abs, mpmath.sign, (-inf, inf), False),
    "relu": (lambda x: max(x, mpf(0)), lambda x: mpf(x > 0), (-inf, inf), False),
    "clip": (lambda x: min(max(x, mpf(-1)), mpf(2)), lambda x: mpf(-1 <= x <= 2), (-inf, inf),
             False),
}  # fmt: skip
HERE = {"clip": lambda x: mg.clip(x, -1, 2)}


def points(dtype: str) -> Any:
    about = np.finfo(dtype)
    sizes = [0.0, about.tiny, about.eps, 1e-3, 0.5, 1.0, 2.0, 5.0, 9.5, 11.5, 17.5, 40.0, 88.0,
             95.0, 700.0, 720.0, 1e3, about.max / 4, about.max, np.inf]  # fmt: skip
    return np.array([*sizes, *(-s for s in sizes), np.nan], dtype)


@dataclass(frozen=True)
class Looped(rnn.Cell):
    """A loop in which the state goes through a function; beside it the sequence does."""

    f: Any
    inputs: int = 1
    hidden: int = 1
    states: int = 1

    @property
    def state(self) -> Any:
        return tuple(f"h{k}" for k in range(self.states))

    def parameters(self) -> Any:
        return {}

    def step(self, p: Any, x: Any, *hs: Any) -> Any:
        return x, self.f(*hs), *hs[1:]


def loop(f: Any, n: int, states: int) -> Any:
    """f of vectors of n numbers, as one step of a loop."""
    cell = Looped(f, hidden=n, states=states)

    def run(*xs: Any) -> Any:
        start = tuple(mg.reshape(x, (1, n)) for x in xs)
        _, last = rnn.run(cell, {}, np.zeros((1, 1, 1), xs[0].dtype), start)
        return mg.reshape(last[0], (n,))

    return run


def ways(f: Any, *xs: Any, looped: bool = True) -> Any:
    """Each way to compute, with the value and the gradients of its sum."""

    def both(g: Any) -> Any:
        def run(*xs: Any) -> Any:
            y, pull = mg.vjp(g, *xs)
            return y, *pull(np.ones(y.shape, y.dtype))

        return run

    whole = both(f)
    with np.errstate(all="ignore"):
        yield "arrays", f(*xs), None
        for way, run in {
            "tensors": whole,
            "compiled": mg.compile(whole),
            **({"loop": both(loop(f, len(xs[0]), len(xs))),
                "compiled loop": mg.compile(both(loop(f, len(xs[0]), len(xs))))} if looped else {}),
        }.items():  # fmt: skip
            y, *slopes = run(*xs)
            yield way, y, slopes


def near(found: Any, exact: mpf, ulps: float, absolute: float, floor: float) -> bool:
    """Whether a number is what an exact one rounds to, but for some units in the last place."""
    about, found = np.finfo(found.dtype), mpf(float(found))
    if mpmath.isnan(exact) or mpmath.isnan(found):
        return bool(mpmath.isnan(exact) and mpmath.isnan(found))
    if abs(exact) > mpf(float(about.max)) * (1 - ulps * mpf(float(about.eps))):
        return bool(abs(found) >= mpf(float(about.max)) * (1 - 2 * ulps * mpf(float(about.eps)))
                    and found * exact > 0)  # fmt: skip
    allowed = ulps * (abs(exact) * mpf(float(about.eps)) + mpf(float(about.smallest_subnormal)))
    return bool(abs(found - exact) <= max(allowed, mpf(absolute), mpf(floor)))


@DTYPES
@pytest.mark.parametrize("name", UNARY)
def test_a_function_of_one_number_has_all_its_digits_everywhere(name: str, dtype: str) -> None:
    value, slope, (low, high), saturates = UNARY[name]
    f, xs, about = HERE.get(name, getattr(mg, name)), points(dtype), np.finfo(dtype)
    xs = xs[[not (abs(x) > 99) for x in xs]] if high == 99 else xs
    for way, y, slopes in ways(f, xs):
        assert y.dtype == dtype
        # exp(−x) in a loop is finite while σ is a normal number.
        looped = name in ("sigmoid", "softplus") and "loop" in way
        floor = float(about.tiny) if looped else 0.0
        for k, x in enumerate(xs):
            at, inside = mpf(float(x)), low <= x <= high
            exact = value(at) if inside else nan
            assert near(y[k], exact, VALUE, 0.0, floor), (way, x, y[k], mpmath.nstr(exact, 17))
            if slopes is None or not inside or (x == 0 and np.signbit(x)):
                continue
            exact = slope(at)
            absolute = SLOPE * float(about.eps) if saturates else 0.0
            told = (way, x, slopes[0][k], mpmath.nstr(exact, 17))
            assert near(slopes[0][k], exact, SLOPE, absolute, floor), told


def test_digits_that_are_lost_are_found() -> None:
    """By tanh, σ loses 9 of 16 digits at −20 and all at −40."""
    for x, right in ((-20.0, False), (-40.0, False), (3.0, True)):
        assert near((np.tanh(np.float64(x) / 2) + 1) / 2, sigma(mpf(x)), VALUE, 0, 0) is right
    assert not near(np.float64(0.0), mpf(1e-300), VALUE, 0, 0)
    assert not near(np.float64(np.inf), mpf(1e308), VALUE, 0, 0)
    assert not near(np.float64(1.0), nan, VALUE, 0, 0)


def rest(a: mpf, b: mpf) -> mpf:
    with mpmath.workdps(700):  # a / b may have that many digits before the point
        return a - b * mpmath.floor(a / b)


BINARY: dict[str, tuple[Any, Any, Any]] = {
    "add": (lambda a, b: a + b, lambda a, b: mpf(1), lambda a, b: mpf(1)),
    "subtract": (lambda a, b: a - b, lambda a, b: mpf(1), lambda a, b: mpf(-1)),
    "multiply": (lambda a, b: a * b, lambda a, b: b, lambda a, b: a),
    "divide": (lambda a, b: a / b, lambda a, b: 1 / b, lambda a, b: -a / b**2),
    "power": (lambda a, b: a**b, lambda a, b: b * a ** (b - 1),
              lambda a, b: a**b * mpmath.log(a)),
    "maximum": (max, lambda a, b: mpf(a > b) + mpf(a == b) / 2,
                lambda a, b: mpf(b > a) + mpf(a == b) / 2),
    "minimum": (min, lambda a, b: mpf(a < b) + mpf(a == b) / 2,
                lambda a, b: mpf(b < a) + mpf(a == b) / 2),
    "hypot": (mpmath.hypot, lambda a, b: a / mpmath.hypot(a, b),
              lambda a, b: b / mpmath.hypot(a, b)),
    "arctan2": (mpmath.atan2, lambda a, b: b / (a * a + b * b), lambda a, b: -a / (a * a + b * b)),
    "logaddexp": (lambda a, b: max(a, b) + mpmath.log1p(mpmath.exp(-abs(a - b))),
                  lambda a, b: sigma(a - b), lambda a, b: sigma(b - a)),
    "remainder": (rest, lambda a, b: mpf(1),
                  lambda a, b: -mpmath.floor(a / b)),
}  # fmt: skip


@DTYPES
@pytest.mark.parametrize("name", BINARY)
def test_a_function_of_two_numbers_has_all_its_digits_everywhere(name: str, dtype: str) -> None:
    value, *exact_slopes = BINARY[name]
    about = np.finfo(dtype)
    sizes = [about.tiny, 2 * about.eps, 0.5, 1.0, 3.0, 100.0, about.max / 8]
    lefts = sizes if name == "power" else [*sizes, *(-s for s in sizes), 0.0]
    rights = [-2.0, -0.5, 0.5, 1.0, 2.0, 3.0] if name == "power" else [-1e-4, -0.5, *sizes]
    a, b = (np.array(x, dtype) for x in zip(*itertools.product(lefts, rights), strict=True))
    for way, y, slopes in ways(getattr(mg, name), a, b):
        for k, (p, q) in enumerate(zip(a, b, strict=True)):
            at = mpf(float(p)), mpf(float(q))
            assert near(y[k], value(*at), VALUE, 0.0, 0.0), (way, p, q, y[k])
            for slope, exact in zip(slopes or (), exact_slopes, strict=False):
                if in_between(name, at, about):
                    told = (way, p, q, slope[k], mpmath.nstr(exact(*at), 17))
                    assert near(slope[k], exact(*at), SLOPE, 0.0, float(about.tiny)), told


def in_between(name: str, at: Any, about: Any) -> bool:
    """Whether what a slope is made from is a normal number, or a difference with its digits."""
    a, b = at
    if name == "logaddexp":  # σ(a − b) is off by as many ε as a and b are apart
        return bool(abs(a - b) < SLOPE)
    if name not in ("divide", "power") or not a:
        return True
    parts = [a / b, 1 / b] if name == "divide" else [a**b, a ** (b - 1)]
    return all(float(about.tiny) <= abs(part) <= float(about.max) for part in parts)


ROWS = [
    [0.0, 0.0, 0.0], [1000.0, 1000.0], [1000.0, -1000.0, 999.0], [-40.0, 0.0, 3.0], [-0.0, 5.0],
    [3e4, 3e4, 3e4], [200.0, -300.0, 250.0, 1.0, 2.0], [7.0], [-20000.0, -20000.5], [1e-4, -2e-4],
    [4.0, 0.0, 3.0], [0.0, 2.0, 0.0],
]  # fmt: skip


def exact_mean(row: Any) -> mpf:
    return mpmath.fsum(row) / len(row)


def exact_var(row: Any) -> mpf:
    return mpmath.fsum((x - exact_mean(row)) ** 2 for x in row) / len(row)


def exact_softmax(row: Any) -> list[mpf]:
    total = mpmath.fsum(mpmath.exp(x) for x in row)
    return [mpmath.exp(x) / total for x in row]


def exact_shares(choose: Any) -> Any:
    return lambda row: [mpf(x == choose(row)) / row.count(choose(row)) for x in row]


def exact_root(square: Any) -> Any:
    """The slope of a square root of a sum of squares of (x − middle); 0 at 0."""
    return lambda row, middle, n: [(x - middle) / (n * mpmath.sqrt(square)) if square else mpf(0)
                                   for x in row]  # fmt: skip


def running_slope(row: Any) -> list[mpf]:
    """Of the sum of all running products, by each factor."""
    return [mpmath.fsum(mpmath.fprod(row[:k] + row[k + 1 : n]) for n in range(k + 1, len(row) + 1))
            for k in range(len(row))]  # fmt: skip


# By name: the value, and the gradient of its sum.
ROWWISE: dict[str, tuple[Any, Any]] = {
    "sum": (mpmath.fsum, lambda row: [mpf(1)] * len(row)),
    "mean": (exact_mean, lambda row: [mpf(1) / len(row)] * len(row)),
    "var": (exact_var, lambda row: [2 * (x - exact_mean(row)) / len(row) for x in row]),
    "std": (lambda row: mpmath.sqrt(exact_var(row)),
            lambda row: exact_root(exact_var(row))(row, exact_mean(row), len(row))),
    "norm": (lambda row: mpmath.sqrt(mpmath.fsum(x * x for x in row)),
             lambda row: exact_root(mpmath.fsum(x * x for x in row))(row, 0, 1)),
    "prod": (mpmath.fprod,
             lambda row: [mpmath.fprod(row[:k] + row[k + 1 :]) for k in range(len(row))]),
    "max": (max, exact_shares(max)),
    "min": (min, exact_shares(min)),
    "logsumexp": (lambda row: mpmath.log(mpmath.fsum(map(mpmath.exp, row))), exact_softmax),
    "softmax": (exact_softmax, lambda row: [mpf(0)] * len(row)),
    "log_softmax": (lambda row: list(map(mpmath.log, exact_softmax(row))),
                    lambda row: [1 - len(row) * p for p in exact_softmax(row)]),
    "cumprod": (lambda row: list(itertools.accumulate(row, lambda a, b: a * b)), running_slope),
    "cumsum": (lambda row: list(itertools.accumulate(row)),
               lambda row: [mpf(n) for n in range(len(row), 0, -1)]),
}  # fmt: skip
ON_SINGLE = {"cumsum", "cumprod", "softmax", "log_softmax"}


@DTYPES
@pytest.mark.parametrize("name", ROWWISE)
def test_what_is_made_of_a_row_is_right_to_the_precision_of_its_terms(
    name: str, dtype: str
) -> None:
    """A sum has the precision of its largest term; a slope that of the largest in the row."""
    value, slope = ROWWISE[name]
    eps = float(np.finfo(dtype).eps)
    for numbers in ROWS:
        x = np.array(numbers, dtype)
        row = [mpf(float(v)) for v in x]
        size = max(map(abs, row)) if name in ("sum", "mean", "cumsum") else 0
        # exp of what is far below the greatest moves by as many ε as it is away; log Σ is a
        # number of about 1.
        away = min(max(row) - min(row), 50) if name == "softmax" else 0
        size = 1 if name == "log_softmax" else size
        for way, y, slopes in ways(getattr(mg, name), x, looped=False):
            wanted = value(row) if isinstance(value(row), list) else [value(row)]
            for found, exact in zip(np.atleast_1d(y), wanted, strict=True):
                told = (way, numbers, found, mpmath.nstr(exact, 17))
                assert near(found, exact, 2 * VALUE + away, float(size * eps), 0.0), told
            wanted = slope(row)
            steep = max(map(abs, wanted)) + (1 if "softmax" in name else 0)
            for found, exact in zip(slopes[0] if slopes else (), wanted, strict=False):
                told = (way, numbers, found, mpmath.nstr(exact, 17))
                absolute = 4 * SLOPE * float(min(steep, np.finfo(dtype).max) * eps)
                assert near(found, exact, SLOPE, absolute, 0.0), told


BAD = [[np.nan, 1.0], [1.0, np.nan, np.inf], [np.inf, 1.0], [-np.inf, 1.0], [-np.inf, -np.inf]]


@DTYPES
@pytest.mark.parametrize("name", sorted(set(ROWWISE) - {"logsumexp", "softmax", "log_softmax"}))
def test_nan_and_infinity_pass_as_in_numpy(name: str, dtype: str) -> None:
    """Nothing hides them: a standard deviation or a norm of NaN is NaN."""
    numpys = np.linalg.norm if name == "norm" else getattr(np, name)
    for numbers in BAD:
        x = np.array(numbers, dtype)
        for way, y, _ in ways(getattr(mg, name), x, looped=False):
            with np.errstate(all="ignore"):
                np.testing.assert_array_equal(y, numpys(x), err_msg=f"{way} {numbers}")


def test_a_softmax_knows_minus_infinity_and_does_not_hide_nan() -> None:
    for f, wanted in {
        "softmax": ([0.0, 1.0], [0.0, 0.5, 0.5]),
        "log_softmax": ([-np.inf, 0.0], [-np.inf, -np.log(2), -np.log(2)]),
        "logsumexp": (1.0, 1.0 + np.log(2)),
    }.items():
        for x, right in zip(([-np.inf, 1.0], [-np.inf, 1.0, 1.0]), wanted, strict=True):
            for way, y, _ in ways(getattr(mg, f), np.array(x), looped=False):
                np.testing.assert_allclose(y, right, rtol=1e-15, err_msg=f"{f} {way}")
        for way, y, _ in ways(getattr(mg, f), np.array([np.nan, 1.0]), looped=False):
            assert np.isnan(y).all(), (f, way)
    assert mg.logsumexp(np.array([-np.inf, -np.inf])) == -np.inf
    assert mg.logsumexp(np.array([np.inf, 1.0])) == np.inf


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int64", "float16"])
@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "norm", "prod", "cumsum"])
def test_small_numbers_of_many_do_not_overflow_where_numpy_does_not(name: str, dtype: str) -> None:
    """Whole numbers are added and multiplied as NumPy does, half precision in single."""
    x = np.array([100, 101, 103, 99] * 3, dtype)
    f = getattr(mg, name)
    numpys = np.linalg.norm if name == "norm" else getattr(np, name)
    with np.errstate(all="ignore"):
        wanted = numpys(x) if dtype != "float16" else numpys(x.astype(float)).astype(dtype)
        for found in (f(x), f(mg.Tensor(x)).data, mg.compile(f)(x)):
            np.testing.assert_allclose(found, wanted, rtol=2e-3 if dtype == "float16" else 1e-15)


@pytest.mark.parametrize("x", [np.array([1, 2]), np.array([True, False]), np.array([1, 2], "i1")])
@pytest.mark.parametrize("name", ["sigmoid", "softplus", "logsumexp", "softmax", "log_softmax"])
def test_whole_numbers_and_flags_count_as_real_ones(name: str, x: Any) -> None:
    f = getattr(mg, name)
    wanted = f(x.astype(float))
    for found in (f(x), f(mg.Tensor(x)).data, mg.compile(f)(x)):
        assert found.dtype == float
        np.testing.assert_array_equal(found, wanted)


def test_a_bound_leaves_whole_numbers_whole() -> None:
    large = np.array([2**53 + 1, -5])
    np.testing.assert_array_equal(mg.clip(large, 0), np.clip(large, 0, None))


IDENTITY = {"sum": 0.0, "prod": 1.0, "norm": 0.0, "logsumexp": -np.inf}


@DTYPES
@pytest.mark.parametrize("name", [*UNARY, *ROWWISE])
@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1,)], ids=str)
def test_no_shape_is_too_small(name: str, shape: Any, dtype: str) -> None:
    """Of no axes, of one entry, of none: a value, and a gradient of the shape of the operand."""
    f = HERE.get(name, getattr(mg, name))
    if name in ON_SINGLE and shape == ():
        shape = (1,)
    x = np.full(shape, 0.5, dtype)
    over = 0 in shape and name in ROWWISE and name not in ON_SINGLE
    if over and name not in IDENTITY:
        for g in (f, lambda x: f(mg.Tensor(x)), mg.compile(f)):
            with pytest.raises(ValueError, match="var" if name == "std" else name):
                g(x)
        return
    for way, y, slopes in ways(f, x, looped=False):
        assert np.asarray(y).dtype == dtype, way
        assert slopes is None or (slopes[0].shape, slopes[0].dtype) == (shape, np.dtype(dtype)), way
        if over:
            assert y == IDENTITY[name], way
        elif name in UNARY or name in ON_SINGLE:
            assert np.shape(y) == shape, way
    if name in IDENTITY and shape == (3, 0):
        np.testing.assert_array_equal(f(x, axis=-1), np.full(3, IDENTITY[name]))


# --- kinks --------------------------------------------------------------------------------------

# Each is 0 at its point, and constant around it or at a kink whose slope is 0.
KINKS: dict[str, tuple[Any, float]] = {
    "relu": (lambda x: mg.relu(x), -1.0),
    "relu at 0": (lambda x: mg.relu(x), 0.0),
    "clip": (lambda x: mg.clip(x, 0.0, 9.0), -1.0),
    "clip above": (lambda x: 9.0 - mg.clip(x, 0.0, 9.0), 12.0),
    "maximum": (lambda x: mg.maximum(x, 0.0), -1.0),
    "minimum": (lambda x: 9.0 - mg.minimum(9.0, x), 12.0),
    "where": (lambda x: mg.where(x > 0, x, 0.0), -1.0),
    "abs at 0": (lambda x: mg.absolute(x), 0.0),
    "max": (lambda x: mg.max(mg.stack([x, mg.detach(x) * 0.0], axis=-1), -1), -1.0),
    "min": (lambda x: mg.min(mg.stack([x, mg.detach(x) * 0.0], axis=-1), -1), 1.0),
}
STEEP = {"sqrt": mg.sqrt, "log": mg.log, "power": lambda x: x**0.5, "divide": lambda x: 1.0 / x}


@pytest.mark.parametrize("steep", STEEP)
@pytest.mark.parametrize("name", KINKS)
def test_a_kink_that_has_shut_a_path_lets_nothing_back(name: str, steep: str) -> None:
    """Where f is constant its derivative is 0, though what follows has an infinite one there."""
    kink, x = KINKS[name]
    for way, y, slopes in ways(lambda x: STEEP[steep](kink(x)), np.array([x])):
        assert not np.isnan(y), way
        assert slopes is None or slopes[0] == 0, way
    # Forward, the 0 of the kink arrives at ∞ as a number like any other.
    with np.errstate(all="ignore"):
        assert np.isnan(mg.jvp(lambda x: STEEP[steep](kink(x)), [x], [1.0])[1])


def test_a_zero_that_arrives_is_a_number_like_any_other() -> None:
    """(√x)² has the derivative 1 at 0: a rule that calls 0·∞ zero would say 0, without a word."""
    with np.errstate(all="ignore"):
        assert np.isnan(mg.grad(lambda x: mg.square(mg.sqrt(x)))(0.0))
        assert np.isnan(mg.grad(lambda x: mg.relu(mg.log(x)))(np.nan))


# --- what is raised ------------------------------------------------------------------------------

QUIET = {
    "sigmoid": lambda x: mg.sigmoid(x),
    "softplus": lambda x: mg.softplus(x),
    "softmax": lambda x: mg.softmax(x),
    "log_softmax": lambda x: mg.log_softmax(x),
    "logsumexp": lambda x: mg.logsumexp(x),
}


@DTYPES
@pytest.mark.parametrize("name", QUIET)
def test_harmless_underflow_is_not_raised(name: str, dtype: str) -> None:
    f = QUIET[name]
    x = np.array([-1e4, 1e4, 0.0, -95.0, 95.0, -720.0, 720.0, -12.0, 12.0], dtype)
    looped = loop(f, len(x), 1) if name in UNARY else f
    for run in (f, lambda x: f(mg.Tensor(x)).data, mg.compile(f), looped, mg.compile(looped)):
        with np.errstate(all="ignore"):
            wanted = run(x)
        with np.errstate(all="raise"):
            np.testing.assert_array_equal(run(x), wanted)


def test_a_loop_of_sigmoids_warns_of_nothing() -> None:
    """Warnings are errors here: σ(−10³) is 0 and σ(10³) is 1."""
    cell = rnn.LSTMCell(1, 2)
    params = cell.init(0)
    xs = np.full((3, 1, 1), 1e4)
    for sign in (1.0, -1.0):
        mg.value_and_grad(lambda p, sign=sign: mg.sum(rnn.run(cell, p, sign * xs)[0]))(params)


@lru_cache
def _cell() -> Any:
    return rnn.LSTMCell(1, 2)


@pytest.mark.parametrize("way", ["run", "unfolded", "tensors", "gradient", "compiled"])
def test_what_is_raised_names_the_operation_the_scope_and_the_step(way: str) -> None:
    cell = _cell()
    params = cell.init(0)
    xs = np.zeros((5, 1, 1))
    xs[2] = 1.7e308
    params["W_xf"] = params["W_xf"] * 0.0 + 3.0

    def loss(p: Any) -> Any:
        return mg.sum(rnn.run(cell, p, xs, unfolded=way == "unfolded")[0])

    run = {
        "run": lambda: loss(params),
        "unfolded": lambda: loss(params),
        "tensors": lambda: loss(params.tensors()),
        "gradient": lambda: mg.grad(loss)(params),
        "compiled": lambda: mg.compile(mg.grad(loss))(params),
    }[way]
    with (
        np.errstate(all="raise"),
        pytest.raises(FloatingPointError, match=r"matmul in LSTMCell at t = 3 of .*: overflow"),
    ):
        run()


def test_a_fault_on_the_way_back_names_the_operation_it_belongs_to() -> None:
    x = mg.Tensor(0.0)
    with mg.scope("layer", t=2):
        y = mg.sqrt(x)
    message = r"cotangent of sqrt in layer at t = 2: divide by zero"
    with np.errstate(all="raise"), pytest.raises(FloatingPointError, match=message):
        y.backward()
    with np.errstate(all="raise"), pytest.raises(FloatingPointError, match="tangent of sqrt"):
        mg.jvp(mg.sqrt, [0.0], [1.0])


# --- nothing is forgotten -------------------------------------------------------------------------

MADE_OF_PRIMITIVES = {"mean", "var", "std", "norm"}
OF_MATRICES = {"cholesky", "svdvals"}
"""In `tests/minigrad/ops/test_linalg.py`, against mpmath's own."""


def test_every_function_that_computes_is_in_a_table() -> None:
    """The others move, compare or multiply and add as NumPy does: the table of laws has them."""
    computes = {name for name, p in mg.PRIMITIVES.items() if p.kind in ("elementwise", "general")}
    tables = {*UNARY, *BINARY, *ROWWISE, *OF_MATRICES}
    assert (computes & set(mg.ops.__all__)) | MADE_OF_PRIMITIVES <= tables
