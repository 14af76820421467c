"""Networks that write read what they wrote; an encoder and a decoder are saved as one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnn
from rnn import checkpoint
from rnn.encoder_decoder import EncoderDecoder
from rnn.exercises.writing import greedy, one_hot


class Next:
    """A network that says the class after the one it reads, of five."""

    def __call__(self, cell: Any, params: Any, xs: Any, state: Any) -> Any:
        return np.roll(xs, 1, axis=-1), state + 1


def test_what_was_written_is_read_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnn.exercises.writing.run", Next())
    first = one_hot(np.array([3, 0]), 5)
    written = greedy(None, None, first, 0, lambda c: one_hot(c, 5)[None], 3)
    assert np.stack(written).T.tolist() == [[3, 4, 0, 1], [0, 1, 2, 3]]


def test_a_pair_is_saved_and_has_no_step_of_its_own(tmp_path: Path) -> None:
    pair = EncoderDecoder(rnn.GRUCell(3, 4), rnn.Stack([rnn.GRUCell(2, 4), rnn.Dense(4, 2)]))
    checkpoint.save(tmp_path / "w", pair.init(0), pair)
    params, again, _ = checkpoint.load(tmp_path / "w")
    assert (again, pair.inputs) == (pair, 3)
    assert np.array_equal(params["decoder"]["layer2"]["W"], pair.init(0).decoder.layer2.W)
    with pytest.raises(TypeError, match="no common step; run them by encode_decode"):
        pair.step(params, np.ones((1, 3)))
