"""The five modelling tasks as patterns: when inputs enter, outputs leave, and outputs are fed back.

One-to-one, one-to-many, many-to-one, and many-to-many, delayed or synchronised, differ in nothing
but these three rows of flags. Feeding outputs back is a delayed edge like any other, from y to x,
so it belongs to the graph: `rnn.feedback` has the cell with that edge.
Source: Karpathy, The unreasonable effectiveness of recurrent neural networks (2015).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import Tensor
from minigrad.errors import ShapeError
from minigrad.show import picture
from minigrad.tree import flatten
from rnn.cell import Cell, state_paths
from rnn.feedback import Feedback, identity
from rnn.run import run

Flags = tuple[bool, ...]


@dataclass(frozen=True)
class Task:
    """At which of the steps 1 … T something enters, leaves, or is fed back.

    Attributes:
        name: of the pattern.
        enters: whether an input enters at each step; zeros stand where nothing does.
        leaves: whether an output leaves; what leaves is what a loss sees.
        feeds: whether the output of the step before is the input.

    >>> print(many_to_many_delayed(inputs=3, outputs=3))
    many-to-many, delayed
      outputs  · · o o o
      inputs   x x x y y
    """

    name: str
    enters: Flags
    leaves: Flags
    feeds: Flags

    _repr_svg_ = picture

    def __post_init__(self) -> None:
        if not len(self.enters) == len(self.leaves) == len(self.feeds) > 0:
            raise ValueError(
                f"task {self.name}: {len(self.enters)}, {len(self.leaves)} and {len(self.feeds)} "
                "flags; enters, leaves and feeds need one for each step, and there is a first step"
            )
        if self.feeds[0]:
            raise ValueError(f"task {self.name}: nothing can be fed back at t = 1")
        both = [
            t for t, (x, y) in enumerate(zip(self.enters, self.feeds, strict=True), 1) if x and y
        ]
        if both:
            raise ValueError(
                f"task {self.name}: at t = {both[0]} an input and an output would enter"
            )
        if not any(self.leaves):
            raise ValueError(f"task {self.name}: no output leaves, so there is nothing to learn")

    @property
    def steps(self) -> int:
        """The number of steps T."""
        return len(self.enters)

    @property
    def mask(self) -> Any:
        """The loss mask that the pattern implies for outputs of all steps, `(T,)`."""
        return np.array(self.leaves)

    def __str__(self) -> str:
        sources = zip(self.enters, self.feeds, strict=True)
        return "\n".join(
            [
                self.name,
                "  outputs  " + " ".join("o" if out else "·" for out in self.leaves),
                "  inputs   " + " ".join("x" if x else "y" if y else "·" for x, y in sources),
            ]
        )


# --- the five -----------------------------------------------------------------------------------


def one_to_one() -> Task:
    """One input, one output: a network without time."""
    return Task("one-to-one", (True,), (True,), (False,))


def one_to_many(steps: int) -> Task:
    """One input at the first step, an output at every step, each fed back into the next."""
    later = steps - 1
    return Task("one-to-many", (True, *[False] * later), (True,) * steps, (False, *[True] * later))


def many_to_one(steps: int) -> Task:
    """An input at every step, one output at the last."""
    return Task("many-to-one", (True,) * steps, (*[False] * (steps - 1), True), (False,) * steps)


def many_to_many_delayed(inputs: int, outputs: int) -> Task:
    """Inputs first; outputs from the last input on, each fed back. T = inputs + outputs − 1."""
    before, after = inputs - 1, outputs - 1
    return Task(
        "many-to-many, delayed",
        (*[True] * inputs, *[False] * after),
        (*[False] * before, *[True] * outputs),
        (*[False] * inputs, *[True] * after),
    )


def many_to_many_synchronised(steps: int) -> Task:
    """An input and an output at every step."""
    return Task("many-to-many, synchronised", (True,) * steps, (True,) * steps, (False,) * steps)


# --- running --------------------------------------------------------------------------------------


def perform(
    task: Task,
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    state: Any = None,
    feed: Callable[[Any], Any] = identity,
) -> tuple[Any, Any]:
    """Run a cell under a task; gradients flow through what is fed back.

    Args:
        task: the pattern.
        cell: any cell.
        params: from `cell.init`, as arrays or tensors.
        xs: one row of `(B, X)` for each step at which an input enters, `(n, B, X)`; or class
            indices `(n, B)` in place of one-hot rows.
        state: start values as in `rnn.run`, which chooses them if None.
        feed: makes an input `(B, X)` from an output `(B, Y)`, for tasks that feed back: by default
            the output itself, `minigrad.softmax` for logits.

    Returns:
        `(ys, state)`: one row for each step at which an output leaves, `(m, B, Y)`, and the state
        after the last step.

    Raises:
        ShapeError: xs has another number of steps than the task has inputs.

    >>> import numpy as np, rnn
    >>> cell = rnn.Stack([rnn.LSTMCell(3, 5), rnn.Dense(5, 3)])
    >>> ys, state = perform(many_to_many_delayed(4, 2), cell, cell.init(0), np.ones((4, 2, 3)))
    >>> ys.shape
    (2, 2, 3)
    """
    if not isinstance(xs, Tensor | np.ndarray):
        raise TypeError(f"task {task.name}: xs must be an array or tensor, got {type(xs).__name__}")
    if xs.ndim == 2 and xs.dtype.kind in "iu":
        xs = mg.astype(mg.one_hot(xs, cell.inputs), flatten(params)[0][0].dtype)
    entering = sum(task.enters)
    if xs.ndim != 3 or xs.shape[0] != entering:
        raise ShapeError(
            f"task {task.name}: xs has shape {xs.shape}, wanted ({entering}, B, {cell.inputs}), "
            f"one row for each of the {entering} steps at which an input enters"
        )
    xs = _spread(task, xs)
    if any(task.feeds):
        switch = np.zeros((*xs.shape[:2], 1), xs.dtype)
        switch[np.array(task.feeds)] = 1
        xs = mg.concatenate([xs, switch], axis=-1)
        batch, tree = xs.shape[1], flatten(cell.edges())[1]
        values, given = flatten(cell.start(batch, xs.dtype, params) if state is None else state)
        if given.paths() != tree.paths():
            raise ValueError(f"task {task.name}: state is not the tuple that rnn.run gives")
        ys, (*values, _) = run(
            Feedback(cell, feed), params, xs, (*values, np.zeros((batch, cell.width), xs.dtype))
        )
        state = tree.unflatten(values)
    else:
        ys, state = run(cell, params, xs, state)
    return ys[np.flatnonzero(task.leaves)], state


def _spread(task: Task, xs: Any) -> Any:
    """The inputs at their steps, zeros at the others: `(T, B, X)`."""
    if all(task.enters):
        return xs
    places = np.flatnonzero(task.enters)
    return mg.scatter(xs, positions=((places,),), shape=(task.steps, *xs.shape[1:]))


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


def decoder_start(encoder: Cell, decoder: Cell, last: Any, own: Any = None) -> Any:
    """The start state of a decoder: that in which the encoder ended, beside masks of its own.

    Args:
        encoder: the cell that read.
        decoder: the cell that will write.
        last: the state in which the encoder ended.
        own: a start state of the decoder, for its masks; those of `decoder.start` if None.

    >>> import numpy as np, rnn
    >>> decoder = rnn.Stack([rnn.Dropout(2, 0.5), rnn.GRUCell(2, 3)])
    >>> decoder_start(rnn.GRUCell(4, 3), decoder, (np.full((1, 3), 7.0),))
    ((array([[1., 1.]]),), (array([[7., 7., 7.]]),))
    """
    handed_on("encode_decode", encoder, decoder)
    pairs = zip(flatten(encoder.edges())[0], flatten(last)[0], strict=True)
    left = [value for edge, value in pairs if edge.is_reset]
    edges, tree = flatten(decoder.edges())
    if len(left) < len(edges) and own is None:
        own = decoder.start(left[0].shape[-2], left[0].dtype)
    masks = flatten(own)[0] if own is not None else left
    values = iter(left)
    return tree.unflatten(
        next(values) if edge.is_reset else mask for edge, mask in zip(edges, masks, strict=True)
    )


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
    handed_on("encode_decode", encoder, decoder)
    begin, own = (None, None) if state is None else state
    _, last = run(encoder, params["encoder"], xs, begin)
    start = decoder_start(encoder, decoder, last, own)
    nothing = np.zeros((1, xs.shape[1], decoder.inputs), xs.dtype)
    return perform(one_to_many(outputs), decoder, params["decoder"], nothing, start, feed)
