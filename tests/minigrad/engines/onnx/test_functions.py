"""What is written as ONNX is what NumPy's functions do, run by somebody else: onnxruntime."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import onnxruntime
import pytest

import minigrad as mg
from minigrad.core.kinds import linear
from minigrad.engines.onnx.model import written
from minigrad.testing import draw_case
from minigrad.tree import flatten

REFUSED = {"cumprod": "cumprod", "solve_columns": "solve", "cholesky": "cholesky",
           "eigensystem": "eigh", "svdvals": "svd"}  # fmt: skip
"""Operations of which ONNX has nothing, and the function of NumPy that is not written."""

WRITTEN = sorted((p for p in mg.PRIMITIVES.values() if p.kind != "loop" and p.name not in REFUSED),
                 key=lambda p: p.name)  # fmt: skip


def by_onnxruntime(f: Any, *args: Any) -> list[tuple[Any, Any]]:
    """The results of a function by onnxruntime, and by NumPy."""
    xs = [np.asarray(x) for x in flatten(args)[0]]
    with np.errstate(all="ignore"):
        graph, wanted = mg.trace(f, *args), flatten(f(*args))[0]
    names = [f"x{n}" for n in range(len(xs))]
    model = written(graph, names, [f"y{n}" for n in range(len(wanted))])
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    found = session.run(None, dict(zip(names, xs, strict=True)))
    return [*zip(found, map(np.asarray, wanted), strict=True)]


def assert_same(found: Any, wanted: Any, what: str = "") -> None:
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), what
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6, err_msg=what)


def test_every_primitive_gives_what_it_gives_on_numpy():
    cases, given = [], []
    for primitive in WRITTEN:
        for seed in range(4):
            case = draw_case(primitive, Random(seed))
            operands = [x.astype("float32") if x.dtype.kind == "f" else x for x in case.operands]
            if all(x.size for x in operands):
                cases.append(case)
                given.append(operands)

    def every(*operands: Any) -> Any:
        return [c.primitive(*xs, **c.attrs) for c, xs in zip(cases, operands, strict=True)]

    told = {case.primitive.name for case in cases}
    assert told == {p.name for p in WRITTEN}
    for case, (found, wanted) in zip(cases, by_onnxruntime(every, *given), strict=True):
        assert_same(found, wanted, str(case))


POSITIONS: list[Any] = [
    1, -1, slice(None, None, -1), slice(3, 0, -2), (slice(1, None), None, ..., 0), (..., 2),
    (None, slice(0, 0)), np.array([2, -1]), (slice(None), np.array([[0, 1]])),
    np.array([True, False, True, False]), (np.array([3, 0]), np.array([1, 1])),
]  # fmt: skip


def test_every_way_of_reading_entries_and_of_putting_them_back():
    x = np.arange(12, dtype=np.float32).reshape(4, 3)

    def read(x: Any) -> Any:
        return [x[p] for p in POSITIONS]

    def back(x: Any) -> Any:
        return mg.grad(lambda z: mg.add_n(*(mg.sum(y * y) for y in read(z))))(x)

    for found, wanted in by_onnxruntime(lambda x: [*read(x), back(x)], x):
        assert_same(found, wanted)


def test_logarithms_keep_their_digits_near_zero():
    x = np.array([1e-7, -1e-7, 1e-3, 3.0], np.float32)
    for found, wanted in by_onnxruntime(lambda x: [mg.log1p(x), mg.expm1(x)], x):
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize("name", REFUSED)
def test_what_onnx_has_not_is_refused_by_name(name):
    case = draw_case(mg.PRIMITIVES[name], Random(0))
    xs = [x.astype("float32") for x in case.operands]
    told = rf"^{name} does not run on this engine: {REFUSED[name]} is not written as ONNX"
    with pytest.raises(TypeError, match=told):
        by_onnxruntime(lambda *ys: case.primitive(*ys, **case.attrs), *xs)


SIDES = np.array(np.meshgrid([-7.5, -1.0, -0.0, 0.0, 0.5, 2.5, 1e30], [-3.0, -0.5, 0.0, 0.5, 1e30]),
                 np.float32).reshape(2, -1)  # fmt: skip


def test_what_is_made_of_several_nodes_is_right_for_all_signs_and_sizes():
    a, b = SIDES

    def every(a: Any, b: Any) -> Any:
        return [mg.hypot(a, b), mg.logaddexp(a, b), mg.signbit(a), mg.rint(a), mg.trunc(a),
                mg.cbrt(a), mg.argsort(a), mg.argmin(a)]  # fmt: skip

    for found, wanted in by_onnxruntime(every, a, b):
        assert_same(found, wanted)
    a, b = SIDES[:, SIDES[1] != 0]

    def divided(a: Any, b: Any) -> Any:
        return [mg.remainder(a, b), mg.floor_divide(a, b), mg.arctan2(mg.abs(a), b)]

    for found, wanted in by_onnxruntime(divided, a, b):
        assert_same(found, wanted)


def test_what_is_not_written_is_told_by_name():
    @linear(None, None, signature="(n,n),(b)->(b)", public=False)
    def corners(x: Any, i: Any) -> Any:
        """The first entries of the rows at some places, or their medians."""
        return x[i, 0:1] if i.size == 2 else np.median(x, 0)

    x = np.ones((3, 3), np.float32)
    try:
        with pytest.raises(TypeError, match=r"^corners does not run .*: open indices beside parts"):
            by_onnxruntime(corners, x, np.array([0, 1]))
        with pytest.raises(TypeError, match=r"^corners does not run .*: median is not written"):
            by_onnxruntime(corners, x, np.array([0]))
    finally:
        del mg.PRIMITIVES["corners"]
