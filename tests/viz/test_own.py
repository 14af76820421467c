"""Cells that nobody foresaw are drawn and written as they are: every view, every law."""

import numpy as np
import pytest

import minigrad as mg
import rnn
import viz
from tests.viz.formulas.test_laws import assert_computes
from tests.viz.geometry import LAWS
from tests.viz.own import CELLS, MGU, Lagged, Peeping, TwoLags, Window
from tests.viz.reading import folded, read_back, same, unfolded
from viz import figures
from viz.quotients.circles import circles
from viz.quotients.operations import operations
from viz.quotients.steps import choose
from viz.scene.label import plain


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


def test_lags_that_are_declared_are_drawn_as_states_handed_on_by_hand():
    by_hand, declared = TwoLags(), Lagged()
    found, wanted = ({name: picture.svg() for name, picture in pictures(cell).items()}
                     for cell in (declared, by_hand))  # fmt: skip
    del found["adjoint"], wanted["adjoint"]  # by hand, a cotangent for what is handed on
    assert found == {name: svg.replace("TwoLags", "Lagged") for name, svg in wanted.items()}
    assert str(viz.equations(declared)) == str(viz.equations(by_hand))
    assert [(k.source, k.delay) for k in circles(declared.folded()).links if k.delay] == [
        ("h", 1), ("h", 2)
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["Zustand", "Aktivierung", "Aktivierungszustand", "state_of_it"])
def test_a_long_name_is_broken_before_it_is_too_small_to_read(name):
    class Named(MGU):
        state = (name,)

        def step(self, p, x, h):
            f = mg.sigmoid(x @ p.W_xf + h @ p.W_hf)
            h = mg.named(name, (1.0 - f) * h + f * mg.tanh(x @ p.W_xh + (f * h) @ p.W_hh))
            return h, h

    scene = viz.draw(Named(), "folded").scene
    (unit,) = (s for s in scene.shapes.values() if s.kind == "hidden")
    written = "".join(run.text for line in unit.lines for run in line).replace("-", "")
    assert written == f"{name.replace('_', '', 1)}(t)"
    assert scene.smallest()[0] > 8
    assert {law.__name__: law(scene) for law in LAWS if law(scene)} == {}


@pytest.mark.parametrize("steps", ["t", 3, 9])
@pytest.mark.parametrize("cell", [
    rnn.Bidirectional(rnn.LSTMCell(3, 4)),
    rnn.Stack([rnn.Bidirectional(rnn.RNNCell(3, 4, 2)), rnn.Bidirectional(rnn.LSTMCell(4, 4))]),
], ids=["one layer", "two layers"])  # fmt: skip
def test_weights_of_both_directions_are_explained_and_no_line_runs_through_them(cell, steps):
    drawing = viz.draw(cell, steps=steps, on_edges=True)
    assert {law.__name__: law(drawing.scene) for law in LAWS if law(drawing.scene)} == {}
    texts = [plain(text.label) for text in drawing.scene.texts]
    short = {text for text in texts if "·" in text and "stands for" not in text}
    assert {text.partition(" stands for ")[0] for text in texts if "stands for" in text} == short
    assert len({text.partition(" stands for ")[2] for text in texts}) == len(short) + 1


def test_a_start_value_has_its_name_where_a_bow_brings_it():
    class Later(MGU):
        state = {"h": 2}

    texts = [plain(text.label) for text in viz.draw(Later()).scene.texts]
    assert {"h^(−1)", "h^(0)"} <= set(texts)


@pytest.mark.parametrize("hidden", [1, 3, 8])
def test_numbers_of_the_stages_have_room(hidden):
    cell = rnn.LSTMCell(2, hidden)
    scene = figures.stages(cell, cell.init(0), [1.0, -0.5]).scene
    assert {law.__name__: law(scene) for law in LAWS if law(scene)} == {}
