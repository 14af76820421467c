"""Character models: sizes, and bits per character that can be known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.tree import tree_map
from rnn.cells import LSTMCell
from rnn.kinds import LAYERS
from rnn.text.characters import character_model, held_out_bits, loss_function

CLASSES = np.random.default_rng(0).integers(0, 7, 500)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("layers", [1, 3])
def test_a_model_reads_and_predicts_the_same_classes(kind: str, layers: int) -> None:
    model = character_model(kind, 7, hidden=5, layers=layers)
    assert model.inputs == model.width == 7
    assert len(model.layers) == layers + 1


@pytest.mark.parametrize(("batch", "length"), [(4, 8), (1, 1), (1000, 1000)])
def test_a_network_that_knows_nothing_needs_log2_of_the_symbols(batch: int, length: int) -> None:
    model = character_model("lstm", 7, hidden=5)
    blank = tree_map(np.zeros_like, model.init(0))
    found = held_out_bits(model, blank, CLASSES, batch, length)
    np.testing.assert_allclose(found, np.log2(7), rtol=1e-12)


def test_bits_do_not_depend_on_the_windows_because_the_state_is_carried() -> None:
    model = character_model("gru", 7, hidden=5)
    params = model.init(0)
    short, long = (held_out_bits(model, params, CLASSES[:481], 2, n) for n in (8, 240))
    np.testing.assert_allclose(short, long, rtol=1e-12)


def test_the_loss_gives_back_the_state_to_go_on_with() -> None:
    model = character_model("lstm", 7, hidden=5)
    params, xs, targets = model.init(0), CLASSES[:20, None], CLASSES[1:21, None]
    loss = loss_function(model)
    whole, _ = loss(params, xs, targets, None)
    first, state = loss(params, xs[:10], targets[:10], None)
    second, _ = loss(params, xs[10:], targets[10:], state)
    np.testing.assert_allclose(whole, (first + second) / 2, rtol=1e-12)


def test_unknown_cells_and_no_layers_are_told() -> None:
    with pytest.raises(ValueError, match="unknown cell 'elm'; there are rnn, lstm, gru"):
        character_model("elm", 5, 5)
    with pytest.raises(ValueError, match="layers must be a whole number ≥ 1, got 0"):
        character_model("rnn", 5, 5, layers=0)


def test_forget_gates_begin_half_open() -> None:
    """A cell of one's own stays as it is."""
    made = [character_model(kind, 7, hidden=5).layers[0] for kind in ("lstm", LSTMCell)]
    assert [cell.forget_bias for cell in made] == [0, 1]
