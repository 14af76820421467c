"""Printed equations are those of the graph: computing with them gives the run and its gradients."""

import re

import numpy as np
import pytest

import minigrad as mg
import rnn
import viz
from viz.notation import Function, Symbol, html, latex, unicode

FUNCTIONS = {
    "σ": lambda x: 1 / (1 + np.exp(-x)), "tanh": np.tanh, "relu": lambda x: np.maximum(x, 0),
    "sin": np.sin, "where": np.where,
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
            else:
                code += SIGNS.get(part, part)
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


def test_what_has_no_step_has_no_equations():
    with pytest.raises(TypeError, match="takes a cell or a folded graph"):
        viz.equations(mg.trace(mg.tanh, 1.0))
