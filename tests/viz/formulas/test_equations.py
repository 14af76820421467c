"""Printed equations are written as the text writes them, in letters, LaTeX and HTML."""

import os
import re
import subprocess
import sys
import unicodedata
import xml.etree.ElementTree as xml_tree
from dataclasses import dataclass

import pytest
from hypothesis import given, settings

import minigrad as mg
import rnn
import viz
from tests.viz.hostile import HOSTILE
from viz.formulas.notation import LOWERED, Symbol, html, latex, typed, unicode
from viz.scene.label import clean

CELLS = [
    rnn.RNNCell(3, 5, 2), rnn.RNNCell(3, 5, 2, recurrence=rnn.cells.RECURRENCES),
    rnn.LSTMCell(3, 5), rnn.LSTMCell(3, 5, peepholes=True), rnn.GRUCell(3, 5),
    rnn.GRUCell(3, 5, reset="before"),
    rnn.Stack([rnn.LSTMCell(3, 4), rnn.RNNCell(4, 5, 2, activation="relu")]),
    rnn.MGUCell(3, 5), rnn.CoupledLSTMCell(3, 5, peepholes=True), rnn.Highway(rnn.GRUCell(3, 3)),
    rnn.Projected(rnn.LSTMCell(3, 5), 2), rnn.LayerNormalised(rnn.RNNCell(3, 5)),
]  # fmt: skip


def test_the_seeds_equations():
    text = str(viz.equations(rnn.RNNCell(3, 5, 2, output_activation="sigmoid")))
    assert text.splitlines() == [
        "z_h⁽ᵗ⁾ = W_xh x⁽ᵗ⁾ + W_hh h⁽ᵗ⁻¹⁾ + b_h",
        "h⁽ᵗ⁾ = tanh(z_h⁽ᵗ⁾)",
        "z_o⁽ᵗ⁾ = W_ho h⁽ᵗ⁾ + b_o",
        "o⁽ᵗ⁾ = σ(z_o⁽ᵗ⁾)",
    ]
    assert "C⁽ᵗ⁾ = f⁽ᵗ⁾ ⊙ C⁽ᵗ⁻¹⁾ + i⁽ᵗ⁾ ⊙ C̃⁽ᵗ⁾" in str(viz.equations(rnn.LSTMCell(3, 5)))


@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("cell", CELLS, ids=lambda c: str(c)[:60])
def test_latex_is_balanced_and_has_no_two_superscripts(cell, adjoint):
    shown = viz.equations(cell, adjoint=adjoint)
    assert "&lt;" not in shown.html
    assert shown._repr_latex_().startswith("$$\n\\begin{aligned}")
    for line in shown.latex.splitlines():
        assert line.count("{") == line.count("}")
        assert line.count(r"\left") == line.count(r"\right")
    assert not re.search(r"\^\{[^{}]*\}\^", shown.latex)


def test_hostile_names_are_written_as_letters():
    name = "a{b}\\c%$#&^~"
    text = latex((Symbol(name, "", 0),))
    assert text.count("{") - text.count("\\{") == text.count("}") - text.count("\\}")
    assert "\\%" in text
    assert "<b>" not in html((Symbol("<b>", "<b>", 0),))
    assert "\\$" in text


def from_latex(text):
    """A name back from the letters that LaTeX is given."""
    for letter, accent in {"\u0303": "tilde", "\u0302": "hat", "\u0304": "bar"}.items():
        text = re.sub(rf"\\{accent}{{(.)}}", lambda m, c=letter: m[1] + c, text, flags=re.DOTALL)
    commands = {r"\backslash ": "\\", r"\hat{}": "^", r"\sim ": "~", r"\partial ": "∂"}
    pattern = "|".join(map(re.escape, commands)) + r"|\\[{}$&#%_]"
    return re.sub(pattern, lambda m: commands.get(m[0], m[0][-1]), text)


@given(HOSTILE)
def test_any_name_is_read_back_from_the_equations(name):
    formula = (Symbol(name, name),)
    told = clean(name)
    low = told.translate(LOWERED) if told.isdigit() else f"_{told}" if told else ""
    assert unicode(formula) == told + low
    read = xml_tree.fromstring(f"<a>{html(formula)}</a>")
    assert [read.findtext("i"), read.findtext("sub", "")] == [told, told]
    plain = unicodedata.normalize("NFD", told)
    if not re.search("[\u0302-\u0304]", plain):  # accents over what is no single letter
        assert from_latex(latex((Symbol(name),))) == plain
    assert typed(formula).isascii()


@dataclass(frozen=True)
class Called(rnn.Cell):
    """A cell whose parameter, state, values and label are all called the same."""

    name: str
    inputs: int = 2
    hidden: int = 2
    state = property(lambda self: (self.name,))
    label = property(lambda self: self.name)

    def parameters(self):
        return {self.name: rnn.glorot(2, 2)}

    def step(self, p, x, h):
        h = mg.named(self.name, mg.tanh(x @ p[self.name] + h))
        return h, h


@settings(max_examples=min(settings().max_examples, 25))
@given(HOSTILE)
def test_equations_of_any_names_end(name):
    cell = Called(name)
    for net in (cell, rnn.Stack([cell, cell])):
        for adjoint in (False, True):
            told = viz.equations(net, adjoint)
            assert all(clean(line, 10**9) == line for line in told.unicode.split("\n"))
            told.latex.encode()
            xml_tree.fromstring(f"<a>{told.html}</a>")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_equations_are_printed_on_any_console(encoding):
    script = "import rnn, viz; e = viz.equations(rnn.LSTMCell(3, 5), True); print(e); print([e])"
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, check=True)
    told = done.stdout.decode(encoding).replace("\r", "")
    shown = viz.equations(rnn.LSTMCell(3, 5), True)
    wanted = shown.unicode if encoding == "utf-8" else shown.ascii
    assert told == f"{wanted}\n[{wanted}]\n"


def test_equations_in_ascii():
    text = viz.equations(rnn.RNNCell(3, 5), adjoint=True).ascii
    assert text.splitlines()[:3] == [
        "dh^(t) = dL/dh^(t) + W_hh^T dz_h^(t+1)",
        "dz_h^(t) = dh^(t) * (1 - h^(t)^2)",
        "dW_xh = sum_t dz_h^(t) x^(t)^T",
    ]
    assert "C~^(t) = tanh(" in viz.equations(rnn.LSTMCell(3, 5)).ascii


def test_equations_show_themselves():
    told = viz.equations(rnn.RNNCell(3, 5))
    assert repr(told) == str(told) == told.unicode


def test_what_has_no_step_has_no_equations():
    with pytest.raises(TypeError, match="takes a cell or a folded graph"):
        viz.equations(mg.trace(mg.tanh, 1.0))
