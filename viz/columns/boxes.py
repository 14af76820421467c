"""Boxes of operations: what is written on them, how large they are, the parameters beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from minigrad.graph import Node
from viz.quotients.labels import called
from viz.quotients.quotient import Block
from viz.scene.label import plain, timed, width, words
from viz.scene.scene import Shape

SIZE = 12.0
LINE = 11.5
TAG = 13.0  # from a tag to its box
Dress = Callable[[int, Shape, Sequence[int]], Shape]
"""Adds to the shape of a node numbers and a fill; of a parameter's tag, for those that read it."""


@dataclass(frozen=True)
class Box:
    """A box of a column, with the tags of up to two parameters at its left and right."""

    shape: Shape
    tags: tuple[Shape, ...] = ()

    @property
    def reach(self) -> tuple[float, float]:
        """How far it goes to the left and to the right of the shape's middle."""
        sides = [self.shape.w / 2] * 2
        for k, tag in enumerate(self.tags):
            sides[k] += TAG + tag.w
        return (sides[0], sides[1])


def box(
    block: Block, nodes: Sequence[Node], time: str = "", suffix: str = "", tags: bool = True,
    dress: Dress | None = None,
) -> Box:  # fmt: skip
    """The box of a block, and tags for the parameters that it reads."""
    is_named_input = block.kind == "input" and block.label[0].role == "name"
    label = timed(block.label, time) if is_named_input else block.label
    read = [k for k in block.parameters if nodes[k].op in ("input", "constant")]
    read = [k for k in read if nodes[k].name or nodes[k].shape]
    value = nodes[block.nodes[-1]]
    dress = None if block.is_elided else dress
    about = [f"{plain(block.label)}{f' at t = {time}' if time else ''}"]
    if not block.is_elided:
        about.append(f"shape {value.shape}" if value.shape else "a number")
    if len(block.nodes) > 1:
        about.append("made of " + ", ".join(nodes[k].op for k in block.nodes))
    if read:
        about.append("reads " + ", ".join(nodes[k].name or "an array" for k in read))
    name = box_id(block.id, suffix)
    form = "tag" if block.kind == "weight" and value.op == "input" else "box"
    # A box with a time is as wide at t = 100 as at t = 1, so that columns are equal.
    least = width(timed(block.label, "000"), SIZE) + 8 if is_named_input else 26
    shape = Shape(
        name, 0, 0, 0, 0, form, block.kind, (label,), SIZE, "; ".join(about), block.id
    )  # fmt: skip
    shape = _sized(dress(block.nodes[-1], shape, ()) if dress else shape, 14, least)
    beside: list[Shape] = []
    for n, k in enumerate(read if tags else (), 1):
        about_it = (called(nodes[k]),), SIZE, nodes[k].name or ""
        tag = Shape(f"{name}__p{n}", 0, 0, 0, 0, "tag", "weight", *about_it)
        beside.append(_sized(dress(k, tag, block.nodes) if dress else tag, 10, 18))
    if len(beside) > 2:  # there are two sides: the rest is told in the title
        more = replace(beside[1], lines=(words(f"+ {len(beside) - 1}"),), title=about[-1])
        beside = [beside[0], _sized(more, 10, 18)]
    return Box(shape, tuple(beside))


def shaped(nodes: Sequence[Node]) -> Dress:
    """Writes the shape of each node below its operation."""

    def dress(k: int, s: Shape, readers: Sequence[int]) -> Shape:
        return replace(s, lines=(*s.lines, words(str(nodes[k].shape)))) if nodes[k].shape else s

    return dress


def _sized(s: Shape, pad: float, least: float) -> Shape:
    """The shape large enough for its lines."""
    widest = max(map(width, s.lines, s.sizes()))
    high = 20 + (LINE * (len(s.lines) - 1) + 4 if s.lines[1:] else 0)
    return replace(s, w=max(widest + pad, least), h=high)


def box_id(block: str, suffix: str) -> str:
    """The name of a block's box at a step."""
    return f"{block}_{suffix}" if suffix else block
