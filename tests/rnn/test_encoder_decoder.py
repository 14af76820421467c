"""An encoder and a decoder equal a loop written by hand; each has masks of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.tree import flatten, tree_map
from rnn.encoder_decoder import decoder_start, handed_on


def test_an_encoder_and_a_decoder_equal_the_loop_by_hand() -> None:
    encoder, decoder = rnn.LSTMCell(3, 4), rnn.Stack([rnn.LSTMCell(2, 4), rnn.Dense(4, 2)])
    params = {"encoder": encoder.init(0), "decoder": decoder.init(1)}
    xs, w = np.random.default_rng(0).normal(size=(3, 2, 3)), np.random.default_rng(1)
    state: Any = encoder.start(2)
    for x in xs:
        _, *state = encoder.step(params["encoder"], x, *state)
    state = [tuple(state), ()]
    y, wanted = np.zeros((2, 2)), []
    for _ in range(4):
        y, *state = decoder.step(params["decoder"], y, *state)
        wanted.append(y)
    ys, _ = rnn.encode_decode(encoder, decoder, params, xs, 4)
    np.testing.assert_allclose(ys, wanted, rtol=1e-12)

    # The encoder learns from the decoder's loss, to the first step it read.
    def loss(p: Any, x: Any) -> Any:
        return mg.sum(mg.square(rnn.encode_decode(encoder, decoder, p, x, 4)[0]))

    direction = (tree_map(np.ones_like, params), w.normal(size=xs.shape))
    grads = mg.grad(loss, wrt=(0, 1))(params, xs)
    _, slope = mg.jvp(loss, [params, xs], list(direction))
    dots = [(g * d).sum() for g, d in zip(flatten(grads)[0], flatten(direction)[0], strict=True)]
    np.testing.assert_allclose(sum(dots), slope, rtol=1e-9)
    assert (grads[1][0] != 0).all()


def test_what_is_handed_on_is_no_mask_and_keeps_its_order() -> None:
    encoder = rnn.Stack([rnn.Dropout(3, 0.5), rnn.LSTMCell(3, 2)])
    decoder = rnn.Stack([rnn.Zoneout(rnn.RNNCell(4, 2), 0.3, 3), rnn.Dropout(2, 0.5),
                         rnn.RNNCell(2, 2)])  # fmt: skip
    assert handed_on("", encoder, decoder) == (
        ["layer2.h", "layer2.C"], ["layer1.h\u0302", "layer3.h"]
    )  # fmt: skip
    h, C, own = np.full((1, 2), 1.0), np.full((1, 2), 2.0), decoder.start(1, rng=5)
    (first, d_h), (m,), (second,) = decoder_start(encoder, decoder, ((own[1][0],), (h, C)), own)
    assert first is h
    assert second is C
    assert d_h is own[0][1]
    assert m is own[1][0]
    with pytest.raises(ValueError, match="the encoder leaves h, but the decoder starts from h, C"):
        rnn.encode_decode(rnn.RNNCell(3, 4), rnn.LSTMCell(3, 4), {}, np.ones((2, 2, 3)), 2)
