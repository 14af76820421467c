"""What is done with n of something costs n, not n²: lines and bytes are counted, not seconds."""

import pytest

import minigrad as mg
from minigrad.ops.shapes import cut
from tests.costs import VARIADIC, WALKS, WORK, cost

LIMIT = 2.2
"""What twice the size may cost; 2 is linear, and what is done once makes it less."""


def growth(work, n):
    """How many times as much twice the size costs, in lines and in bytes."""
    work(8)()  # what is made once and kept
    small, large = cost(work(n)), cost(work(2 * n))
    return max(b / a for a, b in zip(small, large, strict=True))


@pytest.mark.parametrize("name", WALKS)
def test_twice_the_operands_cost_twice_as_much(name):
    assert growth(WALKS[name], 400) < LIMIT


@pytest.mark.parametrize("name", WORK)
def test_twice_the_size_costs_twice_as_much(name):
    assert growth(WORK[name], 32) < LIMIT


@pytest.mark.deep
@pytest.mark.parametrize("name", WORK)
def test_twice_the_size_costs_twice_as_much_where_it_is_large(name):
    assert growth(WORK[name], 400) < LIMIT


def test_every_primitive_of_any_number_of_operands_is_among_them():
    assert {p.name for p in VARIADIC} == {"add_n", "concatenate", "scatter", "stack"}


def _handed_over(g, y, xs, attrs, asked):
    """A rule for each operand, which is given all of them."""
    rule = lambda i, *xs: cut(g, attrs["axis"], i)
    return [rule(i, *xs) for i in range(len(xs))]


def _added_up(g, y, xs, attrs, asked):
    """A rule for each operand, which goes through those before it."""
    return [cut(g, attrs["axis"], sum(1 for _ in xs[:i])) for i in range(len(xs))]


@pytest.mark.parametrize(("joint", "n"), [(_handed_over, 400), (_added_up, 100)])
def test_a_rule_that_is_quadratic_is_seen(joint, n, monkeypatch):
    monkeypatch.setattr(mg.PRIMITIVES["stack"], "joint", joint)
    assert growth(WALKS["stack: gradient"], n) > LIMIT


def test_a_tuple_that_is_built_anew_for_each_operand_is_seen():
    def rebuilt(n):
        def run():
            operands = tuple(range(n))
            for k in range(n):
                operands = (*operands[:k], k, *operands[k + 1 :])

        return run

    assert growth(rebuilt, 400) > LIMIT
