"""What is read is real source, and its truth is that of Python's own tools."""

from __future__ import annotations

import io
import tokenize

import numpy as np
import pytest

from rnn.exercises import reading
from rnn.exercises.reading import ASKED, CHARACTERS, CLASSES, KNOWN, MARKS, token_classes

SOURCE = '''\
def f(x):  # why
    """Two
    lines."""
    return x[1:-2] if x else "a\\n" + 'b'
'''


def test_every_character_has_the_class_of_its_token() -> None:
    marks = "".join(MARKS[k] for k in token_classes(SOURCE))
    wanted = [
        "kkk n+n++  ##### ",
        '    """""""',
        '"' * 13 + " ",
        "    kkkkkk n+0++0+ kk n kkkk " + '"' * 5 + " + " + '"' * 3 + " ",
    ]
    assert marks == "".join(wanted)


@pytest.mark.parametrize("name", ASKED[:2])
def test_tokens_and_nothing_else_have_a_class(name: str) -> None:
    text = reading.source(name)
    covered = np.zeros(len(text), bool)
    starts = np.cumsum([0, *(len(line) for line in text.splitlines(keepends=True))])
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.string.strip() and token.type != tokenize.ENDMARKER:
            (a, b), (c, d) = token.start, token.end
            covered[starts[a - 1] + b : starts[c - 1] + d] = True
    assert ((token_classes(text) > 0) == covered).all()


def test_no_file_is_both_learnt_and_asked_for() -> None:
    assert not set(KNOWN) & set(ASKED)


def test_prose_has_no_code_and_code_no_documentation() -> None:
    prose, code = map(CHARACTERS.decode, reading.prose_and_code(("heapq",)))
    assert "Heap queue algorithm" in prose
    assert "def heappush(heap, item): heap.append(item)" in code
    assert "Push item onto heap" in prose
    assert "Push item onto heap" not in code


def test_counts_tell_two_languages_apart_that_share_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = CHARACTERS.encode("ab" * 50), CHARACTERS.encode("xy" * 50)
    monkeypatch.setattr(reading, "prose_and_code", lambda names: texts)
    xs = np.stack([CHARACTERS.encode("abba"), CHARACTERS.encode("yxxy")], 1)
    assert [reading.counted(xs, n).tolist() for n in (1, 2)] == [[0, 1], [0, 1]]


def test_all_classes_are_marked() -> None:
    assert len(MARKS) == len(CLASSES)
