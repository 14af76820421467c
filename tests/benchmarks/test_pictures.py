"""Times of drawing and folding: `make bench`. Nothing here is asserted about time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
import viz
from viz.figures.gallery import gallery

CELL = rnn.LSTMCell(3, 5)


@pytest.mark.parametrize("name", ["e_weights", "h_memory_cell", "l_lstm_folded"])
def test_a_figure_to_svg(benchmark: Any, name: str) -> None:
    """The finished scene as text; wanted under 10 ms."""
    (entry,) = (entry for entry in gallery() if entry.name == name)
    assert benchmark(entry.drawing().svg).startswith("<svg")


def test_every_operation_of_an_lstm_over_300_steps(benchmark: Any) -> None:
    """Layout and SVG of 5,100 boxes; wanted under 2 s."""

    def picture() -> str:
        return viz.draw(CELL, "unfolded", range(1, 301), "op", force=True).svg()

    assert benchmark.pedantic(picture, rounds=3).count("<rect") > 5000


@pytest.mark.parametrize("around", [False, True], ids=["a loop alone", "with a loss around it"])
def test_folding_a_trace_of_10_000_nodes(benchmark: Any, around: bool) -> None:
    """Certificate included; wanted under 0.2 s."""
    if around:
        graph = mg.trace(
            lambda p, xs: mg.sum(rnn.run(CELL, p, xs, unfolded=True)[0]),
            CELL.init(0),
            np.ones((385, 1, 3)),
        )
    else:
        graph = mg.unfold(CELL.folded(), 385)
    assert len(graph) > 9_900
    assert len(benchmark(mg.fold, graph).recurrences) == 2


def test_the_equations_of_backpropagation_through_an_lstm(benchmark: Any) -> None:
    assert "∂W_hf = Σ" in benchmark(lambda: str(viz.equations(CELL, adjoint=True)))
