"""The seed's figures: from live cells, within the laws of geometry, following every change."""

import xml.dom.minidom
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from rnn import tasks
from tests.viz.geometry import LAWS
from tests.viz.own import Lagged
from viz import figures
from viz.memory.memory import memory
from viz.quotients.circles import circles

X, H, O = 3, 5, 2
PLAIN = rnn.RNNCell(X, H, O)
MASKED = rnn.RecurrentDropout(rnn.RNNCell(X, X), 0.5)


@dataclass(frozen=True)
class Keeper(rnn.Cell):
    """A user's memory cell: other names, an activation of its own, a memory two steps old."""

    inputs: int
    hidden: int
    state = {"s": 1, "m": 2}

    def parameters(self) -> dict[str, Any]:
        p = {}
        for gate in ("keep", "write", "new"):
            p[f"W_x{gate}"] = rnn.glorot(self.inputs, self.hidden)
            p[f"W_s{gate}"] = rnn.orthogonal(self.hidden, self.hidden)
        return p

    def step(self, p: Any, x: Any, s: Any, m: Any) -> Any:
        gate = {g: x @ p[f"W_x{g}"] + s @ p[f"W_s{g}"] for g in ("keep", "write", "new")}
        keep = mg.named("keep", mg.sigmoid(gate["keep"]))
        write = mg.named("write", mg.sigmoid(gate["write"]))
        new = mg.named("new", mg.relu(gate["new"]))
        m = mg.named("m", m * keep + write * new)
        s = mg.named("s", mg.sin(m))
        return s, s, m


FIGURES = {
    "tasks": lambda style: figures.modelling_tasks(style=style),
    "one task": lambda style: figures.modelling_tasks(tasks.many_to_many_delayed(2, 5)),
    "feed-forward": lambda style: figures.feedforward(
        rnn.Stack([rnn.Dense(X, H, "tanh"), rnn.Dense(H, O)]), PLAIN, style
    ),
    "unfolding": lambda style: figures.unfolding(PLAIN, style=style),
    "two layers": lambda style: figures.unfolding(
        rnn.Stack([rnn.RNNCell(X, H), PLAIN.__class__(H, 4), rnn.Dense(4, O)]), style=style
    ),
    "weights": lambda style: figures.unfolding(PLAIN, True, style),
    "weights of all recurrences": lambda style: figures.unfolding(
        replace(PLAIN, recurrence=rnn.cells.RECURRENCES), True, style
    ),
    "recurrences": lambda style: figures.recurrences(PLAIN, style),
    "activation": lambda style: figures.activation(PLAIN, style=style),
    "activation, apart": lambda style: figures.activation(rnn.LSTMCell(2, 9), False, style),
    "memory": lambda style: figures.memory_cell(rnn.LSTMCell(X, H), style),
    "peepholes": lambda style: figures.memory_cell(rnn.LSTMCell(X, H, peepholes=True), style),
    "keeper": lambda style: figures.memory_cell(Keeper(X, H), style),
    "gru": lambda style: figures.memory_cell(rnn.GRUCell(X, H), style),
    "stages": lambda style: figures.stages(
        rnn.LSTMCell(1, 1), rnn.LSTMCell(1, 1).init(0), [1.0], ([0.5], [2.0]), style
    ),
    "encoder": lambda style: figures.encoder_decoder(
        rnn.RNNCell(X, H), rnn.RNNCell(O, H, O), style=style
    ),
    "encoder of memory cells": lambda style: figures.encoder_decoder(
        rnn.LSTMCell(X, H), rnn.Stack([rnn.LSTMCell(O, H), rnn.Dense(H, O)]), 2, 4, style
    ),
    "encoder with masks": lambda style: figures.encoder_decoder(MASKED, MASKED, style=style),
    "encoder of two lags": lambda style: figures.encoder_decoder(
        Lagged(X, H), Lagged(H, H), 4, 3, style
    ),
    "backward": lambda style: figures.backward(PLAIN, style=style),
    "both ways": lambda style: figures.forward_and_backward(PLAIN, style=style),
    "both ways, elided": lambda style: figures.forward_and_backward(PLAIN, 50, style=style),
}


@pytest.mark.parametrize("style", ["print", "seed"])
@pytest.mark.parametrize("name", FIGURES)
def test_figures_keep_the_laws_of_geometry_and_parse(name, style):
    drawing = FIGURES[name](style)
    broken = {law.__name__: law(drawing.scene) for law in LAWS if law(drawing.scene)}
    assert broken == {}
    xml.dom.minidom.parseString(drawing.svg())
    assert drawing.svg() == FIGURES[name](style).svg()


def words_of(drawing) -> list[str]:
    """Everything that is written in a picture."""
    labels = [text.label for text in drawing.scene.texts]
    labels += [line for s in drawing.scene.shapes.values() for line in s.lines]
    return ["".join(run.text for run in label) for label in labels]


def test_a_task_shows_when_something_enters_leaves_and_is_fed_back():
    scene = figures.modelling_tasks(tasks.many_to_many_delayed(4, 2)).scene
    names = set(scene.shapes)
    assert {"input_t4", "hidden_t5", "output_t4", "output_t5"} <= names
    assert not {"input_t5", "output_t3"} & names
    assert ("output_t4", "hidden_t5") in {(w.source, w.target) for w in scene.wires}


def test_the_weights_on_the_edges_are_those_of_the_cell():
    cell = replace(PLAIN, recurrence="output-to-hidden")
    shown = words_of(figures.unfolding(cell, on_edges=True))
    assert shown.count("Wxh") == 4  # folded, and at three steps
    assert shown.count("Woh") == 3  # folded, and between three steps
    assert "Whh" not in shown


def test_the_straight_line_has_nothing_but_products_and_sums_on_it():
    for cell in (rnn.LSTMCell(X, H), rnn.LSTMCell(X, H, peepholes=True), Keeper(X, H)):
        found = memory(cell.folded())
        assert found is not None
        assert [found.ops[block] for block in found.line] == ["multiply", "add"]
        scene = figures.memory_cell(cell).scene
        heights = {scene.shapes[block].y for block in found.line}
        carried = [w for w in scene.wires if {w.source, w.target} & set(found.line)
                   and w.path[0][1] == w.path[-1][1] and w.path[0][1] in heights]  # fmt: skip
        assert len(heights) == 1
        assert len(carried) == 3


def test_a_memory_cell_follows_its_code():
    own = words_of(figures.memory_cell(Keeper(X, H)))
    assert {"keep(t)", "write(t)", "new(t)", "relu", "sin", "m(t−2)", "s(t)"} <= set(own)
    plain, peeping = (
        figures.memory_cell(rnn.LSTMCell(X, H, peepholes=p)).scene for p in (False, True)
    )
    assert len(peeping.wires) == len(plain.wires) + 3


def test_a_cell_without_a_straight_line_is_drawn_gate_by_gate():
    assert memory(PLAIN.folded()) is None
    drawing = figures.memory_cell(PLAIN)
    assert drawing.scene.title.endswith("one step, gates")
    assert any("gate by gate" in text for text in words_of(drawing))


def test_the_numbers_of_the_stages_are_those_of_a_run():
    cell = rnn.LSTMCell(1, 1)
    params = cell.init(3)
    h, C = np.array([[0.3]]), np.array([[-0.7]])
    shown = words_of(figures.stages(cell, params, [0.8], (h, C)))
    _, (h, C) = rnn.run(cell, params, np.array([[[0.8]]]), (h, C), unfolded=True)
    for value in (h, C):
        assert f"{value.item():.3g}".replace("-", "−") in shown


def test_stages_without_a_state_begin_where_the_cell_learnt_to():
    cell = rnn.LearnedStart(rnn.LSTMCell(1, 1))
    params = {**cell.init(3), "h_0": np.array([0.3]), "C_0": np.array([-0.7])}
    shown = words_of(figures.stages(cell, params, [0.8]))
    _, ends = rnn.run(cell, params, np.array([[[0.8]]]))
    for value in ends:
        assert f"{value.item():.3g}".replace("-", "−") in shown


def test_forward_and_backward_have_every_edge_of_both_graphs():
    cell, T = PLAIN, 3
    scene = figures.forward_and_backward(cell, steps=T).scene
    whole = [w for w in scene.wires if w.source and w.target]
    views = circles(cell.folded()), circles(mg.adjoint(cell.folded()).backward)
    wanted = sum(T - abs(link.delay) for view in views for link in view.links) + 2 * T
    saved = [(w.source, w.target) for w in whole if w.name == "saved"]
    assert saved == [("h_t1", "dh_t1"), ("h_t2", "dh_t2"), ("h_t3", "dh_t3")]
    sums = [w.source for w in whole if w.target == "_sums"]
    assert sorted(sums) == sorted(f"{name}_t{t}" for name in ("dh", "do") for t in (1, 2, 3))
    assert len(whole) == wanted + len(saved) + len(sums)
    assert {"Σ ∂Wxh, ∂Whh, ∂bh", "Σ ∂Who, ∂bo"} <= set(words_of(figures.forward_and_backward(cell)))
    delays = {w.delay for w in whole}
    assert delays == {-1, 0, 1}


@pytest.mark.parametrize("cell", [rnn.LSTMCell, rnn.GRUCell])
def test_a_decoder_without_an_output_layer_shows_and_feeds_back_what_it_gives(cell):
    drawing = figures.encoder_decoder(cell(X, H), cell(H, H), 3, 3)
    scene = drawing.scene
    assert {"y_t1", "y_t2", "y_t3"} <= set(scene.shapes)
    fed = [w for w in scene.wires if w.name == "fed back"]
    assert [w.source for w in fed] == ["y_t1", "y_t2"]
    assert {law.__name__: law(scene) for law in LAWS if law(scene)} == {}


def test_masks_of_an_encoder_and_a_decoder_are_their_own_and_states_are_handed_on():
    drawing = figures.encoder_decoder(MASKED, MASKED, 3, 2)
    into = lambda name: [w.source for w in drawing.scene.wires if w.target == name and w.delay]
    assert into("m_t1") == into("m_t1__2") == into("h_t1") == [""]  # from outside
    assert into("h_t1__2") == ["h_t3", ""]
    assert words_of(drawing).count("m(0)") == 2


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_decoder_reads_the_last_steps_of_its_encoder_at_all_lags(steps):
    scene = figures.encoder_decoder(Lagged(X, H), Lagged(H, H), steps, 2).scene
    into = lambda name: sorted(w.source for w in scene.wires if w.target == name and w.delay)
    known = [f"h_t{t}" for t in range(1, steps + 1)]
    assert into("h_t1__2") == known[-2:]


def test_the_memory_cells_of_a_stack_have_a_diagram_each():
    cell = rnn.LSTMCell(X, H)
    drawing = figures.memory_cell(rnn.Stack([cell, rnn.Dense(H, 2)]))
    shown = words_of(drawing)
    assert {"Layer 1: LSTMCell", "Layer 2: Dense"} <= set(shown)
    assert set(words_of(figures.memory_cell(cell))) <= set(shown)
    assert {law.__name__: law(drawing.scene) for law in LAWS if law(drawing.scene)} == {}


def test_both_networks_have_the_same_letters_and_the_edge_is_named():
    plain = rnn.Stack([rnn.Dense(X, H, "tanh"), rnn.Dense(H, 2)])
    shown = words_of(figures.feedforward(plain, PLAIN))
    assert {"x", "h", "o", "h(t)", "o(t)", "recurrent edge"} <= set(shown)
    deep = rnn.Stack([rnn.Dense(X, H, "tanh"), rnn.Dense(H, H, "tanh"), rnn.Dense(H, 2)])
    assert {"h1", "h2", "o"} <= set(words_of(figures.feedforward(deep, PLAIN)))


def test_parentheses_are_as_high_as_what_they_enclose():
    scene = figures.activation(PLAIN).scene
    curves = [w.path for w in scene.wires if not w.source and w.path[0][0] == w.path[-1][0]]
    (left, right) = ([p for p in curves if side * (p[1][0] - p[0][0]) > 0] for side in (-1, 1))
    between = (left[0][0][0], right[0][0][0])
    inside = [s for s in scene.shapes.values() if between[0] < s.x < between[1] and s.y > -150]
    for path in (left[0], right[0]):
        assert path[0][1] >= max(s.y + s.h / 2 for s in inside)
        assert path[-1][1] <= min(s.y - s.h / 2 for s in inside)


def test_what_a_function_is_applied_to_stands_below_a_brace_by_its_name():
    shown = words_of(figures.activation(PLAIN))
    assert {"zh(t)", "σh", "tanh"} <= set(shown)
    assert "zo(t)" not in shown  # o is the sum itself
    gates = words_of(figures.activation(rnn.LSTMCell(X, H)))
    assert {"zf(t)", "zi(t)", "zc(t)", "zo(t)"} <= set(gates)
    assert not {"σf", "σi", "σo"} & set(gates)  # the function of a gate is σ
    deep = words_of(figures.activation(rnn.Stack([rnn.RNNCell(X, H), rnn.RNNCell(H, H, O)])))
    assert {"zh, 1(t)", "σh, 1", "Wxh, 2", "zh, 2(t)", "σh, 2"} <= set(deep)
    assert deep.count("h1(t)") == deep.count("h2(t)") == 2  # made by a row, read by the next


@pytest.mark.parametrize("cell", [PLAIN, rnn.LSTMCell(X, H)], ids=str)
@pytest.mark.parametrize("concatenated", [True, False])
def test_activations_can_be_read_at_8_cm(cell, concatenated):
    assert figures.activation(cell, concatenated).sized("8cm").width


def test_a_product_without_a_name_says_by_what():
    assert "Whn · + bhn" in words_of(figures.memory_cell(rnn.GRUCell(X, H)))
