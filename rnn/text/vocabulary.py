"""Characters as classes: the class of a character is its place in the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Classes = np.ndarray[Any, np.dtype[np.int64]]
"""Class indices, one a character."""


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
