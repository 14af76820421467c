"""What is not installed: who needs it, and the one sentence that says how it is installed."""

import re
import subprocess
import sys
from importlib import import_module, metadata
from pathlib import Path

import pytest

import minigrad.testing
import rnn.testing
import viz
from minigrad import extras
from tests.viz.reading import read_back

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [
    path
    for pattern in ("minigrad/**/*", "rnn/**/*", "viz/**/*", "docs/*", "*.md", "*.toml", "Makefile")
    for path in sorted(ROOT.glob(pattern))
    if path.suffix in (".py", ".md", ".toml", "")
    and path.is_file()
]  # fmt: skip


def test_the_distribution_is_the_one_that_holds_these_packages():
    found = metadata.distribution(extras.DISTRIBUTION)
    assert "minigrad" in {e.name for e in found.entry_points if e.group == "console_scripts"}
    assert extras.version() == found.version


def test_a_hint_installs_this_copy():
    command, _, folder = extras.installing("train").partition(" in ")
    assert command == 'pip install -e ".[train]"'
    assert Path(folder) == ROOT


def test_a_copy_without_its_sources_says_where_to_look(monkeypatch, tmp_path):
    monkeypatch.setattr(extras, "__file__", str(tmp_path / "minigrad" / "extras.py"))
    assert extras.installing("train").endswith(" in the checkout of minigrad")


def test_every_extra_of_a_hint_is_there():
    told = {
        extra
        for path in TEXTS
        for extra in re.findall(
            r'(?:installing\(["\']|needed\("[\w.]+", "|-e "\.\[)(\w+)', path.read_text("utf-8")
        )
    }
    assert told - {"extra"} == set(metadata.metadata(extras.DISTRIBUTION).get_all("Provides-Extra"))


def test_nobody_is_sent_to_the_index_for_our_extras():
    wanted = re.compile(r"""\bminigrad(-rnn)?\[|pip install ['"]?minigrad""")
    found = {path.name for path in TEXTS if wanted.search(path.read_text("utf-8"))}
    assert found == {"pyproject.toml"}  # where one extra includes others


@pytest.mark.parametrize(
    ("package", "extra", "call"),
    [
        ("hypothesis", "testing", lambda: minigrad.testing.graphs),
        ("hypothesis", "testing", lambda: rnn.testing.cells),
        ("hypothesis", "testing", lambda: minigrad.testing.plugin.load_profile("quick")),
        ("safetensors", "train", lambda: rnn.checkpoint.load("weights")),
        ("jax", "jax", lambda: minigrad.compile(minigrad.tanh, engine="jax")),
        ("jax", "jax", lambda: minigrad.to_jax(minigrad.tanh)),
        ("pygraphviz", "render", lambda: read_back(viz.draw(rnn.Dense(2, 2)))),
    ],
)
def test_what_needs_a_package_says_how_it_is_installed(package, extra, call, monkeypatch):
    import_module("minigrad.testing.plugin")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError) as told:
        call()
    assert str(told.value).endswith(f" needs {package}: {extras.installing(extra)}")


def test_the_version_is_that_of_the_distribution():
    call = [sys.executable, "-m", "viz", "--version"]
    told = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    assert told == f"minigrad {metadata.version(extras.DISTRIBUTION)}\n"
