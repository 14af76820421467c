import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
import rnn
import viz
from tests.viz import geometry
from tests.viz.conftest import loss_of
from viz import figures
from viz.quotients.recorded import of_tensor
from viz.scene.label import plain
from viz.views.numbers import heat, norm, summary


def test_values_that_are_not_finite_have_a_look_of_their_own():
    x = mg.Tensor([1.0, np.nan, np.inf], name="x")
    shapes = viz.draw(mg.named("y", x * 2.0), values=True).scene.shapes
    assert {s.kind for s in shapes.values()} == {"invalid"}
    assert plain(shapes["x"].lines[-1]) == "1 NaN, 1 inf of 3"


@pytest.mark.parametrize("value", [np.float64("nan"), np.inf, -np.inf])
def test_a_scalar_that_is_not_finite_is_named(value):
    assert summary(np.array(value)) in ("NaN", "inf", "−inf")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_norms_of_finite_gradients_are_as_accurate_as_hypot(values):
    assert norm(np.array(values)) == pytest.approx(math.hypot(*values), rel=1e-12)


ANY = st.floats(width=32)
"""Long ones, NaN and inf among them."""


@settings(max_examples=30)  # each is four pictures
@given(st.lists(ANY, min_size=5, max_size=5), st.integers(1, 3))
def test_no_number_stands_on_a_border_or_under_a_line(values, hidden):
    x, h, C, a, b = (np.full(n, v) for n, v in zip((2, hidden, hidden, 1, 3), values, strict=True))
    cell = rnn.LSTMCell(2, hidden)
    with np.errstate(all="ignore"):
        y = mg.named("y", mg.Tensor(a, name="a") * mg.Tensor(b, name="b"))
        drawn = [viz.draw(y, values=True), figures.stages(cell, cell.init(0), x, (h, C))]
    for scene in (d.scene for d in drawn):
        assert {law.__name__: law(scene) for law in geometry.LAWS if law(scene)} == {}


def test_heat_grows_with_the_size_of_a_gradient():
    steps = [heat(size, -6, 0) for size in (0.0, 1e-6, 1e-4, 1e-2, 1.0)]
    assert steps == sorted(steps)
    assert steps[0] == 0
    assert len(set(steps)) > 3


def test_gradients_are_written_and_filled_after_backward():
    w = mg.Tensor([3.0, 4.0], name="w")
    loss = mg.named("loss", (w * w).sum())
    loss.backward()
    shapes = viz.draw(loss, gradients=True).scene.shapes
    assert plain(shapes["w"].lines[-1]) == "‖grad‖ 10"
    assert shapes["w"].fill != shapes["loss"].fill


def test_a_weight_shows_each_steps_share_and_its_whole_gradient_once():
    """The shares of the steps add up to the gradient, which is told below the picture."""
    loss = loss_of(rnn.RNNCell(3, 4), steps=3)
    record = of_tensor(loss)
    scene = viz.draw(loss, gradients=True).scene
    (k,) = {k for k, node in enumerate(record.nodes) if node.name == "W_hh"}
    shares = {j: g for (i, j), g in record.shares().items() if i == k}
    assert len(shares) == 3
    assert np.allclose(sum(shares.values()), record.gradients[k])
    tags = [s for s in scene.shapes.values() if s.form == "tag" and s.title == "W_hh"]
    told = [plain(s.lines[-1]) for s in tags]
    assert sorted(told) == sorted(f"‖grad‖ {norm(g):.3g}" for g in shares.values())
    whole = f"‖∂W_hh‖ {norm(record.gradients[k]):.3g}"
    assert sum(whole in plain(text.label) for text in scene.texts) == 1


def test_a_gradient_of_something_else_has_no_shares():
    loss = loss_of(rnn.RNNCell(3, 4), steps=2)
    assert of_tensor(mg.find(loss, "h", t=2)).shares() == {}
    assert of_tensor(2.0 * loss).shares() == {}
