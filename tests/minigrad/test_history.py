"""A tensor is found by its name, its step and the end of its scope; what is not there is told."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg


def unrolled(steps: int) -> mg.Tensor:
    h = mg.Tensor(np.zeros(2), "h0")
    for t in range(1, steps + 1):
        with mg.scope("rnn", t=t):
            h = mg.named("h", mg.tanh(h + 1.0))
    return h


def test_a_step_is_found_among_all_steps():
    h = unrolled(5)
    for t in range(1, 6):
        assert (mg.find(h, "h", t=t).t, mg.find(h, "rnn.h", t=t).name) == (t, "h")
    assert mg.find(h, "h0").primitive is None


def test_a_name_is_qualified_by_the_end_of_its_scope():
    with mg.scope("encoder"), mg.scope("layer1"):
        a = mg.named("h", mg.Tensor(1.0) * 2.0)
    with mg.scope("decoder"), mg.scope("layer1"):
        b = mg.named("h", a * 2.0)
    assert mg.find(b, "encoder.layer1.h") is a
    assert mg.find(b, "decoder.layer1.h") is b
    with pytest.raises(LookupError, match=r"2 tensors are named layer1\.h"):
        mg.find(b, "layer1.h")


def test_a_second_run_of_one_scope_is_told_apart():
    h = mg.Tensor(1.0)
    runs = []
    for _ in range(2):
        with mg.scope("cell"):
            h = mg.named("h", h * 2.0)
        runs.append(h)
    assert mg.find(h, "cell#2.h") is runs[1]


def test_what_there_is_is_told():
    with pytest.raises(LookupError, match=r"there are: h0, rnn\.h, at steps 1 to 3"):
        mg.find(unrolled(3), "C")
