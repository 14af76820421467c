"""Two cells, one after the other: one reads a sequence, the other begins where it ended and writes.

Each has its masks (`rnn.Dropout`, `rnn.Zoneout`) from outside; what is handed on is the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.tree import flatten
from rnn.cell import Cell, state_paths
from rnn.feedback import identity
from rnn.run import run
from rnn.tasks import one_to_many, perform


@dataclass(frozen=True)
class EncoderDecoder(Cell):
    """Two cells, of which the second begins with the state in which the first ends.

    It has the parameters and recurrent values of both and no step of its own: `rnn.encode_decode`
    runs the two. It is saved like any cell, and `rnn.fit` draws the masks of both.

    >>> import rnn
    >>> list(EncoderDecoder(rnn.GRUCell(3, 4), rnn.GRUCell(2, 4)).init(0))
    ['encoder', 'decoder']
    """

    encoder: Cell
    decoder: Cell

    @property
    def inputs(self) -> int:  # type: ignore[override]  # that of the encoder
        """The number of input columns of the encoder."""
        return self.encoder.inputs

    def parts(self) -> dict[str, Cell]:
        """Both by name."""
        return {"encoder": self.encoder, "decoder": self.decoder}

    def parameters(self) -> Mapping[str, Any]:
        """Those of both."""
        return {name: part.parameters() for name, part in self.parts().items()}

    def edges(self) -> Any:
        """Those of both; what a decoder is handed takes the place of what it would begin with."""
        return (self.encoder.edges(), self.decoder.edges())

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """Refused: there are two loops, one after the other."""
        raise TypeError(
            "an encoder and a decoder have no common step; run them by encode_decode, draw them by "
            "viz.figures.encoder_decoder(cell.encoder, cell.decoder)"
        )


def handed_on(where: str, encoder: Cell, decoder: Cell) -> tuple[list[str], list[str]]:
    """The recurrent values that an encoder leaves and a decoder takes, in order, by dotted name.

    Masks are not among them: each of the two has its own.

    Raises:
        ValueError: they are not as many.
    """
    left, taken = (
        [path for path, edge in zip(state_paths(c), flatten(c.edges())[0], strict=True)
         if edge.is_reset] for c in (encoder, decoder)
    )  # fmt: skip
    if len(left) != len(taken):
        raise ValueError(
            f"{where}: the encoder leaves {', '.join(left) or 'nothing'}, but the decoder "
            f"starts from {', '.join(taken) or 'nothing'}"
        )
    return left, taken


def decoder_start(encoder: Cell, decoder: Cell, last: Any, own: Any) -> Any:
    """The start state of a decoder: that in which the encoder ended, beside masks of its own.

    Args:
        encoder: the cell that read.
        decoder: the cell that will write.
        last: the state in which the encoder ended.
        own: a start state of the decoder, for its masks.

    >>> import numpy as np, rnn
    >>> decoder = rnn.Stack([rnn.Dropout(2, 0.5), rnn.GRUCell(2, 3)])
    >>> decoder_start(rnn.GRUCell(4, 3), decoder, (np.full((1, 3), 7.0),), decoder.start(1))
    ((array([[1., 1.]]),), (array([[7., 7., 7.]]),))
    """
    handed_on("encode_decode", encoder, decoder)
    pairs = zip(flatten(encoder.edges())[0], flatten(last)[0], strict=True)
    left = iter([value for edge, value in pairs if edge.is_reset])
    edges, tree = flatten(decoder.edges())
    own = zip(edges, flatten(own)[0], strict=True)
    return tree.unflatten(next(left) if edge.is_reset else mask for edge, mask in own)


def read_whole(pair: EncoderDecoder, params: Mapping[str, Any], xs: Any, state: Any = None) -> Any:
    """The start state of the decoder, once the encoder has read a sequence.

    Args:
        pair: the two.
        params: `{"encoder": …, "decoder": …}`.
        xs: what is read, `(T, B, X)`.
        state: start values of both; those of the cells if None.

    Raises:
        ValueError: the decoder does not take what the encoder leaves.

    >>> import numpy as np, rnn
    >>> pair = EncoderDecoder(rnn.GRUCell(3, 4), rnn.GRUCell(2, 4))
    >>> read_whole(pair, pair.init(0), np.ones((5, 2, 3)))[0].shape
    (2, 4)
    """
    handed_on("encode_decode", pair.encoder, pair.decoder)
    begin, own = pair.start(xs.shape[1], params=params) if state is None else state
    _, last = run(pair.encoder, params["encoder"], xs, begin)
    return decoder_start(pair.encoder, pair.decoder, last, own)


def encode_decode(
    encoder: Cell,
    decoder: Cell,
    params: Mapping[str, Any],
    xs: Any,
    outputs: int,
    feed: Callable[[Any], Any] = identity,
    state: Any = None,
) -> tuple[Any, Any]:
    """Read a sequence with one cell, then write one with another that starts from its state.

    The many-to-many, delayed task with two cells (Sutskever et al. 2014; Cho et al. 2014). The
    decoder's first input is zero, and then its own outputs.

    Args:
        encoder: reads; its recurrent values are as many and as large as the decoder's, in order,
            so an `LSTMCell` fits a `Stack` of an `LSTMCell` and a `Dense`.
        decoder: writes.
        params: `{"encoder": …, "decoder": …}`.
        xs: what is read, `(T, B, X)`.
        outputs: the number of steps written.
        feed: as in `perform`.
        state: start values of both, `(encoder's, decoder's)`, as those of an `EncoderDecoder`; of
            the decoder's only the masks are read. In `rnn.fit` that is what `predict` is given.

    >>> import numpy as np, rnn
    >>> encoder, decoder = rnn.GRUCell(3, 5), rnn.GRUCell(5, 5)
    >>> params = {"encoder": encoder.init(0), "decoder": decoder.init(1)}
    >>> encode_decode(encoder, decoder, params, np.ones((7, 2, 3)), outputs=4)[0].shape
    (4, 2, 5)
    """
    start = read_whole(EncoderDecoder(encoder, decoder), params, xs, state)
    nothing = np.zeros((1, xs.shape[1], decoder.inputs), xs.dtype)
    return perform(one_to_many(outputs), decoder, params["decoder"], nothing, start, feed)
