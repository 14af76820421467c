"""Laws over all primitives, from the table; and that a wrong rule breaks them, for each."""

import random
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing import LAWS, Broken, check_law, draw_case
from minigrad.testing.numeric import STEP, Line, richardson

# A scan and its parts work on results of several kinds; test_scan.py has their laws.
ALL = sorted((p for p in mg.PRIMITIVES.values() if p.kind != "loop"), key=lambda p: p.name)
RANDOM = st.randoms(use_true_random=False)
DIFFERENTIABLE = [
    (p, i)
    for p in ALL
    for i in range(min(len(p.rules) or 3, 3))
    if p.kind != "stepwise" and p.moves(i)
]


@pytest.mark.parametrize("primitive", ALL, ids=lambda p: p.name)
@given(draw=RANDOM, seed=st.integers(0, 2**32 - 1))
def test_every_primitive_obeys_every_law(primitive, draw, seed):
    case = draw_case(primitive, draw)
    for law in LAWS:
        check_law(law, case, seed)


def caught(primitive, law, tries=60):
    """Whether a law finds a fault within some draws."""
    for seed in range(tries):
        try:
            check_law(law, draw_case(primitive, random.Random(seed)), seed)
        except Broken:
            return True
    return False


@pytest.mark.parametrize(("primitive", "i"), DIFFERENTIABLE, ids=lambda x: getattr(x, "name", x))
def test_a_wrong_reverse_rule_breaks_the_adjoint_law(primitive, i, monkeypatch):
    """A relative error of 1e-9 in the cotangent of one operand is found."""
    rules, joint = list(primitive.rules), primitive.joint

    def wrong(*args):
        return [g * (1 + 1e-9) if k == i else g for k, g in enumerate(joint(*args))]

    if primitive.collect is not None:  # the walk asks for all uses of an operand at once
        collect = primitive.collect
        monkeypatch.setattr(primitive, "collect", lambda *args: collect(*args) * (1 + 1e-9))
    elif joint is None:
        right = rules[i]
        rules[i] = lambda *args, **attrs: right(*args, **attrs) * (1 + 1e-9)
        monkeypatch.setattr(primitive, "rules", rules)
    else:
        monkeypatch.setattr(primitive, "joint", wrong)
    assert caught(primitive, "adjoint")


@pytest.mark.parametrize("primitive", sorted({p.name for p, _ in DIFFERENTIABLE}))
def test_a_wrong_forward_rule_breaks_the_derivative_law(primitive, monkeypatch):
    """A relative error of 1e-6 in the tangent is found, also where only differences can tell."""
    primitive = mg.PRIMITIVES[primitive]
    right = primitive.push
    monkeypatch.setattr(primitive, "push", lambda *args: right(*args) * (1 + 1e-6))
    assert caught(primitive, "jvp")


@pytest.mark.parametrize("primitive", ["tanh", "multiply", "matmul", "logsumexp"])
def test_a_vjp_that_forgets_the_graph_breaks_the_second_order_law(primitive, monkeypatch):
    """A rule that computes with plain values is right once and wrong twice."""
    primitive = mg.PRIMITIVES[primitive]
    right = primitive.rules

    def frozen(rule):
        def pull(g, y, *xs, **attrs):
            values = [mg.detach(x) if isinstance(x, mg.Tensor) else x for x in xs]
            return rule(g, mg.detach(y) if isinstance(y, mg.Tensor) else y, *values, **attrs)

        return pull

    monkeypatch.setattr(primitive, "rules", [frozen(rule) for rule in right])
    assert caught(primitive, "second order")


@pytest.mark.parametrize("x", [-1e3, -50.0, 0.0, 50.0, 1e3])
@pytest.mark.parametrize("name", ["sigmoid", "softplus", "tanh", "logsumexp", "log_softmax"])
def test_values_and_gradients_are_finite_and_right_far_out(name, x):
    f = getattr(mg, name)
    point = np.array([x, 0.0]) if name.startswith("log") else np.array(x)
    value, gradient = mg.value_and_grad(lambda v: mg.sum(f(v)))(point)
    sigma = float(1 / (1 + np.exp(-np.clip(x, -700, 700))))
    wanted = {
        "sigmoid": (sigma, sigma * (1 - sigma)),
        "softplus": (np.logaddexp(0, x), sigma),
        "tanh": (np.tanh(x), 1 - np.tanh(x) ** 2),
        "logsumexp": (np.logaddexp(0, x), [sigma, 1 - sigma]),
        "log_softmax": (x - 2 * np.logaddexp(0, x), [1 - 2 * sigma, 2 * sigma - 1]),
    }[name]
    np.testing.assert_allclose(value, wanted[0], rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(gradient, wanted[1], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(
    ("f", "x", "wanted"),
    [
        (mg.relu, 0.0, 0.0),
        (mg.absolute, 0.0, 0.0),
        (lambda x: mg.clip(x, -1.0, 1.0), 1.0, 1.0),
        (lambda x: mg.maximum(x, 2.0), 2.0, 0.5),
        (lambda x: mg.minimum(x, 2.0), 2.0, 0.5),
        (lambda x: mg.max(mg.stack([x, x * 1.0, x - 1.0])), 3.0, 1.0),
        (mg.norm, 0.0, 0.0),
        (mg.std, 0.0, 0.0),
        (lambda x: x**0, 0.0, 0.0),
        (lambda x: x**1, 0.0, 1.0),
    ],
)
def test_ties_and_kinks_have_the_stated_subgradient(f, x, wanted):
    assert mg.grad(lambda v: mg.sum(f(v)))(x) == wanted


def test_a_tie_of_three_shares_the_gradient_equally():
    x = np.array([2.0, 2.0, 1.0, 2.0])
    np.testing.assert_allclose(mg.grad(mg.max)(x), [1 / 3, 1 / 3, 0, 1 / 3])


def test_an_unknown_law_is_told():
    case = draw_case(mg.PRIMITIVES["tanh"], random.Random(0))
    with pytest.raises(ValueError, match="unknown law 'gravity'; there are shape, adjoint"):
        check_law("gravity", case)


@pytest.mark.parametrize("primitive", ALL, ids=lambda p: p.name)
def test_a_complex_step_goes_through_what_is_called_holomorphic_and_nothing_else(primitive):
    """Where complex numbers are taken at all; by differences, which know no rule."""
    agrees = set()
    for seed in range(8):
        case = draw_case(primitive, random.Random(seed))
        points, rng = [np.asarray(x) for x in case.operands], np.random.default_rng(seed)
        along = [rng.normal(size=x.shape) if x.dtype.kind == "f" else np.zeros(()) for x in points]
        f = lambda *xs, attrs=case.attrs: [primitive.forward(*xs, **attrs)]
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            line = Line(f, points, along, [rng.normal(size=np.shape(y)) for y in f(*points)])
            try:
                exact = float(np.imag(line(1j * STEP)) / STEP)
            except Exception:  # no complex numbers for it
                continue
            rough, off = richardson(line)
            agrees.add(abs(exact - rough) <= off)
    assert (False in agrees) == (not primitive.numerics.holomorphic)
