"""Text as a sequence of classes, one class a character.

A text is cut into parallel streams that are read side by side, a window of steps at a time. The
next window goes on where the last one ended, so a hidden state carried from one to the next sees
one long text although gradients stop at the window's edge (truncated BPTT; Williams, Peng 1990).
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnn.checks import whole

Classes = np.ndarray[Any, np.dtype[np.int64]]

MARKS = (
    ("UTF-32", codecs.BOM_UTF32_LE),  # before UTF-16: its mark begins with that one's
    ("UTF-32", codecs.BOM_UTF32_BE),
    ("UTF-16", codecs.BOM_UTF16_LE),
    ("UTF-16", codecs.BOM_UTF16_BE),
)
"""How files in other encodings of Unicode begin."""

CONVERT = "`iconv -f {} -t UTF-8 FILE > NEW` converts it"


def read_text(path: str | Path | None = None) -> str:
    """The text of a UTF-8 file; by default a real English text that every Python carries.

    The default is the Python language reference, about 460,000 characters, from the standard
    library's `pydoc_data.topics`, topic after topic in alphabetical order. It differs a little
    between versions of Python.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: the file is not UTF-8 text; the message says what it seems to be.

    >>> "with" in read_text()
    True
    """
    if path is None:
        return _language_reference()
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no text file {str(path)!r}")
    content = path.read_bytes()
    for encoding, mark in MARKS:
        if content.startswith(mark):
            raise ValueError(
                f"{str(path)!r} is not UTF-8: it begins with the byte-order mark of {encoding}; "
                + CONVERT.format(encoding)
            )
    text = content.removeprefix(codecs.BOM_UTF8)  # a byte-order mark is not text
    zero = text.find(0)
    if zero >= 0:
        # Letters of UTF-16 and UTF-32 are bytes with zeros between: they would pass as UTF-8.
        raise ValueError(
            f"{str(path)!r} is not text: byte {zero} is zero; if it is UTF-16 without a mark, "
            + CONVERT.format(f"UTF-16{'BE' if zero % 2 == 0 else 'LE'}")
        )
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        cut = error.end == len(text) and error.reason == "unexpected end of data"
        raise ValueError(
            f"{str(path)!r} is not UTF-8: byte 0x{text[error.start]:02x} at position "
            f"{error.start + len(content) - len(text)}; "
            + (
                "the file ends within a character: is it only a part?"
                if cut and error.start
                else "`iconv -f latin1 -t utf-8` converts one common encoding"
            )
        ) from None
    return decoded.replace("\r\n", "\n").replace("\r", "\n")


def _language_reference() -> str:
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise FileNotFoundError(
            "this Python comes without pydoc_data.topics, the default text; give a text file"
        ) from None
    return "\n".join(topics[name] for name in sorted(topics))


@dataclass(frozen=True)
class Vocabulary:
    """The characters a model knows; the class of a character is its place among them.

    >>> vocabulary = Vocabulary.of("banana")
    >>> vocabulary.encode("nab")
    array([2, 0, 1])
    >>> vocabulary.decode([2, 0, 1])
    'nab'
    """

    characters: str

    def __post_init__(self) -> None:
        if not isinstance(self.characters, str) or len(set(self.characters)) < len(self.characters):
            raise ValueError(
                f"a vocabulary is a string in which no character comes twice, got "
                f"{self.characters!r:.60}"
            )

    @classmethod
    def of(cls, text: str) -> Vocabulary:
        """The characters of a text, by code point.

        Raises:
            ValueError: the text is empty, or one symbol repeated: there is nothing to predict.
        """
        if not text:
            raise ValueError("the text is empty")
        if len(set(text)) == 1:
            raise ValueError(f"the text is {text[0]!r} repeated: there is nothing to predict")
        return cls("".join(sorted(set(text))))

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> Classes:
        """Class indices `(n,)` of n characters.

        Raises:
            ValueError: a character is not in the vocabulary.
        """
        place = {character: k for k, character in enumerate(self.characters)}
        try:
            return np.array([place[character] for character in text], np.int64)
        except KeyError as error:
            raise ValueError(
                f"character {error.args[0]!r} is not among the {len(self)} the model knows: "
                f"{self.characters!r}"
            ) from None

    def decode(self, classes: Any) -> str:
        """The text of class indices `(n,)`."""
        return "".join(self.characters[k] for k in classes)


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
