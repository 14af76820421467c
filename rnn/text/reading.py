"""Text to learn from: a file of yours, or what every Python carries."""

from __future__ import annotations

import codecs
from pathlib import Path

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
