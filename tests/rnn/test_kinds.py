"""One table of the kinds of cells: whoever lists cells lists what stands there."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

import rnn
from rnn.kinds import EXAMPLES, KINDS, LAYERS, layered, written
from rnn.testing import all_laws
from viz.cli import parser

APART = {
    rnn.Cell: "what the kinds have in common",
    rnn.Feedback: "made by tasks around a cell, of a column of flags beside its inputs",
}


def test_every_cell_of_the_library_is_of_a_kind() -> None:
    public = {getattr(rnn, name) for name in rnn.__all__}
    cells = {thing for thing in public if isinstance(thing, type) and issubclass(thing, rnn.Cell)}
    assert cells - set(APART) == {type(cell) for cell in EXAMPLES}


@pytest.mark.parametrize("cell", EXAMPLES, ids=written)
def test_every_law_holds_for_every_kind(cell: rnn.Cell) -> None:
    card = all_laws(cell, seeds=[0])
    assert card.ok, card


@pytest.mark.parametrize("cell", EXAMPLES, ids=written)
def test_a_cell_is_written_as_it_is_made(cell: rnn.Cell) -> None:
    assert eval(written(cell), vars(rnn)) == cell


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_says_what_it_is_and_its_examples_are_of_it(kind: str) -> None:
    plain, *options = KINDS[kind]
    assert all(type(cell) is type(plain) for cell in options)
    first, _, _ = str(plain.__doc__).partition("\n")
    assert first.endswith(".")
    assert not first.startswith(f"{type(plain).__name__}(")  # what a dataclass says without words


@pytest.mark.parametrize("command", ["train", "draw", "explain"])
def test_the_command_line_offers_every_layer(command: str) -> None:
    def options(of: argparse.ArgumentParser) -> dict[str, Any]:
        return {action.dest: action.choices for action in of._actions}

    (made,) = (c for c in options(parser()).values() if isinstance(c, dict) and command in c)
    assert list(options(made[command])["cell"]) == list(LAYERS)


def test_layers_follow_each_other_and_the_last_has_the_options() -> None:
    first, second = layered("rnn", 3, 4, 2, outputs=2)
    assert (first, second) == (rnn.RNNCell(3, 4), rnn.RNNCell(4, 4, 2))


def test_a_kind_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="unknown cell 'dense'; there are rnn, lstm, gru, coupled"):
        layered("dense", 3, 4)
