"""What is made inside of a scope has its tag, whatever happens there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.scopes import TAG, Tag, scope_path, tagged

NAMES = st.lists(st.sampled_from(["rnn", "layer1", "h", ""]), max_size=4)


@given(names=NAMES, t=st.one_of(st.none(), st.integers(0, 9)))
def test_scopes_nest_and_leave_nothing_behind(names, t):
    entered = [mg.scope(name, t) for name in names]
    for inner in entered:
        inner.__enter__()
    x = mg.Tensor(1.0)
    for inner in reversed(entered):
        inner.__exit__(None, None, None)
    assert x.scope == ".".join(filter(None, names))
    assert x.t == (t if names else None)
    assert TAG.get() is None


def test_a_step_is_of_the_run_it_stands_in():
    with mg.scope("rnn"):
        tags = []
        for t in range(3):
            with mg.scope("cell", t=t), mg.scope("gate"):
                tags.append(mg.Tensor(1.0).tag)
    assert len({tag.run for tag in tags}) == 1
    assert [tag.t for tag in tags] == [0, 1, 2]


def test_runs_of_one_scope_are_counted_as_they_are_seen():
    runs: dict[str, dict[int, int]] = {}
    paths = [scope_path(Tag(scope, None, run), runs)
             for scope, run in (("a", 7), ("a.b", 7), ("a", 9), ("a", 7), ("", 1))]  # fmt: skip
    assert paths == ["a", "a.b", "a#2", "a", ""]
    assert scope_path(None, runs) == ""


def test_a_tag_is_taken_off_after_an_error():
    with pytest.raises(ZeroDivisionError), tagged(Tag("rnn", 3)):
        _ = 1 // (TAG.get().t - 3)
    assert TAG.get() is None
