"""Training can be stopped, killed, saved and continued without a trace."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn.kinds import LAYERS
from rnn.text.characters import held_out_bits
from rnn.text.streams import Streams
from rnn.text.train import train
from rnn.text.training import Training
from tests.rnn.text.test_training import RECIPE, TEXT, begin, bits


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_resumed_run_goes_on_bit_for_bit(kind: str, dtype: Any, tmp_path: Path) -> None:
    windows = len(Streams(np.zeros(len(TEXT) * 9 // 10), RECIPE.batch, RECIPE.length))
    there, stop = windows + 3, windows - 2  # on both sides of the text's end
    whole = train(begin(kind, dtype), TEXT, there)
    train(begin(kind, dtype), TEXT, stop, tmp_path / "run")
    saved = Training.load(tmp_path / "run")
    assert saved.step == stop
    resumed = train(saved, TEXT, there)
    assert bits(resumed) == bits(whole)
    assert (resumed.recipe, resumed.cell, resumed.vocabulary) == (
        (whole.recipe, whole.cell, whole.vocabulary)
    )


def test_training_changes_nothing_it_was_given() -> None:
    start = begin()
    before = bits(start)
    assert bits(train(start, TEXT, 3)) == bits(train(start, TEXT, 3))
    assert bits(start) == before


def test_a_network_learns_the_text() -> None:
    start = begin()
    end = train(start, TEXT, 120)
    classes = end.vocabulary.encode(TEXT)
    before, after = (held_out_bits(r.cell, r.params, classes, 4, 8) for r in (start, end))
    assert after < before / 2


def test_another_engine_learns_the_same() -> None:
    losses: dict[str, list[float]] = {"numpy": [], "jax": []}
    for engine, told in losses.items():
        end = train(
            begin("gru", np.float32), TEXT, 6, every=1, engine=engine,
            report=lambda _, figures, bits, told=told: told.append(figures.loss),
        )  # fmt: skip
        assert all(type(p) is np.ndarray for p in end.params.named().values())
    assert len(losses["jax"]) == 6
    np.testing.assert_allclose(losses["jax"], losses["numpy"], rtol=1e-4)


# --- Ctrl-C and SIGTERM --------------------------------------------------------------------------

SIGNALS = pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])


def handlers() -> list[Any]:
    return [signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)]


@SIGNALS
def test_a_signal_finishes_the_step_and_saves(kind: int, tmp_path: Path) -> None:
    before, seen = handlers(), []

    def press(training: Training, figures: Any, bits: float) -> None:
        seen.append(training.step)
        signal.raise_signal(kind)

    stopped = train(begin(), TEXT, 50, tmp_path / "run", every=5, report=press)
    assert seen == [5]
    assert stopped.step == 5
    assert bits(Training.load(tmp_path / "run")) == bits(stopped) == bits(train(begin(), TEXT, 5))
    assert handlers() == before


@SIGNALS
def test_ctrl_c_after_a_signal_stops_at_once(kind: int) -> None:
    before = handlers()

    def press_twice(*args: Any) -> None:
        signal.raise_signal(kind)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(begin(), TEXT, 50, every=1, report=press_twice)
    assert handlers() == before


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    """As Ctrl-C is in the background of a script."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        end = train(begin(), TEXT, 3, every=1, report=lambda *_: signal.raise_signal(signal.SIGINT))
    finally:
        signal.signal(signal.SIGINT, before)
    assert end.step == 3


def test_training_works_where_no_signals_arrive() -> None:
    done: list[Training] = []
    thread = threading.Thread(target=lambda: done.append(train(begin(), TEXT, 2)))
    thread.start()
    thread.join()
    assert done[0].step == 2


# --- fresh processes -----------------------------------------------------------------------------

PROGRAM = """
import os, random, signal, sys
from rnn.text.characters import character_model
from rnn.text.train import train
from rnn.text.training import Recipe, Training
path, steps, stop = sys.argv[1], int(sys.argv[2]), sys.argv[3]
if os.path.exists(path):
    run = Training.load(path)
else:
    cell = character_model(KIND, len(set(TEXT)), *SIZES)
    run = Training.start(cell, TEXT, Recipe(*RECIPE), seed=3)

def report(training, figures, bits):  # before the run of this step is saved
    if stop and training.step == steps:
        os.kill(os.getpid(), getattr(signal, stop))

if stop.isdigit():  # the seed of a cut anywhere, by calls and returns of Python and of C
    rng = random.Random(int(stop))
    # Two steps compile, in 850,000 of them; each other one takes 9,000 or so.
    left = rng.choice((rng.randint(1, 850_000), *[rng.randint(850_000, 950_000)] * 3))
    kind, stop = rng.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT)), ""

    def count(frame, event, argument):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), kind)

    sys.setprofile(count)

train(run, TEXT, steps + bool(stop), path, every=4, report=report)
"""


Go = Callable[..., int]


@pytest.fixture
def go(kind: str, tmp_path: Path) -> Go:
    """Runs a part in a process of its own: in float32, with threads as they are, on real sizes."""
    text = "".join(np.random.default_rng(0).choice(list("abcdefgh \n"), 8000))
    assert len(Streams(np.zeros(len(text) * 9 // 10), 32, 20)) == 11
    names = f"KIND, SIZES, RECIPE = {kind!r}, (128, 2), (32, 20, 0.02)\nTEXT = {text!r}\n"
    program = tmp_path / "program.py"
    program.write_text(names + PROGRAM)

    def go(name: str, steps: int, stop: str = "") -> int:
        call = [sys.executable, str(program), str(tmp_path / name), str(steps), stop]
        return subprocess.run(call, check=False, stderr=subprocess.DEVNULL).returncode

    return go


def check_parts(folder: Path) -> None:
    """The run that was cut has the bits of the one that was not, and nothing else is left."""
    whole, parts = (Training.load(folder / name) for name in ("whole", "parts"))
    assert bits(parts) == bits(whole)
    assert {path.name for path in folder.iterdir()} == {"whole", "parts", "program.py"}


@pytest.mark.skipif(sys.platform == "win32", reason="processes are sent signals")
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_a_run_that_was_interrupted_again_and_again_gives_the_bits_of_one_that_never_was(
    go: Go, tmp_path: Path
) -> None:
    assert go("whole", 26) == 0
    # By its end, by a signal that saves, killed before it saved; within a text and at its end.
    for steps, stop, reached in (
        (3, "", 3),
        (8, "SIGTERM", 8),
        (11, "", 11),
        (16, "SIGKILL", 12),
        (20, "SIGINT", 20),
        (22, "", 22),
        (26, "", 26),
    ):
        assert go("parts", steps, stop) == (-signal.SIGKILL if stop == "SIGKILL" else 0)
        assert Training.load(tmp_path / "parts").step == reached
    check_parts(tmp_path)


@pytest.mark.deep
@pytest.mark.skipif(sys.platform == "win32", reason="processes are sent signals")
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_twenty_cuts_anywhere_leave_no_trace(go: Go, tmp_path: Path) -> None:
    """In the middle of a step, of saving or of compiling, again and again in new processes."""
    assert go("whole", 250) == 0
    codes, steps = [], [0]
    for cut in range(20):
        codes.append(go("parts", 250, str(cut)))
        steps.append(Training.load(tmp_path / "parts").step)
    assert steps == sorted(steps)
    assert len(set(steps)) > 10
    assert steps[-1] < 250
    assert set(codes) == {-signal.SIGKILL, 0}  # the first signals of the other kinds save
    assert go("parts", 250) == 0
    check_parts(tmp_path)


# --- what goes wrong -----------------------------------------------------------------------------


def test_another_text_is_refused() -> None:
    with pytest.raises(ValueError, match="this is not the text the run was started with"):
        train(begin(), TEXT + "!", 3)


def test_a_text_too_short_for_the_recipe_says_what_would_fit() -> None:
    with pytest.raises(ValueError, match="100 readers of 8 steps need 801; make batch or length"):
        train(begin(batch=100), TEXT, 3)


@pytest.mark.parametrize(
    ("rate", "told"),
    [
        (
            3e307,
            r"at step 5 the loss is inf .* \(forward, .* makes .*\); a smaller rate than 3e\+307",
        ),
        (1e308, r"step 4 makes parameters that are not finite; a smaller rate than 1e\+308 may"),
    ],
)
def test_a_run_that_is_not_finite_keeps_what_was_good_and_goes_on_with_a_smaller_rate(
    rate: float, told: str, tmp_path: Path
) -> None:
    good = train(begin(), TEXT, 3)
    wild = replace(good, recipe=replace(RECIPE, rate=rate))
    with (
        np.errstate(all="ignore"),
        pytest.raises(FloatingPointError, match=told + r".*; step 3 is kept in '.*run'"),
    ):
        train(wild, TEXT, 9, tmp_path / "run")
    kept = Training.load(tmp_path / "run")
    assert bits(kept) == bits(good)
    tame = replace(kept, recipe=RECIPE)
    assert bits(train(tame, TEXT, 9)) == bits(train(good, TEXT, 9))
    assert list(tmp_path.iterdir()) == [tmp_path / "run"]


def test_the_second_run_in_one_place_is_told_and_the_first_goes_on(tmp_path: Path) -> None:
    def another(training: Training, *args: Any) -> None:
        with pytest.raises(BlockingIOError, match=r"another run is writing '.*run'"):
            train(begin(), TEXT, 1, tmp_path / "run")

    first = train(begin(), TEXT, 4, tmp_path / "run", every=2, report=another)
    assert bits(Training.load(tmp_path / "run")) == bits(first)
    assert list(tmp_path.iterdir()) == [tmp_path / "run"]


@pytest.mark.parametrize("steps", [-1, 2.5, np.nan, True, "9"])
def test_a_number_of_steps_that_is_none_is_told(steps: Any) -> None:
    with pytest.raises(ValueError, match="train: steps must be a whole number ≥ 0, got"):
        train(begin(), TEXT, steps)
    with pytest.raises(ValueError, match="train: every must be a whole number ≥ 1, got 0"):
        train(begin(), TEXT, 1, every=0)


def test_without_tqdm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match=r"progress of training needs tqdm: pip install"):
        train(begin(), TEXT, 1)
