"""What a function reads besides its arguments is seen when it changes."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.captured import Captured, fingerprint, settled

plain = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from([0.0, -0.0, 1.0, float("nan")]),
    st.sampled_from(["", "1", b"1"]),
)  # fmt: skip
values = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.sampled_from(["a", "b"]), inner),
    ),
    max_leaves=6,
)


@given(a=values, b=values)
def test_equal_fingerprints_are_of_values_that_look_alike(a: Any, b: Any):
    assert (fingerprint(a) == fingerprint(b)) == (repr(a) == repr(b))
    assert fingerprint(a) == fingerprint(a)


@given(a=values)
def test_a_settled_value_has_no_part_that_can_change(a: Any):
    parts = [a]
    while parts:
        part = parts.pop()
        if isinstance(part, tuple):
            parts += part
        elif isinstance(part, list | dict):
            assert not settled(a)
            return
    assert settled(a)


def test_arrays_count_with_their_bytes_shape_and_dtype():
    x = np.arange(4.0)
    alike = [x, x.copy(), np.repeat(x, 2)[::2]]
    others = [x.reshape(2, 2), x.astype(np.float32), x[::-1], np.array([0.0, 1.0, 2.0, 4.0])]
    assert all(fingerprint(y) == fingerprint(x) for y in alike)
    assert all(fingerprint(y) != fingerprint(x) for y in others)
    assert not settled(x)
    x.flags.writeable = False
    assert settled(x)
    assert not settled(np.arange(4.0)[:2])


def test_a_value_that_holds_itself_has_a_fingerprint():
    ring: list[Any] = [1]
    ring.append(ring)
    assert fingerprint(ring) == fingerprint(ring)


SCALE = 1.0


def helper(x: Any) -> Any:
    return x * SCALE


class Model:
    """Somebody's own object with a method that reads a global."""

    def __init__(self) -> None:
        self.rate = 0.5

    def __call__(self, x: Any) -> Any:
        return helper(x) * self.rate


READERS = {
    "a function": helper,
    "a function that calls it": lambda x: helper(x),
    "a partial": functools.partial(helper, 1.0),
    "a derivative": mg.grad(helper),
    "an object": Model(),
    "a bound method": Model().__call__,
    "a list of functions in a closure": (lambda fs: lambda x: fs[0](x))([helper]),
    "a default": lambda x, f=helper: f(x),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_global_is_followed_through(reader: str, monkeypatch: pytest.MonkeyPatch):
    captured = Captured(READERS[reader])
    assert captured.unchanged()
    monkeypatch.setattr(f"{__name__}.SCALE", 1.0)  # another object of the same value
    assert captured.unchanged()
    monkeypatch.setattr(f"{__name__}.SCALE", 2.0)
    assert not captured.unchanged()


def test_an_attribute_of_a_cell_is_followed():
    @dataclasses.dataclass
    class Own(rnn.Cell):
        inputs: int = 2
        gain: float = 1.0

    cell = Own()
    captured = Captured(lambda x: cell)
    assert captured.unchanged()
    cell.gain = 1  # not the same as 1.0
    assert not captured.unchanged()


def test_the_library_and_installed_packages_are_taken_to_stay_as_they_are():
    assert len(Captured(lambda x: np.linalg.norm(mg.tanh(x)))._seen) <= 4
