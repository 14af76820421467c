"""What a value is for is read from the graph: another name changes no look."""

from dataclasses import dataclass

import pytest

import minigrad as mg
import rnn
import viz
from tests.viz.own import MGU, TwoLags
from viz.quotients.circles import circles
from viz.quotients.operations import operations
from viz.quotients.roles import gates, lagged, memories, origins


@dataclass(frozen=True)
class Renamed(rnn.Cell):
    """An LSTM by other names, its operands the other way round."""

    inputs: int = 3
    hidden: int = 4
    state = ("s", "m")

    def parameters(self):
        return {f"{k}{n}": rnn.glorot(size, self.hidden) for n in range(4)
                for k, size in (("U", self.inputs), ("V", self.hidden))}  # fmt: skip

    def step(self, p, x, s, m):
        z = [x @ p[f"U{n}"] + s @ p[f"V{n}"] for n in range(4)]
        keep, write, new = mg.sigmoid(z[0]), mg.sigmoid(z[1]), mg.tanh(z[2])
        m = mg.named("m", mg.named("new", new) * mg.named("write", write) +
                     m * mg.named("keep", keep))  # fmt: skip
        s = mg.named("s", mg.tanh(m) * mg.named("show", mg.sigmoid(z[3])))
        return s, s, m


def test_names_decide_no_looks():
    for options in ({"view": "folded"}, {"view": "folded", "level": "gate"}):
        looks = []
        for cell in (rnn.LSTMCell(3, 4), Renamed()):
            scene = viz.draw(cell, **options).scene
            shapes = [s for s in scene.shapes.values() if s.form in ("box", "circle")]
            looks.append(sorted((s.kind, s.form) for s in shapes))
        assert looks[0] == looks[1]


def test_a_memory_is_what_another_state_is_made_from():
    assert set(memories(Renamed().folded()).values()) == {"m"}
    all_three = rnn.RNNCell(3, 5, 2, recurrence=rnn.cells.RECURRENCES)
    for cell in (rnn.GRUCell(3, 4), all_three, TwoLags()):
        assert memories(cell.folded()) == {}
    backward = mg.adjoint(Renamed().folded()).backward
    assert set(memories(backward).values()) == {"∂m"}


def test_gates_are_known_by_what_they_multiply():
    folded = Renamed().folded()
    named = {folded.step.nodes[k].op: role for k, role in gates(folded).items()}
    assert sorted(gates(folded).values()) == ["candidate", "forget", "input", "output"]
    assert named["tanh"] == "candidate"
    assert gates(rnn.LSTMCell(3, 4, peepholes=True).folded()).keys()
    assert gates(rnn.RNNCell(3, 4).folded()) == {}
    assert gates(mg.adjoint(rnn.GRUCell(3, 4).folded()).backward) == {}


@pytest.mark.parametrize("reset", ["before", "after"])
def test_gates_of_a_gru_are_known_by_what_they_weigh(reset):
    folded = rnn.GRUCell(3, 4, reset=reset).folded()
    named = {str(folded.step.nodes[k].name): role for k, role in gates(folded).items()}
    assert named == {"r": "reset", "z": "update", "h̃": "candidate"}


def test_a_reset_gate_is_one_of_its_own_layer():
    """What the layer above reads of this one was weighed by gates too."""
    cell = rnn.Stack([MGU(3, 4), rnn.LSTMCell(4, 4)])
    assert "reset" not in gates(cell.folded()).values()


@pytest.mark.parametrize("level", ["cell", "gate", "op"])
def test_two_lags_of_one_state_are_one_circle_or_box(level):
    folded = TwoLags().folded()
    assert sorted(d for _, d, _ in origins(folded).values()) == [1, 2]
    view = circles(folded) if level == "cell" else operations(folded, level)
    own = [b for b in view.blocks if b.kind == "hidden"]
    assert len(own) == 1
    assert sum(b.kind == "input" for b in view.blocks) == 1
    assert sorted((k.name, k.delay) for k in view.links if k.delay) == [("h", 1), ("h", 2)]
    backward = mg.adjoint(lagged(folded)).backward
    assert {k.delay for k in circles(backward).links if k.name == "∂h"} == {-1, -2}
    assert circles(backward)["dh"].states == ()
