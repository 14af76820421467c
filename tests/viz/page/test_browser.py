"""The page in Chromium: no word on the console, and numbers of the engine wherever one goes.

Without a browser the same ground is held by `test_live.py`, which reads the program by the rules of
JavaScript, and by `test_numbers.py`, which compares what the page holds with the engine.
"""

from __future__ import annotations

import json
from random import Random

import numpy as np
import pytest

import rnn
from minigrad.tree import flatten
from tests.rnn.bptt.networks import Attention
from tests.viz.browser import CHROMIUM
from tests.viz.chromium import Chromium
from tests.viz.hostile import PIECES
from tests.viz.page.studies import CELLS, given, loss
from tests.viz.page.test_page import Named
from viz.page import html, write
from viz.page.numbers import study

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")


@pytest.fixture(scope="module")
def browser():
    with Chromium() as chromium:
        chromium.size(1280)
        yield chromium


CARD = """JSON.stringify([...document.querySelectorAll("#card dd")].map(
  (row) => [...row.querySelectorAll("data")].map((d) => +d.value)))"""


def card(browser):
    """Value, total, immediate and later, as the card shows them."""
    return json.loads(browser.run(CARD))


def wanted(found, name, t):
    """The same by the engine; a card shows six units."""
    d = found.totals[name]
    kinds = (d.values, d.total, d.immediate, d.total - d.immediate)
    return [x[t, 0].ravel()[:6].tolist() for x in kinds]


@pytest.mark.parametrize("cell", [rnn.LSTMCell(8, 20), Attention(2, 3)], ids=lambda c: c.label)
def test_at_random_places_the_page_shows_the_numbers_of_the_engine(cell, browser, tmp_path):
    """One page holds the engine's numbers, the other computes its own."""
    T = 30 if cell.inputs == 8 else 6
    found, random = study(*given(cell, T=T)), Random(0)
    browser.open(tmp_path / write_to(tmp_path, *given(cell, T=T)))
    last = int(browser.run('document.getElementById("frame").max'))
    for place in random.sample(range(1, last + 1), 50):
        browser.run(f"""{{ const slider = document.getElementById("frame");
            slider.value = {place}; slider.dispatchEvent(new Event("input")); }}""")
        v, t = json.loads(browser.run("JSON.stringify([state.v, state.t])"))
        for a, b in zip(card(browser), wanted(found, found.names[v], t), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-9)
    assert browser.trouble == []


def write_to(folder, *args, **kwargs):
    write(folder / "page.html", *args, **kwargs)
    return "page.html"


def typed(browser, p, n, x):
    """A number put in the place of entry n of parameter p."""
    browser.run(f"""{{
        const input = document.querySelector('input[data-p="{p}"][data-n="{n}"]');
        input.step = "any"; input.value = "{x!r}";
        input.dispatchEvent(new Event("input", {{ bubbles: true }}));
    }}""")


DRAGGED = [
    pytest.param(cell, marks=[] if k in (2, 3) else pytest.mark.deep, id=cell.label)
    for k, cell in enumerate(CELLS)
]


@pytest.mark.parametrize("cell", DRAGGED)
def test_dragged_weights_give_what_the_engine_gives_for_them(cell, browser, tmp_path):
    _, params, xs, _ = given(cell)
    browser.open(tmp_path / write_to(tmp_path, *given(cell)))
    random, leaves = Random(1), flatten(params)
    weights = [w.copy() for w in leaves[0]]
    for _ in range(9):
        p = random.randrange(len(weights))
        n, x = random.randrange(weights[p].size), random.uniform(-2, 2)
        weights[p].flat[n] = x
        typed(browser, p, n, x)
        found = study(cell, leaves[1].unflatten(weights), xs, loss)
        name, t = random.choice(found.names), random.randrange(5)
        browser.run(f"select({found.names.index(name)}, {t})")
        for a, b in zip(card(browser), wanted(found, name, t), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
        browser.run("N.ladder && climb()")
        page = json.loads(browser.run("JSON.stringify([N.ledger, N.ladder, N.loss])"))
        shares = [found.ledger[name].shares for name in found.run.params]
        np.testing.assert_allclose(page[0], shares, rtol=1e-12, atol=1e-12)
        assert page[2] == pytest.approx(found.run.loss, rel=1e-12)
        if found.ladder is not None:
            np.testing.assert_allclose(page[1], found.ladder, rtol=1e-12, atol=1e-12)
    assert browser.trouble == []


def test_windows_are_those_of_the_engine(browser, tmp_path):
    cell = Attention(2, 3)
    browser.open(tmp_path / write_to(tmp_path, *given(cell)), "#k=2")
    off, kept = json.loads(browser.run("JSON.stringify([N.off, N.kept])"))
    result = rnn.bptt.truncated(*given(cell), k1=2, k2=2)
    assert off == pytest.approx(result.bias, rel=1e-9)
    assert kept == pytest.approx(result.ratio, rel=1e-9)


def test_a_number_is_dragged_and_put_back(browser, tmp_path):
    browser.open(tmp_path / write_to(tmp_path, *given(rnn.LSTMCell(2, 3))))
    before = browser.run("N.loss")
    browser.run('document.getElementById("knobs").scrollIntoView()')
    x, y = json.loads(browser.run("""JSON.stringify((() => { const r = document.querySelector(
        "#knobs [data-grid]:not([hidden]) input[data-n]").getBoundingClientRect();
        return [r.x + r.width / 2, r.y + r.height / 2]; })())"""))
    for kind, dx in (("Pressed", 0), ("Moved", 40), ("Moved", 80), ("Released", 80)):
        browser.send("Input.dispatchMouseEvent", type=f"mouse{kind}", x=x + dx, y=y, button="left",
                     buttons=1, clickCount=1)  # fmt: skip
    assert browser.run("N.loss") != before
    browser.run('document.getElementById("reset").click()')
    assert browser.run("N.loss") == before


def test_an_address_restores_the_place_and_keys_walk(browser, tmp_path):
    browser.open(tmp_path / write_to(tmp_path, *given(rnn.LSTMCell(2, 3))))
    turn = browser.run("turn")
    press(browser, "b")
    assert browser.run("state.frame") == turn
    press(browser, "ArrowRight")
    while not (address := browser.run("location.hash")):
        pass
    words = browser.run('document.getElementById("where").textContent')
    assert words.startswith("backward, t = 5:")
    browser.open(tmp_path / "page.html", address)
    assert browser.run("state.frame") == turn + 1
    assert browser.run('document.getElementById("where").textContent') == words
    press(browser, "Home")
    assert browser.run("state.frame") == 0


def press(browser, key):
    browser.send("Input.dispatchKeyEvent", type="keyDown", key=key)
    browser.send("Input.dispatchKeyEvent", type="keyUp", key=key)


def test_pointing_at_a_weight_lights_up_its_uses_with_their_shares(browser, tmp_path):
    cell = rnn.LSTMCell(2, 3)
    browser.open(tmp_path / write_to(tmp_path, *given(cell)))
    found = study(*given(cell))
    browser.run(f"weigh({found.run.params.index('W_hf')})")
    lit = json.loads(browser.run("""JSON.stringify(
        [...document.querySelectorAll('.drawing:not([hidden]) .lit')]
            .map((g) => [g.id, g.querySelector(".badge").textContent]))"""))
    shares = found.ledger["W_hf"].shares.sum(0)
    assert [shape for shape, _ in lit] == [f"unfolded-f_t{t}" for t in range(1, 6)]
    for (_, text), share in zip(lit, shares, strict=True):
        said = float(text.replace("−", "-").removesuffix(" %"))
        assert said == pytest.approx(100 * share, abs=0.51)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_nothing_is_wider_than_the_window(scheme, width, browser, tmp_path):
    browser.size(width)
    browser.media(scheme)
    browser.open(tmp_path / write_to(tmp_path, *given(rnn.LSTMCell(2, 3))))
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    browser.size(1280)
    browser.media()


def test_without_its_script_the_page_still_reads(browser, tmp_path):
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    path = tmp_path / write_to(tmp_path, *given(rnn.LSTMCell(2, 3)))
    browser.send("Page.navigate", url="about:blank")
    browser.open(path)
    seen = browser.run("document.body.innerText")  # of the tool, not of the page
    browser.send("Emulation.setScriptExecutionDisabled", value=False)
    for words in ("The ledger", "Named values at every step", "Backward:", "Truncation"):
        assert words in seen
    assert "play" not in seen.split()
    assert "Turn the knobs" not in seen


@pytest.mark.deep
def test_two_hundred_hostile_names_are_inert(browser, tmp_path):
    """No script of theirs runs, nothing is said on the console, and the card shows them."""
    random = Random(2)
    for k in range(200):
        pieces = random.choices(PIECES, k=random.randint(1, 5))
        text = "".join([*pieces, f"<img src=x onerror=a{k}()>"])
        browser.open(tmp_path / write_to(
            tmp_path, Named(1, 1, text), {f"W{text}": np.ones((1, 1))}, np.ones((2, 1, 1)), loss,
            title=text, text=(text + "ab")[:2]))  # fmt: skip
        assert browser.trouble == [], text
        assert browser.run("document.querySelectorAll('img:not(.plot)').length") == 0
        assert browser.run("document.querySelector('#card h3').textContent.length") > 0


def test_trouble_is_seen(browser, tmp_path):
    """What the tests above look for is found: a word on the console, a script that is not ours."""
    source = html(*given(rnn.RNNCell(1, 1)))
    (tmp_path / "a.html").write_text(source.replace("</main>", "<script>1</script></main>"))
    browser.open(tmp_path / "a.html")
    assert "Content Security Policy" in json.dumps(browser.trouble)
    browser.run("console.log('a')")
    assert len(browser.trouble) > 1
