"""A notebook shows the picture of what has one, and the text of the rest."""

from __future__ import annotations

import sys

import pytest

import minigrad as mg
import rnn
from minigrad.show import picture

SHOWN = [rnn.RNNCell(2, 3), rnn.RNNCell(2, 3).folded(1), mg.trace(mg.tanh, 1.0),
         rnn.many_to_one(3)]  # fmt: skip


@pytest.mark.parametrize("thing", SHOWN, ids=lambda x: type(x).__name__)
def test_what_a_notebook_shows_is_its_drawing(thing):
    svg = thing._repr_svg_()
    assert svg.startswith(("<svg", "<?xml"))
    assert svg == picture(thing)


def test_a_notebook_shows_a_tensor_with_its_values():
    assert "0.762" in mg.tanh(mg.Tensor(1.0, "x"))._repr_svg_()


def test_what_has_no_drawing_is_shown_as_text():
    assert picture("a text") is None
    assert picture(SHOWN[0], style="no such style") is None


def test_without_the_drawing_package_there_is_text(monkeypatch):
    monkeypatch.setitem(sys.modules, "viz", None)
    assert picture(SHOWN[0]) is None
