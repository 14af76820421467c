"""Shuffled samples are the same samples, shuffled steps the same steps; both are told apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnn.exercises import order


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sequence that repeats four symbols: known from the step before, and 2 bits without."""
    repeated = np.tile(np.arange(4), 3000)
    monkeypatch.setattr(order, "SEQUENCES", {"wheel": lambda: repeated})


@pytest.mark.usefixtures("short")
def test_only_the_order_of_steps_matters() -> None:
    found = order.order("rnn", hidden=8, steps=200)
    ((in_order, samples, steps),) = found.bits
    assert max(in_order, samples) < 0.1
    assert steps > 1.8
    assert found.counted == pytest.approx([2.0], abs=1e-3)
    assert "in order" in str(found)
    assert "steps in another order: at least" in str(found).replace("\n", " ")


def test_the_plot_has_a_bar_for_every_figure() -> None:
    bits = np.array([[1.0, 1.1, 2.0], [0.5, 0.6, 3.0]])
    (axes,) = order.Order(("a", "b"), bits, np.array([2.0, 2.5]), "GRUCell").plot().axes
    heights = [bar.get_height() for group in axes.containers for bar in group]
    assert heights == bits.T.ravel().tolist()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b"]


def test_windows_are_cut_one_after_the_other() -> None:
    cut = order._windows(np.arange(60))
    assert cut.shape == (order.STEPS + 1, 2)
    assert cut.T.ravel().tolist() == list(range(50))


def test_dna_is_the_chain_that_it_is_said_to_be() -> None:
    bases = order.dna()
    follows = (bases[1:-1] + 2 * bases[:-2] + 1) % 4
    assert np.mean(bases[2:] == follows) == pytest.approx(0.7, abs=0.01)
    assert np.bincount(bases) / len(bases) == pytest.approx([0.25] * 4, abs=0.02)
    entropy = -(0.7 * np.log2(0.7) + 0.3 * np.log2(0.1))
    assert entropy == pytest.approx(1.36, abs=0.01)


@pytest.mark.parametrize("name", order.SEQUENCES)
def test_a_sequence_is_long_enough_and_counted_from_zero(name: Any) -> None:
    classes = order.SEQUENCES[name]()
    assert len(classes) >= order.LENGTH // 4
    assert set(np.unique(classes)) == set(range(classes.max() + 1))
