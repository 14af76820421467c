"""What is alike is put side by side, each by a pass, and only where that costs no copy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.folded import Folded
from minigrad.lower import gates
from minigrad.lower.regroup import eliminate_common
from tests.minigrad.folding import assert_same, loop, ops


def became(change: Any, folded: Folded) -> list[str]:
    """The operations after a pass, which changes no number."""
    found = eliminate_common(change(folded))
    assert_same(found, folded)
    return ops(found)


def untouched(change: Any, folded: Folded) -> bool:
    return became(change, folded) == ops(folded)


def simple(p: Any, x: Any, h: Any) -> Any:
    return mg.tanh(x @ p[0] + h @ p[1] + p[2])


WEIGHTS = ((3, 4), (4, 4), (4,))


def test_a_sum_of_products_and_a_bias_is_one_product_of_what_is_joined():
    folded = loop(simple, *WEIGHTS)
    found = became(gates.join_operands, folded)
    assert found == ["concatenate", "concatenate", "expand_dims", "matmul", "tanh"]


def test_operands_are_not_joined_where_the_outer_one_is_wider():
    """What does not recur is then better multiplied ahead of the loop."""
    assert untouched(gates.join_operands, loop(simple, (5, 4), *WEIGHTS[1:], x=(2, 5)))


def test_operands_are_not_joined_where_a_state_is_multiplied_once_more():
    """The product of the state alone could not be merged with that of the joined operands."""

    def reset(p: Any, x: Any, h: Any) -> Any:
        return mg.tanh(x @ p[0] + h @ p[1]) * (h @ p[2])

    assert untouched(gates.join_operands, loop(reset, (3, 4), (4, 4), (4, 4)))


def cut(a: int, b: int) -> Any:
    def step(p: Any, x: Any, h: Any) -> Any:
        z = h @ p[0]
        return z[:, a : a + 4] * mg.tanh(z[:, b : b + 4])

    return step


def test_columns_of_one_width_are_gates():
    found = became(gates.columns_as_gates, loop(cut(0, 4), (4, 8)))
    assert {"reshape", "transpose"} <= set(found)


def test_columns_that_overlap_the_grid_of_gates_are_left():
    assert untouched(gates.columns_as_gates, loop(cut(0, 3), (4, 8)))


def two(f: Any, g: Any) -> Any:
    """Two gates of the state."""
    return lambda p, x, h: f(h @ p[0]) * g(h @ p[1])


def test_products_of_one_operand_are_one():
    same = loop(two(mg.tanh, mg.sin), (4, 4), (4, 4))
    assert became(gates.merge_products, same).count("matmul") == 1


def test_products_of_two_operands_or_two_widths_stay_two():
    sums = loop(lambda p, x, h: mg.tanh(h @ p[0]) * mg.tanh(x @ p[1]), (4, 4), (3, 4))
    wide = loop(lambda p, x, h: mg.tanh(h @ p[0]) + mg.sum(h @ p[1]), (4, 4), (4, 5))
    assert untouched(gates.merge_products, sums)
    assert untouched(gates.merge_products, wide)


def test_gates_of_one_function_stand_together():
    """Written as tanh, sigmoid, tanh, sigmoid; then two calls in the place of four."""

    def mixed(p: Any, x: Any, h: Any) -> Any:
        a, b, c, d = (h @ w for w in p)
        return mg.tanh(a) * mg.sigmoid(b) + mg.tanh(c) * mg.sigmoid(d)

    folded = gates.merge_products(loop(mixed, *[(4, 4)] * 4))
    found = became(gates.merge_elementwise, folded)
    assert (found.count("tanh"), found.count("sigmoid")) == (1, 1)


@pytest.mark.parametrize("functions", [(mg.tanh, mg.sin), (mg.tanh, lambda z: mg.tanh(mg.exp(z)))])
def test_neighbours_of_other_functions_are_left(functions):
    assert untouched(gates.merge_elementwise,
                     gates.merge_products(loop(two(*functions), (4, 4), (4, 4))))  # fmt: skip


def test_an_operation_that_waits_for_the_other_is_not_merged_with_it():
    def step(p: Any, x: Any, h: Any) -> Any:
        return h + p[0][1] * (p[0][0] * p[1])

    assert untouched(gates.merge_elementwise, loop(step, (2, 2, 4), (2, 4)))


def pile(*factors: Any) -> Any:
    """[a s, b s]: cotangents of gates, from that of the state."""

    def step(p: Any, x: Any, h: Any) -> Any:
        entries = [mg.expand_dims(f(x) * s, 0) for f, s in zip(factors, (h, h @ p[0]), strict=True)]
        return mg.sum(mg.concatenate(entries, 0), 0)

    return step


def test_products_with_one_factor_are_one_product_of_the_pile():
    def shared(p: Any, x: Any, h: Any) -> Any:
        entries = [mg.expand_dims(f(x) * h, 0) for f in (mg.sin, mg.cos)]
        return mg.sum(mg.concatenate(entries, 0), 0)

    found = became(gates.merge_factors, loop(shared, x=(2, 4)))
    assert found.count("multiply") == 1


def test_products_with_two_factors_stay_two():
    assert untouched(gates.merge_factors, loop(pile(mg.sin, mg.cos), (4, 4), x=(2, 4)))


def test_slices_without_entries_have_no_neighbours():
    f = lambda x, a, b: [a * x[1:], b * x[1:]]
    found = mg.compile(f)(np.ones((1, 4)), *[np.ones((0, 4))] * 2)
    assert [y.shape for y in found] == [(0, 4)] * 2
