"""A page is one file that loads nothing, runs its own script alone, and can be read without it."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from tests.viz.hostile import PIECES, shown
from tests.viz.page.studies import CELLS, given, loss
from viz.page import html, page, write


class Reader(HTMLParser):
    """Tags with their attributes, texts by tag, and tags that were not closed in order."""

    VOID = {"meta", "input", "img", "br"}

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]][-1] += data


def check_alone(source: str) -> Reader:
    """Nothing is loaded, and the policy allows the one style and the one script that are there."""
    read = Reader(source)
    policy = next(a["content"] for tag, a in read.tags if a.get("http-equiv"))
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    scripts = [a for tag, a in read.tags if tag == "script"]
    assert [a.get("type") for a in scripts] == ["application/json"] * 4 + [None]
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        text = read.texts[tag][-1]
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    for tag, attrs in read.tags:
        assert not [name for name in attrs if name.startswith("on") or name == "style"], tag
        loaded = [attrs[a] for a in ("src", "href", "action", "srcset") if a in attrs]
        assert all(place.startswith("data:") for place in loaded)
    ids = [a["id"] for _, a in read.tags if "id" in a]
    assert len(ids) == len({*ids}), "an id stands twice"
    assert not re.search(r"@import|url\(", read.texts["style"][-1])
    return read


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.label)
def test_a_page_is_one_file_that_stands_alone(cell, tmp_path):
    path = write(tmp_path / "page.html", *given(cell))
    read = check_alone((tmp_path / "page.html").read_text("utf-8"))
    assert path == str(tmp_path / "page.html")
    assert len(read.texts["figure"]) >= 4
    assert sum(tag == "svg" for tag, _ in read.tags) == 3


def test_a_page_that_loads_or_handles_something_is_seen():
    source = html(*given(rnn.RNNCell(1, 1)))
    for planted in ('<img src="a.png">', '<p onclick="a()"></p>', "<script>1</script>",
                    '<p id="card"></p>'):  # fmt: skip
        with pytest.raises((AssertionError, KeyError)):
            check_alone(source.replace("<footer>", f"{planted}<footer>"))


def test_heat_maps_are_tables_with_heads_and_numbers():
    found = page.study(*given(rnn.LSTMCell(2, 3)))
    source = html(*given(rnn.LSTMCell(2, 3)))
    table = source.partition('id="map-totals"')[2].partition("</table>")[0]
    assert re.findall(r'scope="row">([^<]+)<', table) == list(found.names)
    numbers = re.findall(r'<td class="\w+">([^<]*)</td>', table)
    norms = np.array(found.island()["norms"]).ravel()
    wanted = [f"{x:.3g}".replace("-", "−") for x in norms]
    assert [unescape(x) for x in numbers] == wanted
    assert "<caption>" in table


def test_the_island_of_the_page_is_what_was_found():
    source = html(*given(rnn.GRUCell(2, 3)))
    island = json.loads(re.search(r'id="numbers">(.*?)</script>', source)[1])
    wanted = page.study(*given(rnn.GRUCell(2, 3))).island()
    assert {key: island[key] for key in wanted} == json.loads(json.dumps(wanted))


def test_links_lead_from_shapes_to_values_steps_and_parameters():
    source = html(*given(rnn.LSTMCell(2, 3)))
    links = json.loads(re.search(r'id="links">(.*?)</script>', source)[1])
    island = page.study(*given(rnn.LSTMCell(2, 3))).island()
    value, t, params = links["unfolded"]["f_t3"]
    assert (island["names"][value], t) == ("f", 3)
    assert [island["params"][k] for k in params] == ["W_xf", "W_hf", "b_f"]
    for view, shapes in links.items():
        for shape in shapes:
            assert f'id="{view}-{shape}"' in source


@pytest.mark.parametrize("k", range(8))
def test_any_name_is_inert(k):
    """In title, values, parameters, states and the characters of the text."""
    text = "".join(PIECES[k::8])
    cell = Named(1, 1, text)
    source = html(cell, {f"W{text}": np.ones((1, 1))}, XS, loss, title=text, text=text[:2])
    read = check_alone(source.encode("utf-8", "strict").decode())
    assert read.texts["title"][0] == shown(text)
    plain = Reader(html(Named(1, 1, "h"), {"W": np.ones((1, 1))}, XS, loss, text="ab"))
    assert {tag for tag, _ in read.tags} <= {tag for tag, _ in plain.tags} | {"sub"}


XS = np.ones((2, 1, 1))


@dataclass(frozen=True)
class Named(rnn.Cell):
    """h = h + x W, under a name of somebody's choice."""

    inputs: int
    hidden: int
    name: str

    @property
    def state(self) -> tuple[str, ...]:
        return (self.name,)

    def parameters(self) -> dict[str, rnn.Init]:
        return {f"W{self.name if self.name != 'h' else ''}": rnn.glorot(1, 1)}

    def step(self, p: Any, x: Any, h: Any) -> Any:
        (w,) = p.values()
        h = mg.named(self.name, mg.tanh(x @ w + h))
        return h, h


def test_a_page_of_fifty_steps_is_small():
    """5 s and 2 MB are promised; `tests/benchmarks` measures the time."""
    source = html(*given(rnn.LSTMCell(8, 32), T=50))
    assert len(source.encode()) < 2_000_000


def test_characters_stand_above_their_steps():
    cell = rnn.LSTMCell(4, 3)
    xs = np.array([[0], [3], [1], [2]])
    source = html(cell, cell.init(0), xs, loss, text="a b<")
    heads = re.search(r'id="map-values">.*?</thead>', source, re.DOTALL)[0]
    assert re.findall(r'"col"><span>([^<]*)</span>', heads)== ["a", "␣", "b", "&lt;"]


def test_what_cannot_be_a_page_is_refused(tmp_path):
    cell, params, xs, _ = given(rnn.RNNCell(2, 3))
    with pytest.raises(ValueError, match="the text has 2 characters for 5 steps"):
        html(cell, params, xs, loss, text="ab")
    with pytest.raises(ValueError, match=r"10,000 steps are .* \(limit 100\); .* xs\[:50\]"):
        html(cell, params, np.zeros((10_000, 1, 2)), loss)
    with pytest.raises(ValueError, match="without a step there is nothing to study"):
        html(cell, params, xs[:0], loss)
    with pytest.raises(OSError, match="nowhere"):
        write(tmp_path / "nowhere" / "page.html", cell, params, xs, loss)


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_a_missing_package_is_told_with_its_extra(package, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, package, None)
    page.flow_plot.cache_clear()
    heard = []
    with pytest.raises(ImportError, match=rf'needs {package}: pip install -e ".\[study\]"'):
        html(*given(rnn.RNNCell(1, 1)), report=heard.append)
    assert heard == [], "told after the work"


@pytest.mark.parametrize(("T", "B"), [(1, 1), (3, 2), (13, 1)])
def test_a_page_of_one_step_of_several_samples_or_of_many_steps(T, B):
    check_alone(html(*given(rnn.LSTMCell(2, 3), T=T, B=B)))


def test_a_page_of_what_is_no_number():
    cell, params, xs, _ = given(rnn.RNNCell(2, 3))
    xs[3] = np.nan
    with np.errstate(all="ignore"):
        check_alone(html(cell, params, xs, loss))
