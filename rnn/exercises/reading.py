"""What Python's own source has in it: prose or code, and the class of every character.

The files are modules of the standard library, all of them older than this decade; they differ a
little between versions of Python. What is judged on are other files.
"""

from __future__ import annotations

import ast
import io
import keyword
import sysconfig
import tokenize
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.core import Array
from rnn.cell import Cell
from rnn.exercises.exercise import HELD_OUT, Lesson, Named
from rnn.params import Params
from rnn.run import run
from rnn.text.vocabulary import Vocabulary

KNOWN = (
    "argparse", "ast", "bdb", "calendar", "cmd", "codecs", "configparser", "copy", "csv",
    "datetime", "difflib", "doctest", "filecmp", "fractions", "ftplib", "gettext", "glob", "gzip",
    "heapq", "inspect", "ipaddress", "locale", "mailbox", "mimetypes", "optparse",
)  # fmt: skip
ASKED = (
    "pathlib", "pdb", "platform", "plistlib", "shutil", "smtplib", "statistics", "tarfile",
    "textwrap", "zipfile",
)  # fmt: skip

CHARACTERS = Vocabulary("\n" + "".join(map(chr, range(32, 127))))


def source(name: str) -> str:
    """The source of a module of the standard library.

    >>> "heappush" in source("heapq")
    True
    """
    folder = Path(sysconfig.get_paths()["stdlib"])
    file = folder / f"{name}.py"
    return (file if file.exists() else folder / name / "__init__.py").read_text("utf-8")


def encoded(text: str) -> Array:
    """Classes of characters; what is not ASCII is a question mark, a tabulator a blank."""
    plain = text.expandtabs(1).encode("ascii", "replace").decode()
    return CHARACTERS.encode("".join(c for c in plain if c in CHARACTERS.characters))


def places(rng: np.random.Generator, length: int, steps: int, size: int) -> Array:
    """Windows of T steps anywhere in a sequence, as places `(T, B)`."""
    return rng.integers(0, length - steps, size) + np.arange(steps)[:, None]


# --- many-to-one: prose or code -----------------------------------------------------------------


DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@cache
def prose_and_code(names: tuple[str, ...]) -> tuple[Array, Array]:
    """The documentation that files have in them, and the code that is left without it.

    Both with single blanks in place of all lines and indentation, which would tell at once.
    """
    prose, code = [], []
    for name in names:
        tree = ast.parse(source(name))
        for node in ast.walk(tree):
            if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
                prose.append(text)
                node.body = node.body[1:] or [ast.Pass()]
        code.append(ast.unparse(tree))
    one_line = (" ".join(" ".join(texts).split()) for texts in (prose, code))
    return tuple(map(encoded, one_line))  # type: ignore[return-value]  # two of them


def prose_or_code(steps: int = 24) -> Lesson:
    """Whether a few characters are English or Python."""

    def draw(rng: np.random.Generator, names: tuple[str, ...], size: int) -> tuple[Array, Array]:
        kinds = rng.integers(0, 2, size)
        xs = np.zeros((steps, size), np.int64)
        for kind, text in enumerate(prose_and_code(names)):
            of_it = kinds == kind
            xs[:, of_it] = text[places(rng, len(text), steps, int(of_it.sum()))]
        return xs, kinds[None]

    def last(cell: Cell, params: Params, xs: Array, state: Any) -> Any:
        ys, state = run(cell, params, xs, state)
        return ys[-1:], state

    def batch(rng: np.random.Generator) -> tuple[Array, Array]:
        return draw(rng, KNOWN, 32)

    xs, targets = draw(np.random.default_rng(HELD_OUT), ASKED, 2000)
    name = "right"

    def judge(cell: Cell, params: Params) -> Named:
        return {name: float((last(cell, params, xs, None)[0].argmax(-1) == targets).mean())}

    def sample(cell: Cell, params: Params) -> str:
        said = last(cell, params, xs[:, :6], None)[0][0].argmax(-1)
        kinds = ("English", "Python")
        return "\n".join(
            f"{CHARACTERS.decode(xs[:, b])!r:28} {kinds[said[b]]:8}"
            f"{'' if said[b] == targets[0, b] else ' (wrong)'}".rstrip()
            for b in range(6)
        )

    baselines = {
        f"counts of {what} (naive Bayes)": {name: float((counted(xs, n) == targets[0]).mean())}
        for what, n in (("characters", 1), ("pairs", 2))
    }
    return Lesson(len(CHARACTERS), 2, batch, judge, baselines, sample, predict=last)


def counted(xs: Array, n: int) -> Array:
    """The kind `(B,)` in whose known texts the n characters in a row are likelier, one added."""
    size = len(CHARACTERS) ** n
    scores = []
    for text in prose_and_code(KNOWN):
        counts = np.bincount(grams(text, n), minlength=size) + 1
        scores.append(np.log(counts / counts.sum())[grams(xs, n)].sum(0))
    found: Array = np.argmax(scores, 0)
    return found


def grams(classes: Array, n: int) -> Array:
    """Every n classes in a row along the first axis, as one number.

    >>> grams(np.array([1, 2, 3]), 2) - len(CHARACTERS) * np.array([1, 2])
    array([2, 3])
    """
    size = len(classes) - n + 1
    found = np.zeros((size, *classes.shape[1:]), np.int64)
    for k in range(n):
        found = found * len(CHARACTERS) + classes[k : k + size]
    return found


# --- many-to-many, synchronised: the class of every character ----------------------------------

CLASSES = ("blank", "comment", "string", "number", "keyword", "name", "operator")
MARKS = " #\"0kn+"
"""How the classes are written below a line of source."""


def token_classes(text: str) -> Array:
    r"""The class of every character of Python source, as `tokenize` has it.

    >>> "".join(MARKS[k] for k in token_classes("if x > 10:  # why\n"))
    'kk n + 00+  ##### '
    """
    lines = text.splitlines(keepends=True)
    starts = np.cumsum([0, *map(len, lines)])
    found = np.zeros(len(text), np.int64)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = class_of(token)
        if kind:
            (row, column), (last_row, last_column) = token.start, token.end
            found[starts[row - 1] + column : starts[last_row - 1] + last_column] = kind
    return found


def class_of(token: tokenize.TokenInfo) -> int:
    """The place of a token's class in `CLASSES`; 0 of what is only layout."""
    name = tokenize.tok_name[token.type]
    if name == "NAME":
        return CLASSES.index("keyword" if keyword.iskeyword(token.string) else "name")
    if name.startswith("FSTRING"):  # since Python 3.12 its parts are tokens
        return CLASSES.index("string")
    known = {"COMMENT": "comment", "STRING": "string", "NUMBER": "number", "OP": "operator"}
    return CLASSES.index(known.get(name, "blank"))


@cache
def classified(names: tuple[str, ...]) -> tuple[Array, Array]:
    """The characters of files, and the class of each."""
    texts = [source(name) for name in names]
    known = [token_classes(text) for text in texts]
    plain = set(CHARACTERS.characters)
    kept = [np.array([c in plain for c in text]) for text in texts]
    whole = "".join(c for text in texts for c in text if c in plain)
    return encoded(whole), np.concatenate([k[m] for k, m in zip(known, kept, strict=True)])


def tokens(steps: int = 80) -> Lesson:
    """Comment, string, number, keyword, name or operator: of every character, as it is read."""

    def draw(rng: np.random.Generator, names: tuple[str, ...], size: int) -> tuple[Array, Array]:
        text, classes = classified(names)
        where = places(rng, len(text), steps, size)
        return text[where], classes[where]

    def batch(rng: np.random.Generator) -> tuple[Array, Array]:
        return draw(rng, KNOWN, 32)

    xs, targets = draw(np.random.default_rng(HELD_OUT), ASKED, 500)
    name = "characters right"

    def judge(cell: Cell, params: Params) -> Named:
        return {name: float((run(cell, params, xs)[0].argmax(-1) == targets).mean())}

    def sample(cell: Cell, params: Params) -> str:
        said = run(cell, params, xs[:, :4])[0].argmax(-1)
        lines = []
        for b in range(4):
            marks = ("".join(MARKS[k] for k in row[:, b]) for row in (said, targets))
            lines += [CHARACTERS.decode(xs[:, b]).replace("\n", "⏎"), *marks]
        return "\n".join(line.rstrip() for line in lines)

    text, classes = classified(KNOWN)
    baselines = {}
    for what, n in (("character", 1), ("pair of characters", 2)):
        table = np.zeros((len(CHARACTERS) ** n, len(CLASSES)), np.int64)
        np.add.at(table, (grams(text, n), classes[n - 1 :]), 1)
        right = table.argmax(-1)[grams(xs, n)] == targets[n - 1 :]
        baselines[f"the commonest class of the {what}"] = {name: float(right.mean())}
    return Lesson(len(CHARACTERS), len(CLASSES), batch, judge, baselines, sample)
