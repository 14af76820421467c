"""What is printed, read back and computed, gives the step's numbers and its gradients."""

import re
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
import viz
from minigrad.core import PRIMITIVES
from minigrad.folded import EVERY, SEQUENCE, STATE, Folded, Recurrence
from minigrad.graph import replay
from minigrad.testing.cases import draw_case
from minigrad.testing.programs import draw_program
from rnn import kinds
from rnn.testing.networks import draw_cell
from tests.viz.formulas.reading import ZERO, compute
from tests.viz.formulas.test_equations import CELLS
from tests.viz.own import TwoLags
from viz.formulas.notation import unicode

VOCABULARY = [p for p in PRIMITIVES.values() if p.kind != "loop" and p.name != "astype"]
SEEDS = st.integers(0, 2**32 - 1)


def known_of(shown, folded, rng, values=None):
    """A value for each input of a step, by how it is written; inputs written alike are alike."""
    known = {unicode((symbol,)): np.asarray(v) for symbol, v in shown.constants.items()}
    taken = []
    for k, written in enumerate(shown.inputs):
        made = values[k] if values else rng.normal(size=folded.input_node(k).shape)
        taken.append(known.setdefault(unicode(written), made))
    return known, taken


def agrees(found, wanted):
    found = np.asarray(getattr(found, "data", found) if isinstance(found, mg.Tensor) else found)
    whole = np.broadcast_to(found, np.shape(wanted))
    return np.allclose(whole, wanted, 1e-8, 1e-10, equal_nan=True)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(SEEDS)
def test_equations_of_random_programs_compute_their_steps(seed):
    """Every operation, also those without a formula of their own; names and delays at random."""
    random = Random(seed)
    program = draw_program(random, VOCABULARY)
    graph, nodes = program.graph, list(program.graph.nodes)
    for k, node in enumerate(nodes):
        if node.op == "input":
            nodes[k] = replace(node, name=f"x{graph.inputs.index(k)}")
        elif node.op != "constant" and random.random() < 0.3:
            nodes[k] = replace(node, name=random.choice(("h", "g_1", "C̃", "x0")))
    graph = replace(graph, nodes=tuple(nodes))
    roles, outputs, edges = [SEQUENCE] * len(graph.inputs), list(graph.outputs), []
    for n, k in enumerate(graph.inputs):
        alike = [i for i, node in enumerate(nodes) if (node.shape, node.dtype) ==
                 (nodes[k].shape, nodes[k].dtype)]  # fmt: skip
        if random.random() < 0.5:
            roles[n] = STATE
            edges.append(Recurrence(len(outputs), n, random.choice((1, 2, -1)), f"s{n}"))
            outputs.append(random.choice(alike))
    graph = replace(graph, outputs=tuple(outputs))
    ends = (EVERY, *(STATE for _ in edges))
    assert_tells(Folded(graph, tuple(roles), ends, tuple(edges)), program.values)


def assert_tells(folded, values):
    """The printed equations of a step give what the step gives."""
    shown = viz.equations(folded)
    known, values = known_of(shown, folded, None, [np.asarray(v) for v in values])
    found = compute(shown.unicode, known)
    # Inputs written alike are one value that comes twice, so they have the first one's value.
    wanted = replay(folded.step, values)
    for written, want in zip(shown.outputs, wanted, strict=True):
        text = unicode(written)
        assert agrees(found[text] if text in found else compute(f"z = {text}", found)["z"], want)


@pytest.mark.parametrize("primitive", VOCABULARY, ids=lambda p: p.name)
def test_every_operation_is_printed_as_what_it_computes(primitive):
    """By its own pattern or by its name, alone and beside a sum, and in letters LaTeX has."""
    case = draw_case(primitive, Random(1))

    def step(*xs):
        return primitive(*xs, **case.attrs) * 2.0 + 1.0

    graph = mg.trace(step, *case.operands)
    nodes = list(graph.nodes)
    for n, k in enumerate(graph.inputs):
        nodes[k] = replace(nodes[k], name=f"x{n}")
    graph = replace(graph, nodes=tuple(nodes))
    folded = Folded(graph, (SEQUENCE,) * len(graph.inputs), (EVERY,))
    assert_tells(folded, case.operands)
    assert not re.search("[⌊⌋⌈⌉⁻]", viz.equations(folded).latex)


@given(SEEDS)
def test_equations_of_random_cells_compute_their_steps_and_gradients(seed):
    """At the last step, to which nothing comes from later ones."""
    cell, rng = draw_cell(Random(seed)), np.random.default_rng(seed)
    assert_computes(cell, rng)


def assert_computes(cell, rng):
    folded = cell.folded()
    shown, back = viz.equations(cell), viz.equations(cell, adjoint=True)
    known, values = known_of(shown, folded, rng)
    found, wanted = compute(shown.unicode, known), replay(folded.step, values)
    for written, want in zip(shown.outputs, wanted, strict=True):
        text = unicode(written)
        assert agrees(found[text] if text in found else compute(f"z = {text}", found)["z"], want)
    g = rng.normal(size=wanted[0].shape)
    grads = mg.grad(lambda given: mg.sum(replay(folded.step, given)[0] * g))(values)
    found |= {unicode((symbol,)): v for symbol, v in back.constants.items()}
    named = len(shown.outputs[0]) == 1
    found = compute(back.unicode, {**found, f"∂L/∂{unicode(shown.outputs[0] if named else ())}": g})
    for written, want, role in zip(shown.inputs, grads, folded.inputs, strict=True):
        if role != STATE:
            total = found[f"∂{unicode(written)}"]
            total = np.zeros(want.shape) if total is ZERO else np.asarray(total)
            assert agrees(total.reshape(want.shape), want), unicode(written)


@dataclass(frozen=True)
class Attention(rnn.Cell):
    """Looks back at the last four inputs, weighed by how well they fit."""

    inputs: int = 3
    hidden: int = 2
    state = ("h", "K")

    def size(self, name):
        return self.hidden * (4 if name == "K" else 1)

    def parameters(self):
        sizes = {"W_q": self.inputs, "W_k": self.inputs, "W_hh": self.hidden}
        return {name: rnn.glorot(size, self.hidden) for name, size in sizes.items()}

    def step(self, p, x, h, K):
        k = mg.named("k", x @ p.W_k)
        window = mg.named("M", mg.reshape(K, (-1, 4, self.hidden)))
        q = mg.named("q", x @ p.W_q)
        a = mg.named("a", mg.softmax(mg.sum(mg.expand_dims(q, -2) * window, axis=-1)))
        c = mg.named("c", mg.sum(mg.expand_dims(a, -1) * window, axis=-2))
        h = mg.named("h", mg.tanh(c + h @ p.W_hh))
        return h, h, mg.concatenate([K[:, self.hidden :], k], axis=-1)


def test_attention_over_a_window_is_printed_with_its_sums():
    text = viz.equations(Attention()).unicode
    assert "c⁽ᵗ⁾ = Σ(expand_dims(a⁽ᵗ⁾, axis=−1) ⊙ M⁽ᵗ⁾, axis=−2)" in text
    assert "K⁽ᵗ⁾ = [K⁽ᵗ⁻¹⁾[2:]; k⁽ᵗ⁾]" in text
    assert_computes(Attention(), np.random.default_rng(0))


@pytest.mark.parametrize("cell", CELLS, ids=kinds.written)
def test_equations_of_the_textbooks_cells_compute_their_steps_and_gradients(cell):
    assert_computes(cell, np.random.default_rng(0))


def test_a_state_handed_on_is_the_state_one_step_before():
    text = viz.equations(TwoLags()).unicode
    assert text == "h⁽ᵗ⁾ = tanh(W_xh x⁽ᵗ⁾ + W_hh h⁽ᵗ⁻¹⁾ + V_hh h⁽ᵗ⁻²⁾)"
    assert_computes(TwoLags(), np.random.default_rng(0))


@pytest.mark.parametrize("wrong", ["W_hh h⁽ᵗ⁾", "Σ ", "axis=−1", "W_xh x⁽ᵗ⁾ − "])
def test_a_wrong_equation_is_seen(wrong):
    """The reader above is no rubber stamp: what is not printed is missed."""
    swaps = {"W_hh h⁽ᵗ⁾": ("⊙", "+"), "Σ ": ("tanh", "relu"), "axis=−1": ("+ W_hh", "− W_hh"),
             "W_xh x⁽ᵗ⁾ − ": ("h⁽ᵗ⁻¹⁾", "c⁽ᵗ⁾")}  # fmt: skip
    shown, folded = viz.equations(Attention()), Attention().folded()
    known, values = known_of(shown, folded, np.random.default_rng(0))
    text = shown.unicode.replace(*swaps[wrong])
    assert text != shown.unicode
    found, wanted = compute(text, known), replay(folded.step, values)
    try:
        right = agrees(found[unicode(shown.outputs[0])], wanted[0])
    except ValueError:
        right = False
    assert not right
