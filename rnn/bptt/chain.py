"""The chain rule on the graph of all steps, edge by edge: names, local derivatives, formulas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import Array
from minigrad.graph import Graph
from rnn.bptt.recorded import Loss, plain
from rnn.cell import Cell
from rnn.params import Params
from rnn.run import run

LONGEST = 14
"""How many characters an unnamed value may take, which is written as it is computed."""


class Chain:
    """The recorded graph of a run and its loss, every operation of every step.

    Attributes:
        loss: the tensor of the loss, or of the outputs if there is none.
        nodes: all tensors it depends on, oldest first.
        parameters: those of the cell.
        label: the name of the cell.
    """

    def __init__(
        self,
        cell: Cell,
        params: Mapping[str, Any],
        xs: Any,
        loss: Loss | None,
        state: Any,
        lengths: Any = None,
    ) -> None:
        weights = Params(mg.tree_map(plain, dict(params))).tensors()
        self.label, self.parameters = cell.label, list(weights.named().values())
        ys = run(cell, weights, xs, state, lengths, unfolded=True)[0]
        if not len(ys):
            raise ValueError(f"xs has shape {xs.shape}: without a step there is nothing to study")
        self.loss = mg.named("L", loss(ys)) if loss else ys
        if not isinstance(self.loss, mg.Tensor):
            raise TypeError("the loss does not depend on the parameters, so there is no chain rule")
        self.nodes = mg.ancestors(self.loss)

    def find(self, name: str, t: int | None = None) -> mg.Tensor:
        """The tensor of a name: qualified by the cell's, then by the end of its name, then any."""
        for path in (f"{self.label}.{name}", name):
            try:
                return mg.find(self.loss, path, t)
            except LookupError:
                continue
        return mg.find(self.loss, name, t)


def edges(node: mg.Tensor) -> list[tuple[int, mg.Tensor]]:
    """The operands of a node that a derivative passes to: their places and themselves."""
    primitive = node.primitive
    if primitive is None or node.dtype.kind != "f":
        return []
    return [
        (i, x)
        for i, x in enumerate(node.parents)
        if isinstance(x, mg.Tensor) and x.dtype.kind == "f" and primitive.moves(i)
    ]


def message(node: mg.Tensor, i: int, g: Array) -> Array:
    """What the cotangent g of a node gives its operand i."""
    return _pull(node, i)(g)[0]  # type: ignore[no-any-return]  # a tuple of arrays


def local(node: mg.Tensor, i: int) -> Array:
    """The Jacobian of a node by its operand i, `(n, m)` of entries in rows."""
    pull = _pull(node, i)
    n = node.size
    rows = [pull(row.reshape(node.shape))[0].ravel() for row in np.eye(n, dtype=node.dtype)]
    return np.array(rows).reshape(n, -1)


def _pull(node: mg.Tensor, i: int) -> Any:
    values = [x.data if isinstance(x, mg.Tensor) else x for x in node.parents]
    primitive: Any = node.primitive
    alone = lambda x: primitive(*values[:i], x, *values[i + 1 :], **node.attrs)
    return mg.vjp(alone, values[i])[1]


def written(x: Any) -> str:
    """A tensor as it is written: its name and step, or the operation that makes it.

    >>> with mg.scope("", t=2):
    ...     h = mg.named("h", mg.tanh(mg.Tensor(0.5, "z")))
    >>> written(h), written(h * h)
    ('h⁽²⁾', 'h⁽²⁾ × h⁽²⁾')
    """
    if not isinstance(x, mg.Tensor):
        return shortened(format(x, "g") if np.ndim(x) == 0 else f"array{list(np.shape(x))}")
    if x.name:
        # Parameters are the same at every step.
        return x.name if x.t is None else x.name + superscript(x.t)
    if x.primitive is None:
        return "constant"
    primitive = x.primitive
    return shortened(_called(primitive.name, [_inner(p) for p in x.parents]))


def superscript(t: int) -> str:
    """A step as it is written above.

    >>> superscript(12)
    '⁽¹²⁾'
    """
    return f"⁽{str(t).translate(str.maketrans('0123456789-', '⁰¹²³⁴⁵⁶⁷⁸⁹⁻'))}⁾"


def formula(node: mg.Tensor, i: int) -> str:
    """What a cotangent g of a node becomes on its way to operand i, from the rule itself.

    >>> h = mg.named("h", mg.tanh(mg.Tensor(0.5, "z")))
    >>> formula(h, 0)
    'g × (1 − (h × h))'
    """
    primitive: Any = node.primitive
    if primitive.joint is not None:
        return "the part of g"
    rule = primitive.rules[i]
    values = [x.data if isinstance(x, mg.Tensor) else x for x in node.parents]
    names = ["g", _inner(node), *map(_inner, node.parents)]
    given = [k for k, x in enumerate(values) if isinstance(x, np.ndarray)]

    def pulled(g: Any, y: Any, chosen: list[Any]) -> Any:
        operands = list(values)
        for k, x in zip(given, chosen, strict=True):
            operands[k] = x
        return rule(g, y, *operands, **node.attrs)

    graph = mg.trace(pulled, np.ones_like(node.data), node.data, [values[k] for k in given])
    return _printed(graph, [*names[:2], *(names[2 + k] for k in given)])


def _printed(graph: Graph, names: list[str]) -> str:
    place = dict(zip(graph.inputs, names, strict=True))
    texts: list[str] = []
    for k, node in enumerate(graph.nodes):
        if k in place:
            texts.append(place[k])
        elif node.op == "constant":
            texts.append(format(node.value, "g") if np.ndim(node.value) == 0 else "constant")
        else:
            inner = [
                f"({texts[i]})" if " " in texts[i] and i not in place else texts[i]
                for i in node.inputs
            ]
            texts.append(_called(node.op, inner))
    return texts[graph.outputs[0]]


def _called(op: str, operands: list[str]) -> str:
    """An operation as text: by its sign, or, of one operand, as it is written in formulas."""
    primitive = mg.PRIMITIVES[op]
    label = primitive.label
    if len(operands) == 2 and not label.isidentifier():
        return f" {label} ".join(operands).replace(" ᵀ", "ᵀ ")
    if len(operands) == 1 and primitive.formula is not None:
        return primitive.formula.pattern.replace("a", operands[0])
    return f"{label if label.isidentifier() else op}({', '.join(operands)})"


def _inner(x: Any) -> str:
    text = written(x)
    return f"({text})" if " " in text and not (isinstance(x, mg.Tensor) and x.name) else text


def shortened(text: str, most: int = LONGEST) -> str:
    """A text of at most so many characters.

    >>> shortened("x⁽²⁾ @ W_xh + h⁽¹⁾ @ W_hh", 12)
    'x⁽²⁾ @ W_xh…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"
