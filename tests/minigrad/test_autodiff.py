"""What the calls on functions promise beside the numbers: what is passed on, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.testing import draw_case

x, v = np.array([0.5, -1.5]), np.array([1.0, 2.0])

# Each takes a function of one array and what it is given by name.
CALLS: dict[str, Any] = {
    "grad": lambda f, **named: mg.grad(f)(x, **named),
    "value_and_grad": lambda f, **named: mg.value_and_grad(f)(x, **named),
    "jacobian": lambda f, **named: mg.jacobian(f)(x, **named),
    "hessian": lambda f, **named: mg.hessian(f)(x, **named),
    "vjp": lambda f, **named: mg.vjp(f, x, **named)[1](1.0),
    "jvp": lambda f, **named: mg.jvp(f, [x], [v], **named),
    "hvp": lambda f, **named: mg.hvp(f, x, v, **named),
}
FIXED: dict[str, Any] = {"scale": v, "power": 3, "way": "tanh", "none": None, "call": mg.tanh,
                         "cell": rnn.RNNCell(2, 3), "flags": {"a": [True, None]}}  # fmt: skip


def loss(x: Any, scale: Any = 1.0, power: int = 2, way: str = "sin", **rest: Any) -> Any:
    return mg.sum(getattr(mg, way)(x * scale) ** power)


def same(a: Any, b: Any) -> bool:
    return bool(np.all([np.array_equal(p, q) for p, q in zip(a, b, strict=True)]))


@pytest.mark.parametrize("name", CALLS)
def test_what_is_given_by_name_is_passed_on_as_it_is(name):
    """Arrays, texts, None, cells: nothing of it is looked at, and no gradient is asked for."""
    seen: list[Any] = []

    def f(x: Any, **named: Any) -> Any:
        seen.append(named)
        return loss(x, **named)

    found, wanted = CALLS[name](f, **FIXED), CALLS[name](lambda x: loss(x, **FIXED))
    assert same(found, wanted)
    assert all(named[key] is FIXED[key] for named in seen for key in FIXED)


@pytest.mark.parametrize("other", FIXED.values(), ids=FIXED)
def test_what_is_not_differentiated_need_not_be_an_array(other):
    def f(first: Any, x: Any, last: Any) -> Any:
        assert first is other
        assert last is other
        return loss(x)

    for wrt in (1, -2):
        assert same(mg.grad(f, wrt)(other, x, other), mg.grad(loss)(x))
        assert same(mg.jacobian(f, wrt)(other, x, other), mg.grad(loss)(x))
        assert same(mg.hessian(f, wrt)(other, x, other), mg.hessian(loss)(x))
    assert same(mg.grad(f, wrt=(1,))(other, x, other), (mg.grad(loss)(x),))


def test_a_tensor_given_by_name_belongs_to_the_outer_derivative():
    """d/ds d/dx of s·x³ is 3x², also if s comes by name."""
    inner = mg.grad(lambda x, s: s * x**3)
    assert mg.grad(lambda s: inner(2.0, s=s))(5.0) == 12.0


def test_an_argument_that_comes_by_name_alone_is_not_differentiated():
    with pytest.raises(TypeError, match="what is given by name is not differentiated"):
        mg.grad(loss)(x=x)


# --- through complex numbers ---------------------------------------------------------------------

ENTRYWISE = sorted(
    (p for p in mg.PRIMITIVES.values() if p.name != "detach" and set(p.signature) <= set("(),->")
     and {*p.domain} & {"index", "flag"} == set()),
    key=lambda p: p.name,
)  # fmt: skip
DERIVATIVES: dict[str, Any] = {
    "grad": lambda f, x: mg.grad(f)(x),
    "vjp": lambda f, x: mg.vjp(f, x)[1](1.0)[0],
    "jacobian": lambda f, x: mg.jacobian(f)(x),
    "jvp": lambda f, x: np.array([mg.jvp(f, [x], [e])[1] for e in np.eye(len(x))]),
    "backward": lambda f, x: (lambda t: (f(t).backward(), t.grad)[1])(mg.Tensor(x)),
}


def derivative_or_refusal(name: str, f: Any, x: Any) -> Any:
    try:
        return DERIVATIVES[name](f, x)
    except TypeError as error:
        return error


@pytest.mark.parametrize("name", DERIVATIVES)
@pytest.mark.parametrize("primitive", ENTRYWISE, ids=lambda p: p.name)
@given(draw=st.randoms(use_true_random=False))
def test_a_derivative_through_complex_numbers_is_right_or_refused(name, primitive, draw):
    """The size of each primitive at (3 + 4i)x: no other number, and no warning alone."""
    case = draw_case(primitive, draw)
    rest = [np.full(2, 0.5 + 0.25j) for _ in case.operands[1:]]

    def f(x: Any) -> Any:
        return mg.sum(1.0 * mg.absolute(primitive(x * (3 + 4j), *rest, **case.attrs)))

    found = derivative_or_refusal(name, f, np.array([0.25, 0.75]))
    if isinstance(found, TypeError):
        assert "complex" in str(found) or "not supported for" in str(found)
    else:
        step = 1e-6 * np.eye(2)
        at = np.array([0.25, 0.75])
        wanted = [(f(at + e) - f(at - e)) / 2e-6 for e in step]
        # Central differences at 1e-6: a cubic term of 1e-12 and rounding of 1e-16 / 1e-6.
        assert np.allclose(found, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: mg.sum(mg.absolute(x * (3 + 4j))),
        lambda x: mg.sum(mg.absolute(mg.astype(x, complex))),
        lambda x: mg.sum(mg.absolute(x @ np.array([[1j, 2.0], [1.0, 1j]]))),
        lambda x: mg.absolute(mg.sum(mg.where([True, False], x, x * 1j))),
        lambda x: mg.absolute(mg.stack([x, x * 1j])).sum(),
    ],
)
@pytest.mark.parametrize("name", DERIVATIVES)
def test_a_refusal_says_what_to_write(f, name):
    error = derivative_or_refusal(name, f, x)
    assert isinstance(error, TypeError)
    assert "write the real and the imaginary part as two tensors" in str(error)


def test_the_real_and_the_imaginary_part_as_two_tensors():
    """What the refusal says to write gives |3 + 4i| = 5, with the sign of x."""
    size = mg.grad(lambda x: mg.sum(mg.sqrt((3.0 * x) ** 2 + (4.0 * x) ** 2)))
    np.testing.assert_allclose(size(x), [5.0, -5.0], rtol=1e-15)


def test_what_is_complex_beside_the_way_is_no_concern():
    z = np.array([1j, 2.0])
    assert mg.grad(lambda x: mg.sum(x * mg.absolute(z)))(x).tolist() == [1.0, 2.0]
    assert mg.tanh(1j * v).dtype == complex
