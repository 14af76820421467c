"""The list is the program: what knows nothing but it gives the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.engines.numpy import instructions as code
from minigrad.engines.numpy import needs
from minigrad.engines.numpy.program import Program, program_of
from minigrad.folded import Folded
from minigrad.lower.passes import LATE
from minigrad.lower.pipeline import lowered
from minigrad.tree import flatten
from tests.minigrad.engines.numpy.interpreter import Interpreter
from tests.minigrad.folding import CELLS, every_cell, example


def assert_says_it_all(program: Program, *inputs: Any) -> None:
    """The list, run by the interpreter, gives bit for bit what the printed source gives."""
    found, wanted = Interpreter(program)(*inputs), program.run(*inputs)
    for x, y in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(x, y)


def programs(folded: Folded, steps: int, cache: int) -> list[Program]:
    """Forwards and backwards, with chunks that touch so many bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(needs, "CACHE", cache)
        return [Program(each.folded, steps, LATE) for each in lowered(folded)]


@every_cell
@pytest.mark.parametrize(
    ("steps", "cache", "ragged"), [(7, 1, False), (7, 700, True), (6, 1 << 19, False)]
)
def test_the_list_says_all_that_the_source_does(name, steps, cache, ragged):
    """Both directions, chunks of all sizes, histories and rings, ragged batches."""
    for program in programs(CELLS[name].folded(2, ragged=ragged), steps, cache):
        assert_says_it_all(program, *example(program.plan.folded, steps, 1)[0])


@given(steps=st.integers(1, 5), outer=st.integers(1, 3), seed=st.integers(0, 99))
def test_the_list_of_a_graph_says_what_its_loops_do(steps, outer, seed):
    """Loops inside, on operands that stand in the buffers of the program around them."""

    def loss(p: Any, xs: Any) -> Any:
        ys = xs
        for _ in range(outer):
            ys, _ = rnn.run(cell, p, mg.exp(ys * 0.1))
        return mg.sum(ys * ys)

    cell = rnn.RNNCell(3, 3)
    weights, tree = flatten(cell.init(seed))
    xs = np.random.default_rng(seed).normal(size=(steps, 2, 3))
    gradient = mg.grad(lambda *args: loss(tree.unflatten(args[:-1]), args[-1]))
    assert_says_it_all(program_of(mg.trace(gradient, *weights, xs)), *weights, xs)
    # A sequence that the graph holds, and is no buffer of the program.
    held = mg.trace(lambda *ws: gradient(*ws, xs), *weights)
    assert_says_it_all(program_of(held), *weights)


def shifted(x: Any, by: int) -> Any:
    """The instruction with what it writes moved by some bytes."""
    return x._replace(out=x.out._replace(offset=x.out.offset + by))


@pytest.mark.parametrize("at", ["each", "body"])
def test_a_place_that_is_wrong_by_one_is_seen(at):
    folded = rnn.LSTMCell(3, 4).folded(2)
    program = Program(folded, 5, LATE)
    (loop,) = [x for x in program.instructions.body if isinstance(x, code.Loop)]
    body = list(program.instructions.body)
    if at == "each":
        k = len(loop.each) - 1
        each = (*loop.each[:k], shifted(loop.each[k], -8))
        body[body.index(loop)] = loop._replace(each=each)
    else:
        body[0] = shifted(body[0], 8)
    program.instructions = program.instructions._replace(body=tuple(body))
    with pytest.raises(AssertionError):
        assert_says_it_all(program, *example(folded, 5, 1)[0])


PARAMS, XS = rnn.LSTMCell(3, 4).init(0), np.ones((5, 2, 3))


def test_a_list_can_be_read_with_those_inside_of_it():
    text = str(Program(rnn.LSTMCell(3, 4).folded(2), 5, LATE).instructions)
    assert "Loop 5, 5, 1" in text
    assert "Product dot" in text
    whole = program_of(mg.trace(lambda xs: rnn.run(CELLS["LSTMCell(3, 4)"], PARAMS, xs)[0], XS))
    inside = str(whole.instructions).partition("Run v")[2]
    assert "Loop 5, 5, 1" in inside  # what a loop of it does
