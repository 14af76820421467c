"""Laws that every primitive obeys, each a function that raises `Broken` with the numbers.

Tolerances are not tuned: rounding is bounded by `64 ε S`, where S adds the absolute sizes of all
products that enter a compared number (the path scale; Griewank and Walther 2008, chapter 3).
Derivatives by differences carry their own estimate of the error.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.autodiff import jvp, vjp
from minigrad.core import Array, Tensor
from minigrad.graph import trace
from minigrad.testing.cases import Case
from minigrad.testing.numeric import STEP, extrapolated
from minigrad.testing.rounding import EPSILON, ROUNDINGS

LIBRARIES = (*(Path(__file__).parents[2] / name for name in ("minigrad", "rnn", "viz")),
             Path(np.__file__).parent)  # fmt: skip
"""An error is told with the last line outside of them."""


class Broken(AssertionError):
    """A law does not hold; the message has the case and both numbers.

    >>> issubclass(Broken, AssertionError)  # so pytest reports it like an assert
    True
    """


def raised(error: BaseException) -> str:
    """What was raised, and by which line of other people's code.

    >>> raised(ValueError("too small"))
    'ValueError: too small'
    """
    told = f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [f for f in frames if not any(map(Path(f.filename).is_relative_to, LIBRARIES))]
    return f"{told} ({theirs[-1].filename}:{theirs[-1].lineno})" if theirs else told


def check_law(name: str, case: Case, seed: int = 0) -> None:
    """Raise `Broken` if a law of `LAWS` does not hold for a case.

    Raises:
        Broken: with the entry and both numbers.
        ValueError: there is no such law.

    >>> import minigrad as mg
    >>> case = Case(mg.PRIMITIVES["tanh"], (np.array([0.5, 1.5]),), {})
    >>> check_law("adjoint", case)
    """
    if name not in LAWS:
        raise ValueError(f"check_law: unknown law {name!r}; there are {', '.join(LAWS)}")
    with np.errstate(all="ignore"):
        LAWS[name](case, np.random.default_rng(seed))


def _agree(law: str, case: Case, got: Any, wanted: Any, allowed: Any) -> None:
    got, wanted = np.asarray(got), np.asarray(wanted)
    if got.dtype == wanted.dtype == bool:
        got, wanted = got.astype(int), wanted.astype(int)
    if got.shape != wanted.shape:
        raise Broken(f"{law}: {case}: shape {got.shape}, wanted {wanted.shape}")
    k = farthest(got, wanted, allowed)
    if k is not None:
        raise Broken(
            f"{law}: {case}: entry {k} is {got[k]!r}, wanted {wanted[k]!r}, "
            f"off by {abs(got[k] - wanted[k]):.3g}, "
            f"allowed {np.broadcast_to(allowed, got.shape)[k]:.3g}"
        )


def farthest(got: Array, wanted: Array, allowed: Any) -> tuple[int, ...] | None:
    """The entry that is farthest beyond what is allowed, None if all agree; NaN never does.

    >>> farthest(np.array([np.inf, 1.0, np.nan]), np.array([np.inf, 5.0, 2.0]), 0.5)
    (2,)
    """
    with np.errstate(invalid="ignore"):  # ∞ - ∞
        miss = np.abs(got - wanted)
    wrong = ~((miss <= allowed) | (got == wanted))
    if not np.any(wrong):
        return None
    far = np.where(wrong, np.nan_to_num(miss - allowed, nan=np.inf), -1.0)
    return tuple(map(int, np.unravel_index(int(np.argmax(far)), far.shape)))


def _directions(arrays: Sequence[Array], rng: np.random.Generator) -> list[Array]:
    return [np.asarray(rng.normal(size=x.shape)) for x in arrays]


def _norm(x: Any) -> float:
    return float(np.linalg.norm(np.asarray(x, float)))


def _inner(a: Sequence[Array], b: Sequence[Array]) -> float:
    return float(sum(np.sum(x * y) for x, y in zip(a, b, strict=True)))


def _scale(a: Sequence[Array], b: Sequence[Array]) -> float:
    return sum(_norm(x) * _norm(y) for x, y in zip(a, b, strict=True))


def shape(case: Case, rng: np.random.Generator) -> None:
    """Tensors, arrays and a replayed trace give the same numbers; tangents have their shapes."""
    plain = np.asarray(case.primitive(*case.operands, **case.attrs))
    recorded = case.primitive(Tensor(case.operands[0]), *case.operands[1:], **case.attrs)
    _agree("tensors = arrays", case, recorded.data, plain, 0)
    if recorded.data.flags.writeable:
        raise Broken(f"{case}: the recorded result can be written into")
    graph = trace(lambda *xs: case.primitive(*xs, **case.attrs), *case.operands)
    _agree("replay = eager", case, graph(*case.operands), plain, 0)
    if case.primitive.kind == "elementwise":
        wanted = np.broadcast_shapes(*(x.shape for x in case.operands))
        if plain.shape != wanted:
            raise Broken(f"{case}: result shape {plain.shape}, operands broadcast to {wanted}")
    if case.wrt:
        alike = case.points()
        mixed = [x.astype(np.float32) if k % 2 else x for k, x in enumerate(alike)]
        for points in (alike, mixed)[: len(alike)]:
            y, pull = vjp(case.apply, *points)
            for x, g in zip(points, pull(np.ones_like(y)), strict=True):
                if g.shape != x.shape or g.dtype != x.dtype:
                    raise Broken(f"{case}: gradient {g.dtype}{g.shape}, operand {x.dtype}{x.shape}")


def adjoint(case: Case, rng: np.random.Generator) -> None:
    """⟨w, J v⟩ = ⟨Jᵀ w, v⟩ for random directions: forward and reverse rules fit together."""
    points = case.points()
    if not points:
        return
    v = _directions(points, rng)
    y, forward = jvp(case.apply, points, v)
    _, pull = vjp(case.apply, *points)
    w = rng.normal(size=y.shape)
    back = pull(w)
    scale = _norm(w) * _norm(forward) + _scale(back, v) + _norm(w) * sum(map(_norm, v))
    allowed = ROUNDINGS * EPSILON * scale
    _agree("adjoint identity", case, _inner(back, v), _inner([w], [forward]), allowed)


def jvp_is_the_derivative(case: Case, rng: np.random.Generator) -> None:
    """The jvp equals a complex step, or extrapolated differences where that is not possible."""
    points = case.points()
    if not points:
        return
    v = _directions(points, rng)
    _, got = jvp(case.apply, points, v)
    exact = complex_step(case.apply, points, v)
    if exact is not None:
        scale = np.abs(exact) + _norm(got) + sum(map(_norm, v))
        _agree("complex step", case, got, exact, ROUNDINGS * EPSILON * scale)
        return
    wanted, allowed = difference(case.apply, points, v)
    _agree("differences", case, got, wanted, allowed)


def complex_step(
    f: Callable[..., Any], points: Sequence[Array], v: Sequence[Array]
) -> Array | None:
    """Directional derivative by a complex step; None where f is not holomorphic.

    Complex numbers may not come through, or differences know another derivative: |x + ih| is real
    (Cauchy and Riemann). A kink may lie inside of a step, so a much shorter one is tried too.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            moved = np.asarray(f(*(x + 1j * STEP * d for x, d in zip(points, v, strict=True))))
    except Exception:  # whatever the forward of someone else does with complex numbers
        return None
    found = moved.imag / STEP
    for part in (1.0, 2.0**-10):
        wanted, off = difference(f, points, v, part)
        if np.all(np.abs(found - wanted) <= off):
            return np.asarray(found)
    return None


def difference(
    f: Callable[..., Any], points: Sequence[Array], v: Sequence[Array], part: float = 1.0
) -> tuple[Array, Array]:
    """Directional derivative by Richardson's extrapolation, and what it may be off by.

    `part` of the usual step is taken.
    """
    size = max([float(np.max(np.abs(x), initial=0.0)) for x in points] + [1.0])
    top = max([float(np.max(np.abs(d), initial=0.0)) for d in v] + [1e-300])
    h = part * 0.125 * size * EPSILON**0.2 / top

    def central(h: float) -> Array:
        ahead = f(*(x + h * d for x, d in zip(points, v, strict=True)))
        behind = f(*(x - h * d for x, d in zip(points, v, strict=True)))
        return np.asarray((ahead - behind) / (2 * h))

    best, apart = extrapolated(central, h)
    noise = EPSILON * (np.abs(np.asarray(f(*points))) + size) / (h / 4)
    return best, np.asarray(3 * apart + 8 * noise)


def second_order(case: Case, rng: np.random.Generator) -> None:
    """The derivative of the vjp: by forward mode, by reverse mode, and by differences."""
    points = case.points()
    if not points:
        return
    w = rng.normal(size=np.shape(case.primitive(*case.operands, **case.attrs)))
    v, u = _directions(points, rng), _directions(points, rng)

    def pulled(*xs: Any) -> Any:
        return vjp(case.apply, *xs)[1](w)

    back, forward = jvp(pulled, points, v)
    reverse = vjp(pulled, *points)[1](tuple(u))
    scale = _scale(forward, u) + _scale(reverse, v) + _norm(w) * _scale(u, v)
    scale += sum(map(_norm, back)) * sum(map(_norm, u))
    allowed = ROUNDINGS * EPSILON * scale
    _agree("second order, both modes", case, _inner(reverse, v), _inner(forward, u), allowed)
    for k in range(len(points)):
        wanted, off = difference(lambda *xs, k=k: pulled(*xs)[k], points, v)
        _agree("second order, differences", case, forward[k], wanted, off)


def float32_twin(case: Case, rng: np.random.Generator) -> None:
    """In float32 values and gradients stay float32 and agree with float64 to float32's rounding."""
    if not case.wrt or "dtype" in case.attrs:
        return
    points = [x.astype(np.float32) for x in case.points()]
    exact = [x.astype(float) for x in points]
    w = rng.normal(size=np.shape(case.apply(*points))).astype(np.float32)
    y, pull = vjp(case.apply, *points)
    wide, pull_wide = vjp(case.apply, *exact)
    for narrow, x in [(y, wide), *zip(pull(w), pull_wide(w.astype(float)), strict=True)]:
        if narrow.dtype != np.float32:
            raise Broken(f"{case}: float32 in, {narrow.dtype} out")
        scale = np.abs(x) + max(map(_norm, [*exact, w, x]))
        _agree("float32 twin", case, narrow, x, 8 * float(np.finfo(np.float32).eps) * scale)


def leading_axis(case: Case, rng: np.random.Generator) -> None:
    """With an axis of steps in front of every operand, the lifted primitive does all at once."""
    lift = case.primitive.lift
    if lift is None:
        return
    operands, given = case.operands, case.attrs
    if case.primitive.prepare is not None:
        operands, given = case.primitive.prepare(*operands, **given)
    steps = [
        tuple(x if x.dtype.kind != "f" else np.asarray(x * factor) for x in operands)
        for factor in (1.0, 0.5, 0.75)
    ]
    each = [case.primitive(*xs, **given) for xs in steps]
    ranks = [x.ndim for x in operands]
    top = max(ranks)
    whole = []
    for column in zip(*steps, strict=True):
        stacked = np.stack(column)
        gap = top - column[0].ndim if lift == "align" else 0
        whole.append(stacked.reshape(len(steps), *(1,) * gap, *column[0].shape))
    attrs = given if isinstance(lift, str) else lift(given, len(steps))
    got = case.primitive(*whole, **attrs)
    scale = _norm(got) + sum(map(_norm, whole))
    _agree("leading axis", case, got, np.stack(each), ROUNDINGS * EPSILON * scale)


LAWS: dict[str, Callable[[Case, np.random.Generator], None]] = {
    "shape": shape,
    "adjoint": adjoint,
    "jvp": jvp_is_the_derivative,
    "second order": second_order,
    "float32 twin": float32_twin,
    "leading axis": leading_axis,
}
"""Every law by its name."""
