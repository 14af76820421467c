"""One table of the kinds of cells: whoever lists cells lists what stands there."""

from __future__ import annotations

import argparse
from typing import Any
from xml.etree import ElementTree

import pytest

import minigrad as mg
import rnn
import viz
from rnn.cell import state_paths
from rnn.kinds import EXAMPLES, KINDS, LAYERS, layered, written
from rnn.testing import all_laws, problem
from rnn.testing.problem import agree
from viz.cli import parser
from viz.cli.training import kind

APART = {
    rnn.Cell: "what the kinds have in common",
    rnn.Feedback: "made by tasks around a cell, of a column of flags beside its inputs",
    rnn.EncoderDecoder: "two cells, one after the other, without a step of their own",
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
def test_the_ledger_of_every_kind_adds_up_to_its_gradient(cell: rnn.Cell) -> None:
    q = problem(cell, 4, 2, 0)
    loss = lambda ys: mg.sum(mg.sin(ys))
    book = rnn.bptt.ledger(cell, q.params, q.xs, loss, state=q.start, entries=True)
    whole = mg.grad(lambda p: loss(rnn.run(cell, p, q.xs, q.start)[0]))(q.params).named()
    assert list(book.accounts) == list(whole)
    for name, account in book.accounts.items():
        agree(account.entries.sum((0, 1)), whole[name], name, q.roundings())


@pytest.mark.parametrize("cell", EXAMPLES, ids=written)
def test_every_kind_is_drawn_and_has_equations(cell: rnn.Cell) -> None:
    """Its recurrent values and what recurs of its outputs stand in both."""
    told = [path.rpartition(".")[2] for path in state_paths(cell)]
    for view in ("folded", "unfolded"):
        for level in ("cell", "gate", "op"):
            picture = viz.draw(cell, view, level=level).svg()
            words = "".join(ElementTree.fromstring(picture).itertext())
            assert all(name[:1] in words for name in told), (view, level)
    lines = str(viz.equations(cell)).splitlines()
    left = [line.partition(" = ")[0] for line in lines]
    assert all(any(line.startswith(name) for line in left) for name in told), left
    assert len(set(left)) == len(left), "one name, one meaning"
    assert str(viz.equations(cell, adjoint=True))


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


@pytest.mark.parametrize("command", ["draw", "explain"])
def test_the_command_line_offers_every_layer(command: str) -> None:
    def options(of: argparse.ArgumentParser) -> dict[str, Any]:
        return {action.dest: action.choices for action in of._actions}

    (made,) = (c for c in options(parser()).values() if isinstance(c, dict) and command in c)
    assert list(options(made[command])["cell"]) == list(LAYERS)


def test_every_layer_can_be_trained() -> None:
    assert [kind(name) for name in LAYERS] == list(LAYERS)
    with pytest.raises(argparse.ArgumentTypeError, match=f"choose from {', '.join(LAYERS)}, or"):
        kind("stack")


def test_layers_follow_each_other_and_the_last_has_the_options() -> None:
    first, second = layered("rnn", 3, 4, 2, outputs=2)
    assert (first, second) == (rnn.RNNCell(3, 4), rnn.RNNCell(4, 4, 2))


def test_a_kind_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="unknown cell 'dense'; there are rnn, lstm, gru, coupled"):
        layered("dense", 3, 4)
