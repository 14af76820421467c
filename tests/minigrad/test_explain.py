"""The schedule in words says what the program does."""

import numpy as np
import pytest

import minigrad as mg
import rnn
from viz.cli import main


def parts(text: str) -> tuple[str, str]:
    forward, backward = text.split("backward\n")
    return forward, backward


def test_an_lstm_has_one_product_a_step_in_each_direction():
    forward, backward = parts(mg.explain(rnn.LSTMCell(8, 4).folded(2)))
    for text, turn in ((forward, "loop over t = 1 … T"), (backward, "loop over t = T … 1")):
        (step,) = [line for line in text.splitlines() if "each step" in line]
        assert turn in text
        assert step.count("matmul") == 1
    assert "matmul[2, 16]" in forward
    assert "multiply[3, 2, 4]" in backward  # the shared cotangent times the factors of three gates


def test_a_layer_without_state_has_no_loop():
    assert "loop over" not in mg.explain(rnn.Dense(3, 2))


def test_two_directions_are_two_loops_each_way():
    text = mg.explain(rnn.Bidirectional(rnn.RNNCell(3, 2)))
    assert [line.strip() for line in text.splitlines() if "loop over" in line] == [
        "loop over t = 1 … T", "loop over t = T … 1",
        "loop over t = T … 1", "loop over t = 1 … T",
    ]  # fmt: skip


def test_what_is_no_cell_is_refused():
    with pytest.raises(TypeError, match=r"explain takes a cell or a folded graph, got array"):
        mg.explain(np.ones(3))


def test_the_command_prints_it(capsys):
    assert main(["explain", "--cell", "gru", "--hidden", "8", "--steps", "5"]) == 0
    assert "buffers: " in capsys.readouterr().out
