"""A compiled function gives what the function gives, for every later call, or refuses."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.engines.numpy.program import Program
from minigrad.tree import flatten, tree_map
from rnn.testing.problem import problem
from tests.minigrad.folding import OPERATIONS
from tests.rnn.runs import assert_close

# --- a program that does a little of everything, drawn at random --------------------------------

STEPS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "gather": lambda x, w, i: x[i],
    "columns": lambda x, w, i: x[:, i],
    "scaled": lambda x, w, i: x * 0.5,
    "product": lambda x, w, i: mg.tanh(x @ w),
    "shifted": lambda x, w, i: mg.sigmoid(x) - w,
    "turned": lambda x, w, i: x.T,
    "reversed": lambda x, w, i: x[::-1],
    "gradient": lambda x, w, i: x - 0.1 * mg.grad(lambda z: mg.sum(mg.square(z @ w)))(x),
    "loop": lambda x, w, i: rnn.run(Leaky(), {"W": w}, mg.stack([x, x * 0.5, x]))[0][-1],
    "same": lambda x, w, i: x,
}


class Leaky(rnn.Cell):
    """h ← h/2 + tanh(x W)."""

    inputs = hidden = 3
    state = ("h",)

    def parameters(self) -> dict[str, Any]:
        return {"W": rnn.glorot(3, 3)}

    def step(self, p: Any, x: Any, h: Any) -> Any:
        h = mg.named("h", 0.5 * h + mg.tanh(x @ p["W"]))
        return h, h


def program(names: list[str]) -> Callable[..., Any]:
    """A function that returns every intermediate value, the arguments too."""

    def f(x: Any, w: Any, i: Any) -> Any:
        values = [x, w]
        for name in names:
            values.append(STEPS[name](values[-1], w, i))
        return {"all": values, "sum": mg.sum(values[-1]), "fixed": np.full(2, 0.25)}

    return f


programs = st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=6)
seeds = st.integers(0, 2**32 - 1)


def arguments(rng: np.random.Generator) -> list[Any]:
    return [rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), rng.integers(-3, 3, size=3)]


def agree(found: Any, wanted: Any) -> None:
    (a, b), (c, d) = flatten(found), flatten(wanted)
    assert b == d
    for x, y in zip(a, c, strict=True):
        assert x.dtype == np.asarray(y).dtype
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-9)


def copied(tree: Any) -> Any:
    return tree_map(np.array, tree)


@given(names=programs, seed=seeds)
def test_compiled_is_eager_call_after_call(names: list[str], seed: int):
    """Results are kept, fed back and written to; arguments are written to between calls."""
    f, rng = program(names), np.random.default_rng(seed)
    fast, kept = mg.compile(f), []
    x, w, i = arguments(rng)
    for _ in range(4):
        wanted = copied(f(x, w, i))
        found = fast(x, w, i)
        agree(found, wanted)
        kept.append((found, wanted))
        x = found["all"][-1]  # fed back as it is
        w += 0.125  # the caller's own array
        i[:] = rng.integers(-3, 3, size=3)
    for found, wanted in kept[:-1]:
        agree(found["sum"], wanted["sum"])
    for value in flatten(kept[0][0])[0]:
        value += 1.0  # the caller's too
    agree(fast(x, w, i), copied(f(x, w, i)))


@given(names=programs, seed=seeds)
def test_results_share_memory_with_nothing(names: list[str], seed: int):
    rng = np.random.default_rng(seed)
    given_ = arguments(rng)
    fast = mg.compile(program(names))
    first, again = flatten(fast(*given_))[0], flatten(fast(*given_))[0]
    everything = [*given_, *first, *again]
    for k, a in enumerate(everything):
        assert not any(np.may_share_memory(a, b) for b in everything[k + 1 :])


@settings(max_examples=20)
@given(names=programs, seed=seeds)
def test_one_compiled_function_serves_many_threads(names: list[str], seed: int):
    rng = np.random.default_rng(seed)
    f, cases = program(names), [arguments(rng) for _ in range(4)]
    fast, wanted, found = mg.compile(f), [copied(f(*c)) for c in cases], [[] for _ in cases]

    def work(k: int) -> None:
        for _ in range(10):
            found[k].append(fast(*cases[k]))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(cases))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for results, right in zip(found, wanted, strict=True):
        assert len(results) == 10
        for result in results:
            agree(result, right)


def test_a_program_of_a_folded_graph_serves_many_threads():
    cell = rnn.RNNCell(3, 5)
    p = cell.init(0)
    run = Program(cell.folded(2), 7)
    xs = [np.full((7, 2, 3), float(k)) for k in range(4)]
    wanted = [rnn.run(cell, p, x)[0] for x in xs]
    wrong = []

    def work(k: int) -> None:
        for _ in range(50):
            (ys,), _ = run(p.W_xh, p.W_hh, p.b_h, xs[k], np.zeros((2, 5)))
            if not np.array_equal(ys, wanted[k]):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# --- what changes between calls -----------------------------------------------------------------


def test_an_index_given_as_an_argument_is_read_at_every_call():
    f = mg.compile(lambda x, i: mg.sum(x[i]))
    x = np.array([1.0, 10.0, 100.0])
    assert [float(f(x, np.array(i))) for i in ([0, 1], [2, 2], [-1, -3])] == [11.0, 200.0, 101.0]
    with pytest.raises(IndexError, match=r"index 3 is outside 0 … 2"):
        f(x, np.array([0, 3]))


@pytest.mark.parametrize(
    ("f", "given_", "what"),
    [
        (lambda x, m: x[m], [np.array([True, False, True])], "an index"),
        (lambda x, i: x[i, i], [np.array([0, 1])], "an index"),
        (lambda x: x * x.data, [], ".data"),
        (lambda x: x * x[0].item(), [], r"item\(\)"),
        (lambda x: x if x[0] > 0 else -x, [], "a condition"),
        (lambda x: x if mg.sum(x) else -x, [], "a condition"),
        (lambda x: mg.detach(x).data + x, [], ".data"),
    ],
)
def test_what_depends_on_a_value_is_refused(f: Any, given_: list[Any], what: str):
    x = np.ones((3, 3)) if "i, i" in str(f.__code__.co_consts) else np.ones(3)
    with pytest.raises(TypeError, match=rf"compile: {what} of tensor.* once and for all"):
        mg.compile(f)(x, *given_)


def test_what_does_not_depend_on_an_argument_may_be_decided_on():
    flag = mg.Tensor(1.0)
    f = mg.compile(lambda x: x * 2.0 if flag > 0 and flag.data > 0 and flag.item() else x)
    assert f(np.ones(1)) == 2.0


def test_what_is_not_the_same_twice_is_refused():
    rng, count = np.random.default_rng(0), [0.0]

    def counted(x: Any) -> Any:
        count[0] += 1.0
        return x * count[0]

    def named(x: Any) -> Any:
        count[0] += 1.0
        return x, f"call {count[0]}"

    sentence = "run twice on the same values, it did not do the same: the constant that "
    with pytest.raises(ValueError, match=f"^compile: {sentence}multiply reads is .*draw outside"):
        mg.compile(lambda x: x * rng.normal())(np.ones(2))
    with pytest.raises(ValueError, match=sentence):
        mg.compile(counted)(np.ones(2))
    with pytest.raises(ValueError, match="returned two things"):
        mg.compile(named)(np.ones(2))


def test_closed_over_values_are_noticed_when_they_change():
    w, i, p, rate, cell = np.ones(2), np.array([0]), {"b": 1.0}, 0.5, Leaky()
    f = mg.compile(lambda x: mg.sum(x[i] * w) * rate + p["b"] + len(cell.state))
    x = np.array([3.0, 5.0])
    assert f(x) == 5.0
    w *= 2.0
    assert f(x) == 8.0
    i[:] = 1
    assert f(x) == 12.0
    p["b"] = 2.0
    assert f(x) == 13.0
    rate = 1.0
    assert f(x) == 23.0
    cell.state = ("h", "C")
    assert f(x) == 24.0


def test_a_function_given_as_an_argument_is_followed():
    scale = 1.0
    f = mg.compile(lambda x, g: g(x))

    def inner(x: Any) -> Any:
        return x * scale

    assert f(np.ones(1), inner) == 1.0
    scale = 3.0
    assert f(np.ones(1), inner) == 3.0


def test_a_function_it_calls_is_followed():
    scale = 1.0

    def inner(x: Any) -> Any:
        return x * scale

    f = mg.compile(mg.grad(lambda x: mg.sum(inner(x))))
    assert f(np.ones(1)) == 1.0
    scale = 3.0
    assert f(np.ones(1)) == 3.0


# --- arguments and results ----------------------------------------------------------------------


def test_python_numbers_are_weak():
    f = mg.compile(lambda x, a: (x * a, x + 1))
    for x in (np.ones(2, np.float32), np.ones(2), np.ones(2, np.float16)):
        assert [y.dtype for y in f(x, 2.0)] == [x.dtype, x.dtype]
        assert f(x, 2)[0].dtype == x.dtype
    assert f(np.ones(2, np.float32), np.float64(2.0))[0].dtype == np.float64


def test_arguments_by_name_are_not_taken_for_a_tuple_and_a_dictionary():
    f = mg.compile(lambda x, k: x * 2.0 + k if isinstance(x, np.ndarray | mg.Tensor) else k["k"])
    one = np.ones(1)
    assert f(one, k=one) == 3.0
    assert f((one,), {"k": one}) == 1.0
    assert f(one, k=one) == 3.0


def test_what_is_no_array_is_static():
    f = mg.compile(lambda x, n=None, *, way="up", cell=None: (x if n is None else x * n, way, cell))
    x, cell = np.ones(2), rnn.RNNCell(2, 3)
    assert f(x)[0].tolist() == [1.0, 1.0]
    assert f(x, 2)[0].tolist() == [2.0, 2.0]
    assert f(x, n=3)[0].tolist() == [3.0, 3.0]
    assert f(x, True)[0].tolist() == [1.0, 1.0]
    assert f(x, way="down")[1:] == ("down", None)
    assert f(x, cell=cell)[2] is cell
    zeros = mg.compile(lambda x, a: np.copysign(1.0, a) * x)
    assert [float(zeros(np.ones(()), a)) for a in (0.0, -0.0)] == [1.0, -1.0]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.array(["a"]), "argument x has dtype <U1"),
        (np.array([None]), "argument x has dtype object"),
        (np.ma.masked_array([1.0, 2.0], [True, False]), "argument x is a masked array"),
        (mg.Tensor(1.0), "argument x is a tensor"),
        ({"w": [mg.Tensor(1.0)]}, r"argument x\.w\[0\] is a tensor"),
    ],
)
def test_arguments_that_no_program_takes_are_named(value: Any, said: str):
    with pytest.raises(TypeError, match=f"compile: {said}"):
        mg.compile(lambda a, x: a)(np.ones(1), x=value)
    with pytest.raises(TypeError, match=f"compile: {said.replace('argument x', r'argument .0.')}"):
        mg.compile(lambda x: x)(value)


def test_compile_takes_functions():
    with pytest.raises(TypeError, match="compile takes a function, got None"):
        mg.compile(None)


def test_reused_results_may_be_fed_back():
    step = mg.compile(lambda x: x - 0.1 * mg.grad(lambda z: mg.sum(z * z))(x), reuse=True)
    x = first = step(np.array([0.5, 0.7]))
    x = step(x)
    np.testing.assert_allclose(x, [0.32, 0.448])
    assert first is x  # what the caller asked for


def test_carried_state_gives_the_gradients_of_truncated_bptt():
    cell = rnn.LSTMCell(2, 3)
    p, xs = cell.init(0), np.random.default_rng(0).normal(size=(4, 5, 2, 2))

    def loss(p: Any, x: Any, state: Any) -> Any:
        ys, state = rnn.run(cell, p, x, state)
        return mg.sum(ys), state

    eager = mg.value_and_grad(loss, has_aux=True)
    fast = mg.compile(eager)
    state = other = cell.start(2)
    for x in xs:
        (a, state), g = fast(p, x, state)
        (b, other), h = eager(p, x, other)
        agree((a, state, g), (b, other, h))


# --- what is kept -------------------------------------------------------------------------------


KINDS = [
    np.ones(2),
    np.ones(3),
    np.ones((3, 2)),
    np.ones(2, np.float32),
    {"a": np.ones(2), "b": np.ones(3)},
    {"a": np.ones(3), "b": np.ones(2)},
    [np.ones(2), np.ones(3)],
]


@given(order=st.lists(st.sampled_from(range(len(KINDS))), min_size=1, max_size=40))
def test_what_was_called_before_is_not_traced_again(order: list[int]):
    """f itself runs at the first call of each kind only, however the kinds take turns."""
    calls = []

    def total(x: Any) -> Any:
        return sum((mg.sum(leaf * leaf) for leaf in flatten(x)[0]), 0.0)

    def f(x: Any) -> Any:
        calls.append(x)
        return total(x)

    compiled, seen = mg.compile(f), set[int]()
    for kind in order:
        before = len(calls)
        assert float(compiled(KINDS[kind])) == float(total(KINDS[kind]))
        # Each is traced twice, to see that it does the same.
        assert len(calls) - before == (0 if kind in seen else 2)
        seen.add(kind)


def test_programs_of_many_shapes_stay_within_the_stated_bytes(monkeypatch: Any):
    monkeypatch.setattr(sys.modules["minigrad.compile"], "KEPT_BYTES", 1 << 16)
    fast = mg.compile(lambda x: mg.sum(mg.tanh(mg.sin(x) * 2.0)))
    for n in range(1000, 1012):
        fast(np.ones(n))
    held = [made.program.nbytes for made in fast.programs.values()]
    assert 1 < len(held) < 12
    assert sum(held) <= 1 << 16
    fast(np.ones(1 << 16))
    assert len(fast.programs) == 1  # the last one may be larger


def test_a_loop_that_stays_unrolled_says_why():
    def loop(x: Any, ops: Any) -> Any:
        for t in range(20):
            with mg.scope("odd", t):
                x = ops[t % len(ops)](x)
        return x

    fast = mg.compile(loop)
    with pytest.raises(AttributeError, match="no program before the first call"):
        _ = fast.source
    fast(np.ones(2), (mg.tanh,))
    assert fast.why == ""
    assert "for " in fast.source
    fast(np.ones(2), (mg.tanh, mg.sin, mg.tanh))
    assert "differ" in fast.why


def test_a_fault_of_rolling_is_not_taken_for_a_loop_that_cannot_be_rolled(monkeypatch: Any):
    def broken(graph: Any) -> Any:
        raise ValueError("a bug")

    monkeypatch.setattr("minigrad.loops.rolled.embed", broken)

    def loop(x: Any) -> Any:
        for t in range(20):
            with mg.scope("loop", t):
                x = mg.tanh(x)
        return x

    with pytest.raises(ValueError, match="a bug"):
        mg.compile(loop)(np.ones(2))


def test_a_compiled_step_gives_what_the_eager_one_gives():
    cell = rnn.Stack([rnn.LSTMCell(3, 4), rnn.Dense(4, 2)])
    q = problem(cell, 5, 2, 0)
    step = mg.value_and_grad(lambda p, xs: mg.sum(mg.sin(rnn.run(cell, p, xs, q.start)[0])))
    fast = mg.compile(step)
    for factor in (1.0, 0.5, -1.0):
        params = tree_map(lambda x, factor=factor: factor * x, q.params)
        assert_close(fast(params, q.xs), step(params, q.xs), OPERATIONS * 16)
    assert len(fast.programs) == 1


def test_a_compiled_function_makes_one_program_for_each_shape():
    double = mg.compile(lambda x: x * 2.0)
    assert double(np.ones(3)).tolist() == [2, 2, 2]
    assert double(np.ones((1, 2))).tolist() == [[2, 2]]
    assert double(np.arange(3.0)).tolist() == [0, 2, 4]
    assert len(double.programs) == 2


def test_a_compiled_function_refuses_tensors():
    with pytest.raises(
        TypeError, match=r"takes its gradients inside: compile\(value_and_grad\(f\)\)"
    ):
        mg.compile(mg.tanh)(mg.Tensor(1.0))


def test_shapes_that_keep_changing_are_noticed():
    double = mg.compile(lambda x: x * 2.0)
    for n in range(31):
        double(np.ones(n))
    with pytest.warns(UserWarning, match="32 programs made, because shapes or numbers"):
        double(np.ones(31))
    assert len(double.programs) == 16


def test_a_condition_on_a_traced_value_is_refused():
    step = mg.compile(lambda x: mg.sum(x) if x[0] > 0 else mg.sum(-x))
    with pytest.raises(TypeError, match=r"a condition of tensor.* once and for all"):
        step(np.ones(2))
    with pytest.raises(TypeError, match=r"item\(\) of tensor"):
        mg.compile(lambda x: x * x[0].item())(np.ones(2))


def test_lengths_that_are_traced_are_refused():
    cell = rnn.RNNCell(2, 3)
    step = mg.compile(lambda n: rnn.run(cell, cell.init(0), np.ones((4, 2, 2)), lengths=n)[0])
    with pytest.raises(TypeError, match="lengths are a tensor"):
        step(np.array([1, 2]))


def test_a_compiled_function_takes_arguments_of_any_structure():
    total = mg.compile(lambda tree: sum((mg.sum(x) for x in flatten(tree)[0]), mg.sum(0.0)))
    one = np.ones(2)
    for tree in ({"a": one}, {"b": one}, {"a": one, "b": one}, [one], (one,), [one, one], one, 2.0):
        assert total(tree) == sum(np.sum(x) for x in flatten(tree)[0])


def test_a_call_that_failed_leaves_no_program_behind():
    step = mg.compile(lambda x: mg.sum(x) if x.shape == (2,) or x[0] > 0 else mg.sum(-x))
    assert step(np.ones(2)) == 2.0
    for _ in range(2):
        with pytest.raises(TypeError, match="once and for all"):
            step(np.ones(3))
    assert step(np.ones(2)) == 2.0
