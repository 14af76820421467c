from hypothesis import given
from hypothesis import strategies as st

from viz.scene.label import LIMIT, clean, fit, plain, scoped, symbol, timed, width


@given(st.text())
def test_clean_text_is_short_and_encodable(text):
    short = clean(text)
    assert len(short) <= LIMIT
    assert short.encode("utf-8").decode() == short
    assert all(ord(c) >= 32 for c in short)


def test_long_text_is_cut_and_says_so():
    assert clean("x" * 20480).endswith("…")


def test_names_become_mathematics():
    label = timed(symbol("W_xh", sub="2"), "t−1")
    assert plain(label) == "W_xh, 2^(t−1)"
    assert [run.role for run in symbol("h", "t−1")] == ["name", "time", "name", "time"]


@given(st.text(max_size=40), st.floats(4, 40))
def test_a_fitted_label_is_no_wider_than_its_room(text, room):
    label = symbol(text or "h")
    assert width(label, fit(label, 19, room)) <= room + 1e-6


def test_the_sign_of_a_cotangent_belongs_to_its_name():
    assert scoped("∂net.layer2.h") == ("net.layer2", "∂h")
