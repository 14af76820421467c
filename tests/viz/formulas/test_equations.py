"""Printed equations are those of the graph: computing with them gives the run and its gradients."""

import os
import re
import subprocess
import sys
import unicodedata
import xml.etree.ElementTree as xml_tree
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings

import minigrad as mg
import rnn
import viz
from tests.viz.hostile import HOSTILE
from viz.formulas.notation import LOWERED, Code, Function, Symbol, html, latex, typed, unicode
from viz.scene.label import clean

FUNCTIONS = {
    "σ": lambda x: 1 / (1 + np.exp(-x)), "tanh": np.tanh, "relu": lambda x: np.maximum(x, 0),
    "sin": np.sin, "where": np.where, "sqrt": np.sqrt,
    "Σ": lambda x, axis, keepdims: np.sum(x.T, axis, keepdims=keepdims).T,
}  # fmt: skip
SIGNS = {
    " ⊙ ": "*",
    " ": "@",
    "²": "**2",
    "ᵀ": ".T",
    " − ": "-",
    " ≤ ": "<=",
    "−": "-",
    "Σ ": "",
    "[": "(",
    "]": ")",
}
CELLS = [
    rnn.RNNCell(3, 5, 2), rnn.RNNCell(3, 5, 2, recurrence=rnn.cells.RECURRENCES),
    rnn.LSTMCell(3, 5), rnn.LSTMCell(3, 5, peepholes=True), rnn.GRUCell(3, 5),
    rnn.GRUCell(3, 5, reset="before"),
    rnn.Stack([rnn.LSTMCell(3, 4), rnn.RNNCell(4, 5, 2, activation="relu")]),
    rnn.MGUCell(3, 5), rnn.CoupledLSTMCell(3, 5, peepholes=True), rnn.Highway(rnn.GRUCell(3, 3)),
    rnn.Projected(rnn.LSTMCell(3, 5), 2),
]  # fmt: skip


def compute(lines, known):
    """The values of all left sides, by the equations and nothing else; vectors are columns."""
    for left, right in lines:
        code = ""
        for part in right:
            if isinstance(part, Symbol):
                code += f"known[{unicode((part,))!r}]"
            elif isinstance(part, Function):
                code += f"FUNCTIONS[{part.name!r}]"
            elif isinstance(part, Code):
                code += part.text.replace("−", "-")
            else:
                code += SIGNS.get(part, part.replace("e−", "e-"))  # of a number such as 1e−05
        known[unicode(left)] = eval(code, {"known": known, "FUNCTIONS": FUNCTIONS})
    return known


def problem(cell):
    params = cell.init(0)
    rng = np.random.default_rng(1)
    leaves = {name: rng.normal(size=np.shape(v)) for name, v in flat(params)}
    for name, value in leaves.items():
        *path, last = name.split(".")
        at = params
        for part in path:
            at = at[part]
        at[last] = value
    state = mg.tree.tree_map(lambda a: rng.normal(size=a.shape), cell.start(1))
    return params, leaves, rng.normal(size=(1, 1, cell.inputs)), state


def flat(params, prefix=""):
    for name, value in params.items():
        if hasattr(value, "items"):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: str(c)[:60])
def test_equations_compute_what_the_cell_does_and_its_gradients(cell):
    params, leaves, x, state = problem(cell)
    ys, _ = rnn.run(cell, params, x, state)
    names = {name.rpartition(".")[2] for name in leaves}
    many = len(names) < len(leaves)

    def spell(name):
        scope, _, bare = name.rpartition(".")
        number = scope.removeprefix("layer")
        double = sum(n.rpartition(".")[2] == bare for n in leaves) > 1
        return f"{bare},{number}" if many and double else bare

    known = {spell(name): np.atleast_2d(v).T for name, v in leaves.items()}
    paths = rnn.cell.state_paths(cell)
    before = dict(zip(paths, mg.tree.flatten(state)[0], strict=True))
    bare = [path.rpartition(".")[2] for path in paths]
    for path, value in before.items():
        scope, _, name = path.rpartition(".")
        number = int(scope.removeprefix("layer") or 0) if bare.count(name) > 1 else ""
        known[unicode((Symbol(name, str(number), -1),))] = value.T
    known["x⁽ᵗ⁾"] = x[0].T
    lines = viz.equations(cell).lines
    found = compute(lines, known)
    (end,) = lines[-1][0]
    assert np.allclose(found[unicode((end,))].T, ys[0])

    # One step: nothing comes from later ones.
    class Later(dict):
        def __missing__(self, key):
            if "t+1" in key.translate(str.maketrans("ᵗ⁺¹", "t+1")):
                return Zero()
            raise KeyError(key)

    found = Later(found)
    g = np.random.default_rng(2).normal(size=ys[0].shape)
    found[unicode((Symbol(f"∂{end.base}", end.sub, 0, True),))] = g.T
    compute(viz.equations(cell, adjoint=True).lines, found)
    grads = mg.grad(lambda p: mg.sum(rnn.run(cell, p, x, state)[0] * g))(params)
    for name, value in flat(grads):
        assert np.allclose(found[f"∂{spell(name)}"].T, np.atleast_2d(value)), name


class Zero:
    """What later steps give after the last one."""

    T = property(lambda self: self)
    __array_ufunc__ = None
    __mul__ = __rmul__ = __matmul__ = __rmatmul__ = lambda self, other: self
    __add__ = __radd__ = lambda self, other: self if isinstance(other, Zero) else other
    __rsub__ = __radd__


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
