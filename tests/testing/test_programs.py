"""Random programs: what the table of primitives can do, they contain."""

from random import Random

import numpy as np

import minigrad as mg
from minigrad.testing import (
    draw_program,
)
from minigrad.testing.cases import draw_case
from minigrad.testing.programs import differentiable


def attribute_class(attrs, shapes):
    """What kind of use of a primitive this is, for counting: which rules of it take part."""
    if attrs:
        told = []
        for key, value in attrs.items():
            if key in ("position", "positions"):
                items = value if key == "position" else [i for part in value for i in part]
                value = ",".join(sorted({_kind(item) for item in items}))
            elif key in ("shape", "widths", "low", "high", "rows", "n"):
                value = "…"
            told.append(f"{key}={value}")
        return " ".join(told)
    return "plain" if len(set(shapes)) < 2 else "broadcast"


def _kind(item):
    if isinstance(item, np.ndarray):
        return f"{item.dtype.kind}-array"
    return type(item).__name__


def test_every_primitive_is_drawn_in_every_class_of_attributes():
    """Coverage is counted: what the table of primitives can draw, random programs contain."""
    wanted, seen = set(), set()
    for primitive in differentiable():
        for k in range(60):
            if primitive.sample is None:
                wanted |= {(primitive.name, "plain")}
                wanted |= {(primitive.name, "broadcast")} if len(primitive.rules) > 1 else set()
            else:
                case = draw_case(primitive, Random(k))
                shapes = [x.shape for x in case.operands]
                wanted.add((primitive.name, attribute_class(case.attrs, shapes)))
    for k in range(6000):
        graph = draw_program(Random(k)).graph
        for node in graph.nodes:
            if node.op in mg.PRIMITIVES:
                shapes = [graph.nodes[i].shape for i in node.inputs]
                seen.add((node.op, attribute_class(node.attrs, shapes)))
    assert wanted - seen == set()
