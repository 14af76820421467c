"""The `minigrad` command: what subcommands leave behind, and one line for every mistake."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
import viz
from minigrad.extras import installing
from rnn import checkpoint
from rnn.kinds import LAYERS
from rnn.text import reading
from rnn.text.characters import character_model
from tests.viz.cli.conftest import TEXT
from viz.cli import COMMANDS, demo, doctor, main, parser, train

COMMAND_NAMES = [command.__name__.rpartition(".")[2] for command in COMMANDS]


def test_ctrl_c_outside_of_training_exits_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "read_text", stop)
    assert main(["train"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_demo_leaves_pictures_and_weights_and_an_honest_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reading, "_language_reference", lambda: "The " + TEXT * 30)
    monkeypatch.setattr(demo, "READ", 4)  # as many steps are enough
    assert main(["demo", "--out", str(tmp_path), "--steps", "2"]) == 1
    told = capsys.readouterr().out
    for word in ("uniform", "unigram", "bigram", "trigram", "step 2: loss", "does not beat"):
        assert word in told
    assert f"Look first at {tmp_path / demo.PAGE}: " in told
    left = {"folded.svg", "unfolded.svg", demo.PAGE, train.WEIGHTS}
    assert {path.name for path in tmp_path.iterdir()} == left


@pytest.mark.parametrize("cell", LAYERS)
@pytest.mark.parametrize("layers", ["1", "2"])
@pytest.mark.parametrize("view", ["folded", "unfolded"])
def test_draw_saves_what_viz_draws(cell: str, layers: str, view: str, tmp_path: Path) -> None:
    file = tmp_path / "picture.svg"
    options = ["--cell", cell, "--layers", layers, "--view", view, "--steps", "3"]
    assert main(["draw", *options, "-o", str(file)]) == 0
    make, top = LAYERS[cell], [2] if cell == "rnn" else []
    stack = make(3, 4, *top) if layers == "1" else rnn.Stack([make(3, 4), make(4, 4, *top)])
    assert file.read_text("utf-8") == viz.draw(stack, view=view, steps=3).svg()


def test_draw_shows_the_schedule_of_backpropagation(tmp_path: Path) -> None:
    file = tmp_path / "cell.svg"
    options = ["--cell", "lstm", "--view", "schedule", "--backward", "-o", str(file)]
    assert main(["draw", *options]) == 0
    assert file.read_text("utf-8") == viz.figures.schedule(rnn.LSTMCell(3, 4), backward=True).svg()


def test_draw_takes_several_recurrences(tmp_path: Path) -> None:
    file = tmp_path / "picture.gv"
    kinds = "hidden-to-hidden,output-to-hidden,output-to-output"
    assert main(["draw", "--recurrence", kinds, "-o", str(file)]) == 0
    assert file.exists()


def test_ops_has_a_row_for_every_primitive(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ops"]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split()[:5] == ["name", "kind", "signature", "label", "domain"]
    assert [row.split()[0] for row in rows] == list(mg.PRIMITIVES)


def test_doctor_tells_versions_and_what_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    for word in (f"numpy         {np.__version__}", "dot ", "BLAS", "SVG pictures work."):
        assert word in told
    monkeypatch.setattr(
        viz, "available", lambda: dict.fromkeys(("svg", "typst", "dot", "pygraphviz"))
    )
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(doctor, "version", lambda name: None)
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    for package, (_, extra) in doctor.NEEDED_FOR.items():
        (line,) = (line for line in told.splitlines() if line.startswith(package))
        assert line.endswith(installing(extra)) if extra else "missing" in line
    assert "PNG and PDF pictures need typst, dot or pygraphviz." in told
    assert "1 by OMP_NUM_THREADS" in told or "OPENBLAS_NUM_THREADS" in told


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437"])
@pytest.mark.parametrize(
    "call",
    ["ops", "doctor", "explain", "draw -o σ.svg", "check rnn.cells:Dense --draws 1", "--version"]
    + ["check σ", "train --text σ", "sample --weights σ", "explain --batch σ"]
    + [f"{command} --help" for command in COMMAND_NAMES],
)
def test_any_console_gets_all_that_a_command_says(
    call: str, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = said(call, "utf-8", monkeypatch)
    told = said(call, encoding, monkeypatch)
    for a, b in zip(wanted, told, strict=True):
        assert a.encode(encoding, "backslashreplace").decode(encoding) == b


def said(call: str, encoding: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a command writes to a console of an encoding: output and errors."""
    streams = {name: io.TextIOWrapper(io.BytesIO(), encoding) for name in ("stdout", "stderr")}
    with monkeypatch.context() as m, contextlib.suppress(SystemExit):
        for name, stream in streams.items():
            m.setattr(sys, name, stream)
        main(call.split())
    for stream in streams.values():
        stream.flush()
    return [stream.buffer.getvalue().decode(encoding) for stream in streams.values()]


def test_a_console_without_greek_letters_still_gets_the_table() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    call = [sys.executable, "-m", "viz", "ops"]
    told = subprocess.run(call, capture_output=True, env=env, check=True).stdout
    assert b"softplus" in told
    assert b"\\u03a3" in told


# --- mistakes ------------------------------------------------------------------------------------

MISTAKES = {
    "a missing text": ("train --text nowhere.txt", "there is no text file 'nowhere.txt'"),
    "an empty text": ("train --text empty.txt", "the text is empty"),
    "one symbol": ("train --text same.txt", "the text is 'a' repeated: there is nothing"),
    "another encoding": (
        "train --text latin.txt",
        "'latin.txt' is not UTF-8: byte 0xe9 at position 3; "
        "`iconv -f latin1 -t utf-8` converts one common encoding",
    ),
    "another encoding of Unicode": (
        "train --text wide.txt",
        "'wide.txt' is not UTF-8: it begins with the byte-order mark of UTF-16; "
        "`iconv -f UTF-16 -t UTF-8 FILE > NEW` converts it",
    ),
    "a short text": (
        "train --text short.txt",
        "a text of 9 characters is too short: 64 readers of 32 steps need 2049; "
        "make batch or length smaller",
    ),
    "a folder as text": ("train --text .", "[Errno 21] Is a directory: '.'"),
    "no units": (
        "train --text short.txt --hidden 0",
        "character_model: hidden must be a whole number ≥ 1, got 0",
    ),
    "no layers": (
        "train --text short.txt --layers 0",
        "character_model: layers must be a whole number ≥ 1, got 0",
    ),
    "more units than can be drawn": (
        "draw --hidden 1000000000000000",
        "draw: --hidden must be a whole number from 1 to 2,000, got 1000000000000000",
    ),
    "more steps than there are numbers": (
        "explain --steps 99999999999999999999",
        "explain: --steps must be a whole number from 1 to 1,000,000,000, got 99999999999999999999",
    ),
    "nothing to resume": ("train --resume", "there is no weights file 'run/weights.safetensors'"),
    "a file as folder": (
        "train --text short.txt --out short.txt",
        "[Errno 17] File exists: 'short.txt'",
    ),
    "a run in the way": (
        "train --out taken",
        "taken/weights.safetensors holds a run; --resume goes on with it, --out starts another",
    ),
    "no weights": ("sample --weights nothing", "there is no weights file 'nothing'"),
    "other weights": (
        "sample --weights short.txt",
        "'short.txt' is not a safetensors file, or only a part of one",
    ),
    "an unknown recurrence": (
        "draw --recurrence sideways",
        "RNNCell: unknown recurrence 'sideways'; there are "
        "hidden-to-hidden, output-to-hidden, output-to-output",
    ),
    "a file in place of a folder": (
        "figures -o short.txt",
        "figures: -o names a folder, which cannot be made: [Errno 17] File exists: 'short.txt'",
    ),
    "another format of figures": (
        "figures --formats svg,bmp",
        "figures: unknown format 'bmp'; there are 'svg', 'png', 'pdf', 'eps', 'tikz', 'gv', "
        "'dot'",
    ),
    "no name": ("draw -o ", "save: '' must end in one of .svg, .png, .pdf, .eps, .tikz, .gv, .dot"),
    "too many layers": (
        "draw --layers 1000000",
        "draw: --layers must be a whole number from 1 to 2,000, got 1000000",
    ),
    "no steps, in a picture that has none": (
        "draw --view schedule --steps 0",
        "draw: --steps must be a whole number from 1 to 1,000,000,000, got 0",
    ),
    "a recurrence of a cell that has no choice": (
        "draw --cell gru --recurrence sideways",
        "RNNCell: unknown recurrence 'sideways'; there are",
    ),
    "too large": (
        "explain --steps 1000000000",
        "these sizes are too large for this machine: Unable to allocate",
    ),
    "no module": ("check :", "check: ':' names no module; write pkg.module:name"),
    "a module that is not there": (
        "check nowhere:f",
        "check: nowhere cannot be loaded: ModuleNotFoundError: No module named 'nowhere'",
    ),
    "a relative module": ("check ..:x", "check: .. cannot be loaded: ImportError: there is no"),
    "a script that ends": ("check quits.py", "check: quits.py cannot be loaded: SystemExit: 0"),
    "a module that ends": ("check quits", "check: quits cannot be loaded: SystemExit: 0"),
    "nothing to check": ("check taken", "check: 'taken' holds nothing to check: no cell, and no"),
    "nothing to check in a module": ("check json", "check: 'json' holds nothing to check: no"),
    "an unknown format": (
        "draw -o cell.bmp",
        "save: 'cell.bmp' must end in one of .svg, .png, .pdf, .eps, .tikz, .gv, .dot",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_line(
    mistake: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    files = {
        "empty.txt": b"",
        "same.txt": b"aaa",
        "latin.txt": b"caf\xe9 au lait",
        "wide.txt": "A letter".encode("utf-16"),
        "short.txt": b"0123456789",
        "quits.py": b"raise SystemExit(0)",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / train.WEIGHTS).touch()
    call, message = MISTAKES[mistake]
    assert main(call.split(" ")) == 2
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err.startswith(f"minigrad: {message}")
    assert caught.err.count("\n") == 1


NO_NUMBERS = [
    "",
    "x",
    "-1",
    "0",
    "2.5",
    "nan",
    "inf",
    "1e9",
    "9" * 30,
    "\ud800",
    "a\nb",
    "0x10",
    "³",
]
NO_PLACES = ["no/where/x.svg", "a\0b.svg", "short.txt/x.svg", "\ud800/x.svg"]
NOTHING = [
    "", ":", "::", ".", "..", "no.where", "os", "os:path", "short.txt", "a\0b", "\ud800:x", "3",
    "rnn:Stack", "rnn:nobody", "rnn:run", "rnn.cells:LSTMCell.x", "x.py",
]  # fmt: skip
OPTIONS = {
    "draw": (["--layers", "--inputs", "--hidden", "--outputs", "--steps"], NO_NUMBERS),
    "explain": (["--inputs", "--hidden", "--batch", "--steps"], NO_NUMBERS),
    "check rnn.cells:Dense": (["--draws"], NO_NUMBERS),
    "check": ([""], [*NOTHING, "../fails.py"]),
    "draw -o": ([""], [*NO_PLACES, "", "x", "x.bmp", "..", "short.txt"]),
    "draw --view schedule -o": ([""], NO_PLACES),
    "figures --formats svg -o": ([""], ["short.txt", "short.txt/x", "a\0b"]),
    "figures": (["--inputs", "--hidden", "--outputs", "--style", "--formats"], NO_NUMBERS),
    "check rnn.cells:Dense --draws 1 --html": ([""], NO_PLACES),
    "draw --cell lstm": (["--view", "--level", "--recurrence", "--cell"], NO_NUMBERS),
    "ops": ([""], ["x", "--all"]),
    "doctor": ([""], ["x", "--all"]),
}  # fmt: skip


@pytest.mark.parametrize("command", OPTIONS)
def test_an_option_that_cannot_be_is_told(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 2 and one line, or the usage; never a traceback, never another reading of it."""
    here = tmp_path / "here"  # so that ".." is this test's too
    here.mkdir()
    monkeypatch.chdir(here)
    (here / "short.txt").write_bytes(b"0123456789")
    (tmp_path / "fails.py").write_text("raise ValueError('first\\nsecond line')")
    options, values = OPTIONS[command]
    for option in options:
        for value in values:
            call = [*command.split(), *option.split(), value]
            try:
                code = main(call)
            except SystemExit as stop:
                code = int(stop.code or 0)
            told = capsys.readouterr().err
            assert code == 2, call
            assert "usage: minigrad" in told or told.count("\n") == 1, (call, told)
            assert len(told) > 30, call


@pytest.mark.parametrize("call", ["", "train --cell elm", "dance", "draw --view sideways"])
def test_a_command_line_that_cannot_be_read_exits_with_2(
    call: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(call.split())
    assert caught.value.code == 2
    assert "usage: minigrad" in capsys.readouterr().err


def numeric_options(above: Any = None, path: str = "") -> list[tuple[str, str, str]]:
    """Every option of every command that takes a number, with numbers that it cannot take."""
    found = []
    for action in (above or parser())._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                found += numeric_options(command, f"{path} {name}".strip())
        elif action.type in (int, float):
            wrong = ("-1", "nan", "2.5" if action.type is int else "inf")
            found += [(path, action.option_strings[-1], number) for number in wrong]
    return found


@pytest.mark.parametrize(("name", "option", "wrong"), numeric_options())
def test_a_number_out_of_range_is_told_by_its_name_and_leaves_nothing(
    name: str,
    option: str,
    wrong: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    model = character_model("gru", 3, 4)
    checkpoint.save("some", model.init(0), model, vocabulary="abc")
    needed = {"sample": ["--weights", "some"], "check": ["rnn:Dense"], "study": ["why"]}
    others = needed.get(name, [])
    try:
        code = main([*name.split(), *others, option, wrong])
    except SystemExit as exit:
        code = exit.code
    assert code == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("minigrad")
    word = {"--lr": "rate", "--characters": "n", "--at": "t ="}.get(option, option.strip("-"))
    assert word in told or option in told
    assert wrong in told
    assert [path.name for path in tmp_path.iterdir()] == ["some"]


def test_a_reader_that_leaves_early_is_no_error() -> None:
    """`minigrad ops | head -1` ends without a traceback."""
    child = subprocess.Popen(
        [sys.executable, "-m", "viz", "ops"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert child.stdout is not None
    assert child.stderr is not None
    with child.stdout, child.stderr:
        child.stdout.close()
        errors = child.stderr.read()
    assert child.wait() == 0
    assert errors == b""
