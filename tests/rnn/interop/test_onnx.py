"""Nodes of ONNX give onnxruntime's numbers here, and go back as they came."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rnn
from minigrad.tree import flatten, tree_map
from rnn.kinds import written
from tests.rnn.interop.cases import ONNX
from tests.rnn.interop.make_reference import PRECISIONS, onnx_numbers
from tests.rnn.interop.reading import same, stored

onnx = pytest.importorskip("onnx")


def model_of(numbers: dict[str, Any]) -> Any:
    return onnx.load_from_string(numbers["model"].tobytes())


def compare(numbers: dict[str, Any], model: Any) -> None:
    cell, params = rnn.from_onnx(model)
    edges, tree = flatten(cell.edges())
    rows: dict[str, int] = {}
    start, last = [], []
    for edge in edges:
        d = rows[edge.name] = rows.get(edge.name, -1) + 1
        start.append(numbers[f"state {int(edge.name == 'C')}"][d])
        last.append(numbers[f"last {int(edge.name == 'C')}"][d])
    ys, ends = rnn.run(cell, params, numbers["xs"], tree.unflatten(start))
    same(ys, numbers["ys"], "ys", "float32")
    for k, (a, b) in enumerate(zip(flatten(ends)[0], last, strict=True)):
        same(a, b, f"last state {k}", "float32")


@pytest.mark.parametrize("case", ONNX)
def test_outputs_are_those_of_onnxruntime(case):
    """It has no gradients, and single precision alone for these nodes."""
    numbers = stored()[f"onnx/{case}/float32"]
    compare(numbers, model_of(numbers))


@pytest.mark.parametrize("case", ONNX)
def test_a_model_that_is_run_now_gives_the_stored_numbers(case):
    pytest.importorskip("onnxruntime")
    numbers = onnx_numbers(case, "float32")
    known = stored()[f"onnx/{case}/float32"]
    for name in set(known) - {"model"}:
        same(numbers[name], known[name], name, "float32")


CELLS = [
    rnn.RNNCell(2, 3), rnn.RNNCell(2, 3, activation="relu"), rnn.Reversed(rnn.RNNCell(2, 3)),
    rnn.LSTMCell(2, 3), rnn.LSTMCell(2, 3, peepholes=True), rnn.CoupledLSTMCell(2, 3),
    rnn.CoupledLSTMCell(2, 3, peepholes=True), rnn.GRUCell(2, 3), rnn.GRUCell(2, 3, "before"),
    rnn.LSTMCell(2, 3, activation="softplus", gate_activation="hard_sigmoid"),
    rnn.Bidirectional(rnn.LSTMCell(2, 3, peepholes=True)),
    rnn.Stack([rnn.Bidirectional(rnn.GRUCell(2, 3)), rnn.LSTMCell(6, 2)]),
]  # fmt: skip


@pytest.mark.parametrize("cell", CELLS, ids=written)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_there_and_back_every_bit_is_the_same(cell, precision):
    rng = np.random.default_rng(0)
    params = tree_map(lambda w: rng.normal(size=w.shape).astype(precision), cell.init(0))
    model, _ = rnn.to_onnx(cell, params)
    again, found = rnn.from_onnx(model)
    assert again == cell
    for name, value in params.named().items():
        assert np.array_equal(found.named()[name], value)
        assert found.named()[name].dtype == precision
    assert rnn.to_onnx(again, found)[0] == model


@pytest.mark.parametrize("cell", CELLS, ids=written)
def test_what_is_written_is_run_by_onnxruntime(cell, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    params = cell.init(0, np.float32)
    rnn.to_onnx(cell, params, tmp_path / "it.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "it.onnx", providers=["CPUExecutionProvider"])
    xs = np.random.default_rng(0).normal(size=(5, 2, 2)).astype(np.float32)
    ys, *_ = session.run(None, {"xs": xs})
    same(rnn.run(cell, params, xs)[0], ys, "ys", "float32")


def test_a_file_is_read_as_the_model_in_it(tmp_path):
    cell = rnn.GRUCell(2, 3)
    rnn.to_onnx(cell, cell.init(0), tmp_path / "it.onnx")
    again, params = rnn.from_onnx(tmp_path / "it.onnx")
    assert again == cell
    assert np.array_equal(params.b_hn, cell.init(0).b_hn)


def test_the_receipt_prints_where_each_gate_was():
    cell = rnn.LSTMCell(2, 3, peepholes=True)
    lines = str(rnn.to_onnx(cell, cell.init(0))[1]).splitlines()
    assert lines[0] == "LSTMCell(2, 3, peepholes=True) → ONNX"
    assert "W_xf  (2, 3)  W1[6:9]         transposed" in lines
    assert "w_co  (3,)    P1[3:6]         as it is" in lines
    assert "· gates side by side in ONNX: i o f c; here i o f C̃, each by itself" in lines


def changed(case: str, change: Any) -> Any:
    model = model_of(stored()[f"onnx/{case}/float32"])
    change(model.graph.node[0])
    return model


def attribute(name: str, value: Any) -> Any:
    def change(node: Any) -> None:
        kept = [a for a in node.attribute if a.name != name]
        del node.attribute[:]
        node.attribute.extend([*kept, onnx.helper.make_attribute(name, value)])

    return change


def test_swapped_gates_would_be_seen():
    numbers = stored()["onnx/GRU/float32"]
    model = changed("GRU", attribute("linear_before_reset", 0))
    with pytest.raises(AssertionError, match="ys: apart by"):
        compare(numbers, model)


def two_apart() -> Any:
    """A model of two layers, neither of which reads the other."""
    stack = rnn.Stack([rnn.GRUCell(2, 2), rnn.GRUCell(2, 2)])
    model, _ = rnn.to_onnx(stack, stack.init(0))
    (second,) = [n for n in model.graph.node if n.name == "layer2"]
    second.input[0] = "xs"
    return model


def computed(node: Any) -> None:
    node.input[2] = "made"


def of(cell: rnn.Cell) -> Any:
    return lambda: rnn.to_onnx(cell, cell.init(0))


MISTAKES: dict[str, tuple[Any, type[Exception], str]] = {
    "a clip": (lambda: rnn.from_onnx(changed("GRU", attribute("clip", 3.0))),
               ValueError, "clip limits what gates see"),
    "an activation of its own": (
        lambda: rnn.from_onnx(changed("RNN", attribute("activations", ["Elu"]))),
        ValueError, "activation Elu has no counterpart here"),
    "a hard sigmoid of other slope": (
        lambda: rnn.from_onnx(changed("GRU", attribute("activations", ["HardSigmoid", "Tanh"]))),
        ValueError, "HardSigmoid of alpha 0.2 has no counterpart"),
    "two activations where we have one": (
        lambda: rnn.from_onnx(changed("LSTM", attribute("activations",
                                                        ["Sigmoid", "Tanh", "Relu"]))),
        ValueError, "here both have one activation"),
    "weights that are computed": (
        lambda: rnn.from_onnx(changed("GRU", computed)),
        ValueError, "R is computed by the model, not stored in it"),
    "two layers apart": (lambda: rnn.from_onnx(two_apart()), ValueError,
                         "layer2 does not read the outputs of layer1 as they are; say node="),
    "no such node": (lambda: rnn.from_onnx(two_apart(), node="x"), ValueError,
                     "no such recurrent node; there are: layer1, layer2"),
    "no such file": (lambda: rnn.from_onnx("none.onnx"), FileNotFoundError, "there is no model"),
    "a file of another kind": (
        lambda: rnn.from_onnx(__file__), ValueError, "is not a model of ONNX"),
    "no model": (lambda: rnn.from_onnx(3), TypeError, "from_onnx takes a model or the path"),
    "a projection": (of(rnn.Projected(rnn.LSTMCell(2, 3), 2)), ValueError, "W_hr would be lost"),
    "a sum of directions": (
        of(rnn.Bidirectional(rnn.GRUCell(2, 3), merge="sum")), ValueError, "there is no 'sum'"),
    "two kinds of directions": (
        of(rnn.Bidirectional(rnn.GRUCell(2, 3), rnn.LSTMCell(2, 3))),
        ValueError, "two directions alike"),
    "two places of the reset gate": (
        of(rnn.Bidirectional(rnn.GRUCell(2, 3), rnn.GRUCell(2, 3, "before"))),
        ValueError, "reset gate in one place"),
    "peepholes on one side": (
        of(rnn.Bidirectional(rnn.LSTMCell(2, 3), rnn.LSTMCell(2, 3, peepholes=True))),
        ValueError, "both directions have peepholes, or neither"),
    "an activation that it has not": (
        of(rnn.GRUCell(2, 3, activation="exp")), ValueError, "there is no activation 'exp'"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_would_be_lost_is_refused_in_a_sentence(mistake):
    call, kind, told = MISTAKES[mistake]
    with pytest.raises(kind, match=told) as caught:
        call()
    assert type(caught.value) is kind


def test_one_node_of_several_is_taken_by_its_name():
    assert rnn.from_onnx(two_apart(), node="layer2").cell == rnn.GRUCell(2, 2)


def test_without_the_package_the_way_to_it_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ImportError, match=r"reading ONNX models needs onnx: pip install.*interop"):
        rnn.from_onnx("it.onnx")
