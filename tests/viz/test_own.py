"""Cells that nobody foresaw are drawn and written as they are: every view, every law."""

import numpy as np
import pytest

import minigrad as mg
import rnn
import viz
from tests.viz.formulas.test_laws import assert_computes
from tests.viz.geometry import LAWS
from tests.viz.own import CELLS, MGU, Peeping, TwoLags, Window
from tests.viz.reading import folded, read_back, same, unfolded
from viz import figures
from viz.quotients.circles import circles
from viz.quotients.operations import operations
from viz.quotients.steps import choose


@pytest.fixture(params=CELLS)
def own(request):
    return CELLS[request.param]


def pictures(cell):
    found = {"textbook": viz.draw(cell, steps="t", on_edges=True)}
    for level in ("cell", "gate", "op"):
        found[f"folded, {level}"] = viz.draw(cell, "folded", level=level)
        found[f"unfolded, {level}"] = viz.draw(cell, "unfolded", 3, level)
    found["backward"] = figures.backward(cell)
    found["adjoint"] = viz.draw(mg.adjoint(cell.folded()), "folded", level="gate")
    found["memory cell"] = figures.memory_cell(cell)
    found["there and back"] = figures.forward_and_backward(cell, steps=3)
    return found


def test_pictures_keep_the_laws_of_geometry(own):
    for name, drawing in pictures(own).items():
        broken = {law.__name__: law(drawing.scene) for law in LAWS if law(drawing.scene)}
        assert broken == {}, name


def test_drawn_nodes_and_edges_are_those_of_the_quotient(own):
    pytest.importorskip("pygraphviz")
    step = own.folded()
    for level in ("cell", "gate", "op"):
        view = circles(step) if level == "cell" else operations(step, level)
        assert same(read_back(viz.draw(own, "folded", level=level)), folded(view))
        drawn = read_back(viz.draw(own, "unfolded", 3, level))
        assert same(drawn, unfolded(view, choose(3)))


def test_every_format_has_the_same_texts(own):
    drawing = viz.draw(own, "folded", level="gate")
    svg, tikz = drawing.svg(), drawing.tikz
    wanted = len(drawing.scene.texts) + sum(len(s.lines) for s in drawing.scene.shapes.values())
    assert svg.count("<text") == tikz.count(r"\node[") == wanted
    assert svg.count('class="edge"') == len(drawing.scene.wires)


def test_equations_compute_the_step_and_its_gradients(own):
    assert_computes(own, np.random.default_rng(0))


def test_what_is_known_of_some_of_them():
    view = circles(TwoLags().folded())
    assert [(k.source, k.delay) for k in view.links if k.delay] == [("h", 1), ("h", 2)]
    peeping = figures.memory_cell(Peeping()).scene
    texts = ["".join(run.text for run in t.label) for t in peeping.texts]
    assert {"forget", "input", "candidate", "output", "keep(t)", "show(t)"} <= set(texts)
    assert "c⁽ᵗ⁾ = Σ(" in str(viz.equations(Window()))
    assert "h⁽ᵗ⁾ = (1 − f⁽ᵗ⁾) ⊙ h⁽ᵗ⁻¹⁾ + f⁽ᵗ⁾ ⊙ h̃⁽ᵗ⁾" in str(viz.equations(MGU()))


def test_a_long_name_stays_legible_and_short_weights_are_explained():
    class Zustand(MGU):
        def step(self, p, x, h):
            f = mg.sigmoid(x @ p.W_xf + h @ p.W_hf)
            h = mg.named("Zustand", (1.0 - f) * h + f * mg.tanh(x @ p.W_xh + (f * h) @ p.W_hh))
            return h, h

    size, _ = viz.draw(Zustand(), "folded").scene.smallest()
    assert size > 7.5
    drawing = viz.draw(rnn.LSTMCell(3, 5), steps="t", on_edges=True)
    told = [text for text in drawing.words if "stands for" in text]
    assert told == ["stands for"]


@pytest.mark.parametrize("hidden", [1, 3, 8])
def test_numbers_of_the_stages_have_room(hidden):
    cell = rnn.LSTMCell(2, hidden)
    scene = figures.stages(cell, cell.init(0), [1.0, -0.5]).scene
    assert {law.__name__: law(scene) for law in LAWS if law(scene)} == {}
