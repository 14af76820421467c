"""Circles and recurrent edges of the folded picture are those of the live graph."""

import minigrad as mg
import rnn
import viz
from viz.quotients.circles import circles


def test_recurrent_edges_are_those_of_the_folded_graph(cell):
    folded = cell.folded()
    drawn = {(link.name, link.delay) for link in circles(folded).links if link.delay}
    assert drawn == {(r.name, r.delay) for r in folded.recurrences}


def test_every_recurrent_value_has_a_circle(cell):
    scene = viz.draw(cell, "folded").scene
    round_ = [s for s in scene.shapes.values() if s.form == "circle"]
    marks = [s for s in scene.shapes.values() if s.form == "square"]
    assert len(round_) >= len(cell.folded().recurrences) + 1
    assert len(marks) == sum(1 for link in circles(cell.folded()).links if link.delay)


def test_every_node_of_the_step_is_in_one_block_or_is_shared_by_all_steps(cell):
    folded = cell.folded()
    view = circles(folded)
    held = [k for block in view.blocks for k in block.nodes]
    inputs = set(folded.step.inputs)
    constants = {k for k, node in enumerate(folded.step.nodes) if node.op == "constant"}
    assert len(held) == len(set(held))
    assert set(range(len(folded.step.nodes))) - set(held) <= inputs | constants


def test_the_folded_picture_is_the_same_for_every_number_of_steps(cell):
    for level in ("cell", "gate", "op"):
        pictures = {viz.draw(cell, "folded", steps, level).svg() for steps in (1, 4, 100)}
        assert len(pictures) == 1


def test_unfolding_refolds_to_the_same_picture():
    cell = rnn.LSTMCell(3, 5)
    unfolded = mg.unfold(cell.folded(), 7)
    again = circles(mg.fold(unfolded))
    assert [b.label for b in again.blocks] == [b.label for b in circles(cell.folded()).blocks]


def test_circles_of_known_cells():
    labels = lambda c: [block.id for block in circles(c.folded()).blocks]
    assert labels(rnn.RNNCell(3, 5, 2, recurrence="output-to-output")) == ["x", "h", "o"]
    assert labels(rnn.Stack([rnn.RNNCell(3, 5), rnn.RNNCell(5, 4)])) == ["x", "h_1", "h_2"]
    assert circles(rnn.LSTMCell(3, 5).folded())["h"].states == ("C", "h")


def test_backpropagation_runs_the_other_way():
    backward = mg.adjoint(rnn.RNNCell(3, 5, 2).folded()).backward
    view = circles(backward)
    assert [(k.source, k.target, k.delay) for k in view.links if k.delay] == [("dh", "dh", -1)]
    for level in ("cell", "gate", "op"):
        viz.draw(backward, level=level)


def test_a_state_that_is_only_handed_on_is_read_at_a_longer_lag():
    """A shift register: h at t − 1 becomes the state `old`, read at t: that is h at t − 2."""
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Register(rnn.Cell):
        inputs: int
        hidden: int
        state = ("h", "old")

        def parameters(self):
            return {"W": rnn.glorot(self.inputs, self.hidden)}

        def step(self, p, x, h, old):
            new = mg.named("h", mg.tanh(x @ p.W + old))
            return new, new, h

    view = circles(Register(3, 4).folded())
    drawn = {(link.name, link.delay) for link in view.links if link.delay}
    assert drawn == {("h", 2)}
    viz.draw(Register(3, 4)).svg()


def test_the_adjoint_of_a_memory_cell_is_a_unit_of_both_cotangents():
    for cell in (rnn.LSTMCell(3, 5), rnn.LSTMCell(3, 5, peepholes=True)):
        view = circles(mg.adjoint(cell.folded()).backward)
        assert [b.id for b in view.blocks] == ["dL_dh", "dh", "dx"]
        assert set(view["dh"].states) == {"∂h", "∂C"}
        assert {(k.name, k.delay) for k in view.links if k.delay} == {("∂h", -1), ("∂C", -1)}


def test_blocks_come_after_what_they_read(cell):
    for folded in (cell.folded(), mg.adjoint(cell.folded()).backward):
        view = circles(folded)
        place = {block.id: k for k, block in enumerate(view.blocks)}
        assert all(place[a] < place[b] for a, b in view.inside())


def test_the_cotangents_of_a_layer_are_called_after_it():
    stack = rnn.Stack([rnn.LSTMCell(3, 4), rnn.LSTMCell(4, 4), rnn.Dense(4, 2)])
    view = circles(mg.adjoint(stack.folded()).backward)
    assert [b.id for b in view.blocks] == ["do", "dh_2", "dh_1", "dx"]
