"""What is for testing is there by name; what needs Hypothesis only when it is asked for."""

import pytest

import minigrad.testing
from minigrad.testing import strategies
from tests.house import in_a_new_process


def test_public_names_are_there_and_others_are_not():
    names = minigrad.testing.__all__
    assert len(set(names)) == len(names)
    assert all(hasattr(minigrad.testing, name) for name in names)
    assert minigrad.testing.graphs is strategies.graphs
    with pytest.raises(AttributeError, match=r"'minigrad\.testing' has no attribute"):
        _ = minigrad.testing.graph


def test_hypothesis_is_loaded_when_a_strategy_is_asked_for():
    script = """
        import sys, minigrad.testing as testing
        before = "hypothesis" in sys.modules
        testing.graphs
        print(before, "hypothesis" in sys.modules)
    """
    assert in_a_new_process(script) == "False True\n"
