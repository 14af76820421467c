"""`check_vjp` on backward passes as students write them: three that are wrong, each in its way."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.testing import check_vjp

T, H, X = 4, 3, 2
RNG = np.random.default_rng(0)
XS, W_XH, W_HH, H0 = (0.6 * RNG.normal(size=s) for s in ((T, X), (X, H), (H, H), (H,)))
RNN = (XS, W_XH, W_HH, H0)
NAMES = ("xs", "W_xh", "W_hh", "h0")


def rnn(xs, W_xh, W_hh, h0):
    hs, h = [], h0
    for x in xs:
        h = np.tanh(x @ W_xh + h @ W_hh)
        hs.append(h)
    return np.stack(hs)


def rnn_backward(dhs, hs, xs, W_xh, W_hh, h0, slope=lambda h: 1 - h * h, carry=1.0):
    dxs, dW_xh, dW_hh = np.zeros_like(xs), np.zeros_like(W_xh), np.zeros_like(W_hh)
    dhnext = np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        dz = (dhs[t] + carry * dhnext) * slope(hs[t])
        before = hs[t - 1] if t else h0
        dxs[t] = W_xh @ dz
        dW_xh += np.outer(xs[t], dz)
        dW_hh += np.outer(before, dz)
        dhnext = W_hh @ dz
    return dxs, dW_xh, dW_hh, dhnext


def gates(p, h, C, x):
    z = x @ p[: len(x)] + h @ p[len(x) :]
    f, i, o = (1 / (1 + np.exp(-z[k * H : (k + 1) * H])) for k in range(3))
    return f, i, o, np.tanh(z[3 * H :])


def pack(W_f, W_i, W_o, W_c):
    return np.concatenate([W_f, W_i, W_o, W_c], axis=1)


def lstm(xs, W_f, W_i, W_o, W_c):
    p, hs = pack(W_f, W_i, W_o, W_c), []
    h, C = np.zeros(H), np.zeros(H) + 0.5
    for x in xs:
        f, i, o, c = gates(p, h, C, x)
        C = f * C + i * c
        h = o * np.tanh(C)
        hs.append(h)
    return np.stack(hs)


def lstm_backward(dhs, hs, xs, W_f, W_i, W_o, W_c, swapped=False):
    p, saved = pack(W_f, W_i, W_o, W_c), []
    h, C = np.zeros(H), np.zeros(H) + 0.5
    for x in xs:
        f, i, o, c = gates(p, h, C, x)
        saved.append((h, C, f, i, o, c))
        C = f * C + i * c
        h = o * np.tanh(C)
    dp, dxs = np.zeros_like(p), np.zeros_like(xs)
    dh_next, dC_next = np.zeros(H), np.zeros(H)
    for t in reversed(range(len(xs))):
        h_before, C_before, f, i, o, c = saved[t]
        shown = np.tanh(f * C_before + i * c)
        dh = dhs[t] + dh_next
        dC = dC_next + dh * o * (1 - shown**2)
        dzf, dzi = dC * C_before * f * (1 - f), dC * c * i * (1 - i)
        dzo, dzc = dh * shown * o * (1 - o), dC * i * (1 - c * c)
        parts = [dzi, dzf] if swapped else [dzf, dzi]
        row = np.concatenate([xs[t], h_before])
        dp += np.outer(row, np.concatenate([*parts, dzo, dzc]))
        back = p @ np.concatenate([dzf, dzi, dzo, dzc])
        dxs[t], dh_next, dC_next = back[:X], back[X:], dC * f
    return dxs, *(dp[:, k * H : (k + 1) * H] for k in range(4))


LSTM = (XS, *(0.5 * RNG.normal(size=(X + H, H)) for _ in range(4)))
GATES = ("xs", "W_f", "W_i", "W_o", "W_c")


def report(backward, f=rnn, arrays=RNN, names=NAMES):
    with pytest.raises(AssertionError) as found:
        check_vjp(f, backward, *arrays, names=names, time_axis=0)
    return str(found.value)


def test_right_backward_passes_are_right():
    check_vjp(rnn, rnn_backward, *RNN, names=NAMES, time_axis=0)
    check_vjp(lstm, lstm_backward, *LSTM, names=GATES, time_axis=0)


def test_a_wrong_slope_of_tanh_is_wrong_at_every_step():
    told = report(lambda *a: rnn_backward(*a, slope=lambda h: (1 - h) ** 2))
    assert "wrong: xs, W_xh, W_hh, h0" in told
    assert "W_xh: t=1:WRONG" in told
    assert "from t = 1 on, so the step itself is wrong" in told


def test_a_forgotten_dhnext_is_right_at_the_first_step_only():
    told = report(lambda *a: rnn_backward(*a, carry=0.0))
    assert "W_hh: t=1:right t=2:WRONG" in told
    assert (
        "what comes back through 1 step(s) of time is wrong, and the step itself is right" in told
    )


def test_exchanged_gates_are_told_by_name():
    told = report(lambda *a: lstm_backward(*a, swapped=True), lstm, LSTM, GATES)
    assert "wrong: W_f, W_i" in told
    assert "right: xs, W_o, W_c" in told
    assert told.count("it is the gradient by W_i") == 1
    assert told.count("it is the gradient by W_f") == 1


def test_a_factor_is_told():
    told = report(lambda *a: tuple(2.0 * g for g in rnn_backward(*a)))
    assert "it is 2 times the right one" in told


def test_a_billionth_is_found():
    off = lambda *a: tuple(g * (1 + 1e-9) for g in rnn_backward(*a))
    assert "complex step" in report(off)


def test_a_forward_that_drops_complex_numbers_is_checked_by_differences():
    def f(x):
        y = np.zeros(x.shape)
        y[...] = np.abs(np.real(x)) ** 1.5
        return y

    good = lambda g, y, x: (g * 1.5 * np.sign(x) * np.sqrt(np.abs(x)),)
    x = np.array([0.5, -1.5, 2.0])
    check_vjp(f, good, x)
    with pytest.raises(AssertionError, match="by differences"):
        check_vjp(f, lambda g, y, x: (good(g, y, x)[0] * 1.001,), x)


@pytest.mark.parametrize(
    ("backward", "told"),
    [
        (lambda g, y, x: (g[:1],), "has shape"),
        (lambda g, y, x: (g, g), "2 gradients for 1 arrays"),
        (lambda g, y, x: (np.multiply(g, 2 * x, out=g),), "writes into the cotangent"),
        (lambda g, y, x: (np.multiply(g, 2 * x, out=x),), "changes its input"),
        (lambda g, y, x: (None,), r"gives None for array 1, wanted a gradient of shape \(2,\)"),
        (lambda g, y, x: None, "returned None, wanted a tuple of gradients by array 1"),
        (lambda g, y, x: {"x": g}, "returned {'x': .*wanted a tuple of gradients by array 1"),
    ],
)
def test_a_backward_of_the_wrong_form_is_told(backward, told):
    with pytest.raises(AssertionError, match=told):
        check_vjp(np.square, backward, np.array([1.0, 2.0]))


def doubled(x):
    x *= 2
    return x


COUNT = itertools.count()


@pytest.mark.parametrize(
    ("f", "kind", "told"),
    [
        (doubled, AssertionError, "f changes its input array 1"),
        (lambda x: x * next(COUNT), AssertionError, "other values when it is run again"),
        (lambda x: None, TypeError, "f must return an array or several, got None"),
        (lambda x: x * np.inf, ValueError, "f gives entries that are not finite"),
    ],
)
def test_a_forward_that_cannot_be_checked_is_told(f, kind, told):
    with pytest.raises(kind, match=told):
        check_vjp(f, lambda g, y, x: (g,), np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    ("arrays", "about", "told"),
    [
        ((np.arange(3),), {}, "no array of floats to differentiate by; got array 1 int64"),
        ((np.ones(3),), {"names": ["a", "b"]}, "1 arrays, but 2 names"),
        ((np.ones(3),), {"time_axis": 1}, r"time_axis 1 does not fit the result's shape \(3,\)"),
    ],
)
def test_arguments_that_do_not_fit_are_told(arrays, about, told):
    with pytest.raises(ValueError, match=told):
        check_vjp(np.square, lambda g, y, x: (2 * x * g,), *arrays, **about)


def test_at_a_kink_any_slope_between_both_sides_is_right():
    relu, x = lambda x: np.maximum(x, 0.0), np.array([0.0, 1.0, -1.0])
    for slope in (0.0, 0.5, 1.0):
        check_vjp(relu, lambda g, y, x, s=slope: (g * np.where(x == 0, s, x > 0),), x)
    with pytest.raises(AssertionError, match=r"array 1\[0\]"):
        check_vjp(relu, lambda g, y, x: (g * np.where(x == 0, 1.01, x > 0),), x)


def test_a_wrong_slope_is_shown_and_not_the_kink_that_is_accepted():
    """At 0 both sides are far from 0.9 too, but any slope between them is right."""
    leaky = lambda x: np.where(x > 0, x, 0.01 * x)
    wrong = lambda g, y, x: (g * np.where(x > 0, 1.0, np.where(x == 0, 0.9, 0.02)),)
    with pytest.raises(AssertionError, match=r"array 1\[1\]: .*\(1 of 2 entries wrong\)"):
        check_vjp(leaky, wrong, np.array([0.0, -3.0]))


def test_an_entry_that_is_nan_is_the_one_that_is_shown():
    wrong = lambda g, y, x: (np.where(x == 2.0, np.nan, g * 7.0),)
    with pytest.raises(AssertionError, match=r"array 1\[1\]: backward nan"):
        check_vjp(np.sin, wrong, np.array([1.0, 2.0, 3.0]))


RIGHT = {
    "look-up": (
        lambda x, i: x[i] ** 2,
        lambda g, y, x, i: (np.bincount(i, g * 2 * x[i], len(x)), None),
    ),
    "rounds to single": (
        lambda x, i: np.tanh(x.astype(np.float32)),
        lambda g, y, x, i: (g * (1 - y * y), None),
    ),
    "a gradient in single": (
        lambda x, i: np.tanh(x),
        lambda g, y, x, i: ((g * (1 - y * y)).astype(np.float32), None),
    ),
    "|x| is not holomorphic": (
        lambda x, i: x / (1 + np.abs(x)),
        lambda g, y, x, i: (g / (1 + np.abs(x)) ** 2, None),
    ),
    "the real part alone": (
        lambda x, i: np.real(x) ** 2 + 1e6 * x,
        lambda g, y, x, i: (g * (2 * x + 1e6), None),
    ),
    "variance": (
        lambda x, i: np.var(1e4 + x),
        lambda g, y, x, i: (g * 2 * (x - np.mean(x)) / len(x), None),
    ),
    "difference of large numbers": (
        lambda x, i: (1e10 + x) - 1e10,
        lambda g, y, x, i: (g, None),
    ),
    "saturated": (
        lambda x, i: 1e5 * np.tanh(20.0 * x),
        lambda g, y, x, i: (2e6 * g * (1 - (y / 1e5) ** 2), None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
@given(seed=st.integers(0, 2**32 - 1), dtype=st.sampled_from(["float64", "float32"]))
def test_what_is_right_is_no_alarm(name, seed, dtype):
    rng = np.random.default_rng(seed)
    f, backward = RIGHT[name]
    check_vjp(f, backward, rng.normal(size=5).astype(dtype), rng.integers(0, 5, 7))


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_wrong_by_a_thousandth_is_found(name):
    f, backward = RIGHT[name]
    wrong = lambda g, y, x, i: (backward(g, y, x, i)[0] * 1.001, None)
    with pytest.raises(AssertionError):
        check_vjp(f, wrong, np.array([0.3, -0.4, 0.7, 0.1, -0.9]), np.array([0, 2, 2, 4, 1, 3]))


def test_the_square_root_at_zero_cannot_be_judged_and_the_rest_is():
    x = np.array([0.0, 4.0])
    right = lambda g, y, x: (g / (2 * y),)
    assert check_vjp(np.sqrt, right, x) == ("array 1[0] has no finite slope",)
    with pytest.raises(AssertionError, match=r"array 1\[1\]"):
        check_vjp(np.sqrt, lambda g, y, x: (g / (3 * y),), x)


@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(20, 100))
def test_a_chaotic_network_is_no_alarm(seed, steps):
    rng = np.random.default_rng(seed)

    def states(W, h):
        found = [h]
        for _ in range(steps):
            found.append(np.tanh(found[-1] @ W))
        return found

    def backward(g, y, W, h):
        hs, dW = states(W, h), np.zeros_like(W)
        for t in range(steps, 0, -1):
            dz = g * (1 - hs[t] ** 2)
            dW += np.outer(hs[t - 1], dz)
            g = W @ dz
        return dW, g

    check_vjp(lambda W, h: states(W, h)[-1], backward, 2 * rng.normal(size=(4, 4)),
              rng.normal(size=4))  # fmt: skip
