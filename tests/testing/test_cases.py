"""A case of a primitive can be applied, and what is drawn fits its definition."""

from random import Random

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import draw_case

ALL = [p for p in mg.PRIMITIVES.values() if p.kind != "loop"]


@pytest.mark.parametrize("primitive", ALL, ids=lambda p: p.name)
def test_a_case_is_in_the_domain_and_the_same_for_the_same_draw(primitive):
    for seed in range(20):
        case, again = (draw_case(primitive, Random(seed)) for _ in range(2))
        assert repr(case) == repr(again)
        assert repr(case).startswith(f"{primitive.name}(")
        with np.errstate(all="ignore"):
            value = primitive(*case.operands, **case.attrs)
            moved = case.apply(*case.points())
        np.testing.assert_array_equal(moved, value)
        assert not np.isnan(np.asarray(value, float)).any()


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_primitive_of_any_number_of_operands_takes_as_many_as_are_asked_for(number):
    assert len(draw_case(mg.PRIMITIVES["add_n"], Random(0), number).operands) == number


def test_empty_shapes_and_shapes_that_broadcast_are_drawn():
    cases = [draw_case(mg.PRIMITIVES["add"], Random(seed)) for seed in range(60)]
    shapes = [[x.shape for x in case.operands] for case in cases]
    assert any(0 in shape for pair in shapes for shape in pair)
    assert any(a != b for a, b in shapes)
