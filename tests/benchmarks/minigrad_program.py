"""minigrad's compiled training step, as a peer of the benchmark runner (its documented shape).

`build(w, weights, batches, threads)` gives `run(i)`, one training step on a batch, and `result()`,
the loss and the gradients of the last one. The cells are the library's, gate by gate; the
benchmark's packed weights are cut into theirs on the way in and joined again on the way out.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

import minigrad as mg
import rnn
from rnn import losses
from rnn.kinds import LAYERS

TITLE = "minigrad, compiled"
GATES = {"rnn": "h", "lstm": "ifco", "gru": "rzn"}


def unpack(w, P):
    """The benchmark's weights as parameters of the cells, as views."""
    if w.cell == "chain":
        return dict(P)
    params, H = {}, w.hidden
    for layer in range(w.layers):
        own = params[f"layer{layer + 1}"] = {}
        for k, gate in enumerate(GATES[w.cell]):
            part = slice(k * H, (k + 1) * H)
            own[f"W_x{gate}"] = P[f"Wx{layer}"][:, part]
            own[f"W_h{gate}"] = P[f"Wh{layer}"][:, part]
            own[f"b_{gate}"] = P[f"b{layer}"][part]
        if w.cell == "gru":
            own["b_hn"] = P[f"bn{layer}"]
    params["out"] = {"W": P["Wy"], "b": P["by"]}
    return params


def pack(w, grads):
    """Gradients of the cells' parameters in the benchmark's layout."""
    if w.cell == "chain":
        return dict(grads)
    packed = {}
    for layer in range(w.layers):
        own = grads[f"layer{layer + 1}"]
        for theirs, ours in (("Wx", "W_x"), ("Wh", "W_h"), ("b", "b_")):
            parts = [own[f"{ours}{gate}"] for gate in GATES[w.cell]]
            packed[f"{theirs}{layer}"] = np.concatenate(parts, axis=-1)
        if w.cell == "gru":
            packed[f"bn{layer}"] = own["b_hn"]
    packed["Wy"], packed["by"] = grads["out"]["W"], grads["out"]["b"]
    return packed


def loss_of(w):
    """The loss of a workload, as a function of parameters, inputs and targets."""
    if w.cell == "chain":

        def chain(p, x, _):
            for t in range(w.steps // 4):
                with mg.scope("chain", t):
                    x = mg.tanh(x * p["w"] + p["b"]) - p["c"]
            return mg.sum(x)

        return chain
    sizes = [w.n_in] + [w.hidden] * w.layers
    layers = [LAYERS[w.cell](a, b) for a, b in pairwise(sizes)]
    cell = rnn.Stack(layers) if w.layers > 1 else layers[0]

    def loss(p, xs, target):
        own = {k: p[k] for k in p if k != "out"} if w.layers > 1 else p["layer1"]
        ys, last = rnn.run(cell, own, xs)
        if w.loss == "mse":  # many-to-one: the last h
            ys = last[-1][0] if w.layers > 1 else last[0]
        out = mg.matmul(ys, p["out"]["W"]) + p["out"]["b"]
        return losses.cross_entropy(out, target) if w.loss == "xent" else losses.mse(out, target)

    return loss


def build(w, weights, batches, threads):
    """A compiled step on the weights as they are at each call: the parameters are views of them."""
    step = mg.compile(mg.value_and_grad(loss_of(w)))
    params, last = unpack(w, weights), [None]

    def run(i):
        batch = batches[i % len(batches)]
        xs = batch["x"] if batch["idx"] is None else batch["idx"]
        last[0] = step(params, xs, 0.0 if batch["y"] is None else batch["y"])

    return run, lambda: (float(last[0][0]), pack(w, last[0][1]))
