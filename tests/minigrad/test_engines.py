"""An engine is one room with one face: a stranger's is as good as ours, and nothing else knows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.engines import ENGINES, Way, engine_of
from minigrad.graph import Graph
from minigrad.lower.pipeline import planned
from viz.cli import main


class Replayed:
    """A graph run operation by operation."""

    nbytes = 0

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.source = graph.text()

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        known = dict(zip(self.graph.inputs, values, strict=True))
        for k, node in enumerate(self.graph.nodes):
            if node.op == "constant":
                known[k] = node.value
            elif node.op != "input":
                forward = mg.PRIMITIVES[node.op].forward
                known[k] = forward(*(known[i] for i in node.inputs), **node.attrs)
        return [np.array(known[i]) for i in self.graph.outputs]


class Plain:
    """The smallest engine there can be."""

    arrays = ()

    def program(self, graph: Graph, reuse: bool, donated: frozenset[int]) -> Replayed:
        return Replayed(graph)

    def way(self, folded: Any, steps: int) -> Way:
        plan = planned(folded)
        return Way(plan, frozenset(), dict.fromkeys(plan.blocks, 1), "one call after the other")


def test_a_strangers_engine_runs_what_ours_run():
    cell = rnn.LSTMCell(3, 4)

    def loss(p: Any, xs: Any) -> Any:
        return mg.sum(rnn.run(cell, p, xs)[0])

    p, xs = cell.init(0), np.ones((9, 2, 3))
    fast = mg.compile(mg.value_and_grad(loss), engine=Plain())
    found, grads = fast(p, xs)
    wanted, right = mg.value_and_grad(loss)(p, xs)
    assert abs(found - wanted) < 1e-12
    for name in p:
        np.testing.assert_allclose(grads[name], right[name], rtol=1e-9, atol=1e-12)
    assert "scan(" in fast.source
    assert "one call after the other" in mg.explain(cell, engine=Plain())


@pytest.mark.parametrize("what", [lambda e: mg.compile(mg.tanh, engine=e),
                                  lambda e: mg.explain(rnn.Dense(2, 2), engine=e)])  # fmt: skip
def test_an_engine_that_is_not_there_is_told(what: Any):
    with pytest.raises(ValueError, match="unknown engine 'tpu'; there are numpy, jax"):
        what("tpu")


def test_what_is_no_engine_is_told():
    with pytest.raises(
        TypeError, match=r"^compile: engine is 'numpy' or 'jax', or an Engine, got "
    ):
        mg.compile(mg.tanh, engine=np)  # type: ignore[arg-type]  # a mistake


@pytest.mark.parametrize(
    ("donate", "error", "told"),
    [(0, TypeError, r"such as \(0,\), got 0"), (("x",), TypeError, "positions of arguments"),
     ((1,), ValueError, r"donate=\[1\] for 1 positional arguments")],
)  # fmt: skip
def test_what_cannot_be_donated_is_told(donate: Any, error: type[Exception], told: str):
    with pytest.raises(error, match=told):
        mg.compile(mg.tanh, donate=donate)(np.ones(2))


def test_an_array_of_another_library_is_told():
    with pytest.raises(TypeError, match=r"argument \[0\] is an array of jax.*np\.asarray makes"):
        mg.compile(mg.tanh)(jax.numpy.ones(2))


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_of_the_table_has_the_face(name: str):
    graph = mg.trace(lambda x: mg.tanh(x) * 2.0, np.ones(2, np.float32))
    program = engine_of(name, "test").program(graph, False, frozenset())
    (found,) = program([np.ones(2, np.float32)])
    np.testing.assert_allclose(found, np.tanh(np.ones(2)) * 2, rtol=1e-6)
    assert "tanh" in program.source
    assert program.nbytes >= 0


def schedule_told(text: str) -> list[str]:
    """The lines of an explanation that are the schedule, less what an engine adds."""
    kept = [line for line in text.splitlines() if re.search(r"once|loop over|each step|sums", line)]
    return [line for line in kept if "lax.scan" not in line]


def test_the_schedule_is_the_same_for_every_engine(capsys: Any):
    cell = rnn.LSTMCell(8, 4)
    assert schedule_told(mg.explain(cell, engine="jax")) == schedule_told(mg.explain(cell))
    assert main(["explain", "--engine", "jax"]) == 0
    assert "each loop one lax.scan" in capsys.readouterr().out


def test_nothing_below_the_engines_names_one():
    root = Path(__file__).resolve().parents[2] / "minigrad"
    below = [*root.glob("lower/*.py"), *root.glob("folded/*.py"), *root.glob("graph/*.py")]
    names = re.compile(r"\b(jax|xla|lax)\b|engines\.numpy", re.I)
    assert [path.name for path in below if names.search(path.read_text("utf-8"))] == []
