"""Every task equals a loop written by hand; nothing beyond its pattern has an influence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.errors import ShapeError
from minigrad.tree import flatten, tree_map
from rnn import tasks
from rnn.feedback import identity

TASKS = [
    tasks.one_to_one(),
    tasks.one_to_many(4),
    tasks.many_to_one(4),
    tasks.many_to_many_delayed(3, 3),
    tasks.many_to_many_synchronised(4),
    tasks.Task("odd", (True, False, True, False), (True, False, True, True), (*[False] * 3, True)),
]  # fmt: skip
CELLS = [
    rnn.RNNCell(3, 4, 3, ("hidden-to-hidden", "output-to-output")),
    rnn.Stack([rnn.LSTMCell(3, 4), rnn.GRUCell(4, 4), rnn.Dense(4, 3)]),
]
ALL = pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
EACH = pytest.mark.parametrize("cell", CELLS, ids=lambda c: c.label)


def by_hand(task: Any, cell: Any, params: Any, xs: Any, feed: Any) -> Any:
    """The outputs that leave, by a loop over the steps in plain NumPy."""
    state, y, rows, out = cell.start(xs.shape[1]), None, iter(xs), []
    for enters, leaves, feeds in zip(task.enters, task.leaves, task.feeds, strict=True):
        x = next(rows) if enters else feed(y) if feeds else np.zeros_like(xs[0])
        y, *state = cell.step(params, x, *state)
        if leaves:
            out.append(y)
    return np.stack(out)


def case(task: Any, cell: Any, seed: int = 0) -> Any:
    """Parameters, inputs, and weights that make a loss of the outputs."""
    rng = np.random.default_rng(seed)
    xs = rng.normal(size=(sum(task.enters), 2, 3))
    return cell.init(rng), xs, rng.normal(size=(sum(task.leaves), 2, 3))


@ALL
@EACH
@pytest.mark.parametrize("feed", [identity, mg.softmax], ids=["y", "softmax"])
def test_a_task_and_its_gradient_equal_the_loop_by_hand(task: Any, cell: Any, feed: Any) -> None:
    params, xs, w = case(task, cell)
    ys, _ = tasks.perform(task, cell, params, xs, feed=feed)
    np.testing.assert_allclose(ys, by_hand(task, cell, params, xs, feed), rtol=1e-12, atol=1e-14)

    gradient = mg.grad(
        lambda p, x: mg.sum(w * tasks.perform(task, cell, p, x, feed=feed)[0]), wrt=(0, 1)
    )(params, xs)
    rng, h = np.random.default_rng(1), 1e-5
    along = tree_map(lambda leaf: rng.normal(size=leaf.shape), (params, xs))

    def loss(step: float) -> Any:
        p, x = tree_map(lambda leaf, d: leaf + step * d, (params, xs), along)
        return (w * by_hand(task, cell, p, x, feed)).sum()

    slope = (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * h)
    dots = [(g * d).sum() for g, d in zip(flatten(gradient)[0], flatten(along)[0], strict=True)]
    np.testing.assert_allclose(sum(dots), slope, rtol=1e-7, atol=1e-8)


@ALL
def test_the_mask_says_which_outputs_a_loss_sees(task: Any) -> None:
    assert task.mask.shape == (task.steps,)
    if any(task.feeds) or not all(task.enters):
        return
    cell = CELLS[1]
    params, xs, target = case(task, cell)
    targets = np.full((task.steps, 2, 3), np.nan)
    targets[task.mask] = target

    def on_all_steps(p: Any) -> Any:
        return rnn.mse(rnn.run(cell, p, xs)[0], targets, task.mask)

    def on_what_leaves(p: Any) -> Any:
        return rnn.mse(tasks.perform(task, cell, p, xs)[0], target)

    value, grads = mg.value_and_grad(on_all_steps)(params)
    wanted, slopes = mg.value_and_grad(on_what_leaves)(params)
    np.testing.assert_allclose(value, wanted, rtol=1e-12)
    for a, b in zip(flatten(grads)[0], flatten(slopes)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("steps", [2, 5])
def test_steps_after_an_output_have_no_influence_on_it(steps: int) -> None:
    cell = CELLS[1]
    params, xs, _ = case(tasks.many_to_many_synchronised(steps), cell)

    def first(x: Any) -> Any:
        ys, _ = tasks.perform(tasks.many_to_many_synchronised(steps), cell, params, x)
        return mg.sum(ys[0])

    assert (mg.grad(first)(xs)[1:] == 0).all()


def test_the_state_after_a_task_continues_it() -> None:
    cell = CELLS[1]
    whole, first = tasks.one_to_many(5), tasks.one_to_many(3)
    params, xs, _ = case(whole, cell)
    ys, _ = tasks.perform(whole, cell, params, xs)
    begun, state = tasks.perform(first, cell, params, xs)
    rest, _ = tasks.perform(tasks.one_to_many(2), cell, params, begun[-1:], state)
    np.testing.assert_allclose(ys, np.concatenate([begun, rest]), rtol=1e-12)


def test_class_indices_stand_for_one_hot_rows_and_single_precision_stays() -> None:
    task, cell = tasks.many_to_many_delayed(3, 2), CELLS[1]
    params = cell.init(0, np.float32)
    classes = np.array([[0, 2], [1, 1], [2, 0]])
    ys, state = tasks.perform(task, cell, params, classes, feed=mg.softmax)
    rows = np.eye(3, dtype=np.float32)[classes]
    np.testing.assert_array_equal(ys, tasks.perform(task, cell, params, rows, feed=mg.softmax)[0])
    assert {leaf.dtype for leaf in flatten([ys, state])[0]} == {np.dtype(np.float32)}


def test_the_five_patterns_look_as_in_the_picture() -> None:
    assert (
        "\n".join(map(str, TASKS[:5]))
        == """\
one-to-one
  outputs  o
  inputs   x
one-to-many
  outputs  o o o o
  inputs   x y y y
many-to-one
  outputs  · · · o
  inputs   x x x x
many-to-many, delayed
  outputs  · · o o o
  inputs   x x x y y
many-to-many, synchronised
  outputs  o o o o
  inputs   x x x x"""
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (((True,), (True, True), (False,)), "task t: 1, 2 and 1 flags; enters, leaves and feeds"),
        (((), (), ()), "there is a first step"),
        (((False,), (True,), (True,)), "task t: nothing can be fed back at t = 1"),
        (
            ((True, True), (True, True), (False, True)),
            "at t = 2 an input and an output would enter",
        ),
        (((True,), (False,), (False,)), "task t: no output leaves, so there is nothing to learn"),
    ],
)
def test_a_pattern_that_makes_no_sense_is_told(flags: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tasks.Task("t", *flags)


def test_inputs_and_feeds_that_do_not_fit_are_told() -> None:
    cell = rnn.RNNCell(3, 4, 2)
    with pytest.raises(ShapeError) as caught:
        tasks.perform(tasks.many_to_many_delayed(3, 2), cell, cell.init(), np.ones((4, 2, 3)))
    assert str(caught.value) == (
        "task many-to-many, delayed: xs has shape (4, 2, 3), wanted (3, B, 3), one row for each of "
        "the 3 steps at which an input enters"
    )
    cell = rnn.RNNCell(3, 4, 3)
    with pytest.raises(ValueError, match="task one-to-many: state is not the tuple that"):
        tasks.perform(tasks.one_to_many(3), cell, cell.init(), np.ones((1, 2, 3)), np.ones((2, 4)))
    with pytest.raises(TypeError, match="task one-to-one: xs must be an array or tensor, got list"):
        tasks.perform(tasks.one_to_one(), cell, cell.init(), [[1.0]])
