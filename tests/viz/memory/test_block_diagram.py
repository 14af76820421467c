"""Block diagrams: of any gated cell, every edge of it, where its reset gate acts, at 8 cm."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
import rnn
import viz
from tests.viz import geometry
from tests.viz.own import MGU, Blend, Highway, Peeping, Residual
from tests.viz.reading import folded, read_back
from viz import figures
from viz.memory.block_diagram import block_diagram
from viz.memory.memory import memory
from viz.memory.parts import Reset
from viz.memory.plan import BUS, DOWN, JOIN, Plan
from viz.scene.scene import Scene
from viz.scene.styles import STYLES


class Minimal(MGU):
    """Gates read the input alone (Feng et al. 2024); the bus is that input."""

    def step(self, p: Any, x: Any, h: Any) -> Any:
        z = mg.named("z", mg.sigmoid(x @ p.W_xf))
        h = mg.named("h", (1.0 - z) * h + z * mg.named("n", mg.tanh(x @ p.W_xh)))
        return h, h


class Blind(MGU):
    """No gate reads all: the input here, the state before there."""

    def step(self, p: Any, x: Any, h: Any) -> Any:
        z = mg.named("z", mg.sigmoid(x @ p.W_xf))
        n = mg.named("n", mg.tanh(x @ p.W_xh + (z * h) @ p.W_hh))
        h = mg.named("h", (1.0 - z) * h + z * n)
        return h, h


class Late(MGU):
    """Its line is two steps old, what its gates read one."""

    state = ("h", "before")

    def step(self, p: Any, x: Any, h: Any, before: Any) -> Any:
        z = mg.named("z", mg.sigmoid(x @ p.W_xf + h @ p.W_hf))
        n = mg.named("n", mg.tanh(x @ p.W_xh + h @ p.W_hh))
        new = mg.named("h", (1.0 - z) * before + z * n)
        return new, new, h


CELLS = {
    "LSTM": rnn.LSTMCell(3, 5),
    "peepholes": rnn.LSTMCell(3, 5, peepholes=True),
    "GRU": rnn.GRUCell(3, 5),
    "GRU, reset before": rnn.GRUCell(3, 5, reset="before"),
    "MGU": MGU(),
    "highway": Highway(),
    "coupled LSTM": Blend(memory=True),
    "minimal": Minimal(),
}
BUILDS = st.builds(
    Blend,
    hidden=st.sampled_from([1, 8]),
    memory=st.booleans(),
    weighs=st.sampled_from(["two", "keep", "write"]),
    reset=st.sampled_from(["", "before", "after", "same"]),
    turned=st.booleans(),
)


def crossings(scene: Scene) -> list[Any]:
    """Where wires cross, and neither hops over the other: there they seem to be joined."""
    pieces = [(wire, *piece) for wire in scene.wires for piece in geometry._straight(wire)]
    return [
        (a.target, b.target, x, y)
        for a, across, y, left, right in pieces if across
        for b, level, x, low, high in pieces if not level
        if left + 3 < x < right - 3 and low + 3 < y < high - 3
    ]  # fmt: skip


def misled(scene: Scene) -> list[Any]:
    """Wires that carry another value than that of the line where they begin."""
    found = []
    for w in scene.wires:
        (x, y), read = w.path[0], {delay > 0 for _, delay in w.carries}
        if read and (y == BUS or x in (DOWN, JOIN)):
            found += [w] if read != {JOIN: {False}, DOWN: {True}}.get(x, {False, True}) else []
    return found


@settings(max_examples=30)  # each is five pictures
@given(BUILDS, st.sampled_from(sorted(STYLES)))
def test_every_build_of_a_gated_cell_has_its_diagram(cell, style):
    found = memory(cell.folded())
    assert found is not None
    assert (found.reset is None) == (not cell.reset)
    nodes, edges = folded(found.view)
    drawing = figures.memory_cell(cell, style)
    assert read_back(drawing) == (nodes - {("x", 0)}, edges)
    assert misled(drawing.scene) == []
    for drawn in (drawing, figures.stages(cell, cell.init(0), [1.0] * 3, style=style)):
        broken = {law.__name__: law(drawn.scene) for law in geometry.LAWS if law(drawn.scene)}
        assert broken == {}
        assert crossings(drawn.scene) == []


def test_a_crossing_without_a_hop_is_noticed(monkeypatch):
    assert crossings(figures.memory_cell(CELLS["GRU"]).scene) == []
    monkeypatch.setattr(Plan, "trunks", lambda *ends: [])
    assert {target for target, *_ in crossings(figures.memory_cell(CELLS["GRU"]).scene)} == {"h"}


def test_a_gate_that_is_drawn_at_the_whole_bus_is_noticed():
    """The candidate of a GRU reads x, not h."""
    cell, reads = CELLS["GRU"], {"r": "bus", "z": "bus", "h": "bus", "add": "past"}
    wrong = replace(memory(cell.folded()), reads=reads)
    assert [w.target for w in misled(block_diagram(wrong, STYLES["print"]))] == ["h"]


def test_a_gru_shows_where_its_reset_gate_acts():
    """The oracle is Cho et al. (2014), r ⊙ h before the weights, and cuDNN's form, after them."""
    past = {}
    for reset in ("before", "after"):
        cell = rnn.GRUCell(3, 5, reset=reset)
        wires = figures.memory_cell(cell).scene.wires
        past[reset] = {w.target for w in wires if w.carries == (("h__2", 1),)}
        found = memory(cell.folded())
        assert found.reset == Reset("r", "multiply", "" if reset == "before" else "add", "h")
        assert ("multiply", "h") in {(w.source, w.target) for w in wires}
    assert past == {"before": {"multiply", "multiply__3"}, "after": {"add", "multiply__3"}}


@pytest.mark.parametrize("name", CELLS)
def test_a_block_diagram_is_read_at_8_cm(name):
    assert figures.memory_cell(CELLS[name]).sized("8cm").width == pytest.approx(8 / 2.54 * 72)


def test_words_of_another_language_have_their_room():
    words = {"reset": "zurücksetzen", "update": "auffrischen", "candidate": "Vorschlag",
             "forget": "vergessen", "input": "dazulernen", "output": "weitergeben",
             "cell state: long-term memory": "Zellzustand: das Langzeitgedächtnis des Netzes",
             "hidden state: short-term memory": "verborgener Zustand: das Kurzzeitgedächtnis",
    }  # fmt: skip
    for cell in CELLS.values():
        drawing = figures.memory_cell(cell, {"words": words})
        english = figures.memory_cell(cell).words
        assert drawing.words == sorted(words.get(text, text) for text in english)
        assert {
            law.__name__: law(drawing.scene) for law in geometry.LAWS if law(drawing.scene)
        } == {}


def test_what_a_gate_is_for_is_told_of_other_cells_too():
    roles = {name: dict(memory(cell.folded()).roles) for name, cell in CELLS.items()}
    assert roles["GRU"] == {"r": "reset", "z": "update", "h": "candidate"}
    assert roles["GRU"] == roles["GRU, reset before"]
    assert roles["MGU"] == {"f": "update", "h": "candidate"}
    assert roles["coupled LSTM"] == {"z": "update", "n": "candidate", "o": "output"}
    assert list(memory(Peeping().folded()).roles.values()) == [
        "forget", "candidate", "input", "output"]  # fmt: skip


def test_the_view_is_the_figure_and_keeps_the_laws():
    for cell in CELLS.values():
        scene = figures.memory_cell(cell).scene
        assert {law.__name__: law(scene) for law in geometry.LAWS if law(scene)} == {}
        drawn, figure = viz.draw(cell, "block"), figures.memory_cell(cell)
        assert drawn.scene.wires == figure.scene.wires
        assert drawn.scene.shapes == figure.scene.shapes
    cell = rnn.GRUCell(3, 5)
    r = [node.name for node in cell.folded().step.nodes].index("r")
    marked = viz.draw(cell, "block", marked=[r]).scene.shapes.values()
    assert [s.id for s in marked if s.is_marked] == ["r"]


@pytest.mark.parametrize(
    "cell", [rnn.RNNCell(3, 5), Residual(), Blind(), Late(), rnn.Stack([MGU(), MGU(4)])]
)
def test_who_has_no_block_diagram_is_told_what_has(cell):
    with pytest.raises(ValueError, match=r"by × and \+ alone.*level='gate' draws any cell"):
        viz.draw(cell, "block")
    with pytest.raises(ValueError, match="no stages; a block diagram is of a state"):
        figures.stages(cell, cell.init(0), [1.0] * 3)


@pytest.mark.parametrize("given", [{"level": "op"}, {"on_edges": True}, {"params": "shared"}])
def test_what_a_block_diagram_does_not_show_is_refused(given):
    with pytest.raises(ValueError, match="a block diagram has a box for each gate"):
        viz.draw(rnn.GRUCell(3, 5), "block", **given)
