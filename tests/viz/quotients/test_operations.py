import rnn
from minigrad.folded import folded_adjoint
from viz.quotients.operations import operations
from viz.scene.label import plain


def test_every_operation_is_a_box(cell):
    folded = cell.folded()
    view = operations(folded)
    boxed = [k for block in view.blocks for k in block.nodes]
    wanted = [k for k, n in enumerate(folded.step.nodes) if n.op not in ("input", "constant")]
    assert set(wanted) <= set(boxed)
    assert len(boxed) == len(set(boxed))


def test_links_are_those_of_the_graph(cell):
    folded = cell.folded()
    view = operations(folded)
    origins = folded.origins()
    wanted = set()
    for k, node in enumerate(folded.step.nodes):
        for i in node.inputs:
            source, delay = origins.get(i, (i, 0))
            if source in view.of and k in view.of and (view.of[source] != view.of[k] or delay):
                wanted.add((view.of[source], view.of[k], delay))
    assert {(link.source, link.target, link.delay) for link in view.links} == wanted


def test_an_lstm_has_nine_boxes_of_gates():
    view = operations(rnn.LSTMCell(3, 5).folded(), "gate")
    labels = sorted(plain(block.label).replace("\u2002", " ") for block in view.blocks)
    assert labels == ["+ C", "tanh", "tanh C̃", "x", "×", "×", "× h", "σ f", "σ i", "σ o"]


def test_peepholes_are_seen_in_the_gates():
    links = operations(rnn.LSTMCell(3, 5, peepholes=True).folded(), "gate").links
    assert {k.delay for k in links if k.name == "C"} == {1}
    assert len([k for k in links if k.name == "C"]) == 3  # f ⊙ C and two peepholes; o sees C now


def test_the_adjoint_of_an_lstm_has_a_box_for_each_cotangent_of_its_equations():
    view = operations(folded_adjoint(rnn.LSTMCell(3, 5).folded()).backward, "gate")
    parts = [plain(block.label).split("\u2002") for block in view.blocks]
    labels = [part[-1] for part in parts if len(part) > 1 or part == ["∂L/∂h"]]
    named = [name for name in labels if name != "∂W"]
    assert sorted(named) == sorted(
        [
            "∂L/∂h",
            "∂h",
            "∂h^(t−1)",
            "∂o",
            "∂z_o",
            "∂C",
            "∂C^(t−1)",
            "∂i",
            "∂C̃",
            "∂f",
            "∂z_i",
            "∂z_c",
            "∂z_f",
            "∂x",
        ]
    )
    assert labels.count("∂W") == 4  # for each gate those of W_x, W_h and b


def test_every_gradient_of_a_parameter_is_in_a_box(cell):
    backward = folded_adjoint(cell.folded()).backward
    for level in ("gate", "op"):
        view = operations(backward, level)
        sums = [k for k, role in zip(backward.step.outputs, backward.outputs, strict=True)
                if role == "sum"]  # fmt: skip
        assert all(k in view.of for k in sums)
