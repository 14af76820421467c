"""`minigrad study`: every study of every cell is a table that fits, and the numbers behind it."""

from __future__ import annotations

import argparse
import io
import json
import re
import shlex
import sys
import types
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unicodedata import combining

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
import rnn.testing
from minigrad.extras import installing
from rnn import checkpoint
from rnn.text.characters import character_model
from tests.rnn.bptt.networks import OWN, Attention
from viz.cli import main, parser, train
from viz.cli.study import STUDIES, place
from viz.cli.study.beside import BESIDE
from viz.cli.study.printed import plain
from viz.page import PARTS

TEXT = "to be or not to be"
OWN_CELL = "tests.rnn.bptt.networks:Attention"
REFUSED = {
    "truncation": "edges that run against time",
    "rtrl": "edges both with and against time",
    "paths": "up to 20,000 are listed|tensors are named",
    **dict.fromkeys(("ladder", "split", "flow"), "has no state"),
}
"""What a study may say to a cell that it is not for."""


def said(*call: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a study."""
    out, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(errors):
        code = main(["study", *call])
    return code, out.getvalue(), errors.getvalue()


def numbers(*call: str) -> dict[str, Any]:
    """What a study gives as JSON."""
    code, out, errors = said(*call, "--json")
    assert code == 0, errors
    found: dict[str, Any] = json.loads(out)
    return found


def rows(text: str) -> list[list[str]]:
    """The rows of a table that begin with a step."""
    found = [line.split() for line in text.splitlines()]
    return [row for row in found if row and row[0].isdigit()]


def fits(text: str) -> None:
    """Every line has at most a hundred columns; there are a title, a table and a sentence."""
    for line in text.splitlines():
        assert sum(not combining(c) for c in line) <= 100, line
    assert text.count("\n") > 2


@given(
    cell=st.one_of(rnn.testing.cells(), st.sampled_from(OWN)),
    study=st.sampled_from([*STUDIES]),
    is_json=st.booleans(),
)
def test_any_cell_goes_through_every_study(cell: rnn.Cell, study: str, is_json: bool) -> None:
    """Both directions, delays, stacks, a reader's own: none of them knows a cell."""
    module = types.ModuleType("drawn_for_a_study")
    module.cell = cell  # type: ignore[attr-defined]  # as a module of a reader has it
    sys.modules[module.__name__] = module
    call = [study, "--cell", f"{module.__name__}:cell", "--steps", "3"]
    code, out, errors = said(*call, *["--json"] * is_json)
    if errors:
        assert (code, errors.count("\n")) == (2, 1)
        assert re.search(REFUSED[study], errors)
        delays = [r.delay for r in cell.folded().recurrences]
        assert not delays or min(delays) < 0 or study == "paths"
    elif is_json:
        found = json.loads(out)
        assert found["steps"] == 3
        assert len(found["table"]["rows"]) or study == "why"
    else:
        fits(out)


@pytest.mark.parametrize("study", STUDIES)
def test_the_class_of_a_readers_own_cell_is_enough(study: str) -> None:
    code, out, errors = said(study, "--cell", OWN_CELL, "--steps", "4", "--hidden", "2")
    assert (code, errors) == (0, "")
    assert out.startswith("Attention(")
    fits(out)


@pytest.mark.parametrize("study", STUDIES)
def test_a_readers_own_cell_reads_a_text(study: str) -> None:
    call = [study, "--cell", OWN_CELL, "--text", "aba", "--hidden", "1"]
    found = numbers(*call)
    assert found["network"].startswith("Stack(layers=(Attention(inputs=2, hidden=1)")
    assert (found["steps"], found["text"]) == (2, "ab")


@pytest.mark.parametrize("study", STUDIES)
def test_help_has_an_example_and_the_example_runs(
    study: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["study", study, "--help"])
    told = capsys.readouterr().out
    example = told.partition("example:\n")[2].strip()
    assert example.startswith(f"minigrad study {study} ")
    code, out, errors = said(*shlex.split(example)[2:])
    assert (code, errors) == (0, "")
    fits(out)
    with pytest.raises(SystemExit):
        parser().parse_args(["study", "--help"])
    assert example in capsys.readouterr().out


# --- the numbers are those of the functions, and of the gradient ----------------------------------


def test_the_walk_ends_in_the_gradient() -> None:
    found = numbers("walk", "--cell", "lstm", "--steps", "3", "--hidden", "2", "--inputs", "3")
    cell = rnn.LSTMCell(3, 2)
    xs = np.random.default_rng(0).normal(size=(3, 1, 3))
    loss = lambda p: 0.5 * mg.sum(mg.square(rnn.run(cell, p, xs)[0][-1]))
    for name, g in mg.grad(loss)(cell.init(0)).items():
        np.testing.assert_allclose(found["numbers"]["cotangents"][name], g, rtol=1e-12, atol=1e-15)


def test_the_shares_of_every_step_add_up_to_the_gradient() -> None:
    found = numbers("ledger", "--cell", "gru", "--of", "W_hn")
    account = found["numbers"]["accounts"]["W_hn"]
    whole = np.linalg.norm(account["gradient"])
    np.testing.assert_allclose(np.sum(account["projections"]), whole, rtol=1e-12)
    assert np.all(np.triu(account["norms"], 1) == 0)
    assert found["axes"]["norms"] == ["loss step s", "use step t"]


@pytest.mark.parametrize("loss", ["last", "every"])
def test_of_a_text_every_next_character_is_predicted(loss: str) -> None:
    """The loss that is told is that of the characters that follow, or of the last alone."""
    found = numbers("totals", "--text", TEXT, "--loss", loss, "--hidden", "4")
    symbols = sorted(set(TEXT))
    cell = character_model("rnn", len(symbols), 4)
    classes = np.array([symbols.index(c) for c in TEXT])
    logits, _ = rnn.run(cell, cell.init(0), classes[:-1, None])
    log_p = mg.log_softmax(logits)[np.arange(len(TEXT) - 1), 0, classes[1:]]
    wanted = -log_p[-1] if loss == "last" else -log_p.mean()
    np.testing.assert_allclose(found["numbers"]["loss"], wanted, rtol=1e-12)


def test_a_table_of_steps_names_the_characters() -> None:
    _, out, _ = said("stages", "--cell", "lstm", "--text", "ab\n")
    assert [row[1] for row in rows(out)] == ["'a'"] * 6 + ["'b'"] * 6
    _, out, _ = said("ladder", "--text", "abc")
    assert [row[:2] for row in rows(out)[:2]] == [["2", "'b'"], ["1", "'a'"]]


def test_steps_take_the_beginning_of_a_text() -> None:
    assert numbers("why", "--text", TEXT, "--steps", "3")["text"] == TEXT[:3]
    assert numbers("why", "--text", TEXT)["steps"] == len(TEXT) - 1


def test_options_may_stand_before_the_study_and_after_it() -> None:
    before = said("--cell", "gru", "--seed", "3", "ledger", "--steps", "2")
    assert before == said("ledger", "--steps", "2", "--cell", "gru", "--seed", "3")
    assert before[1].startswith("GRUCell(2, 3), first weights (seed 3); T = 2,")


def test_a_flow_stands_beside_the_usual_networks_and_not_beside_itself() -> None:
    small = ["flow", "--steps", "4", "--hidden", "3", "--inputs", "2"]
    found = numbers(*small, "--cell", "lstm")["numbers"]
    assert found["networks"] == ["LSTMCell", *(name for name in BESIDE if "= 1" not in name)]
    xs = np.random.default_rng(0).normal(size=(4, 1, 2))
    for bias in (0.0, 3.0):
        cell = rnn.LSTMCell(2, 3, forget_bias=bias)
        tensors = cell.init(0).tensors()
        ys, _ = rnn.run(cell, tensors, xs, unfolded=True)
        (0.5 * mg.sum(mg.square(ys[-1]))).backward()
        wanted = [np.linalg.norm(mg.find(ys, "h", t).grad) for t in range(1, 5)]
        row = found["norms"][found["networks"].index(f"LSTM b_f = {bias:.0f}")]
        np.testing.assert_allclose(row, wanted, rtol=1e-12)
    with_readout = numbers("flow", "--text", TEXT, "--hidden", "3")["numbers"]
    assert len(with_readout["networks"]) == len(BESIDE)  # the Stack is the RNN of the list


def test_places_are_names_with_a_step_or_without() -> None:
    found = numbers("paths", "--from", "W_hh", "--to", "h@3", "--steps", "4")
    assert found["numbers"]["source"] == "W_hh"
    assert found["numbers"]["target"] == "h⁽³⁾"
    assert numbers("walk", "--stop", "h@1")["numbers"]["ends"] == ["h⁽¹⁾"]
    for wrong in ("", "@1", "h@", "h@x", "h@1@2", "h@³", "h@-1"):
        with pytest.raises(argparse.ArgumentTypeError, match="is no NAME@t"):
            place(wrong)


def test_json_has_no_numbers_that_json_has_not() -> None:
    assert plain({"x": (np.inf, np.float32("nan"), np.int8(1), None, True)}) == {
        "x": ["inf", "nan", 1, None, True]
    }
    found = numbers("ladder", "--cell", "tests.rnn.bptt.networks:Linear", "--hidden", "2")
    assert len(found["numbers"]["jacobians"]) == 20


def test_every_row_is_printed_if_asked_for() -> None:
    _, short, _ = said("ladder", "--steps", "40")
    _, whole, _ = said("ladder", "--steps", "40", "--all")
    assert short.endswith("\n… stands for 11 rows, which --all prints\n")
    assert len(whole.splitlines()) == len(short.splitlines()) + 9
    assert "…" not in whole.partition("Lyapunov")[0]


# --- trained networks -----------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with a trained character model."""
    model = character_model("gru", len(set(TEXT)), 5)
    vocabulary = "".join(sorted(set(TEXT)))
    path = tmp_path / train.WEIGHTS
    checkpoint.save(path, model.init(3), model, vocabulary=vocabulary, opening="to be ")
    return tmp_path


@pytest.mark.parametrize("study", STUDIES)
def test_trained_weights_are_studied_on_their_text(study: str, run: Path) -> None:
    code, out, errors = said(study, "--weights", str(run))
    assert (code, errors) == (0, "")
    assert "reads 'to be'" in " ".join(out.split())
    fits(out)


def test_the_folder_and_the_file_of_a_run_are_the_same(run: Path) -> None:
    by_file = numbers("stages", "--weights", str(run / train.WEIGHTS), "--text", "not")
    by_folder = numbers("stages", "--weights", str(run), "--text", "not")
    assert by_file["numbers"] == by_folder["numbers"]
    assert by_file["text"] == "no"


def test_weights_of_a_readers_own_cell_are_found_once_it_is_named(tmp_path: Path) -> None:
    cell = Attention(2, 3)
    checkpoint.save(tmp_path / "own", cell.init(0), cell)
    found = numbers("why", "--weights", str(tmp_path / "own"), "--cell", OWN_CELL)
    assert found["network"] == "Attention(inputs=2, hidden=3)"


MISTAKES = {
    "an unknown cell": ("walk --cell elm", "study: unknown cell 'elm'; there are rnn, lstm, gru"),
    "no cell": ("walk --cell rnn:mse", "study: 'rnn:mse' holds no cell; name one as"),
    "several cells": ("walk --cell many.py", "study: 'many.py' holds 3 cells; name one as"),
    "a module that is not there": ("walk --cell x:y", "study: x cannot be loaded: ModuleNotFound"),
    "a file that is not there": ("walk --cell x.py:y", "study: there is no file x.py"),
    "a cell whose step fails": (
        "walk --cell many.py:Wrong",
        "study: many.py:Wrong: AttributeError: ",
    ),
    "sizes that a cell has": (
        "walk --cell many.py:a --hidden 3",
        "study: many.py:a has hidden = 2, which --hidden 3 cannot change",
    ),
    "a text that is too wide": (
        "walk --cell many.py:a --text abc",
        "study: many.py:a takes 2 columns, but the text has 3 characters; name its class",
    ),
    "a text that is too short": ("walk --weights . --text a", "study: --text 'a' is too short: it"),
    "one symbol": ("walk --text aaa", "the text is 'a' repeated: there is nothing to predict"),
    "a strange character": ("walk --weights . --text to7", "character '7' is not among the"),
    "no weights": ("walk --weights nowhere", "there is no weights file 'nowhere'"),
    "sizes beside weights": (
        "walk --weights . --hidden 3",
        "study: --hidden is told by --weights; leave it out",
    ),
    "weights that cannot read": (
        "walk --weights plain --text ab",
        "study: 'plain' holds no vocabulary, so it cannot read a text",
    ),
    "no such parameter": ("ledger --of W_xx", "ledger: no parameter W_xx; there are W_xh, W_hh"),
    "no such value": ("ladder --of g", "RNNCell: no value is named g; there are: z_h, h"),
    "no such value of a path": ("paths --from g@1", "no tensor named g at t = 1; there are: "),
    "no such step": ("split --at 21", "t = 21 is not a step; there are steps 1 to 20"),
    "no line": ("split --cell lstm --of f", "split: f is not carried from step to step"),
    "no steps of truncation": ("truncation -k 0", "truncation: wanted 1 ≤ k1 ≤ k2, got k1 = 0"),
    "too many paths": ("paths --cell lstm --steps 20", "paths: there are "),
    "a state where there is none": ("flow --cell many.py:d", "Dense has no state, so nothing is"),
    "too many steps": ("why --steps 10001", "study: --steps must be a whole number from 1 to"),
}


MANY = """
import rnn
import rnn.testing
a, b, d = rnn.GRUCell(2, 2), rnn.GRUCell(2, 3), rnn.Dense(2, 2)

class Wrong(rnn.GRUCell):
    def step(self, p, x, h):
        return x @ p.W_none
"""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_line(
    mistake: str, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run)
    checkpoint.save("plain", rnn.GRUCell(2, 2).init(0), rnn.GRUCell(2, 2))
    (run / "many.py").write_text(MANY)
    call, message = MISTAKES[mistake]
    code, out, errors = said(*call.split())
    assert (code, out) == (2, "")
    assert errors.startswith(f"minigrad: {message}")
    assert errors.count("\n") == 1


# --- all studies together -------------------------------------------------------------------------


def test_without_a_study_the_page_of_all_is_written(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what was set up; what was there is written over, as by every command that draws."""
    monkeypatch.chdir(run)
    (run / "study.html").write_text("old")
    assert said("--weights", ".", "--text", "not to") == (0, "study.html\n", "")
    page = (run / "study.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "reads &#39;not t&#39;, L = −log p of the last character" in page
    assert said("--cell", OWN_CELL, "--steps", "3", "--out", "own.html") == (0, "own.html\n", "")
    assert "Attention(" in (run / "own.html").read_text("utf-8")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_is_being_computed_stands_on_a_terminal_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One part after the other; at the end nothing of it is left. A pipe hears nothing."""
    monkeypatch.chdir(tmp_path)
    assert said("--steps", "2") == (0, "study.html\n", "")
    terminal = Terminal()
    with redirect_stdout(io.StringIO()), redirect_stderr(terminal):
        assert main(["study", "--steps", "2"]) == 0
    shown = terminal.getvalue()
    assert [shown.index(part) for part in PARTS] == sorted(map(shown.index, PARTS))
    assert shown.endswith("\r")
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert said("--steps", "2") == (0, "study.html\n", "")


def test_the_workbook_of_a_network_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert said("--cell", "gru", "--steps", "2", "--spreadsheet", "x.xlsx") == (0, "x.xlsx\n", "")
    with zipfile.ZipFile(tmp_path / "x.xlsx") as book:
        assert "xl/worksheets/sheet2.xml" in book.namelist()
    assert not (tmp_path / "study.html").exists()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("--steps 101", "page: 101 steps are more than one can look at (limit 100); study a part"),
        ("--steps 2000 --spreadsheet x.xlsx", "workbook: 24,000 formulas are too many to read ("),
        ("--hidden 900 --spreadsheet x.xlsx", "workbook: 21,600 formulas are too many to read ("),
        ("--spreadsheet x.ods", "workbook: the name ends in .xlsx, got 'x.ods'"),
        ("--out none/x.html", "cannot write none/x.html: there is no folder"),
        ("--out x.html why", "study: --out and --spreadsheet are of all studies together; leave"),
    ],
)
def test_what_cannot_be_written_is_told_in_one_line(
    call: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, errors = said(*call.split())
    assert (code, out) == (2, "")
    assert errors.startswith(f"minigrad: {told}")
    assert errors.count("\n") == 1
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("package", "call"), [("jinja2", []), ("openpyxl", ["--spreadsheet", "x.xlsx"])]
)
def test_a_package_that_is_not_there_is_told(
    package: str, call: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    code, _, errors = said(*call)
    assert code == 2
    assert f"needs {package}: {installing('study')}" in errors
    assert errors.count("\n") == 1
