"""Windows side by side are the text, without gap or overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.text.streams import Streams, split


@given(n=st.integers(2, 200), batch=st.integers(1, 5), length=st.integers(1, 7))
def test_windows_side_by_side_are_contiguous_text(n: int, batch: int, length: int) -> None:
    if n <= batch * length:
        with pytest.raises(ValueError, match=f"a text of {n} characters is too short"):
            Streams(np.arange(n), batch, length)
        return
    streams = Streams(np.arange(n), batch, length)
    windows = list(streams)
    assert len(windows) == len(streams)
    xs, targets = (np.concatenate(part) for part in zip(*windows, strict=True))
    assert (targets == xs + 1).all()
    assert (np.diff(xs, axis=0) == 1).all()
    # Readers follow each other without gap or overlap, and less than a window each is left out.
    assert xs.T.ravel().tolist() == list(range(xs.size))
    assert n - 1 - xs.size < batch * length


def test_split_keeps_the_order_and_every_character() -> None:
    learnt, held_out = split(np.arange(25), held_out=0.2)
    assert len(held_out) == 5
    assert [*learnt, *held_out] == list(range(25))


@pytest.mark.parametrize(
    ("batch", "length", "told"),
    [(0, 1, "batch must be a whole number ≥ 1, got 0"), (1, 0, "length must be .*, got 0"),
     (-1, 3, "batch must be .*, got -1"), (3, -1, "length must be .*, got -1"),
     (2.5, 1, "batch must be .*, got 2.5"), (1, np.nan, "length must be .*, got nan")],
)  # fmt: skip
def test_readers_and_steps_of_streams_are_counted(batch: Any, length: Any, told: str) -> None:
    with pytest.raises(ValueError, match=f"Streams: {told}"):
        Streams(np.arange(9), batch, length)


@pytest.mark.parametrize("held_out", [0, 1, -0.5])
def test_a_split_needs_two_sides(held_out: float) -> None:
    with pytest.raises(ValueError, match="held_out is a share between 0 and 1"):
        split(np.arange(9), held_out)
