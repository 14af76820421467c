import rnn
from viz.label import plain
from viz.operations import operations


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
