"""One BLAS thread in loops that are ours, and nothing else touched."""

import pytest
import threadpoolctl

import rnn
from rnn import threads
from rnn.text.characters import character_model
from rnn.text.sampling import sample
from rnn.text.train import train
from rnn.text.training import Recipe, Training
from rnn.text.vocabulary import Vocabulary

TEXT = "the cat sat on the mat. " * 20


def count():
    return {p["num_threads"] for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"}


@pytest.fixture
def two(monkeypatch):
    """Two threads, chosen by nobody."""
    for name in threads.CHOOSING:
        monkeypatch.delenv(name, raising=False)
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        if count() != {2}:
            pytest.skip("this BLAS has one thread")
        yield


def test_inside_there_is_one_thread_and_then_as_many_as_before(two):
    with rnn.one_thread(), rnn.one_thread():
        assert count() == {1}
    assert count() == {2}
    with pytest.raises(KeyError), rnn.one_thread():
        raise KeyError
    assert count() == {2}


@pytest.mark.parametrize("name", threads.CHOOSING)
def test_what_a_person_chose_is_left_alone(two, monkeypatch, name):
    monkeypatch.setenv(name, "2")
    with rnn.one_thread():
        assert count() == {2}


def test_without_the_package_nothing_is_changed(two, monkeypatch):
    monkeypatch.setattr(threads, "find_spec", lambda name: None)
    with rnn.one_thread():
        assert count() == {2}


def test_training_and_sampling_run_on_one_thread(two):
    cell = character_model("rnn", len(set(TEXT)), hidden=4)
    run, seen = Training.start(cell, TEXT, Recipe(2, 4)), []
    train(run, TEXT, 2, every=1, report=lambda *told: seen.append(count()))
    assert seen == [{1}, {1}]

    class Watching:
        choice = lambda self, *args, **options: seen.append(count()) or 0

    sample(cell, run.params, Vocabulary.of(TEXT), "the", 2, 1.0, Watching())
    assert seen[2:] == [{1}, {1}]
    assert count() == {2}
