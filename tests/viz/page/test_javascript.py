"""What is printed, read by the rules of JavaScript, computes what the engine computes."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.engines.scalars import Expanded, expanded
from minigrad.tree import flatten
from tests.minigrad.engines.scalars.programs import RUNS, agree, of_cell, of_operation
from tests.viz.page.ecma import Reader
from viz.page.javascript import Script, javascript


def run(script: Script, args: Any) -> list[Any]:
    """The outputs of a program, computed by the reader of these tests."""
    v = _given(script, args)
    for text in script.functions:
        Reader(text, v)
    return [np.array(v)[place] for place in script.outputs]


def _given(script: Script, args: Any) -> list[Any]:
    v: list[Any] = [np.float64(np.nan)] * script.size
    for place, x in zip(script.inputs, flatten(args)[0], strict=True):
        assert place is not None
        for k, item in zip(place.reshape(-1), np.asarray(x).reshape(-1), strict=True):
            v[k] = np.float64(item)
    return v


@pytest.mark.parametrize("name", RUNS)
def test_every_operation_and_its_derivatives_are_printed(name):
    graph, points = of_operation(name, Random(name))
    agree(run(javascript(expanded(graph)), points), flatten(graph(*points))[0])


@pytest.mark.parametrize("cell", [rnn.GRUCell(2, 2), rnn.LSTMCell(2, 2)], ids=lambda c: c.label)
def test_a_cell_in_two_functions_of_which_the_second_needs_the_cotangent(cell):
    ys = mg.trace(lambda p, xs: rnn.run(cell, p, xs, unfolded=True)[0], cell.init(0), XS)
    seed = np.cos(np.arange(6.0)).reshape(3, 1, 2)
    graph = mg.trace(lambda p, xs, g: mg.vjp(ys, p, xs)[1](g), cell.init(0), XS, seed)
    params = cell.init(1)
    script = javascript(expanded(graph), later=[len(graph.inputs) - 1])
    agree(run(script, (params, XS, seed)), flatten(graph(params, XS, seed))[0])
    first, second = script.functions
    assert "Math.exp" in first
    assert "Math.exp" not in second, "what does not depend on the cotangent is done before"


XS = np.linspace(-1, 1, 6).reshape(3, 1, 2)


def test_a_sum_of_products_is_one_line():
    graph, _ = of_cell(rnn.RNNCell(1, 4), 1, 0)
    (text,) = javascript(expanded(graph)).functions
    assert any(line.count("*") >= 4 and line.count("=") == 1 for line in text.splitlines())


@pytest.mark.parametrize("number", [0.1, -0.1, 1e300, -1e-300, 3.0, np.inf, -np.inf, np.nan, -0.0])
def test_numbers_are_read_back_bit_by_bit(number):
    script = javascript(expanded(mg.trace(lambda x: (x - number, np.full(1, number)), np.ones(1))))
    found = run(script, [np.ones(1)])
    assert np.array_equal(found, [1 - np.full(1, number), [number]], equal_nan=True)


def test_a_program_with_another_sign_is_seen():
    graph = mg.trace(lambda x: x[0] - (x[1] - x[2]), np.ones(3))
    script = javascript(expanded(graph))
    bare = tuple(t.replace("v[1]-v[2]", "v[1]+v[2]") for t in script.functions)
    wrong = replace(script, functions=bare)
    assert run(script, [np.arange(3.0)]) == [1.0]
    assert run(wrong, [np.arange(3.0)]) == [-3.0]


@pytest.mark.skipif(not shutil.which("node"), reason="runs JavaScript itself")
def test_node_gives_the_same_numbers():
    """Of every operation and its derivatives, and of a network."""
    given = [of_operation(name, Random(name)) for name in RUNS]
    given.append(of_cell(rnn.Stack([rnn.LSTMCell(2, 3), rnn.GRUCell(3, 2)]), 4, 3))
    scripts = [javascript(expanded(graph)) for graph, _ in given]
    program = "const told=x=>isFinite(x)?x:String(x);"
    for script, (_, args) in zip(scripts, given, strict=True):
        start = json.dumps(np.nan_to_num(_given(script, args)).tolist())
        program += (
            f"{{const v=Float64Array.from({start});for(const f of [{','.join(script.functions)}])"
            "f(v);console.log(JSON.stringify([...v].map(told)))}"
        )
    done = subprocess.run(["node", "-"], input=program, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    for line, script, (graph, args) in zip(lines, scripts, given, strict=True):
        v = np.array(json.loads(line), float)
        agree([v[place] for place in script.outputs], flatten(graph(*args))[0])


def test_the_size_of_a_teaching_page():
    """T = 12 steps of an LSTM of 8 units with all gradients."""
    graph, _ = of_cell(rnn.LSTMCell(8, 8), 12, 0)
    sheet: Expanded = expanded(graph)
    assert sum(map(len, javascript(sheet).functions)) < 700_000
