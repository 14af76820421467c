"""The simple recurrent cell: what its recurrent weights carry, and how much of it.

These laws are about `RNNCell` and cells derived from it: its state is read through W_hh, W_oh and
W_oo alone, which the names of another cell's weights would not promise.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import minigrad as mg
from rnn.cell import Cell
from rnn.cells import RNNCell
from rnn.run import run
from rnn.testing.problem import DoesNotApply, Law, Problem, agree, entry, problem

LAWS: dict[str, Law] = {}
law = entry(LAWS)

RECURRENT = ("W_hh", "W_oh", "W_oo")


def recurrent_weights(cell: Cell, q: Problem) -> list[str]:
    """The names of those that are there."""
    found = [name for name in RECURRENT if name in q.params]
    if not isinstance(cell, RNNCell) or not found:
        raise DoesNotApply("it is no RNNCell with recurrent weights")
    return found


@law("no recurrent weights, no memory")
def independent_steps(cell: Cell, seed: int) -> None:
    """With recurrent weights of 0 a sequence is its steps run alone, in values and gradients."""
    q = problem(cell, 4, 2, seed)
    zeros = {name: np.zeros_like(q.params[name]) for name in recurrent_weights(cell, q)}
    params = type(q.params)({**q.params, **zeros})
    ys, _ = run(cell, params, q.xs, q.start)
    alone = [run(cell, params, x[None])[0][0] for x in q.xs]
    agree(ys, np.stack(alone), "outputs", q.roundings())
    s = seed % q.steps
    slope = mg.grad(lambda xs: mg.sum(run(cell, params, xs, q.start)[0][s]))(q.xs)
    others = np.delete(slope, s, axis=0)
    agree(others, np.zeros_like(others), f"∂y at {s + 1} by inputs of other steps")


def only_hidden(cell: Cell, q: Problem) -> RNNCell:
    """The cell, if its recurrence is hidden-to-hidden alone."""
    if recurrent_weights(cell, q) != ["W_hh"] or not isinstance(cell, RNNCell):
        raise DoesNotApply("its recurrence is not hidden-to-hidden alone")
    return cell


@law("at rest: a power of W_hh")
def at_rest_it_is_a_power(cell: Cell, seed: int) -> None:
    """At h = 0, where tanh is linear, ∂h⁽ᵀ⁾/∂h⁽⁰⁾ is W_hh to the power T.

    So it lies between the powers of the smallest and the largest singular value of W_hh: gradients
    vanish or explode.
    """
    T = 4
    q = problem(cell, T, 3, seed)
    if only_hidden(cell, q).activation != "tanh":
        raise DoesNotApply("its activation is not tanh")
    biases = {name: np.zeros_like(w) for name, w in q.params.items() if name.startswith("b_")}
    params, (h,) = type(q.params)({**q.params, **biases}), q.start
    rest = lambda h: run(cell, params, np.zeros_like(q.xs), (h,))[1][0]
    _, pull = mg.vjp(rest, np.zeros_like(h))
    (found,) = pull(h)
    power = np.linalg.matrix_power(q.params["W_hh"], T)
    agree(found, h @ power.T, f"h at {T} pulled back to the start state", 4 * q.roundings())


@law("output-to-hidden with identity readout")
def identity_readout(cell: Cell, seed: int) -> None:
    """If o = h, the output fed back through W_oh is the hidden layer fed back through W_hh."""
    q = problem(cell, 4, 2, seed)
    simple = only_hidden(cell, q)
    H = simple.hidden
    hidden = replace(simple, outputs=None)
    output = replace(simple, outputs=H, recurrence="output-to-hidden", output_activation=None)
    p = q.params
    readout = {"W_ho": np.eye(H), "b_o": np.zeros(H), "W_oh": p["W_hh"]}
    params = type(p)({"W_xh": p["W_xh"], "b_h": p["b_h"], **readout})
    own = Problem(hidden, type(p)((n, p[n]) for n in ("W_xh", "W_hh", "b_h")), q.xs, q.start)
    other = Problem(output, params, q.xs, q.start)
    agree(other.run(), own.run(), "fed back as output", q.roundings())
    found, wanted = other.gradients(), own.gradients()
    agree(found[1:], wanted[1:], "gradients by x and the start state", 4 * q.roundings())
    agree(found[0]["W_oh"], wanted[0]["W_hh"], "gradient by W_oh", 4 * q.roundings())
