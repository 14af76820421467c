"""Law of DOT: parsed, every picture gives back the nodes and edges of the quotient it shows."""

import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
import rnn
import viz
from minigrad.folded import folded_adjoint
from minigrad.lower.pipeline import planned
from minigrad.testing.strategies import graphs
from rnn import tasks
from rnn.testing.networks import draw_cell
from tests.viz import geometry
from viz import figures
from viz.figures.matrices import rows
from viz.memory.memory import memory
from viz.output.drawing import LEAST, Drawing
from viz.quotients.circles import circles
from viz.quotients.elided import short as drawn_short
from viz.quotients.operations import operations, quotient
from viz.quotients.recorded import of_graph
from viz.quotients.steps import choose
from viz.scene.styles import PRINT
from viz.views import scenes
from viz.views.scenes import Asked, narrower
from viz.views.schedule import boxes

pytest.importorskip("pygraphviz")
from tests.viz.reading import folded, read_back, same, together, unfolded

NOW = choose("t")


def view_of(folded, level):
    return circles(folded) if level == "cell" else operations(folded, level)


def check(drawing, wanted):
    found = read_back(drawing)
    assert same(found, wanted), (found, wanted)


RANDOM_CELLS = st.builds(lambda random: draw_cell(random), st.randoms(use_true_random=False))
FEW = settings(max_examples=min(settings().max_examples, 30))  # a picture takes its time
PART = st.sampled_from(["cell", "forward", "backward"])


def part_of(cell, part):
    return cell.folded() if part == "cell" else getattr(folded_adjoint(cell.folded()), part)


@FEW
@given(
    RANDOM_CELLS, PART, st.sampled_from(["cell", "gate", "op"]),
    st.one_of(st.integers(1, 9), st.sets(st.integers(1, 9), min_size=1, max_size=4)),
)  # fmt: skip
def test_folded_and_unfolded_pictures_of_random_networks(cell, part, level, steps):
    given = part_of(cell, part)
    view = view_of(given, level)
    check(viz.draw(given, "folded", level=level), folded(view))
    drawing = viz.draw(given, "unfolded", steps, level, force=True)
    check(drawing, unfolded(view, choose(steps)))


@settings(max_examples=min(settings().max_examples, 12))
@given(
    RANDOM_CELLS, PART, st.sampled_from(["gate", "op"]), st.sampled_from([1, 2, 8]), st.booleans()
)  # fmt: skip
def test_steps_drawn_short_keep_what_enters_and_what_leaves(cell, part, level, steps, shared):
    """Every box and edge is one of the quotient's, the laws of geometry hold, text is readable."""
    given, shown = part_of(cell, part), choose(steps)
    view = operations(given, level, shared=shared)
    short = drawn_short(view, given.step.nodes)
    carried = lambda v: {(k.source, k.name, k.delay) for k in v.links if k.delay}
    assert (carried(short), short.outputs) == (carried(view), view.outputs)
    asked = Asked("unfolded", steps, level, False, False, False, (), "shared" if shared else "tags",
                  PRINT, True)  # fmt: skip
    asked = narrower(asked, False)[0]
    scene = scenes.folded(given, asked)
    check(Drawing(scene), unfolded(view, shown, short))
    assert {law.__name__: law(scene) for law in geometry.LAWS if law(scene)} == {}


@settings(max_examples=min(settings().max_examples, 15))
@given(RANDOM_CELLS, PART, st.sampled_from(["gate", "op"]))
def test_at_a_width_text_is_readable_and_what_is_left_out_is_told(cell, part, level):
    given = part_of(cell, part)
    whole = viz.draw(given, "unfolded", 3, level, force=True)
    boxes = lambda drawing: sum(s.block != "" for s in drawing.scene.shapes.values())
    told = lambda drawing: re.findall("left out|to fit|…", " ".join(drawing.words))
    for part_of_it in (1.0, 0.7, 0.45):
        try:
            drawing = viz.draw(given, "unfolded", 3, level, force=True,
                               width=f"{whole.least() * part_of_it + 0.01:.2f}pt")  # fmt: skip
        except ValueError as refused:
            assert "is not read; from" in str(refused)  # noqa: PT017  # others are whole
        else:
            assert drawing.scene.smallest()[0] * drawing.width / drawing.extent() >= LEAST
            assert bool(told(drawing)) == (boxes(drawing) < boxes(whole))


@FEW
@given(RANDOM_CELLS, PART, st.sampled_from(["gate", "op"]), st.integers(1, 4))
def test_shared_parameters_are_one_node_for_all_steps(cell, part, level, steps):
    given = part_of(cell, part)
    view = operations(given, level, shared=True)
    parameters = {block.id for block in view.blocks if block.nodes[0] in given.step.inputs}
    assert view.shared <= parameters
    check(viz.draw(given, "folded", level=level, params="shared"), folded(view))
    drawing = viz.draw(given, "unfolded", steps, level, params="shared", force=True)
    check(drawing, unfolded(view, choose(steps)))


@FEW
@given(RANDOM_CELLS, PART)
def test_schedules_of_random_networks(cell, part):
    plan = planned(part_of(cell, part))
    check(viz.draw(plan, force=True), folded(boxes(plan)))


@FEW
@given(RANDOM_CELLS, st.integers(1, 3), st.sampled_from(["gate", "op"]))
def test_recorded_graphs_of_random_networks(cell, steps, level):
    graph = mg.unfold(cell.folded(), steps)
    assert_recorded(graph, level)


@given(graphs())
def test_recorded_graphs_of_random_programs(program):
    assert_recorded(program.graph, "op")


def assert_recorded(graph, level):
    record = of_graph(graph)
    view = quotient(record.nodes, record.free(), level, None, record.results, record.carried())
    nodes, edges = read_back(viz.draw(graph, level=level, force=True))
    assert {name for name, _ in nodes} == {block.id for block in view.blocks}
    found = Counter((a[0], b[0]) for a, b, _ in edges.elements() if a and b)
    assert found == Counter((k.source, k.target) for k in view.links)


PLAIN, DEEP = rnn.RNNCell(3, 5, 2), rnn.Stack([rnn.RNNCell(3, 5), rnn.LSTMCell(5, 4)])


def both(cell):
    view = circles(cell if isinstance(cell, mg.Folded) else cell.folded())
    return together(folded(view), unfolded(view, NOW))


@pytest.mark.parametrize("cell", [PLAIN, DEEP, rnn.Bidirectional(PLAIN)])
@pytest.mark.parametrize("on_edges", [False, True])
def test_unfolding(cell, on_edges):
    check(figures.unfolding(cell, on_edges), both(cell))


def test_feedforward():
    other = rnn.Stack([rnn.Dense(3, 5, "tanh"), rnn.Dense(5, 2)])
    views = [circles(cell.folded()) for cell in (other, PLAIN)]
    check(figures.feedforward(other, PLAIN), together(*map(folded, views)))


def test_recurrences():
    kinds = [rnn.RNNCell(3, 5, 2, recurrence=kind) for kind in rnn.cells.RECURRENCES]
    check(figures.recurrences(PLAIN), together(*map(both, kinds)))


@pytest.mark.parametrize("cell", [PLAIN, rnn.GRUCell(3, 5), DEEP])
def test_backward(cell):
    check(figures.backward(cell), both(folded_adjoint(cell.folded()).backward))


def test_forward_and_backward():
    views = circles(PLAIN.folded()), circles(folded_adjoint(PLAIN.folded()).backward)
    nodes, edges = together(*(unfolded(view, NOW) for view in views))
    for t in NOW.shown:
        nodes.add((f"L_t{t}", 0))
        edges[("o", t), (f"L_t{t}", 0), 0] += 1
        edges[(f"L_t{t}", 0), ("do", t), 0] += 1
        edges[("h", t), ("dh", t), 0] += 1  # the slope of h is made from h
    check(figures.forward_and_backward(PLAIN), (nodes, edges))


@pytest.mark.parametrize(
    "cell",
    [rnn.LSTMCell(3, 5), rnn.LSTMCell(3, 5, peepholes=True), rnn.GRUCell(3, 5)],
    ids=["plain", "peepholes", "GRU"],
)
def test_memory_cells_carry_every_edge_even_those_on_a_bus(cell):
    nodes, edges = folded(memory(cell.folded()).view)
    found = read_back(figures.memory_cell(cell))
    assert found[0] == nodes - {("x", 0)}  # a name before the bus
    assert found[1] == edges
    small = rnn.LSTMCell(1, 1)
    thrice = read_back(figures.stages(small, small.init(0), [1.0], ([0.5], [2.0])))
    plain = read_back(figures.memory_cell(small))
    assert thrice == together(plain, plain, plain)


def test_encoder_and_decoder():
    nodes, edges = read_back(figures.encoder_decoder(PLAIN, rnn.RNNCell(2, 5, 2), 3, 2))
    encoder = {("x", t) for t in (1, 2, 3)} | {("h", t) for t in (1, 2, 3)}
    assert nodes >= encoder | {("o", t) for t in (1, 2)}
    delayed = Counter((a[0], b[0]) for a, b, d in edges.elements() if d)
    assert delayed == {("h", "h"): 2 + 1 + 1, ("o", "h"): 1}


@pytest.mark.parametrize(
    "task",
    [tasks.one_to_one(), tasks.one_to_many(4), tasks.many_to_one(4),
     tasks.many_to_many_delayed(2, 3), tasks.many_to_many_synchronised(3)],
    ids=lambda task: task.name,
)  # fmt: skip
def test_modelling_tasks(task):
    nodes, edges = read_back(figures.modelling_tasks(task))
    kinds = (("input", task.enters), ("hidden", [True] * task.steps), ("output", task.leaves))
    wanted = {f"{kind}_t{t}" for kind, there in kinds for t, yes in enumerate(there, 1) if yes}
    assert {name for name, _ in nodes} == wanted
    fed = sum(a and b for a, b in zip(task.feeds[1:], task.leaves, strict=False))
    assert sum(d for *_, d in edges.elements()) == task.steps - 1 + fed
    assert sum(not d for *_, d in edges.elements()) == sum(task.enters) + sum(task.leaves)


@pytest.mark.parametrize("concatenated", [False, True])
def test_activations_have_a_node_for_every_matrix_and_vector(concatenated):
    nodes, _ = read_back(figures.activation(PLAIN, concatenated))
    found = Counter(name.partition("_")[0] for name, _ in nodes)
    terms = [term for row in rows(PLAIN.folded()) for term in row.terms]
    products = sum(term.operand is not None for term in terms)
    assert found["weight"] == found["operand"] == products
    assert found["bias"] == len(terms) - products


def test_the_law_notices_an_edge_too_few_and_an_edge_turned_round():
    view = circles(PLAIN.folded())
    assert read_back(viz.draw(PLAIN, "folded")) == folded(view)
    for change in (
        lambda wires: wires[1:],
        lambda wires: [replace(w, source=w.target, target=w.source) for w in wires],
        lambda wires: [replace(w, delay=2 * w.delay) for w in wires],
    ):
        drawing = viz.draw(PLAIN, "folded")
        drawing.scene.wires = change(drawing.scene.wires)
        assert read_back(drawing) != folded(view)
