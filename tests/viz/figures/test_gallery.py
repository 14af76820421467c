"""The gallery: all figures in one page that loads nothing."""

import base64
import re
import xml.dom.minidom

import pytest

from viz.cli import main
from viz.figures.gallery import Entry, gallery, page


def test_every_letter_of_the_list_of_figures_is_there():
    assert {entry.name[0] for entry in gallery()} == set("abcdefghijklmn")


@pytest.mark.parametrize("style", ["print", "seed"])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 5, 2), (64, 128, 10)])
def test_figures_come_in_all_sizes(sizes, style):
    for entry in gallery(*sizes, style):
        xml.dom.minidom.parseString(entry.drawing().svg())


def test_the_command_writes_files_and_a_page_without_any_program(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    assert main(["figures", "-o", str(tmp_path), "--formats", "svg,gv"]) == 0
    names = {entry.name for entry in gallery()}
    assert {p.stem for p in tmp_path.glob("*.svg")} == names
    assert {p.stem for p in tmp_path.glob("*.gv")} == names
    html = (tmp_path / "index.html").read_text("utf-8")
    assert not re.search(r'(src|href)="(?!data:|#)', html)
    pictures = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    assert len(pictures) == len(names)
    for data in pictures:
        xml.dom.minidom.parseString(base64.b64decode(data))
    assert "<i>h</i><sup>(t)</sup> = tanh(<i>z</i><sub>h</sub><sup>(t)</sup>)" in html
    assert f"{len(names)} figures" in capsys.readouterr().out


def test_hostile_titles_stay_text():
    drawing = gallery()[0].drawing()
    html = page([(Entry("a", "<script>", '"><script>', lambda: drawing), drawing)])
    assert "<script" not in html


def test_pictures_are_the_same_in_every_run():
    first, second = ([entry.drawing().svg() for entry in gallery()] for _ in range(2))
    assert first == second


def test_sizes_that_no_network_has_are_told(tmp_path, capsys):
    assert main(["figures", "-o", str(tmp_path / "new"), "--hidden", "0"]) == 2
    assert not (tmp_path / "new").exists()
    assert "hidden must be a whole number" in capsys.readouterr().err


def test_wide_figures_are_shown_whole_on_the_page():
    entries = [entry for entry in gallery() if entry.name in ("c_unfolding", "l_lstm_unfolded")]
    html = page([(entry, entry.drawing()) for entry in entries])
    kinds = dict(re.findall(r'<h2 id="(\w+)">.*?</h2><figure( class="whole")?>', html))
    assert kinds == {"c_unfolding": "", "l_lstm_unfolded": ' class="whole"'}
