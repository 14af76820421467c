"""A checksum inside the file it is of: whether every bit is there is known before any is parsed.

It stands in the metadata at the head of a safetensors file and is the SHA-256 of all its bytes,
with its own 64 digits as zeros. It is found without a parser, as `"sha256":"…"`: inside of JSON's
strings quotes are escaped, so no name and no text of the file can look like it. A header that lies
about lengths, or holds a million names, is therefore refused at the price of reading it.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

KEY = "sha256"
BLANK = "0" * 64
"""What stands under `KEY` in a file that is not sealed yet."""

CHUNK = 1 << 14


def sealed(content: bytes) -> bytes:
    """A safetensors file whose metadata have `BLANK` under `KEY`, with the checksum in its place.

    >>> sealed(b'"sha256":"' + BLANK.encode() + b'"')[:18]
    b'"sha256":"9ffcc943'
    """
    at = content.index(f'"{KEY}":"{BLANK}"'.encode()) + len(KEY) + 4
    digest = hashlib.sha256(content).hexdigest().encode()
    return b"".join((content[:at], digest, content[at + len(digest) :]))


def examined(path: Path) -> tuple[str | None, bool | None]:
    """What a safetensors file says is its format, and whether its checksum fits; None for neither.

    Raises:
        OSError: there is no such file, or it may not be read.
        ValueError: its head is longer than the file.
    """
    with path.open("rb") as file:
        length = file.read(8)
        size, rest = int.from_bytes(length, "little"), path.stat().st_size - 8
        if not 0 < size <= rest:
            raise ValueError(f"its head is said to have {size} bytes, behind it are {max(0, rest)}")
        head = file.read(size)
        form, digits = _text("format", head), _text(KEY, head)
        kind = form and form[1].decode(errors="replace")
        if digits is None:
            return kind, None
        start, end = digits.span(1)
        found = hashlib.sha256(length)
        for part in (memoryview(head)[:start], BLANK.encode(), memoryview(head)[end:]):
            found.update(part)
        while part := file.read(CHUNK):
            found.update(part)
    return kind, found.hexdigest().encode() == digits[1]


def _text(key: str, head: bytes) -> re.Match[bytes] | None:
    """Where a text stands under a key."""
    return re.search(rb'"%b":"([^"\\]*)"' % key.encode(), head)
