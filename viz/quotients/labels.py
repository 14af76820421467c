"""What is written on a box of operations: its sign, what it multiplies by, what it sums."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.facts import SUMS
from minigrad.graph import Node
from viz.quotients.adjoints import UNNAMED
from viz.quotients.layers import Layers
from viz.scene.label import Label, Run, symbol, words

SEPARATOR = Run("\u2002", "time")
LINEAR = words("linear")


def called(node: Node, layers: Layers | None = None) -> Label:
    """An input or constant as it is written: its name, its value if all entries are one number.

    Of a step of several layers, with the subscript of its own.

    >>> from viz.scene.label import plain
    >>> plain(called(Node("input", name="layer1.W_xh"))), plain(called(Node("input")))
    ('W_xh', 'array')
    """
    if node.name in UNNAMED:
        return words(node.name)
    if node.name:
        function, _, name = node.name.rpartition(".")[2].rpartition(" ")
        sub = layers.sub(node.name, node.scope) if layers else ""
        known = symbol(name, sub=sub)
        return (*words(f"{function} "), *known) if function and name else known
    values = np.ravel(node.value) if node.op == "constant" else np.empty(0)
    if values.size and values.dtype.kind in "iuf" and np.all(values == values[0]):
        return words(f"{values[0]:.4g}".replace("-", "−"))
    return words("array")


def adds(node: Node) -> bool:
    """Whether a node is a part of an affine chain: a product, a sum, or such side by side."""
    about = node.lowering
    return about.weight is not None or about.chain == SUMS or about.joins


def is_activation(node: Node) -> bool:
    """Whether a node is a function of one value, entry by entry."""
    primitive = PRIMITIVES.get(node.op)
    return primitive is not None and primitive.kind == "elementwise" and len(primitive.rules) == 1


def is_number(node: Node) -> bool:
    """Whether a node is a constant that is written into its reader's box."""
    return node.op == "constant" and node.name is None and np.size(node.value) == 1


def gradients(nodes: Sequence[Node], members: tuple[int, ...], layers: Layers) -> Label:
    """The sums over steps of one cotangent: which parameters they are the gradients of."""
    named = [(nodes[k].name or "", nodes[k].scope) for k in reversed(members)]
    own = [symbol(n, sub=layers.sub(n, scope)) for n, scope in named if n.startswith("∂")]
    listed = [run for label in own[:4] or [symbol("∂W")] for run in (*words(", "), *label)]
    return (*words("Σ"), SEPARATOR, *listed[1:], *words(", …" if len(own) > 4 else ""))


def affine(nodes: Sequence[Node], members: Sequence[int], fixed: Collection[int]) -> Label:
    """Products and sums without a name of their own by what they read, as `W_hn · + b_hn`."""
    found: list[Label] = []
    for k in members:
        for i in nodes[k].inputs:
            if i in fixed and nodes[i].op == "input" and nodes[i].name:
                dot = " ·" if nodes[k].lowering.weight is not None else ""
                found.append((*called(nodes[i]), *words(dot)))
    if not 0 < len(found) < 4:
        return LINEAR if len(members) > 1 else sign(nodes, members[-1], ())
    return tuple(run for label in found for run in (*words(" + "), *label))[1:]


def factor(nodes: Sequence[Node], k: int, keys: Sequence[Hashable], layers: Layers) -> Label:
    """What a cotangent is multiplied by entry by entry: a saved value, or v′, the slope at v."""
    given = [i for i in nodes[k].inputs if keys[i] is None and not is_number(nodes[i])]
    if len(given) != 1 or len(nodes[k].inputs) != 2 or adds(nodes[k]):
        return ()
    node, thin = nodes[given[0]], words(" ")
    if node.name:
        return (*thin, *called(node, layers))
    read = [i for i in node.inputs if not is_number(nodes[i])]
    if len(read) == 1 and nodes[read[0]].name and len(node.inputs) == 2:
        return (*thin, *sign(nodes, given[0], ()), *thin, *called(nodes[read[0]], layers))
    stack, leaves = [given[0]], dict[str, int]()
    while stack:
        i = stack.pop()
        if nodes[i].name:
            leaves[str(nodes[i].name)] = i
        stack += [] if nodes[i].name else nodes[i].inputs
    if len(leaves) != 1:
        return (*thin, *words("saved"))
    (leaf,) = leaves.values()
    *function, name = (run._replace(text=run.text.rstrip()) for run in called(nodes[leaf], layers))
    if function and function[0].role == "word":
        return (*thin, *words(f"{function[0].text}′ "), *function[1:], name)
    return (*thin, *function, name, Run("′", "time"))


def sign(nodes: Sequence[Node], k: int, members: tuple[int, ...]) -> Label:
    """The sign of an operation, a number among its operands included: `1 −`."""
    node = nodes[k]
    if node.op == "input" or node.op == "constant":
        return words(node.name) if node.name else called(node)
    if len([i for i in members if adds(nodes[i])]) > 1 and not is_activation(node):
        return LINEAR
    shown = PRIMITIVES[node.op].label if node.op in PRIMITIVES else node.op
    numbers = [is_number(nodes[i]) for i in node.inputs]
    if len(numbers) == 2 and any(numbers) and not all(numbers):
        value = f"{np.asarray(nodes[node.inputs[numbers.index(True)]].value).item():.4g}"
        shown = f"{value} {shown}" if numbers[0] else f"{shown} {value}"
    return words(shown.replace("-", "−"), 24)
