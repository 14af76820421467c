"""The report on backward passes as students write them: three that are wrong, each in its way."""


import numpy as np
import pytest

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
