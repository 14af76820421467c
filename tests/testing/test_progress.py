"""A check that takes long says what it is doing."""

import io
import sys
from threading import Event

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.testing import GradientMismatch, check_gradients, check_vjp, progress, report
from minigrad.testing.minimise import minimise
from rnn.testing import assert_law
from tests.faults.engine import FAULTS


class Heard(io.StringIO):
    """A stream that knows when a text was written to it."""

    def __init__(self, text):
        super().__init__()
        self.text, self.event = text, Event()

    def write(self, told):
        done = super().write(told)
        if self.text in self.getvalue():
            self.event.set()
        return done

    def wait(self):
        assert self.event.wait(60), f"{self.text!r} is not in {self.getvalue()!r}"


@pytest.fixture
def listen(monkeypatch):
    def stream(text):
        monkeypatch.setattr(progress, "PATIENCE", 0.001)
        monkeypatch.setattr(sys, "stderr", Heard(text))
        return sys.stderr

    return stream


def test_a_slow_function_is_told(listen):
    heard = listen("minigrad: check_gradients, differentiating …")
    check_gradients(lambda x: (heard.wait(), mg.sin(x))[1], 0.5)


def test_a_search_for_the_smallest_program_is_told(listen, monkeypatch):
    heard = listen("check_gradients, making the failing program of ")

    def slowly(program, fails):
        return minimise(program, lambda smaller: (heard.wait(), fails(smaller))[1])

    monkeypatch.setattr(report, "minimise", slowly)
    with FAULTS["sin slope -cos"].planted(), pytest.raises(GradientMismatch):
        check_gradients(lambda x: mg.sin(x) * 2.0, 0.5)


def test_the_entry_that_is_differentiated_by_is_told(listen):
    heard, calls = listen("check_vjp, differentiating by entry 2 of 3 of W"), []

    def f(W):
        calls.append(W)
        if len(calls) > 2 and np.iscomplexobj(W) and np.imag(W)[1] and not np.imag(W)[0]:
            heard.wait()
        return W * W

    check_vjp(f, lambda g, y, W: (2 * g * W,), np.ones(3), names=["W"])


def test_the_law_that_is_tried_is_told(listen):
    heard = listen("the law 'runs' of Slow()")

    class Slow(rnn.RNNCell):
        def step(self, p, x, *state):
            heard.wait()
            return super().step(p, x, *state)

        def __repr__(self):
            return "Slow()"

    assert_law("runs", Slow(3, 4))


def test_what_is_quick_says_nothing(capsys):
    check_gradients(mg.sin, 0.5)
    assert capsys.readouterr().err == ""
