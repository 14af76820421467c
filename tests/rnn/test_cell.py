"""What a cell has of its sizes and its step: first values, names, a graph that is kept."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.tree import flatten
from rnn.cell import state_paths

DEEP = rnn.Stack(
    [rnn.Bidirectional(rnn.LSTMCell(3, 2), rnn.GRUCell(3, 1)), rnn.Stack([rnn.RNNCell(3, 4)])]
)


@dataclass(frozen=True)
class Scaled(rnn.Cell):
    """A cell with a part that can change."""

    inputs: int
    hidden: int
    scale: list[float] = field(default_factory=lambda: [1.0])
    state = ("h",)

    def parameters(self) -> dict[str, Any]:
        return {"W_xh": rnn.glorot(self.inputs, self.hidden)}

    def step(self, p: Any, x: Any, h: Any) -> Any:
        h = mg.tanh(x @ p.W_xh + self.scale[0] * h)
        return h, h


def test_a_step_is_folded_once_for_what_looks_alike() -> None:
    cell, other = Scaled(3, 4), Scaled(3, 4)
    kept = cell.folded(2)
    assert other.folded(2) is kept
    assert cell.folded(3) is not kept
    assert cell.folded(2, ragged=True) is not kept
    assert Scaled(3, 4, [2.0]).folded(2) is not kept


def test_a_cell_that_changed_is_folded_anew() -> None:
    cell = Scaled(3, 4)
    before = cell.folded(2)
    cell.scale[0] = 0.5
    assert cell.folded(2) is not before
    ys, _ = rnn.run(cell, cell.init(0), np.ones((2, 1, 3)))
    x = np.ones((1, 3)) @ cell.init(0).W_xh
    np.testing.assert_allclose(ys[1], np.tanh(x + 0.5 * np.tanh(x)), rtol=1e-15)


def test_of_many_folded_graphs_those_used_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnn.cell.MOST_FOLDED", 2)
    monkeypatch.setattr("rnn.cell._FOLDED", OrderedDict())
    first, second = (Scaled(3, 4).folded(batch) for batch in (1, 2))
    assert Scaled(3, 4).folded(1) is first
    Scaled(3, 4).folded(3)
    assert Scaled(3, 4).folded(1) is first
    assert Scaled(3, 4).folded(2) is not second


def test_recurrent_values_are_named_by_the_cells_that_they_are_in() -> None:
    wanted = ["layer1.forward.h", "layer1.forward.C", "layer1.backward.h", "layer2.layer1.h"]
    assert state_paths(DEEP) == wanted
    assert [edge.name for edge in DEEP.folded().recurrences] == wanted


def test_first_values_are_those_of_the_seed_in_the_precision_asked_for() -> None:
    one, other = DEEP.init(3), DEEP.init(np.random.default_rng(3), np.float32)
    for (name, value), narrow in zip(one.named().items(), other.named().values(), strict=True):
        assert narrow.dtype == np.float32
        np.testing.assert_array_equal(value.astype(np.float32), narrow, err_msg=name)
    start = flatten(DEEP.start(5, np.float32))[0]
    assert [s.shape for s in start] == [(5, 2), (5, 2), (5, 1), (5, 4)]
    assert {s.dtype for s in start} == {np.dtype(np.float32)}
    assert DEEP.width == 4


def test_a_cell_without_its_three_things_says_what_it_needs() -> None:
    class Bare(rnn.Cell):
        inputs, hidden = 3, 4

    class Still(Bare):
        def parameters(self) -> dict[str, Any]:
            return {}

    with pytest.raises(NotImplementedError, match=r"^Bare needs parameters\(\)$"):
        Bare().init()
    with pytest.raises(NotImplementedError, match=r"^Still needs step\(p, x, \*state\)$"):
        Still().folded()
