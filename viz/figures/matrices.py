"""An activation as blocks: a vector is a function of matrices times vectors, drawn to scale.

Read from the step graph, so any layer that is an activation of products and sums has its row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from minigrad.facts import SUMS
from minigrad.folded import Folded
from viz.quotients.circles import circles
from viz.quotients.labels import adds
from viz.quotients.layers import Layers
from viz.quotients.operations import operations
from viz.quotients.roles import is_product, origins, statics
from viz.scene.curve import bow, elbow, join, line
from viz.scene.label import Label, fit, named_part, plain, symbol, timed, width, words
from viz.scene.scene import Scene, Shape, Text, Wire
from viz.scene.style import GREY, INK, MUTED, Style
from viz.textbook.weights import labels

VECTOR, SIGN = 42.0, 20.0
BULGE = 0.09  # of a parenthesis, to its height


@dataclass(frozen=True)
class Term:
    """A parameter, and the vector that it is multiplied by; None for a bias.

    Attributes:
        weight, operand: their labels.
        shape: of the weight, `(rows, columns)` as a matrix that stands left of a column.
        kind: of the operand, as the style knows it.
    """

    weight: Label
    shape: tuple[int, int]
    operand: Label | None = None
    kind: str = "hidden"


@dataclass(frozen=True)
class Row:
    """One activation: its label and size, the function, and the terms that are added.

    Attributes:
        net: the name of what the function is applied to, such as z_h; () for none.
        sign: of a layer's function, such as σ_h; () where the function itself is all there is.
    """

    result: Label
    size: int
    function: str
    terms: tuple[Term, ...]
    kind: str
    net: Label = ()
    sign: Label = ()


def rows(folded: Folded) -> list[Row]:
    """The activations of a step, each an elementwise function of products and sums.

    >>> import rnn
    >>> [(row.function, len(row.terms)) for row in rows(rnn.RNNCell(3, 5, 2).folded())]
    [('tanh', 3), ('', 2)]
    """
    nodes, fixed, delayed = folded.step.nodes, statics(folded), origins(folded)
    view = operations(folded, "gate")
    units = {named_part(block.label) for block in circles(folded).blocks}
    parameters = labels(folded)
    layers = Layers((node.name or "", node.scope) for node in nodes)

    def named(k: int) -> Label:
        source, delay, _ = delayed.get(k, (k, 0, ""))
        label = symbol(nodes[k].name or "·")
        if source in view.of and nodes[source].name:
            label = named_part(view[view.of[source]].label)
        return timed(label, f"t{-delay:+d}".replace("-", "−") if delay else "t")

    found = []
    for block in view.blocks:
        terms: list[Term] = []
        for k in block.nodes:
            pair = [i for i in nodes[k].inputs if i in fixed and nodes[i].name]
            other = [i for i in nodes[k].inputs if i not in fixed]
            if not pair:
                continue
            weight = parameters[pair[0]]
            if is_product(nodes[k]) and other:
                columns, size = nodes[pair[0]].shape
                kind = "input" if other[0] in folded.step.inputs and other[0] not in delayed else ""
                terms.append(Term(weight, (size, columns), named(other[0]), kind or "hidden"))
            elif nodes[k].lowering.chain == SUMS:
                terms.append(Term(weight, (nodes[pair[0]].shape[-1], 1)))
        done = [nodes[k] for k in block.nodes if not nodes[k].is_alias]
        if any(term.operand for term in terms):
            name = named_part(block.label)
            function = "" if adds(done[-1]) else done[-1].label
            size = nodes[block.nodes[-1]].shape[-1]
            label = timed(name or words("y"), "t")
            kind = block.kind.partition(":")[0]
            sums = [nodes[k] for k in block.nodes if nodes[k].lowering.chain == SUMS]
            net = next((n for n in sums[::-1] if n.name and function), None)
            z = symbol(net.name or "", "t", layers.sub(net.name or "", net.scope)) if net else ()
            sign = symbol(f"σ_{name[0].text}", sub=_below(name)) if name in units else ()
            sign = sign if function and function != "σ" else ()
            found.append(Row(label, size, function, tuple(terms), kind, z, sign))
    return found


def _below(name: Label) -> str:
    return "".join(run.text for run in name if run.script < 0)


def written_out(found: Sequence[Row], style: Style, concatenated: bool = True) -> Scene:
    """The rows as blocks under each other; `concatenated` joins the products to one."""
    scene = Scene("Computing the activations of one time step", style=style)
    scene.description = "; ".join(_told(row) for row in found)
    y = 0.0
    for n, row in enumerate(found):
        carried = n and any(t.operand == found[n - 1].result for t in row.terms)
        tall = _height(row, concatenated)
        y -= 32 if carried else 0
        before = dict(scene.shapes)
        _row(scene, row, n, y - tall / 2, concatenated)
        if carried:
            _carry(scene, found[n - 1], before, n, y + 14)
        y -= tall + (84 if row.net else 44)
    return scene


def _told(row: Row) -> str:
    terms = [
        f"{plain(t.weight)} {plain(t.operand)}" if t.operand else plain(t.weight) for t in row.terms
    ]
    return f"{plain(row.result)} = {row.function}({' + '.join(terms)})"


def _scale(n: int) -> float:
    """The length of a side of n units."""
    return min(34.0 + 8.0 * n, 96.0)


def _height(row: Row, concatenated: bool) -> float:
    heights = [_scale(t.shape[1]) for t in row.terms if t.operand]
    high = sum(heights) + 8 * len(heights) if concatenated else max(heights)
    return max(high, _scale(row.size))


def _row(scene: Scene, row: Row, n: int, y: float, concatenated: bool) -> None:
    """One activation, from left to right."""
    products = [t for t in row.terms if t.operand]
    biases = [t for t in row.terms if not t.operand]
    joined = concatenated and len(products) > 1
    high = _scale(row.size)
    x = _box(scene, f"result_{n}", 0, y, VECTOR, high, row.kind, row.result)
    x = _sign(scene, x, y, "=")
    if row.function:
        start, x = x, _sign(scene, x, y, row.function)
        if row.sign:
            scene.texts.append(Text((start + x) / 2, y - 22, row.sign, 15, MUTED))
        whole = _height(row, concatenated) + 18
        x = inside = _parenthesis(scene, x + BULGE * whole, y, whole, 1)
    if joined:
        start = x
        for k, t in enumerate(products):
            wide = _scale(t.shape[1])
            x = _box(scene, f"weight_{n}_{k}", x + (8 if not k else 3), y, wide, high, "weight",
                     t.weight, f"{t.shape[0]} × {t.shape[1]}")  # fmt: skip
        _brackets(scene, start, x + 8, y, high)
        x = _sign(scene, x + 8, y, "·")
        start, top = x + 2, y + sum(_scale(t.shape[1]) + 6 for t in products) / 2
        for k, t in enumerate(products):
            tall = _scale(t.shape[1])
            _box(scene, f"operand_{n}_{k}", start + 8, top - tall / 2, VECTOR, tall, t.kind,
                 t.operand or ())  # fmt: skip
            top -= tall + 6
        x = start + VECTOR + 16
        _brackets(scene, start, x, y, sum(_scale(t.shape[1]) + 6 for t in products))
    for k, t in enumerate(() if joined else products):
        x = _sign(scene, x, y, "+") if k else x + 4
        x = _box(scene, f"weight_{n}_{k}", x, y, _scale(t.shape[1]), high, "weight", t.weight,
                 f"{t.shape[0]} × {t.shape[1]}")  # fmt: skip
        x = _sign(scene, x, y, "·")
        tall = _scale(t.shape[1])
        x = _box(scene, f"operand_{n}_{k}", x, y, VECTOR, tall, t.kind, t.operand or ())
    for k, t in enumerate(biases):
        x = _sign(scene, x, y, "+")
        x = _box(scene, f"bias_{n}_{k}", x, y, VECTOR * 0.8, high, "gate", t.weight)
    if row.function:
        _parenthesis(scene, x + 6, y, whole, -1)
        if row.net:
            _brace(scene, inside, x + 6, y - max(whole / 2 + 10, high / 2 + 32), row.net)


def _box(
    scene: Scene, name: str, x: float, y: float, w: float, h: float, kind: str, label: Label,
    size: str = "",
) -> float:  # fmt: skip
    """A box whose left side is at x; gives back where its right side is."""
    shape = Shape(name, x + w / 2, y, w, h, "tag", kind, (label,), fit(label, 18, w - 8),
                  plain(label), name)  # fmt: skip
    scene.add(shape)
    if size:
        scene.texts.append(Text(x + w / 2, y - h / 2 - 18, words(size), 14, MUTED))
    return x + w


def _sign(scene: Scene, x: float, y: float, sign: str, size: float = 20.0) -> float:
    """A sign in the line; gives back where the next thing stands."""
    label = words(sign)
    wide = width(label, size) + (14 if size == 20.0 else 0)
    scene.texts.append(Text(x + wide / 2, y, label, size))
    return x + wide


def _parenthesis(scene: Scene, x: float, y: float, tall: float, side: int) -> float:
    """A parenthesis as high as what it encloses; gives back where the next thing stands."""
    low, high = y - tall / 2, y + tall / 2
    path = bow((x, high), (x, low), (-side * BULGE * tall, 0))
    scene.wires.append(Wire("", "", path, INK, 1.6, head=0.0))
    return x + 4


def _brace(scene: Scene, left: float, right: float, y: float, label: Label) -> None:
    """What stands between left and right has a name, below it."""
    middle, low = (left + right) / 2, y - 7
    sides = [elbow([(x, y), (x, low), (middle, low), (middle, low - 7)]) for x in (left, right)]
    scene.wires += [Wire("", "", path, MUTED, 1.2, head=0.0) for path in sides]
    scene.texts.append(Text(middle, low - 22, label, 18))


def _brackets(scene: Scene, left: float, right: float, y: float, high: float) -> None:
    low, top = y - high / 2 - 5, y + high / 2 + 5
    for x, inward in ((left, 6), (right, -6)):
        points = [(x + inward, top), (x, top), (x, low), (x + inward, low)]
        path = join(*(line(a, b) for a, b in pairwise(points)))
        scene.wires.append(Wire("", "", path, INK, 1.5, head=0.0))


def _carry(scene: Scene, above: Row, before: dict[str, Shape], n: int, level: float) -> None:
    """A dashed line from a result to the place where the next row reads it."""
    target = next(
        (s for key, s in scene.shapes.items()
         if key not in before and key.startswith("operand") and s.lines == (above.result,)), None
    )  # fmt: skip
    source = scene.shapes.get(f"result_{n - 1}")
    if target is None or source is None:
        return
    start, stop = (source.x, source.y - source.h / 2), (target.x, target.y + target.h / 2)
    points = [start, (source.x, level + 14), (target.x, level + 14), stop]
    path = line(start, stop) if source.x == target.x else elbow(points)
    scene.wires.append(Wire(source.id, target.id, path, GREY, 1.4, True))
