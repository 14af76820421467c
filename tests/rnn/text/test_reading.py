"""A text is read as it stands, or told by what is wrong with it."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.text.reading import read_text
from rnn.text.vocabulary import Vocabulary


def test_the_default_text_is_the_language_reference_always_in_the_same_order() -> None:
    text = read_text()
    assert len(text) > 300_000
    assert "execution model" in text.lower()
    assert read_text() == text


def test_a_byte_order_mark_is_not_text(tmp_path: Path) -> None:
    file = tmp_path / "marked.txt"
    file.write_bytes(b"\xef\xbb\xbfab\r\n")
    assert read_text(file) == "ab\n"


@given(st.text().filter(lambda text: "\0" not in text))
def test_any_text_comes_back_with_the_ends_of_its_lines_as_one_sign(text: str) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, "text.txt")
        file.write_bytes(codecs.BOM_UTF8 + text.encode())
        assert read_text(file) == "\n".join(re.split("\r\n|\r", text))


@pytest.mark.parametrize(
    ("encoding", "mark", "told"),
    [
        ("utf-16-le", codecs.BOM_UTF16_LE, "UTF-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "UTF-16"),
        ("utf-32-le", codecs.BOM_UTF32_LE, "UTF-32"),
        ("utf-32-be", codecs.BOM_UTF32_BE, "UTF-32"),
        ("utf-16-le", b"", "UTF-16LE"),
        ("utf-16-be", b"", "UTF-16BE"),
    ],
)
@given(text=st.text(min_size=1))
def test_another_encoding_of_unicode_is_told_with_what_converts_it(
    encoding: str, mark: bytes, told: str, text: str
) -> None:
    """Without a mark, letters of UTF-16 would pass as UTF-8 with zeros between them."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "text.txt")
        file.write_bytes(mark + f"A letter; {text}".encode(encoding, "surrogatepass"))
        with pytest.raises(ValueError, match=rf"`iconv -f {told} -t UTF-8 FILE > NEW` converts"):
            read_text(file)


@given(content=st.binary())
def test_any_file_is_a_text_or_told_by_its_name(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, "text.txt")
        file.write_bytes(content)
        said = ""
        try:
            text = read_text(file)
        except ValueError as error:
            text, said = "", str(error)
        assert "\0" not in text
        assert not said or re.match(r"'.*text\.txt' is not (UTF-8|text): ", said)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the text is empty"),
        (b"aaaa", "the text is 'a' repeated: there is nothing to predict"),
        (b"caf\xe9 au lait", "byte 0xe9 at position 3; `iconv -f latin1 -t utf-8` converts one"),
        (b"\xef\xbb\xbfcaf\xe9 au lait", "is not UTF-8: byte 0xe9 at position 6"),
        (b"Schlaf" + "ß".encode()[:1], "position 6; the file ends within a character"),
        (b"%PDF\0", "is not text: byte 4 is zero"),
    ],
)
def test_a_text_with_nothing_to_learn_from_is_told(
    tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        Vocabulary.of(read_text(file))


def test_a_missing_text_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no text file '.*nowhere\.txt'"):
        read_text(tmp_path / "nowhere.txt")
