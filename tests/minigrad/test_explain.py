"""The schedule in words says what the program does."""

import inspect
import re

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.lower.passes import PASSES
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


def test_what_leaves_the_loop_is_told_and_what_is_alone_is_not_counted():
    forward, backward = parts(mg.explain(rnn.Dense(3, 2)))
    assert "once, for all steps: matmul[1, 2]" in forward
    assert "once, for all steps: matmul[1, 3]" in backward
    assert backward.splitlines()[-2].strip() == "sums over steps, each one call: sum, contract"
    assert "contract × 2" in parts(mg.explain(rnn.LSTMCell(8, 4)))[1]


def test_a_pass_is_told_by_the_first_line_of_what_it_is_for():
    """What it changes is one chain: the next begins with the operations the last one left."""
    told = re.findall(r"^  (\w+): (.+) \((\d+) → (\d+) operations\)$",
                      mg.explain(rnn.LSTMCell(8, 4)), re.MULTILINE)  # fmt: skip
    aims = {each.name: inspect.getdoc(each.change).partition("\n")[0] for each in PASSES}
    assert len(told) > 5
    for name, aim, before, after in told:
        assert aim == aims[name]
        assert before != after


def test_buffers_are_counted_for_the_steps_asked_for():
    def megabytes(steps):
        text = mg.explain(rnn.LSTMCell(64, 128).folded(32), steps)
        return [float(n) for n in re.findall(rf"buffers: (.+) MB for {steps} steps", text)]

    for few, many in zip(megabytes(100), megabytes(1000), strict=True):
        assert 9 * few < many < 10.5 * few


def test_an_explanation_is_shown_as_it_reads():
    text = mg.explain(rnn.Dense(3, 2))
    assert repr(text) == str(text)
    assert repr(text).count("\n") > 3
