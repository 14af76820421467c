"""Text, its windows, the models that only count, and the toy problems."""

from __future__ import annotations

import codecs
import itertools
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.data import toys
from rnn.data.baselines import bits_per_character
from rnn.data.text import Streams, Vocabulary, read_text, split


@given(st.text(min_size=2).filter(lambda text: len(set(text)) > 1))
def test_decode_undoes_encode_for_any_text(text: str) -> None:
    vocabulary = Vocabulary.of(text)
    classes = vocabulary.encode(text)
    assert vocabulary.decode(classes) == text
    assert set(classes.tolist()) == set(range(len(vocabulary)))


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


@pytest.mark.parametrize(("batch", "length"), [(0, 3), (-1, 3), (3, 0), (3, -1), (0, 0), (-1, -1)])
def test_a_batch_or_a_length_of_nothing_is_refused(batch: int, length: int) -> None:
    with pytest.raises(ValueError, match=f"must be at least 1, got {batch} and {length}"):
        Streams(np.arange(20), batch, length)


def test_split_keeps_the_order_and_every_character() -> None:
    learnt, held_out = split(np.arange(25), held_out=0.2)
    assert len(held_out) == 5
    assert [*learnt, *held_out] == list(range(25))


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
        try:
            assert "\0" not in read_text(file)
        except ValueError as error:
            assert re.match(r"'.*text\.txt' is not (UTF-8|text): ", str(error))  # noqa: PT017


# --- models that count -------------------------------------------------------------------------


def witten_bell(train: list[int], context: list[int], symbol: int, symbols: int) -> float:
    """p(symbol | context), by the definition, counting anew each time."""
    n = len(context)
    shorter = witten_bell(train, context[1:], symbol, symbols) if n else 1 / symbols
    places = [k for k in range(n, len(train)) if train[k - n : k] == context]
    followers = [train[k] for k in places]
    kinds = len(set(followers))
    if not places:
        return shorter
    return (followers.count(symbol) + kinds * shorter) / (len(places) + kinds)


@given(seed=st.integers(0, 2**32 - 1), symbols=st.integers(2, 4), n=st.integers(1, 25))
def test_baselines_equal_counting_by_the_definition(seed: int, symbols: int, n: int) -> None:
    whole = np.random.default_rng(seed).integers(0, symbols, n + 6)
    text = whole.tolist()
    bits = bits_per_character(whole[:n], whole[n:], symbols)
    for order, name in enumerate(("unigram", "bigram", "trigram")):
        if n <= order:
            continue
        p = [witten_bell(text[:n], text[k - order : k], text[k], symbols) for k in range(n, n + 6)]
        np.testing.assert_allclose(bits[name], -np.log2(p).mean(), rtol=1e-12)
    np.testing.assert_allclose(bits["uniform"], np.log2(symbols), rtol=1e-12)


def test_probabilities_of_the_reference_sum_to_one() -> None:
    train = [0, 1, 0, 2, 2, 1, 0, 1, 0]
    for context in itertools.product(range(3), repeat=2):
        total = sum(witten_bell(train, list(context), k, 3) for k in range(3))
        np.testing.assert_allclose(total, 1, rtol=1e-12)


def test_longer_contexts_predict_the_language_reference_better() -> None:
    text = read_text()
    vocabulary = Vocabulary.of(text)
    bits = bits_per_character(*split(vocabulary.encode(text)), len(vocabulary))
    assert bits["uniform"] > bits["unigram"] > bits["bigram"] > bits["trigram"] > 2


# --- what goes wrong -----------------------------------------------------------------------------


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


def test_an_unknown_character_is_told() -> None:
    with pytest.raises(ValueError, match="character 'z' is not among the 2 the model knows: 'ab'"):
        Vocabulary("ab").encode("abz")


@pytest.mark.parametrize("characters", ["aba", 3, None, ["a", "b"]])
def test_a_vocabulary_is_a_string_of_different_characters(characters: Any) -> None:
    with pytest.raises(ValueError, match="a vocabulary is a string in which no character comes tw"):
        Vocabulary(characters)


@pytest.mark.parametrize(
    ("batch", "length", "told"),
    [(0, 1, "batch must be a whole number ≥ 1, got 0"), (1, 0, "length must be .*, got 0"),
     (2.5, 1, "batch must be .*, got 2.5"), (1, np.nan, "length must be .*, got nan")],
)  # fmt: skip
def test_readers_and_steps_of_streams_are_counted(batch: Any, length: Any, told: str) -> None:
    with pytest.raises(ValueError, match=f"Streams: {told}"):
        Streams(np.arange(9), batch, length)


@pytest.mark.parametrize("held_out", [0, 1, -0.5])
def test_a_split_needs_two_sides(held_out: float) -> None:
    with pytest.raises(ValueError, match="held_out is a share between 0 and 1"):
        split(np.arange(9), held_out)


# --- toys ----------------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(2, 20), batch=st.integers(1, 4))
def test_toys_are_made_by_their_formulas(seed: int, steps: int, batch: int) -> None:
    def draw(toy: Any) -> Any:
        return toy(np.random.default_rng(seed), steps, batch)

    xs, total = draw(toys.adding)
    assert (xs[..., 1].sum(0) == 2).all()
    assert (xs[: steps // 2, :, 1].sum(0) == 1).all()
    np.testing.assert_allclose(total[:, 0], (xs[..., 0] * xs[..., 1]).sum(0))

    xs, targets = draw(toys.copy_memory)
    assert xs.shape == targets.shape == (steps + 20, batch)
    assert (targets[-10:] == xs[:10]).all()
    assert (targets[:-10] == 0).all()
    assert ((xs == 9).sum(0) == 1).all()
    assert (xs[-11] == 9).all()

    bits, odd = draw(toys.parity)
    assert (odd[0] == bits[0]).all()
    assert (odd[1:] == (odd[:-1] != bits[1:])).all()

    xs, after = draw(toys.sines)
    assert (after[:-1] == xs[1:]).all()
    turn = (after[1:-1] + xs[:-2]) * xs[2:] - (after[2:] + xs[1:-1]) * xs[1:-1]
    np.testing.assert_allclose(turn, 0, atol=1e-12)  # (x⁺ + x⁻) / x = 2 cos ω at every step


def test_a_toy_that_is_too_short_is_told() -> None:
    with pytest.raises(ValueError, match="adding: needs at least 2 steps, got 1"):
        toys.adding(np.random.default_rng(0), 1, 1)
