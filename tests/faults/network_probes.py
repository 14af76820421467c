"""Probes of recurrent networks: their laws on a list of cells; folding, programs in chunks."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engines.numpy import needs
from minigrad.engines.numpy.program import Program
from minigrad.folded import folded_adjoint, run_folded
from minigrad.lower.pipeline import prepared
from minigrad.testing.laws import Broken
from rnn.cell import Cell
from rnn.cells import Dense, GRUCell, LSTMCell, RNNCell
from rnn.compose import Bidirectional, Stack
from rnn.testing.laws import LAWS
from rnn.testing.networks import Mixed, draw_cell
from rnn.testing.problem import DoesNotApply, agree, problem
from tests.faults import probes
from tests.faults.probes import Probe
from tests.rnn import reference as by_hand

ALL_WAYS = ("hidden-to-hidden", "output-to-hidden", "output-to-output")
CELLS: tuple[Cell, ...] = (
    LSTMCell(3, 4, peepholes=True),
    LSTMCell(3, 2),
    GRUCell(3, 4),
    RNNCell(3, 4),
    RNNCell(3, 4, 2, ALL_WAYS, output_activation="tanh"),
    Dense(3, 2, "tanh"),
    Mixed(3, 3, (("h", (1, 2)), ("g", 3)), ("leak", "new")),
    Mixed(3, 2, (("h", 2),), ("gate",)),
    Stack([LSTMCell(3, 4), RNNCell(4, 2), Dense(2, 2)]),
    Bidirectional(GRUCell(3, 2), LSTMCell(3, 3)),
)
"""What the gate runs every law on; a draw adds a random one."""


def _on_cells(name: str) -> Probe:
    def on_every_cell(draw: int) -> None:
        for cell in (*CELLS, draw_cell(Random(draw))):
            with suppress(DoesNotApply):
                LAWS[name](cell, draw)

    return on_every_cell


BY_HAND = (
    (LSTMCell(3, 4, peepholes=True), by_hand.lstm),
    (GRUCell(3, 4), by_hand.gru),
    (GRUCell(3, 4, reset="before"), by_hand.gru),
    (RNNCell(3, 4), by_hand.simple()),
    (RNNCell(3, 4, 2, ALL_WAYS, output_activation="tanh"), by_hand.simple(np.tanh, np.tanh)),
    (Dense(3, 2, "tanh"), by_hand.dense(np.tanh)),
)
"""Cells, and their equations on single numbers: backward fits any forward, a wrong one too."""


def equations(draw: int) -> None:
    """A run gives the numbers of a loop over single numbers, in any sample."""
    for cell, network in BY_HAND:
        q = problem(cell, 3, 2, draw)
        agree(q.run(), network.values(q.params, q.xs, q.start), "run", q.roundings())


def programs_in_chunks(draw: int) -> None:
    """A program whose loops run in chunks of one or two steps gives the numbers of the graph."""
    whole = needs.CACHE
    try:
        needs.CACHE = 1 << 9
        for cell in CELLS:
            q, ready = problem(cell, 5, 2, draw), prepared(cell.folded(2)).folded
            learning = folded_adjoint(ready, fixed=ready.with_role("sequence")).backward
            for folded in (cell.folded(2), *folded_adjoint(cell.folded(2)), learning):
                _same_as_steps(folded, 5, draw)
            agree(q.run(), q.run(unfolded=True), "in chunks", q.roundings())
    finally:
        needs.CACHE = whole


def _same_as_steps(folded: mg.Folded, T: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    delays = {r.input: abs(r.delay) for r in folded.recurrences}
    arrays, lists = [], []
    for k, role in enumerate(folded.inputs):
        lead = {"static": (), "sequence": (T,), "state": (delays.get(k, 0),)}[role]
        value = np.asarray(0.5 * rng.normal(size=(*lead, *folded.input_node(k).shape)))
        lists.append(value if role == "static" else list(value))
        arrays.append(np.asarray(value[0]) if role == "state" and delays[k] == 1 else value)
    wanted, _ = run_folded(folded, T, lists)
    outputs, _ = Program(folded, T)(*arrays)
    kept = [np.asarray(o) for o, r in zip(wanted, folded.outputs, strict=True) if r != "state"]
    agree(list(outputs), kept, "program", 4096)


def unfolded_graphs(draw: int) -> None:
    """An unfolded graph gives the sums and states of a run, and folds back."""
    for cell in CELLS:
        for made in folded_adjoint(cell.folded(2)):
            graph = mg.unfold(made, 4)
            leaves = [np.full(graph.nodes[i].shape, 0.1 * (k % 7)) for k, i in
                      enumerate(graph.inputs)]  # fmt: skip
            values = graph(*graph.in_tree.unflatten(leaves))
            given = graph.in_tree.unflatten(leaves)
            columns, last = run_folded(made, 4, given)
            whole = [c for c, r in zip(columns, made.outputs, strict=True) if r != "state"]
            agree(values, (*whole, *last), "unfolded graph", 4096)


def folds_what_it_should(draw: int) -> None:
    """fold finds sums, delays and refuses loops whose steps differ."""

    def loop(w: Any, xs: list[Any], h: Any) -> Any:
        total, fixed = [], []
        for t, x in enumerate(xs, 1):
            with mg.scope("rnn", t=t):
                h = mg.tanh(x + h * w)
                total.append(h * x)
                fixed.append(w * w)
        return mg.add_n(*total), mg.add_n(*fixed), h

    xs = [np.full(2, 0.5 * t) for t in range(5)]
    folded = mg.fold(mg.trace(loop, np.full(2, 0.5), xs, np.zeros(2)))
    if folded.outputs.count("sum") != 2:
        raise Broken(f"fold: sums over steps were read as {folded.outputs}")
    _same_as_steps(folded, 5, draw)


def compiled_loops(draw: int) -> None:
    """A Python loop that is compiled gives the gradients of the loop."""

    def loss(w: Any, xs: Any) -> Any:
        h, hs = np.zeros(2), []
        for t in range(12):
            with mg.scope("rnn", t=t):
                h = mg.named("h", mg.tanh(xs[11 - t] + w * h))
                hs.append(h)
        return mg.sum(mg.stack(hs[::-1]) * xs) + mg.sum(mg.add_n(*hs) * w)

    rng = np.random.default_rng(draw)
    w, xs = rng.normal(size=2), rng.normal(size=(12, 2))
    step = mg.value_and_grad(loss, wrt=(0, 1))
    agree(mg.compile(step)(w, xs), step(w, xs), "compiled loop", 4096)


SLOW = (
    "saved and loaded", "padding", "class indices = one-hot rows", "repeatable",
    "two runs, then both backwards", "split and continue", "BPTT = sum over steps",
    "truncation = detach", "truncated after k steps", "compiled = eager", "second order",
    "gradient",
)  # fmt: skip
"""Laws that compile several programs for every cell: last, most faults are found without them."""

PROBES: dict[str, Probe] = {
    **probes.PROBES,
    "recurrent: equations": equations,
    "recurrent: unfolded graphs": unfolded_graphs,
    "recurrent: folding": folds_what_it_should,
    "recurrent: compiled loops": compiled_loops,
    **{
        f"recurrent: {name}": _on_cells(name)
        for name in (*(name for name in LAWS if name not in SLOW), *SLOW)
    },
    "recurrent: programs in chunks": programs_in_chunks,
}
"""Every law of the engine and of recurrent networks, each on one draw."""
