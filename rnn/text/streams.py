"""A text cut into parallel streams that are read side by side, a window of steps at a time.

The next window goes on where the last one ended, so a hidden state carried from one to the next
sees one long text although gradients stop at the window's edge (truncated BPTT; Williams, Peng
1990).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn.checks import whole
from rnn.text.vocabulary import Classes


def split(classes: Classes, held_out: float = 0.1) -> tuple[Classes, Classes]:
    """The sequence to train on, and the end of the sequence to judge on.

    The end, not random pieces: neighbours of a training character would give it away.

    >>> split(np.arange(10), held_out=0.2)
    (array([0, 1, 2, 3, 4, 5, 6, 7]), array([8, 9]))
    """
    if not 0 < held_out < 1:
        raise ValueError(f"split: held_out is a share between 0 and 1, got {held_out!r}")
    cut = len(classes) - round(len(classes) * held_out)
    return classes[:cut], classes[cut:]


@dataclass(frozen=True, eq=False)
class Streams:
    """A sequence read by `batch` readers side by side, `length` steps at a time.

    Reader b starts at the b-th of `batch` equal parts. `streams[k]` is window k, a pair of class
    indices `(length, batch)`: the characters read, and the character after each of them. Window
    k + 1 goes on where window k ended. What does not fill a window at the end is left out.

    Raises:
        ValueError: the sequence is too short for one window.

    >>> streams = Streams(np.arange(13), batch=2, length=3)
    >>> len(streams)
    2
    >>> xs, targets = streams[1]
    >>> xs.T.tolist(), targets.T.tolist()
    ([[3, 4, 5], [9, 10, 11]], [[4, 5, 6], [10, 11, 12]])
    """

    classes: Classes
    batch: int
    length: int

    def __post_init__(self) -> None:
        whole("Streams", "batch", self.batch)
        whole("Streams", "length", self.length)
        if not len(self):
            raise ValueError(
                f"a text of {len(self.classes)} characters is too short: {self.batch} readers of "
                f"{self.length} steps need {self.batch * self.length + 1}; "
                "make batch or length smaller"
            )

    def __len__(self) -> int:
        return (len(self.classes) - 1) // (self.batch * self.length)

    def __getitem__(self, k: int) -> tuple[Classes, Classes]:
        if not 0 <= k < len(self):
            raise IndexError(f"window {k} of {len(self)}")
        starts = np.arange(self.batch) * (len(self) * self.length) + k * self.length
        places = np.arange(self.length)[:, None] + starts
        return self.classes[places], self.classes[places + 1]
