"""`minigrad train` and `sample`: a run of a text, how it ends, goes on and is sampled from."""

from __future__ import annotations

import signal
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn import checkpoint
from rnn.kinds import LAYERS
from rnn.text.characters import character_model
from rnn.text.training import Training
from tests.rnn.damage import CHANGES
from viz.cli import main, train

SMALL = ["--hidden", "5", "--batch", "4", "--length", "8"]


def weights(folder: Path) -> Any:
    return checkpoint.load(folder / train.WEIGHTS)


@pytest.mark.parametrize("cell", LAYERS)
def test_train_then_sample(
    cell: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "run"
    options = ["--cell", cell, "--layers", "2", "--steps", "3", "--dtype", "float64"]
    assert main(["train", "--text", text, "--out", str(out), *options, *SMALL]) == 0
    told = capsys.readouterr().out
    assert "held-out" in told
    assert f"step 3 of 3, saved in {out / train.WEIGHTS}" in told
    params, model, _ = weights(out)
    assert [type(layer).__name__.lower()[:3] for layer in model.layers] == [cell[:3]] * 2 + ["den"]
    assert params.layer1.b_h.dtype == float if cell == "rnn" else True

    ask = ["sample", "--weights", str(out / train.WEIGHTS), "--start", "sea", "-n", "20"]
    said = []
    for seed in ("1", "1", "2"):
        assert main([*ask, "--seed", seed]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != said[2]
    assert said[0].startswith("sea")
    assert len(said[0]) == len("sea") + 20 + len("\n")


def test_a_resumed_run_ends_where_an_unbroken_one_does(text: str, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    begin = ["train", "--text", text, *SMALL]
    assert main([*begin, "--out", str(whole), "--steps", "5"]) == 0
    assert main([*begin, "--out", str(parts), "--steps", "2"]) == 0
    assert main([*begin, "--out", str(parts), "--steps", "5", "--resume"]) == 0
    wanted, found = (weights(folder)[0].named() for folder in (whole, parts))
    assert all(np.array_equal(wanted[name], found[name]) for name in wanted)


@pytest.mark.parametrize(
    "options", [[], ["--lr", "0.006", "--hidden", "5"], ["--cell", "lstm", "--seed", "0"]]
)
def test_a_run_goes_on_with_the_options_it_was_begun_with(
    options: list[str], text: str, tmp_path: Path
) -> None:
    call = ["train", "--text", text, "--out", str(tmp_path)]
    assert main([*call, "--steps", "1", *SMALL]) == 0
    assert main([*call, "--steps", "2", "--resume", *options]) == 0
    assert Training.load(tmp_path / train.WEIGHTS).step == 2


@pytest.mark.parametrize(
    ("option", "value", "begun"),
    [
        ("cell", "gru", "lstm"),
        ("hidden", "6", "5"),
        ("layers", "2", "1"),
        ("batch", "64", "4"),
        ("length", "9", "8"),
        ("dtype", "float64", "float32"),
        ("seed", "1", "0"),
    ],
)
def test_a_run_does_not_go_on_with_other_options(
    option: str, value: str, begun: str, text: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    call = ["train", "--text", text, "--out", str(tmp_path)]
    assert main([*call, "--steps", "1", *SMALL]) == 0
    before = (tmp_path / train.WEIGHTS).read_bytes()
    capsys.readouterr()
    assert main([*call, "--resume", f"--{option}", value]) == 2
    assert capsys.readouterr().err == (
        f"minigrad: --{option} {value}: the run in {tmp_path / train.WEIGHTS} was begun with "
        f"{begun}; leave it out to go on with that, or start another run with --out\n"
    )
    assert (tmp_path / train.WEIGHTS).read_bytes() == before


def test_a_run_that_left_the_numbers_goes_on_with_a_smaller_rate(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["train", "--text", text, "--out", str(tmp_path)]
    with np.errstate(all="ignore"):
        assert main([*call, "--steps", "9", "--lr", "1e38", *SMALL]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told == (
        "minigrad: step 1 makes parameters that are not finite; a smaller rate than 1e+38 may "
        f"help; step 0 is kept in {str(tmp_path / train.WEIGHTS)!r}"
    )
    assert main([*call, "--steps", "9", "--resume", "--lr", "0.01"]) == 0
    assert "going on with rate 0.01 in place of 1e+38\n" in capsys.readouterr().err
    run = Training.load(tmp_path / train.WEIGHTS)
    assert (run.step, run.recipe.rate) == (9, 0.01)


def test_a_sample_begins_as_the_text_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the text has no Latin letters; and so do weights that know only characters."""
    file, path = tmp_path / "text.txt", tmp_path / train.WEIGHTS
    file.write_text("сказка о царе " * 30, encoding="utf-8")
    assert main(["train", "--text", str(file), "--out", str(tmp_path), "--steps", "1", *SMALL]) == 0
    capsys.readouterr()
    assert main(["sample", "--weights", str(path), "-n", "0"]) == 0
    assert capsys.readouterr().out == "сказка \n"
    params, cell, known = checkpoint.load(path)
    del known["opening"]
    checkpoint.save(path, params, cell, **known)
    assert main(["sample", "--weights", str(path), "-n", "0"]) == 0
    assert capsys.readouterr().out == known["vocabulary"][0] + "\n"


@given(random=st.randoms(use_true_random=False))
@pytest.mark.parametrize("change", CHANGES)
def test_a_damaged_file_is_told_in_one_line_or_as_good_as_new(change: Any, random: Any) -> None:
    with TemporaryDirectory() as folder:
        file, told = Path(folder, train.WEIGHTS), StringIO()
        model = character_model("gru", 3, 4)
        checkpoint.save(file, model.init(0), model, vocabulary="abc", opening="a")
        file.write_bytes(change(file.read_bytes(), random))
        with redirect_stderr(told), redirect_stdout(StringIO()):
            code = main(["sample", "--weights", str(file), "-n", "1"])
        told_of = told.getvalue().startswith(f"minigrad: {str(file)!r} ")
        assert (code, told_of, told.getvalue().count("\n")) in ((2, True, 1), (0, False, 0))


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_and_exits_with_130(
    kind: int,
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(train, "tell", lambda *args: signal.raise_signal(kind))
    call = ["train", "--text", text, "--out", str(tmp_path), "--steps", "501", *SMALL]
    assert main(call) == 130
    assert "step 500 of 501, saved in" in capsys.readouterr().out
    assert Training.load(tmp_path / train.WEIGHTS).step == 500
