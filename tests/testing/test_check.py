"""`check_gradients`: finds what is wrong, says whose fault it is, and is silent otherwise."""

import itertools
import json
import re
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing import (
    GradientMismatch,
    check_gradients,
    draw_program,
    fan_outs,
    graphs,
    program_text,
)
from minigrad.testing.cases import draw_case
from minigrad.testing.faults import FAULTS
from minigrad.testing.minimise import minimise
from minigrad.testing.planting import WrongRule
from minigrad.testing.programs import attribute_class, differentiable

X, W = np.linspace(-1.0, 1.0, 6).reshape(2, 3), np.linspace(0.5, 1.5, 6).reshape(3, 2)


def layer(x, W):
    return mg.tanh(x @ W) * 2.0


@given(program=graphs(), seed=st.integers(0, 2**32 - 1))
def test_random_programs_raise_no_alarm(program, seed):
    check_gradients(program, *program.values, seed=seed)


@pytest.mark.parametrize("scale", [0.01, 30.0, 1000.0])
@given(random=st.randoms(use_true_random=False))
def test_random_programs_of_any_scale_raise_no_alarm(scale, random):
    program = draw_program(random, scale=scale)
    check_gradients(program, *program.values)


@pytest.mark.parametrize("seed", [1002587, 1007914, 1009481, 1018768])
def test_derivatives_below_the_smallest_normal_number_raise_no_alarm(seed):
    """Four of 25,000 programs on inputs of about 1000 cried before such digits were let go."""
    program = draw_program(Random(seed), scale=1000.0)
    check_gradients(program, *program.values, seed=seed)


@given(program=fan_outs())
def test_parameters_used_many_times_raise_no_alarm(program):
    check_gradients(program, *program.values)


@given(program=graphs(most=4), seed=st.integers(0, 2**32 - 1))
def test_second_derivatives_of_random_programs_raise_no_alarm(program, seed):
    check_gradients(program, *program.values, order=2, method="adjoint", seed=seed)


@given(program=graphs())
def test_a_program_printed_as_python_gives_its_numbers(program):
    text = program_text(program.graph, program.values)
    space = {}
    exec(text.rpartition("\n")[0], space)
    values = [space[line.partition(" = ")[0]] for line in text.splitlines() if _is_input(line)]
    np.testing.assert_array_equal(space["program"](*values), program())


def _is_input(line):
    return " = np." in line and not line.startswith(" ")


def test_every_primitive_is_drawn_in_every_class_of_attributes():
    """Coverage is counted: what the table of primitives can draw, random programs contain."""
    wanted, seen = set(), set()
    for primitive in differentiable():
        for k in range(60):
            if primitive.sample is None:
                wanted |= {(primitive.name, "plain")}
                wanted |= {(primitive.name, "broadcast")} if len(primitive.rules) > 1 else set()
            else:
                case = draw_case(primitive, Random(k))
                shapes = [x.shape for x in case.operands]
                wanted.add((primitive.name, attribute_class(primitive.name, case.attrs, shapes)))
    for k in range(6000):
        graph = draw_program(Random(k)).graph
        for node in graph.nodes:
            if node.op in mg.PRIMITIVES:
                shapes = [graph.nodes[i].shape for i in node.inputs]
                seen.add((node.op, attribute_class(node.op, node.attrs, shapes)))
    assert wanted - seen == set()


def test_the_wrong_primitive_is_named_and_the_program_is_small():
    with FAULTS["tanh slope (1 - y)²"].planted(), pytest.raises(GradientMismatch) as found:
        check_gradients(layer, X, W)
    assert found.value.primitive == "tanh"
    assert len(found.value.program) == 1
    told = str(found.value)
    for part in ("entry ", "first wrong primitive: tanh", "mg.tanh(x0)", "← here", "replay:"):
        assert part in told


def test_a_fault_of_the_walk_is_not_put_on_a_primitive():
    with FAULTS["the third use is lost"].planted(), pytest.raises(GradientMismatch) as found:
        check_gradients(lambda x: x * mg.sin(x) + mg.cos(x) + mg.exp(x), np.array(0.5))
    assert found.value.primitive is None
    assert "each primitive is right alone" in str(found.value)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("gradients share memory", "share memory"),
        ("sums into an array of others", "writes into the cotangent"),
        ("an unused input gets a number", "the gradient by unused is float64[]"),
    ],
)
def test_a_broken_promise_is_told(fault, told):
    def f(a, b, unused):
        return a + b + a if fault.startswith("sums") else a + b

    with FAULTS[fault].planted(), pytest.raises((GradientMismatch, ValueError)) as found:
        check_gradients(f, np.ones(3), np.ones(3), np.ones(2))
    assert told in str(found.value) or "read-only" in str(found.value)


COUNT = itertools.count()


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (lambda r, g, y, x: g * g * mg.cos(x), "the gradient by x is not linear in the cotangent"),
        (lambda r, g, y, x: g + 1.0, "a cotangent of zeros gives the gradient by x entries"),
        (lambda r, g, y, x: g * next(COUNT), "pulled back twice, the same cotangent gives"),
        (lambda r, g, y, x: np.multiply(g, 2.0, out=g), "writes into the cotangent|read-only"),
    ],
)
def test_a_rule_that_is_no_linear_map_is_told(rule, told):
    with (
        WrongRule("sin", 0, rule).planted(),
        pytest.raises((GradientMismatch, ValueError)) as found,
    ):
        check_gradients(lambda x: mg.sin(x), np.ones(3))
    assert re.search(told, str(found.value))


def test_a_function_of_chance_is_told():
    rng = np.random.default_rng(0)
    with pytest.raises(GradientMismatch, match="run twice on the same inputs"):
        check_gradients(lambda x: x * rng.normal(), np.ones(2))


def test_a_function_that_changes_its_input_is_told():
    def f(x):
        if isinstance(x, np.ndarray):
            x += 1.0
        return mg.sum(x * x)

    with pytest.raises(AssertionError, match=r"different values|changes its inputs"):
        check_gradients(f, np.ones(2))


def test_a_hidden_detour_through_plain_numbers_is_found():
    """A function that drops the graph on the way has a gradient that fits itself, but not f."""
    f = lambda x: mg.sin(x) * mg.detach(x)
    with pytest.raises(GradientMismatch, match="differences differ") as found:
        check_gradients(f, np.array(0.7))
    assert "detach lets no gradient through" in str(found.value)


def test_integers_nested_structures_and_several_results_are_checked():
    def f(p, classes):
        rows = mg.lookup(p["table"], classes)
        return {"rows": mg.tanh(rows), "sum": mg.sum(p["w"][0] * rows)}

    params = {"table": X.copy(), "w": [np.ones(3)]}
    check = check_gradients(f, params, np.array([1, 1, 0]))
    assert check.names == ["p.table", "p.w[0]"]


def test_at_a_kink_only_rules_are_compared_and_it_is_said():
    check = check_gradients(mg.relu, np.array([0.0, 1.0]))
    assert check.kink.op == "relu"
    assert check.method == "adjoint"


def failing(artifacts=None):
    f = lambda x: mg.named("y", mg.sin(2.0 * x)) + x
    with FAULTS["sin slope -cos"].planted(), pytest.raises(GradientMismatch) as found:
        check_gradients(f, np.array(0.5), artifacts=artifacts)
    return found.value


def test_the_whole_function_is_drawn_with_the_node_at_fault_marked():
    error = failing()
    assert error.whole.graph.nodes[error.node].op == "sin"
    assert len(error.whole) == 3
    assert len(error.program) == 1
    assert "its own rule disagrees" in error.svg()
    assert "first wrong primitive: sin (y)" in str(error)


def test_a_failing_check_saves_report_program_picture_and_numbers(tmp_path):
    told = str(failing(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {
        f"sin.{suffix}" for suffix in ("txt", "py", "svg", "json")
    }
    assert (tmp_path / "sin.txt").read_text().strip() == told.rpartition("\n")[0]
    assert (tmp_path / "sin.svg").read_text() == failing().svg()
    facts = json.loads((tmp_path / "sin.json").read_text())
    assert facts["primitive"] == "sin"
    assert facts["entry"]["place"] == "x"
    assert [c["holds"] for c in facts["comparisons"]] == [True, False]
    assert facts["comparisons"][1]["leaf"] == ["x"]
    failing(tmp_path)
    assert len(list(tmp_path.iterdir())) == 8  # nothing is overwritten


def test_a_broken_promise_is_saved_too(tmp_path):
    with FAULTS["gradients share memory"].planted(), pytest.raises(GradientMismatch):
        check_gradients(lambda a, b: a + b, np.ones(3), np.ones(3), artifacts=tmp_path)
    facts = json.loads((tmp_path / "gradient.json").read_text())
    assert facts["promises"] == ["the gradients by a and by b share memory"]
    assert facts["program"] is None


@pytest.mark.parametrize("name", ["\ud800", '</b>&"\\N\x00', "a\nb", "∂é\u202e"])
def test_a_report_with_any_names_is_saved_and_read_back(name, tmp_path):
    f = lambda p: mg.sum(mg.named(name, mg.sin(p[name])))
    with FAULTS["sin slope -cos"].planted(), pytest.raises(GradientMismatch):
        check_gradients(f, {name: np.array(0.5)}, artifacts=tmp_path)
    facts = json.loads((tmp_path / "sin.json").read_text(encoding="utf-8"))
    assert facts["entry"]["place"].endswith(name)
    for suffix in ("txt", "py", "svg"):
        assert (tmp_path / f"sin.{suffix}").read_text(encoding="utf-8")


def test_a_report_is_not_lost_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    told = str(failing(tmp_path / "file"))
    assert "first wrong primitive: sin" in told
    assert "not saved: " in told


def test_numbers_that_json_has_not_are_told(tmp_path):
    f = lambda x: mg.sqrt(x) * mg.detach(x)  # finite, but its gradient is ∞ · 0
    with pytest.raises(GradientMismatch):
        check_gradients(f, np.array(0.0), artifacts=tmp_path)
    (path,) = tmp_path.glob("*.json")
    numbers = {c["got"] for c in json.loads(path.read_text())["comparisons"]}
    assert numbers & {"nan", "inf", "-inf"}


def test_minimising_keeps_what_fails_and_drops_the_rest():
    program = draw_program(Random(11), most=8)
    ops = [n.op for n in program.graph.nodes if n.op in mg.PRIMITIVES]
    wanted = ops[len(ops) // 2]
    small = minimise(program, lambda p: any(n.op == wanted for n in p.graph.nodes))
    assert wanted in [n.op for n in small.graph.nodes]
    assert len(small) == 1


def test_a_graph_that_is_cut_has_a_wrong_gradient():
    """A gradient of zeros fits itself in both modes; differences know better."""
    f = lambda x: np.sin(x.data if isinstance(x, mg.Tensor) else x)
    with pytest.raises(GradientMismatch, match="no result is a tensor"):
        check_gradients(f, np.array([0.5]))
    assert check_gradients(lambda x: 3.0, np.ones(2)).is_cut


@pytest.mark.parametrize(
    ("call", "kind", "told"),
    [
        (lambda: check_gradients(mg.sin, 0.5, method="magic"), ValueError,
         "check_gradients: unknown method 'magic'"),
        (lambda: check_gradients(mg.sin, 0.5, order=0), ValueError, "order is 1 for gradients"),
        (lambda: check_gradients(0.5), TypeError, "takes a function and its inputs, got 0.5"),
        (lambda: check_gradients(lambda i: i, np.arange(2)), ValueError,
         r"nothing to differentiate; the inputs are int64\[2\]"),
        (lambda: check_gradients(lambda: 0.5), ValueError, "the inputs are no arrays"),
        (lambda: check_gradients(lambda x: None, 0.5), TypeError,
         "must return arrays, got None"),
        (lambda: check_gradients(lambda x: mg.sin(x), np.nan), ValueError,
         "x has entries that are not finite"),
        (lambda: check_gradients(mg.log, -1.0), ValueError,
         "the result has entries that are not finite: array.nan.; there is no gradient"),
        (lambda: check_gradients(lambda x, W: x @ W, X, X), mg.ShapeError,
         r"matmul: axis n is 3 on the left, 2 on the right: shapes x \(2, 3\) and W \(2, 3\)"),
        (lambda: check_gradients(mg.absolute, 0.5, method="complex"), ValueError,
         "a complex step does not come through absolute; method='auto' takes differences"),
    ],
)  # fmt: skip
def test_what_cannot_be_checked_is_told(call, kind, told):
    with pytest.raises(kind, match=told):
        call()
