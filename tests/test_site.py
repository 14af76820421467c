"""The site of `make docs`: built without a warning, whole, and readable from disk."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import jupytext
import nbclient
import numpy as np
import pytest

import minigrad as mg
import rnn
from docs import generated
from minigrad.habits import NUMPY
from rnn import bptt
from rnn.kinds import KINDS

ROOT = Path(__file__).resolve().parents[1]


class Page(HTMLParser):
    """What a page names: places in it, where it leads, what it loads."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loads, self.words = set(), [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids.add(given.get("id"))
        if tag in ("a", "link") and given.get("href") and given.get("rel") != "canonical":
            (self.links if tag == "a" else self.loads).append(given["href"])
        if given.get("src"):
            self.loads.append(given["src"])

    def handle_data(self, data):
        self.words.append(data)


def lost(folder):
    """Links to files or places that are not there, and what is loaded from elsewhere."""
    pages = {path: Page(path.read_text("utf-8")) for path in folder.rglob("*.html")}
    wrong = []
    for path, page in pages.items():
        for target in (*page.links, *page.loads):
            to = urlsplit(target)
            if to.scheme or to.netloc:
                elsewhere = to.scheme != "data" and target in page.loads
                wrong += [f"{path.name} loads {target}"] * elsewhere
                continue
            there = (path.parent / unquote(to.path)).resolve() if to.path else path
            is_place = to.fragment and there in pages
            if not there.is_file() or (is_place and unquote(to.fragment) not in pages[there].ids):
                wrong.append(f"{path.name}: {target}")
    return wrong


def test_the_site_is_whole(tmp_path):
    """Sphinx warns of nothing, each link has its place, and each public name its entry."""
    call = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs"]
    done = subprocess.run([*call, tmp_path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert lost(tmp_path) == []
    reference = Page((tmp_path / "api" / "rnn.bptt.html").read_text("utf-8"))
    documented = {place.rpartition(".")[2] for place in reference.ids if place}
    assert set(bptt.__all__) <= documented
    made = {"gallery", "cells", "functions", "primitives"}
    pages = {path.stem for path in ROOT.glob("docs/*.md")} | made
    assert pages <= {path.stem for path in tmp_path.rglob("*.html")}


def test_the_tables_have_all_cells_functions_and_primitives():
    known = {
        generated.cells: sum(map(len, KINDS.values())),
        generated.primitives: len(mg.PRIMITIVES),
    }
    for make, count in known.items():
        rows = [row for row in make().splitlines() if row.startswith("|")]
        assert len(rows) == count + 2
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1
    named = set(re.findall(r"`([\w.]+)`", generated.functions()))
    assert {*mg.ops.__all__, *NUMPY} <= named


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ('<a href="nowhere.html">', "page.html: nowhere.html"),
        ('<a href="#nowhere">', "page.html: #nowhere"),
        ('<img src="https://example.org/x.png">', "page.html loads https://example.org/x.png"),
        ('<link href="//example.org/x.css">', "page.html loads //example.org/x.css"),
    ],
)
def test_a_lost_link_is_seen(html, told, tmp_path):
    (tmp_path / "page.html").write_text(f'<p id="here"><a href="#here">{html}', "utf-8")
    assert lost(tmp_path) == [told]


def test_the_lesson_runs_as_a_notebook_and_shows_its_results():
    """Every cell, in a kernel of its own; each result of `rnn.bptt` as a table."""
    lesson = generated.notebook((ROOT / "docs" / "lesson.md").read_text("utf-8"))
    nbclient.NotebookClient(lesson, timeout=120).execute()
    outputs = [output for cell in lesson.cells for output in cell.get("outputs", ())]
    shown = [output.data for output in outputs if output.output_type == "execute_result"]
    assert sum("<table>" in data.get("text/html", "") for data in shown) >= 4
    assert not any(output.output_type == "error" for output in outputs)


def test_the_numbers_to_check_by_hand_are_the_engines():
    """Those of the two tables, to the last digit that is written."""
    page = (ROOT / "docs" / "lesson.md").read_text("utf-8")
    rows = [row.split(" | ") for row in re.findall(r"^\| ([123] \| .*) \|$", page, re.MULTILINE)]
    assert len(rows) == 6
    cell = rnn.RNNCell(1, 1)
    params = {"W_xh": np.array([[1.0]]), "W_hh": np.array([[0.5]]), "b_h": np.array([0.0])}
    xs = np.array([np.log(2), np.log(3) - 0.3, np.log(2) - 0.4]).reshape(3, 1, 1)
    found = bptt.totals(cell, params, xs, lambda ys: mg.sum(ys**2) / 2)
    h, z = found["h"], found["z_h"]
    for forward, t in zip(rows[:3], (0, 1, 2), strict=True):
        value = h.values[t].item()
        np.testing.assert_allclose([*map(float, forward[4:])], [value, 1 - value**2], rtol=1e-12)
    for backward, t in zip(rows[3:], (2, 1, 0), strict=True):
        back = 0.5 * z.total[t]
        wanted = [h.immediate[t], h.later[t], h.total[t], 1 - h.values[t] ** 2, z.total[t], back]
        np.testing.assert_allclose([*map(float, backward[1:])], np.ravel(wanted), rtol=1e-12)


def test_the_notebook_has_the_words_and_the_code_of_the_page():
    page = (ROOT / "docs" / "lesson.md").read_text("utf-8")
    cells = generated.notebook(page).cells
    words = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    written = "".join(page.split("```")[::2])
    assert [line for line in words.split("\n") if line] == [w for w in written.split("\n") if w]
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    typed = [line[4:] for line in page.split("\n") if line[:4] in (">>> ", "... ")]
    assert code.split("\n") == typed
    assert ">>>" not in jupytext.writes(generated.notebook(page), "py:percent")
