"""A program on XLA keeps compile's word: fresh results, nothing frozen, nothing narrowed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.engines.numpy.buffers import empty
from minigrad.engines.xla.face import PURE, as_given, as_pytrees
from minigrad.tree import flatten

LARGE = 1_000_000


def on_jax(f: Any, **options: Any) -> Any:
    return mg.compile(f, engine="jax", **options)


def test_arguments_may_be_written_to_as_soon_as_the_call_is_back():
    """JAX reads NumPy's memory where it lies, and does not wait: what it is given is a copy."""
    x = empty((LARGE,), "float32")
    x[:] = 1.0
    kept = on_jax(lambda x: (x, x * 1.0))(x)
    x[:] = 5.0
    assert [float(part.max()) for part in kept] == [1.0, 1.0]
    assert not np.shares_memory(as_given(x), x)


def test_results_stay_on_the_device_and_are_fed_back():
    f = on_jax(lambda p, g: {"w": p["w"] - 0.5 * g})
    p = f({"w": np.ones(3, np.float32)}, np.ones(3, np.float32))
    again = f(p, np.ones(3, np.float32))
    assert isinstance(p["w"], jax.Array)
    assert again["w"].tolist() == [0.0] * 3
    assert p["w"].tolist() == [0.5] * 3
    assert len(f.programs) == 1


def test_a_function_is_traced_on_the_numbers_that_are_given():
    """Numbers made up need not be in its domain, and vanish where those of a network do not."""
    assert on_jax(mg.arccosh)(jnp.ones(2)).tolist() == [0.0, 0.0]


def test_an_array_given_away_may_not_be_given_again():
    f = on_jax(lambda p, g: p - 0.5 * g, donate=(0,))
    p, g = jnp.ones(3), jnp.ones(3)
    after = f(p, g)
    assert f(after, g).tolist() == [0.0] * 3
    assert g.tolist() == [1.0] * 3
    with pytest.raises(RuntimeError, match=r"^compile: an array was given that an earlier call"):
        f(p, g)


def test_an_array_given_away_may_not_be_given_twice_at_once():
    f = on_jax(lambda p, g: p - 0.5 * g, donate=(0,))
    p, both = jnp.ones(3), np.ones(3, np.float32)
    with pytest.raises(ValueError, match=r"^compile: an array that may be overwritten .* a copy"):
        f(p, p)
    assert f(p, p.copy()).tolist() == [0.5] * 3
    assert f(both, both).tolist() == [0.5] * 3  # of NumPy's each is copied


def test_named_and_static_arguments_and_captured_values_count():
    scale = np.float32(2.0)
    f = on_jax(lambda x, *, power, name="y": {name: x**power * scale})
    x = np.full(2, 3.0, np.float32)
    assert f(x, power=2)["y"].tolist() == [18.0, 18.0]
    assert f(x, power=1, name="z")["z"].tolist() == [6.0, 6.0]
    scale = np.float32(1.0)
    assert f(x, power=2)["y"].tolist() == [9.0, 9.0]


@pytest.mark.parametrize(
    ("f", "error", "told"),
    [
        (lambda x: x if x[0] > 0 else -x, TypeError, "a condition .* once and for all"),
        (lambda x: x * np.random.default_rng().normal(), ValueError, "run twice .* draw outside"),
        (lambda x: mg.Tensor(x), TypeError, "."),
    ],
)
def test_what_numpy_refuses_is_refused(f: Any, error: type[Exception], told: str):
    with pytest.raises(error, match=told):
        on_jax(f)(np.ones(3, np.float32))


def test_double_precision_is_computed_or_refused_and_never_narrowed():
    f, x = on_jax(lambda x: x / 3.0), np.ones(2)
    sentence = r"float64, which JAX would compute in single .*jax_enable_x64"
    what = r"argument 1 of 1, of shape \(2,\),"
    with pytest.raises(TypeError, match=rf"^the engine 'jax': {what} has dtype {sentence}"):
        f(x)
    with jax.enable_x64(True):
        assert np.asarray(f(x)).tolist() == [1 / 3] * 2
    with pytest.raises(TypeError, match=sentence):  # the program is there, JAX would narrow now
        f(x)
    with pytest.raises(TypeError, match=rf"^the engine 'jax': one_hot has dtype {sentence}"):
        on_jax(lambda i: mg.one_hot(i, 3))(np.array([1]))


def test_products_of_single_precision_have_it_on_every_device_unless_jax_was_told_another():
    x, f = np.ones((3, 1, 2), np.float32), lambda x: mg.sum(rnn.run(rnn.RNNCell(2, 2), p, x)[0])
    p = rnn.RNNCell(2, 2).init(0, np.float32)
    jitted = jax.jit(jax.grad(mg.to_jax(f, x)))
    products = lambda: [
        line for line in jitted.lower(x).as_text().splitlines() if "stablehlo.dot_general" in line
    ]
    assert len(products()) >= 2  # in the loop and in the loop back, for each step of a turn
    assert all("precision = [HIGHEST, HIGHEST]" in line for line in products())
    with jax.default_matmul_precision("tensorfloat32"):
        assert not any("HIGHEST" in line for line in products())


def test_whole_numbers_are_those_of_numpy():
    """JAX computes in 32 bits if nothing is said, and an overflow says nothing."""
    x = np.array([1 << 20, 1 << 40])

    def f(x: Any, n: Any) -> Any:
        return x * 3, mg.cumsum(x), mg.sum(n), mg.argmax(n)

    n, compiled = np.full(3, 1 << 30, np.int32), on_jax(f)
    found, wanted = compiled(x, n), f(x, n)
    for _ in range(2):
        for y, right in zip(found, wanted, strict=True):
            assert (y.dtype, y.tolist()) == (right.dtype, right.tolist())
        found, wanted = compiled(found[0], n), f(wanted[0], n)


def test_where_jax_traces_whole_numbers_of_64_bits_are_read_and_not_computed():
    x, i = np.array([1.0, 2.0], np.float32), np.array([0])
    assert jax.jit(mg.to_jax(lambda x, i: x[i]))(x, i).tolist() == [1.0]
    told = "has dtype int64, which JAX would compute in 32 bits; give int32, or let JAX have both"
    for f in (lambda x, i: x[i + 1], lambda x, i: x[i + np.array(0)]):
        with pytest.raises(TypeError, match=rf"^the engine 'jax': add {told}"):
            mg.to_jax(f)(x, i)
    with pytest.raises(TypeError, match=rf"^the engine 'jax': constant {told}"):
        mg.to_jax(lambda i: i > np.array(1 << 40))(i)
    with pytest.raises(ValueError, match="whole numbers up to 4294967296 do not fit 32 bits"):
        mg.to_jax(lambda i: i > 0)(np.array([1 << 32]))
    with jax.enable_x64(True):
        assert mg.to_jax(lambda i: i * i)(np.array([1 << 20])).tolist() == [1 << 40]


def test_one_compiled_function_serves_many_threads():
    f, found = on_jax(lambda x: mg.sum(x * x)), [0.0] * 4

    def work(k: int) -> None:
        found[k] = float(f(np.full(3, k, np.float32)))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [0.0, 3.0, 12.0, 27.0]


def test_the_program_can_be_read_and_holds_no_buffers():
    f = on_jax(mg.tanh)
    f(np.ones(2, np.float32))
    assert "stablehlo.tanh" in f.source
    (made,) = f.programs.values()
    assert made.program.nbytes == 0


def test_structures_of_our_classes_become_jaxs():
    p = rnn.RNNCell(2, 3).init(0, np.float32)
    f = mg.compile(lambda p: p, engine=PURE)
    made = f.prepare(p)
    as_pytrees(made.tree)
    as_pytrees(made.tree)  # once more is no error
    leaves, tree = jax.tree_util.tree_flatten(p)
    assert len(leaves) == 3
    assert type(jax.tree_util.tree_unflatten(tree, leaves)) is type(p)


SHARDED = """
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
import minigrad as mg, rnn
from minigrad.tree import flatten, tree_map

assert len(jax.devices()) == 8
mesh = Mesh(jax.devices(), ("batch",))
cell = rnn.Stack([rnn.LSTMCell(3, 4), rnn.LSTMCell(4, 4)])
p, rng = cell.init(0, np.float32), np.random.default_rng(0)
xs, wanted = (rng.normal(size=(6, 16, k)).astype(np.float32) for k in (3, 4))

def loss(p, xs, wanted):
    return mg.mean(mg.square(rnn.run(cell, p, xs)[0] - wanted))

def descend(p, xs, wanted):
    value, grads = mg.value_and_grad(loss)(p, xs, wanted)
    return tree_map(lambda w, g: w - 0.5 * g, p, grads), value

step = jax.jit(mg.to_jax(descend, p, xs, wanted))
whole, parts = NamedSharding(mesh, P()), NamedSharding(mesh, P(None, "batch"))
eight = (jax.device_put(xs, parts), jax.device_put(wanted, parts))
one, many, losses = p, jax.device_put(p, whole), []
for _ in range(8):
    one, a = step(one, xs, wanted)
    many, b = step(many, *eight)
    losses.append((float(a), float(b)))
np.testing.assert_allclose(*zip(*losses), rtol=1e-5)
assert losses[-1][0] < losses[0][0]
text = step.lower(many, *eight).compile().as_text()
assert "all-reduce" in text and "f32[6,2,3]" in text, "each device has two of sixteen samples"

# The same by hand: each device differentiates its samples, gradients are averaged.
shard = (xs[:, :2], wanted[:, :2])
mean = mg.to_jax(mg.value_and_grad(loss), p, *shard)
by_hand = jax.jit(jax.shard_map(
    lambda p, *data: jax.lax.pmean(mean(p, *data), "batch"),
    mesh=mesh, in_specs=(P(), P(None, "batch"), P(None, "batch")), out_specs=P()))
found = by_hand(p, xs, wanted)
right = mg.compile(mg.value_and_grad(loss))(p, xs, wanted)
for x, y in zip(flatten(found)[0], flatten(right)[0], strict=True):
    np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-6)
print("equal")
"""


def test_eight_devices_train_as_one_does():
    """A two-layer LSTM, its batch shared out over a mesh: same losses, same gradients."""
    flags = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=8"
    root = Path(__file__).resolve().parents[4]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SHARDED], cwd=root, capture_output=True, text=True,
        env={"PATH": "", "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}, check=False,
    )  # fmt: skip
    assert done.stdout == "equal\n", done.stderr[-3000:]


def test_a_pure_function_is_what_jax_can_transform():
    def f(x: Any, w: Any) -> Any:
        return mg.sum(mg.tanh(x @ w))

    x, w = np.ones((2, 3), np.float32), np.full((3, 2), 0.5, np.float32)
    pure = mg.to_jax(f)
    np.testing.assert_allclose(
        jax.jit(jax.grad(pure, argnums=(0, 1)))(x, w)[1], mg.grad(f, 1)(x, w), rtol=1e-5
    )
    both = jax.vmap(pure, in_axes=(0, None))(np.stack([x, 2 * x]), w)
    np.testing.assert_allclose(both, [f(x, w), f(2 * x, w)], rtol=1e-5)
    assert flatten(jax.jvp(lambda w: pure(x, w), (w,), (w,)))[0][1].shape == ()
