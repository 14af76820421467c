"""The gallery: every figure of the seed's text from live networks, and a page of them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from minigrad.folded import folded_adjoint
from rnn import Bidirectional, Dense, GRUCell, LSTMCell, RNNCell, Stack
from viz import figures
from viz.formulas.equations import Equations, equations
from viz.given import Styled, count, styled
from viz.output.drawing import Drawing
from viz.output.html import document, image, text, told
from viz.views.draw import draw
from viz.views.scenes import LIMIT

WIDE = 1100.0  # points; a wider drawing would be too small to read in the width of a page


@dataclass(frozen=True)
class Entry:
    """A figure of the gallery.

    Attributes:
        name: of its file.
        title: above it.
        caption: what to see in it.
        drawing: makes it.
        formulas: the equations that belong to it.
    """

    name: str
    title: str
    caption: str
    drawing: Callable[[], Drawing]
    formulas: Equations | None = None


def gallery(
    inputs: int = 3, hidden: int = 5, outputs: int = 2, style: Styled = "print"
) -> list[Entry]:
    """All figures, from networks of these sizes.

    >>> [entry.name for entry in gallery()][:3]
    ['a_modelling_tasks', 'b_feedforward', 'c_unfolding']
    """
    X = count("gallery", "inputs", inputs, LIMIT)
    H = count("gallery", "hidden", hidden, LIMIT)
    O = count("gallery", "outputs", outputs, LIMIT)
    styled("gallery", style)
    plain, memory, gated = RNNCell(X, H, O), LSTMCell(X, H), GRUCell(X, H)
    deep = Stack([RNNCell(X, H), RNNCell(H, H, O)])
    before, small, least = GRUCell(X, H, "before"), LSTMCell(1, 1), GRUCell(1, 1)
    backward = folded_adjoint(memory.folded())
    return [
        Entry(
            "a_modelling_tasks",
            "The modelling tasks",
            "Which steps take an input, which give an output, and which read what was written.",
            lambda: figures.modelling_tasks(style=style),
        ),
        Entry(
            "b_feedforward",
            "A feed-forward network beside a recurrent one",
            "The recurrent edge brings the hidden layer what it was one step before.",
            lambda: figures.feedforward(Stack([Dense(X, H, "tanh"), Dense(H, O)]), plain, style),
        ),
        Entry(
            "c_unfolding",
            "Folded and unfolded",
            "The loop, laid out in time: the same step, and the same weights, again and again.",
            lambda: figures.unfolding(plain, style=style),
            equations(plain),
        ),
        Entry(
            "d_two_layers",
            "Two layers",
            "Each layer has a recurrent edge of its own; the second reads the first.",
            lambda: figures.unfolding(deep, style=style),
            equations(deep),
        ),
        Entry(
            "e_weights",
            "The weights on their edges",
            "Every arrow is a matrix; every copy of an arrow is the same matrix.",
            lambda: figures.unfolding(plain, True, style),
        ),
        Entry(
            "f_recurrences",
            "The three recurrences",
            "Hidden to hidden, output to hidden, output to output.",
            lambda: figures.recurrences(plain, style),
        ),
        Entry(
            "g_activation",
            "Computing an activation",
            "With the weights side by side and the vectors one above the other, it is one product.",
            lambda: figures.activation(plain, style=style),
        ),
        Entry(
            "g_activation_apart",
            "Computing an activation, term by term",
            "The same sum, a product for each arrow.",
            lambda: figures.activation(plain, False, style),
        ),
        Entry(
            "h_memory_cell",
            "The LSTM memory cell",
            "The straight line is the long-term memory: nothing on it but × and +.",
            lambda: figures.memory_cell(memory, style),
            equations(memory),
        ),
        Entry(
            "h_peepholes",
            "The memory cell with peepholes",
            "The gates also see the memory; the picture follows the cell's code.",
            lambda: figures.memory_cell(LSTMCell(X, H, peepholes=True), style),
        ),
        Entry(
            "i_stages",
            "The three stages, with numbers",
            "What to remember, what to add, what to show; each number is on the wire it came by.",
            lambda: figures.stages(small, small.init(0), [1.0], ([0.5], [2.0]), style),
        ),
        Entry(
            "j_gru",
            "The gated recurrent unit",
            "One gate weighs the old state against a candidate, another what the candidate reads.",
            lambda: figures.memory_cell(gated, style),
            equations(gated),
        ),
        Entry(
            "j_gru_before",
            "The gated recurrent unit, reset before the product",
            "As in the paper: the state is weighed before its weights, not after them.",
            lambda: figures.memory_cell(before, style),
            equations(before),
        ),
        Entry(
            "j_gru_stages",
            "Its three stages, with numbers",
            "What to read of the old state, what to keep of it, and what to put in its place.",
            lambda: figures.stages(least, least.init(0), [1.0], [0.5], style),
        ),
        Entry(
            "k_bidirectional",
            "Both directions of time",
            "The second layer's recurrent edge has delay −1: it comes from step t + 1.",
            lambda: draw(Bidirectional(RNNCell(X, H)), steps=3, style=style),
        ),
        Entry(
            "k_encoder_decoder",
            "Encoder and decoder",
            "The decoder starts from the encoder's last state and reads what it wrote.",
            lambda: figures.encoder_decoder(RNNCell(X, H), RNNCell(O, H, O), style=style),
        ),
        Entry(
            "l_lstm_folded",
            "Every operation of an LSTM, folded",
            "One step of the graph that computes; the size of this picture does not depend on T.",
            lambda: draw(memory, "folded", level="op", style=style),
        ),
        Entry(
            "l_lstm_unfolded",
            "Every operation of an LSTM, three steps",
            "Three copies of one column, the carried states in channels between them.",
            lambda: draw(memory, "unfolded", 3, "op", style=style),
        ),
        Entry(
            "l_lstm_elided",
            "Every operation of an LSTM, a hundred steps",
            "What is left out is said.",
            lambda: draw(memory, "unfolded", 100, "op", style=style),
        ),
        Entry(
            "m_backward",
            "Backpropagation through time",
            "The adjoint is a recurrent network too: its recurrent edges run against time.",
            lambda: figures.backward(plain, style=style),
            equations(plain, adjoint=True),
        ),
        Entry(
            "m_forward_and_backward",
            "Forward and backward",
            "The run below, from each step's loss the derivatives above.",
            lambda: figures.forward_and_backward(plain, style=style),
        ),
        Entry(
            "m_lstm_forward_and_backward",
            "Forward and backward through memory cells",
            "What the loss gives at a step, ∂L/∂h, and what comes from the next step make ∂h.",
            lambda: figures.forward_and_backward(memory, style=style),
        ),
        Entry(
            "m_lstm_backward",
            "Backpropagation through an LSTM, gate by gate",
            "The graph that computes the gradient, drawn like any other; a × is by saved values.",
            lambda: draw(backward, "folded", level="gate", style=style),
            equations(memory, adjoint=True),
        ),
        Entry(
            "n_schedule",
            "What runs when: an LSTM forward",
            "From left to right: what stands in the frame runs at every step, all else once.",
            lambda: figures.schedule(memory, style=style),
        ),
        Entry(
            "n_schedule_backward",
            "What runs when: the LSTM's gradient",
            "The loop runs from T to 1; the gradients of the weights are sums after it.",
            lambda: figures.schedule(memory, True, style),
        ),
    ]


def page(entries: Sequence[tuple[Entry, Drawing]], title: str = "The figures") -> str:
    """One HTML file with all figures in it; it loads nothing.

    >>> page([]).startswith("<!doctype html>")
    True
    """
    links = (f'<a href="#{text(e.name)}">{text(e.title)}</a>' for e, _ in entries)
    parts = [f"<nav>{' · '.join(links)}</nav>"]
    for entry, drawing in entries:
        formulas = f'<pre class="formulas">{entry.formulas.html}</pre>' if entry.formulas else ""
        left, _, right, _ = drawing.scene.bounds()
        kind = ' class="whole"' if right - left > WIDE else ""
        parts.append(
            f'<h2 id="{text(entry.name)}">{text(entry.title)}</h2>'
            f"<figure{kind}>{image(drawing.svg(), told(drawing))}"
            f"<figcaption>{text(entry.caption)}</figcaption>{formulas}</figure>"
        )
    return document(title, parts)
