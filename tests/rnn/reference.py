"""Recurrent networks by hand. Nothing here uses the package it is there to judge.

Values come from loops over single numbers, written from the equations, one sample at a time.
Gradients come from backpropagation through time, written out for each cell with one line a
formula. Both take arrays of floats, or object arrays of the numbers in `rounding`.

A network is a pair of functions:

* `values(p, xs, state) -> (ys, state)`,
* `bptt(p, xs, state, dys, dstate) -> (dp, dxs, dstart)`: gradients of Σ dys·ys + Σ dstate·state.

`xs` is `(T, B, X)`, a state is a tuple of `(B, H)`, parameters are a dictionary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Network(NamedTuple):
    """The values of a network and its backpropagation through time."""

    values: Callable[..., Any]
    bptt: Callable[..., Any]


# --- single numbers ---------------------------------------------------------------------------


def sigmoid(z: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-z))


def identity(z: Any) -> Any:
    return z


def unit(k: int, bias: Any, *terms: Any) -> Any:
    """bias_k + Σ over terms (v, W) of Σ_j v_j W_jk."""
    total = bias[k]
    for v, W in terms:
        for j in range(len(v)):
            total = total + v[j] * W[j, k]
    return total


def each_sample(sample: Callable[..., Any], width: int, xs: Any, state: Any) -> Any:
    """Run a loop over one sample for every sample, and put the results side by side."""
    T, B = xs.shape[:2]
    ys = np.empty((T, B, width), xs.dtype)
    ends = tuple(np.empty(s.shape, s.dtype) for s in state)
    for b in range(B):
        y, end = sample(xs[:, b], [list(s[b]) for s in state])
        for t in range(T):
            ys[t, b] = y[t]
        for whole, one in zip(ends, end, strict=True):
            whole[b] = one
    return ys, ends


def dense_values(p: Any, xs: Any, state: Any, sigma: Any = identity) -> Any:
    O = len(p["b"])

    def sample(xs: Any, state: Any) -> Any:
        return [[sigma(unit(k, p["b"], (x, p["W"]))) for k in range(O)] for x in xs], ()

    return each_sample(sample, O, xs, state)


def rnn_values(p: Any, xs: Any, state: Any, sigma_h: Any = np.tanh, sigma_o: Any = identity) -> Any:
    """Any mix of the three recurrences: a term is there if its weights are."""
    H, has_output = len(p["b_h"]), "b_o" in p
    keeps_h, keeps_o = "W_hh" in p, "W_oh" in p or "W_oo" in p

    def sample(xs: Any, state: Any) -> Any:
        state = list(state)
        h = state.pop(0) if keeps_h else None
        o = state.pop(0) if keeps_o else None
        ys = []
        for x in xs:
            terms = [(x, p["W_xh"])]
            terms += [(h, p["W_hh"])] if keeps_h else []
            terms += [(o, p["W_oh"])] if "W_oh" in p else []
            h = [sigma_h(unit(k, p["b_h"], *terms)) for k in range(H)]
            if has_output:
                terms = [(h, p["W_ho"])] + ([(o, p["W_oo"])] if "W_oo" in p else [])
                o = [sigma_o(unit(k, p["b_o"], *terms)) for k in range(len(p["b_o"]))]
            ys.append(o if has_output else h)
        return ys, [h] * keeps_h + [o] * keeps_o

    return each_sample(sample, len(p["b_o"]) if has_output else H, xs, state)


def lstm_values(p: Any, xs: Any, state: Any) -> Any:
    H = len(p["b_f"])

    def gate(name: str, k: int, x: Any, h: Any, memory: Any) -> Any:
        z = unit(k, p[f"b_{name}"], (x, p[f"W_x{name}"]), (h, p[f"W_h{name}"]))
        return sigmoid(z + memory[k] * p[f"w_c{name}"][k] if f"w_c{name}" in p else z)

    def sample(xs: Any, state: Any) -> Any:
        h, C = state
        ys = []
        for x in xs:
            f = [gate("f", k, x, h, C) for k in range(H)]
            i = [gate("i", k, x, h, C) for k in range(H)]
            candidate = [
                np.tanh(unit(k, p["b_c"], (x, p["W_xc"]), (h, p["W_hc"]))) for k in range(H)
            ]
            C = [f[k] * C[k] + i[k] * candidate[k] for k in range(H)]
            o = [gate("o", k, x, h, C) for k in range(H)]
            h = [o[k] * np.tanh(C[k]) for k in range(H)]
            ys.append(h)
        return ys, (h, C)

    return each_sample(sample, H, xs, state)


def gru_values(p: Any, xs: Any, state: Any) -> Any:
    """The reset gate acts after the product with W_hn if that product has a bias b_hn."""
    H = len(p["b_r"])

    def sample(xs: Any, state: Any) -> Any:
        (h,) = state
        ys = []
        for x in xs:
            r = [sigmoid(unit(k, p["b_r"], (x, p["W_xr"]), (h, p["W_hr"]))) for k in range(H)]
            z = [sigmoid(unit(k, p["b_z"], (x, p["W_xz"]), (h, p["W_hz"]))) for k in range(H)]
            n = []
            for k in range(H):
                if "b_hn" in p:
                    past = r[k] * unit(k, p["b_hn"], (h, p["W_hn"]))
                else:
                    past = unit(k, [0.0] * H, ([r[j] * h[j] for j in range(H)], p["W_hn"]))
                n.append(np.tanh(unit(k, p["b_n"], (x, p["W_xn"])) + past))
            h = [(1.0 - z[k]) * n[k] + z[k] * h[k] for k in range(H)]
            ys.append(h)
        return ys, (h,)

    return each_sample(sample, H, xs, state)


# --- backpropagation through time, by hand ----------------------------------------------------

SLOPES = {np.tanh: lambda y: 1.0 - y * y, sigmoid: lambda y: y * (1.0 - y), identity: lambda y: 1.0}
"""The derivative of each activation, from its output."""


def nothing_yet(p: Any) -> Any:
    return {name: 0.0 * value for name, value in p.items()}


def dense_bptt(p: Any, xs: Any, state: Any, dys: Any, dstate: Any, sigma: Any = identity) -> Any:
    dp, dxs = nothing_yet(p), 0.0 * xs
    for t in range(len(xs)):
        dz = dys[t] * SLOPES[sigma](sigma(xs[t] @ p["W"] + p["b"]))
        dp["W"] = dp["W"] + xs[t].T @ dz
        dp["b"] = dp["b"] + dz.sum(0)
        dxs[t] = dz @ p["W"].T
    return dp, dxs, ()


def rnn_bptt(
    p: Any,
    xs: Any,
    state: Any,
    dys: Any,
    dstate: Any,
    sigma_h: Any = np.tanh,
    sigma_o: Any = identity,
) -> Any:
    keeps_h, keeps_o, has_output = "W_hh" in p, "W_oh" in p or "W_oo" in p, "b_o" in p
    h = state[0] if keeps_h else None
    o = state[-1] if keeps_o else None
    saved = []
    for x in xs:
        h_before, o_before = h, o
        z = x @ p["W_xh"] + p["b_h"]
        z = z + h_before @ p["W_hh"] if keeps_h else z
        h = sigma_h(z + o_before @ p["W_oh"] if "W_oh" in p else z)
        if has_output:
            z = h @ p["W_ho"] + p["b_o"]
            o = sigma_o(z + o_before @ p["W_oo"] if "W_oo" in p else z)
        saved.append((h_before, o_before, h, o))
    dp, dxs = nothing_yet(p), 0.0 * xs
    dh_next = dstate[0] if keeps_h else 0.0
    do_next = dstate[-1] if keeps_o else 0.0
    for t in reversed(range(len(xs))):
        h_before, o_before, h, o = saved[t]
        dh, do_before = dh_next, 0.0
        if has_output:
            dz_o = (dys[t] + do_next) * SLOPES[sigma_o](o)
            dp["W_ho"] = dp["W_ho"] + h.T @ dz_o
            dp["b_o"] = dp["b_o"] + dz_o.sum(0)
            dh = dh + dz_o @ p["W_ho"].T
            if "W_oo" in p:
                dp["W_oo"] = dp["W_oo"] + o_before.T @ dz_o
                do_before = do_before + dz_o @ p["W_oo"].T
        else:
            dh = dh + dys[t]
        dz_h = dh * SLOPES[sigma_h](h)
        dp["W_xh"] = dp["W_xh"] + xs[t].T @ dz_h
        dp["b_h"] = dp["b_h"] + dz_h.sum(0)
        dxs[t] = dz_h @ p["W_xh"].T
        if keeps_h:
            dp["W_hh"] = dp["W_hh"] + h_before.T @ dz_h
            dh_next = dz_h @ p["W_hh"].T
        if "W_oh" in p:
            dp["W_oh"] = dp["W_oh"] + o_before.T @ dz_h
            do_before = do_before + dz_h @ p["W_oh"].T
        do_next = do_before
    return dp, dxs, (dh_next,) * keeps_h + (do_next,) * keeps_o


def lstm_bptt(p: Any, xs: Any, state: Any, dys: Any, dstate: Any) -> Any:
    h, C = state
    peepholes = "w_cf" in p
    saved = []
    for x in xs:
        h_before, C_before = h, C
        z = {gate: x @ p[f"W_x{gate}"] + h @ p[f"W_h{gate}"] + p[f"b_{gate}"] for gate in "fico"}
        f = sigmoid(z["f"] + C * p["w_cf"] if peepholes else z["f"])
        i = sigmoid(z["i"] + C * p["w_ci"] if peepholes else z["i"])
        candidate = np.tanh(z["c"])
        C = f * C + i * candidate
        o = sigmoid(z["o"] + C * p["w_co"] if peepholes else z["o"])
        h = o * np.tanh(C)
        saved.append((h_before, C_before, f, i, candidate, C, o))
    dp, dxs = nothing_yet(p), 0.0 * xs
    dh_next, dC_next = dstate
    for t in reversed(range(len(xs))):
        h_before, C_before, f, i, candidate, C, o = saved[t]
        dh = dys[t] + dh_next
        shown = np.tanh(C)
        dz = {"o": dh * shown * o * (1.0 - o)}
        dC = dC_next + dh * o * (1.0 - shown * shown)
        if peepholes:
            dC = dC + dz["o"] * p["w_co"]
        dz["f"] = dC * C_before * f * (1.0 - f)
        dz["i"] = dC * candidate * i * (1.0 - i)
        dz["c"] = dC * i * (1.0 - candidate * candidate)
        dC_next = dC * f
        dh_next = 0.0
        for gate in "fico":
            dp[f"W_x{gate}"] = dp[f"W_x{gate}"] + xs[t].T @ dz[gate]
            dp[f"W_h{gate}"] = dp[f"W_h{gate}"] + h_before.T @ dz[gate]
            dp[f"b_{gate}"] = dp[f"b_{gate}"] + dz[gate].sum(0)
            dxs[t] = dxs[t] + dz[gate] @ p[f"W_x{gate}"].T
            dh_next = dh_next + dz[gate] @ p[f"W_h{gate}"].T
        if peepholes:
            dC_next = dC_next + dz["f"] * p["w_cf"] + dz["i"] * p["w_ci"]
            dp["w_cf"] = dp["w_cf"] + (dz["f"] * C_before).sum(0)
            dp["w_ci"] = dp["w_ci"] + (dz["i"] * C_before).sum(0)
            dp["w_co"] = dp["w_co"] + (dz["o"] * C).sum(0)
    return dp, dxs, (dh_next, dC_next)


def gru_bptt(p: Any, xs: Any, state: Any, dys: Any, dstate: Any) -> Any:
    (h,) = state
    after = "b_hn" in p
    saved = []
    for x in xs:
        before = h
        r = sigmoid(x @ p["W_xr"] + before @ p["W_hr"] + p["b_r"])
        z = sigmoid(x @ p["W_xz"] + before @ p["W_hz"] + p["b_z"])
        product = before @ p["W_hn"] + p["b_hn"] if after else (r * before) @ p["W_hn"]
        n = np.tanh(x @ p["W_xn"] + p["b_n"] + (r * product if after else product))
        h = (1.0 - z) * n + z * before
        saved.append((before, r, z, product, n))
    dp, dxs = nothing_yet(p), 0.0 * xs
    (dh_next,) = dstate
    for t in reversed(range(len(xs))):
        before, r, z, product, n = saved[t]
        dh = dys[t] + dh_next
        dz = {"n": dh * (1.0 - z) * (1.0 - n * n), "z": dh * (before - n) * z * (1.0 - z)}
        dh_next = dh * z
        if after:
            dr, dproduct = dz["n"] * product, dz["n"] * r
            dp["W_hn"] = dp["W_hn"] + before.T @ dproduct
            dp["b_hn"] = dp["b_hn"] + dproduct.sum(0)
            dh_next = dh_next + dproduct @ p["W_hn"].T
        else:
            dgated = dz["n"] @ p["W_hn"].T
            dr = dgated * before
            dp["W_hn"] = dp["W_hn"] + (r * before).T @ dz["n"]
            dh_next = dh_next + dgated * r
        dz["r"] = dr * r * (1.0 - r)
        for gate in "rz":
            dp[f"W_h{gate}"] = dp[f"W_h{gate}"] + before.T @ dz[gate]
            dh_next = dh_next + dz[gate] @ p[f"W_h{gate}"].T
        for gate in "rzn":
            dp[f"W_x{gate}"] = dp[f"W_x{gate}"] + xs[t].T @ dz[gate]
            dp[f"b_{gate}"] = dp[f"b_{gate}"] + dz[gate].sum(0)
            dxs[t] = dxs[t] + dz[gate] @ p[f"W_x{gate}"].T
    return dp, dxs, (dh_next,)


# --- networks of networks ---------------------------------------------------------------------


def stack(*layers: Network) -> Network:
    """Layers on top of each other; parameters under "layer1", "layer2" and so on."""
    names = [f"layer{k}" for k in range(1, len(layers) + 1)]

    def values(p: Any, xs: Any, state: Any) -> Any:
        ends = []
        for name, layer, own in zip(names, layers, state, strict=True):
            xs, end = layer.values(p[name], xs, own)
            ends.append(end)
        return xs, tuple(ends)

    def bptt(p: Any, xs: Any, state: Any, dys: Any, dstate: Any) -> Any:
        below = [xs]
        for name, layer, own in zip(names, layers, state, strict=True):
            below.append(layer.values(p[name], below[-1], own)[0])
        dp, dstart = {}, []
        for k in reversed(range(len(layers))):
            dp[names[k]], dys, start = layers[k].bptt(
                p[names[k]], below[k], state[k], dys, dstate[k]
            )
            dstart.append(start)
        return dp, dys, tuple(reversed(dstart))

    return Network(values, bptt)


def bidirectional(forward: Network, backward: Network) -> Network:
    """One network over the sequence and one over its reverse, outputs side by side."""

    def values(p: Any, xs: Any, state: Any) -> Any:
        there, end = forward.values(p["forward"], xs, state[0])
        back, start = backward.values(p["backward"], xs[::-1], state[1])
        return np.concatenate([there, back[::-1]], axis=2), (end, start)

    def bptt(p: Any, xs: Any, state: Any, dys: Any, dstate: Any) -> Any:
        width = forward.values(p["forward"], xs[:1], state[0])[0].shape[2]
        there = forward.bptt(p["forward"], xs, state[0], dys[:, :, :width], dstate[0])
        back = backward.bptt(p["backward"], xs[::-1], state[1], dys[::-1, :, width:], dstate[1])
        return (
            {"forward": there[0], "backward": back[0]},
            there[1] + back[1][::-1],
            (there[2], back[2]),
        )

    return Network(values, bptt)


def dense(sigma: Any = identity) -> Network:
    return Network(
        lambda p, xs, state: dense_values(p, xs, state, sigma),
        lambda p, xs, state, dys, dstate: dense_bptt(p, xs, state, dys, dstate, sigma),
    )


def simple(sigma_h: Any = np.tanh, sigma_o: Any = identity) -> Network:
    return Network(
        lambda p, xs, state: rnn_values(p, xs, state, sigma_h, sigma_o),
        lambda p, xs, state, dys, dstate: rnn_bptt(p, xs, state, dys, dstate, sigma_h, sigma_o),
    )


lstm = Network(lstm_values, lstm_bptt)
gru = Network(gru_values, gru_bptt)
