"""The guide tells the truth: its files run, and print what it shows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import minigrad
from tests.faults.test_gate import FAULTS

ROOT = Path(minigrad.__file__).parents[1]
GUIDE = (ROOT / "minigrad" / "testing" / "README.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", GUIDE, re.DOTALL))
SHOWN = re.findall(
    r"```\n(.*?)```", re.sub(r"```python.*?```", "", GUIDE, flags=re.DOTALL), re.DOTALL
)


def rounded(text):
    """The lines with numbers of four digits: the last ones are the machine's."""
    number = r"-?\d+\.\d+(e-?\d+)?"
    return [
        re.sub(number, lambda m: f"{float(m[0]):.4g}", line).rstrip() for line in text.splitlines()
    ]


@pytest.mark.parametrize(
    ("file", "command", "shown"),
    [
        ("mine.py", ["-m", "viz", "check", "mine.py:layer"], SHOWN[0]),
        ("bptt.py", ["bptt.py"], SHOWN[1]),
        (None, ["-m", "viz", "check", "minigrad.testing.faults"], SHOWN[2]),
        ("careless.py", ["-m", "viz", "check", "careless.py:cell"], SHOWN[3]),
        ("test_softsign.py", ["-m", "pytest", "-q", "-p", "no:cacheprovider", "."], "1 passed"),
    ],
)
def test_a_command_of_the_guide_prints_what_it_shows(file, command, shown, tmp_path, monkeypatch):
    if file is not None:
        (tmp_path / file).write_text(FILES[file], encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    done = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == (0 if "passed" in shown else 1)
    printed = "\n".join(rounded(done.stdout + done.stderr))
    for line in rounded(shown):
        if line.strip() != "…":
            assert line in printed


def test_the_guide_counts_the_faults():
    (least,) = re.findall(r"plants more than (\d+) named faults", GUIDE)
    assert len(FAULTS) > int(least)
