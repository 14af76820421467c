"""Whatever a door is given, what comes out is a picture or a sentence of ours."""

import ast
import inspect
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
import viz
from minigrad.lower.pipeline import planned
from viz import figures
from viz.figures.gallery import gallery

ROOT = Path(viz.__file__).parents[1]
LSTM, PLAIN, SMALL = rnn.LSTMCell(2, 3), rnn.RNNCell(2, 3, 2), rnn.LSTMCell(1, 1)
GRU = rnn.GRUCell(2, 3), rnn.GRUCell(3, 3)
STACK = rnn.Stack([rnn.RNNCell(2, 2)])
TENSOR = mg.named("y", mg.tanh(mg.Tensor([1.0, 2.0], name="x")))
CALLS = [
    (viz.draw, {"obj": LSTM}),
    (viz.draw, {"obj": PLAIN, "view": "unfolded", "level": "op"}),
    (viz.draw, {"obj": PLAIN, "level": "gate", "params": "shared"}),
    (viz.draw, {"obj": planned(LSTM.folded())}),
    (viz.draw, {"obj": mg.unfold(PLAIN.folded(), 2)}),
    (viz.draw, {"obj": TENSOR, "values": True}),
    (viz.Drawing, {"scene": viz.draw(PLAIN).scene}),
    (viz.equations, {"cell": LSTM}),
    (figures.modelling_tasks, {"given": (rnn.many_to_one(3),)}),
    (figures.feedforward, {"cell": rnn.Dense(2, 3), "recurrent": PLAIN}),
    (figures.unfolding, {"cell": LSTM}),
    (figures.recurrences, {"cell": PLAIN}),
    (figures.activation, {"cell": PLAIN}),
    (figures.memory_cell, {"cell": LSTM}),
    (figures.stages, {"cell": SMALL, "params": SMALL.init(0), "x": [1.0]}),
    (figures.encoder_decoder, {"encoder": GRU[0], "decoder": GRU[1]}),
    (figures.backward, {"cell": LSTM}),
    (figures.forward_and_backward, {"cell": LSTM}),
    (figures.schedule, {"cell": LSTM}),
    (gallery, {}),
    (viz.draw(PLAIN).save, {"path": "x.svg"}),
]
WRONG = [
    None, True, -1, 0, 1, 2.5, float("nan"), float("inf"), 10**30, "", "x", "t", b"x", [], [0],
    ["a"], [1.5], [None], [True], (), {}, {99: "x"}, {None: 1}, {0: 3}, object(), int, rnn.LSTMCell,
    rnn.Cell, rnn.Stack, LSTM, STACK, rnn.Dense(2, 2), np.ones(2), np.array(1), np.float64(2.0),
    np.int64(2), mg.Tensor(1.0), len, 1j, range(0), range(1, 3), {1, 2}, rnn.Params(), mg.Graph,
    LSTM.folded(), mg.adjoint(LSTM.folded()), "\ud800", "a\0b.svg", "no/where.svg", Path("x.svg"),
]  # fmt: skip


def parameters(call):
    return list(inspect.signature(call).parameters.values())


@lru_cache
def raises(file):
    """The lines of a source on which it raises something itself."""
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    found = [(n.lineno, n.end_lineno) for n in ast.walk(tree) if isinstance(n, ast.Raise)]
    return {line for first, last in found for line in range(first, last + 1)}


def is_ours(error):
    """Whether an error is a sentence of this house, not an accident inside of it."""
    if not isinstance(error, ValueError | TypeError | OSError):
        return False
    at = error.__traceback__
    while at.tb_next:
        at = at.tb_next
    file = Path(at.tb_frame.f_code.co_filename)
    inside = any((ROOT / package) in file.parents for package in ("minigrad", "rnn", "viz"))
    return inside and at.tb_lineno in raises(file)


def check(call, right, name, wrong):
    arguments = {**right, name: wrong}
    several = [p.name for p in parameters(call) if p.kind is p.VAR_POSITIONAL]
    rest = arguments.pop(several[0], ()) if several else ()
    rest = rest if isinstance(rest, tuple) else (rest,)
    told: Any = None
    try:
        made = call(*rest, **arguments)
        if isinstance(made, viz.Drawing):
            assert made.source.startswith("digraph")
    except Exception as error:
        told = error
    assert told is None or is_ours(told), (call, name, wrong, told)
    assert told is None or 20 < len(str(told)) < 500


@pytest.mark.parametrize(("call", "right"), CALLS)
def test_what_is_wrong_is_told_by_us(call, right, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for parameter in parameters(call):
        for wrong in WRONG:
            check(call, right, parameter.name, wrong)


def test_an_accident_is_seen():
    with pytest.raises(AssertionError):
        check(lambda x: np.ones(x), {}, "x", "three")
    with pytest.raises(AssertionError):
        check(lambda cell: cell.folded(), {}, "cell", rnn.LSTMCell)


TOLD = {
    "a class": (
        lambda: viz.draw(rnn.LSTMCell),
        "draw takes a cell, a folded graph, a schedule, a traced graph or a tensor, got a class; "
        "make a cell of it: LSTMCell(inputs, hidden)",
    ),
    "half a step": (
        lambda: viz.draw(LSTM, steps=2.5),
        "steps must be a whole number ≥ 1, a list of steps counted from 1, or 't', got 2.5",
    ),
    "a step that is a word": (
        lambda: viz.draw(LSTM, steps=["first"]),
        "steps must be a whole number ≥ 1, a list of steps counted from 1, or 't', got ['first']",
    ),
    "a flag that is a word": (
        lambda: viz.draw(TENSOR, values="no"),
        "draw: values must be True or False, got 'no'",
    ),
    "marks that are none": (
        lambda: viz.draw(LSTM, marked=None),
        "draw: marked must be node numbers or tensors in a list, or a mapping from them to what "
        "is to be said, got None",
    ),
    "too few numbers": (
        lambda: figures.stages(SMALL, SMALL.init(0), [1.0, 2.0]),
        "stages: x must be 1 numbers, got [1.0, 2.0]",
    ),
    "half a state": (
        lambda: figures.stages(SMALL, SMALL.init(0), [1.0], ([0.5],)),
        "stages: the state must be a tuple of h, C, got ([0.5],)",
    ),
    "states that do not meet": (
        lambda: figures.encoder_decoder(GRU[0], rnn.LSTMCell(3, 3)),
        "encoder_decoder: the encoder leaves h, but the decoder starts from h, C",
    ),
    "a style that is not there": (
        lambda: figures.memory_cell(LSTM, style="neon"),
        "memory_cell: unknown style 'neon'; there are 'print', 'seed', 'dark', 'grey', "
        "'transparent'",
    ),
}


@pytest.mark.parametrize("mistake", TOLD)
def test_a_mistake_is_told_in_full(mistake):
    call, message = TOLD[mistake]
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert str(caught.value) == message


def test_numbers_of_numpy_are_numbers():
    assert viz.draw(LSTM, "unfolded", np.int64(2)).svg() == viz.draw(LSTM, "unfolded", 2).svg()
    steps = viz.draw(LSTM, "unfolded", np.arange(1, 3), "op")
    assert steps.svg() == viz.draw(LSTM, "unfolded", [1, 2], "op").svg()
    assert viz.draw(PLAIN, level="op", marked=np.array([7])).svg().count("marked") == 1


def test_stages_know_parameters_by_their_names_and_states_by_their_size():
    cell = rnn.LSTMCell(1, 2)
    params, start = cell.init(0), ([0.5, 0.25], [2.0, 1.0])
    turned = dict(reversed(params.items()))
    wanted = figures.stages(cell, params, [1.0], start).svg()
    assert figures.stages(cell, turned, [1.0], start).svg() == wanted
    rows = tuple(np.array([s]) for s in start)
    assert figures.stages(cell, params.tensors(), [[1.0]], rows).svg() == wanted
