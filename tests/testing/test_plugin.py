"""The pytest plugin: options, the summary line, and what a failed check leaves behind."""

import subprocess
import sys

FAILING = """
import numpy as np
import minigrad as mg
from minigrad.testing import check_gradients

def test_right():
    check_gradients(mg.sin, np.ones(2))

def test_wrong():
    check_gradients(lambda x: mg.sin(x) * mg.detach(x), np.ones(2))
"""


def test_a_session_says_what_was_checked_and_saves_what_failed(tmp_path):
    (tmp_path / "test_mine.py").write_text(FAILING)
    plugin = [] if _installed() else ["-p", "minigrad.testing.plugin"]
    options = ["--grad-profile=quick", f"--grad-artifacts={tmp_path / 'out'}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, *options, "."],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = (
        "minigrad: 2 gradient checks, 1 found a fault, 0 at a kink, 0 cannot be judged "
        "(profile quick)"
    )
    assert told in done.stdout
    assert "1 failed, 1 passed" in done.stdout
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {
        ".txt",
        ".py",
        ".svg",
        ".json",
    }


def _installed():
    from importlib.metadata import entry_points

    return any(e.value == "minigrad.testing.plugin" for e in entry_points(group="pytest11"))
