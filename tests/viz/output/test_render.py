"""What a renderer that is not there says, and what is there."""

import sys

import pytest

import rnn
import viz
from minigrad.extras import installing


@pytest.fixture
def nothing(monkeypatch):
    """Neither Typst nor a `dot` program nor pygraphviz."""
    monkeypatch.setenv("PATH", "")
    for name in ("typst", "pygraphviz"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_a_missing_renderer_names_the_command_and_the_svg_it_wrote(
    nothing, monkeypatch, tmp_path, platform
):
    monkeypatch.setattr(sys, "platform", platform)
    command = {"linux": "apt install", "darwin": "brew install", "win32": "winget install"}[
        platform
    ]
    with pytest.raises(viz.RendererMissing, match=command) as told:
        viz.draw(rnn.RNNCell(3, 5, 2)).save(tmp_path / "cell.png")
    assert installing("render") in str(told.value)
    assert told.value.written == str(tmp_path / "cell.svg")
    assert (tmp_path / "cell.svg").read_text("utf-8").startswith("<svg")
    assert not (tmp_path / "cell.png").exists()


def test_available_tells_what_there_is(nothing):
    wanted = {"svg": "built in", "typst": None, "dot": None, "pygraphviz": None}
    assert viz.available() == wanted
