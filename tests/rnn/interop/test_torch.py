"""Weights of PyTorch give PyTorch's numbers here, and go back as they came."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
import viz
from minigrad.tree import flatten, tree_map
from rnn.testing import assert_law
from tests.rnn.interop.cases import TORCH
from tests.rnn.interop.make_reference import PRECISIONS, torch_numbers
from tests.rnn.interop.reading import same, starting, stored

EVERY = pytest.mark.parametrize("case", TORCH)
BOTH = pytest.mark.parametrize("precision", PRECISIONS)


def imported(case: str, numbers: dict[str, Any]) -> Any:
    nonlinearity = TORCH[case][1].get("nonlinearity", "tanh")
    return rnn.from_torch(starting(numbers, "weight "), nonlinearity=nonlinearity)


def state_of(cell: rnn.Cell, numbers: dict[str, Any], what: str) -> Any:
    """h⁽⁰⁾ and C⁽⁰⁾ of PyTorch, a row for each layer and direction, as our state."""
    leaves, tree = flatten(cell.edges())
    rows = {"h": 0, "r": 0, "C": 0}
    found = []
    for edge in leaves:
        found.append(numbers[f"{what} {int(edge.name == 'C')}"][rows[edge.name]])
        rows[edge.name] += 1
    return tree.unflatten(found)


def gradients(case: str, numbers: dict[str, Any]) -> Any:
    """Outputs, last state, and the gradients of PyTorch's loss by weights, xs and start state."""
    cell, params = imported(case, numbers)
    start, dlast = (state_of(cell, numbers, what) for what in ("state", "dlast"))

    def loss(params: Any, xs: Any, start: Any) -> Any:
        ys, last = rnn.run(cell, params, xs, start)
        ends = zip(flatten(last)[0], flatten(dlast)[0], strict=True)
        return sum((mg.sum(s * d) for s, d in ends), mg.sum(ys * numbers["dys"]))

    return cell, mg.grad(loss, wrt=(0, 1, 2))(params, numbers["xs"], start)


def compare(case: str, precision: str, numbers: dict[str, Any]) -> None:
    cell, params = imported(case, numbers)
    ys, last = rnn.run(cell, params, numbers["xs"], state_of(cell, numbers, "state"))
    same(ys, numbers["ys"], "ys", precision)
    wanted = flatten(state_of(cell, numbers, "last"))[0]
    for k, (found, end) in enumerate(zip(flatten(last)[0], wanted, strict=True)):
        same(found, end, f"last state {k}", precision)
    cell, (by_params, by_xs, by_start) = gradients(case, numbers)
    same(by_xs, numbers["grad xs"], "gradient by xs", precision)
    wanted = flatten(state_of(cell, numbers, "grad state"))[0]
    for k, (found, end) in enumerate(zip(flatten(by_start)[0], wanted, strict=True)):
        same(found, end, f"gradient by start state {k}", precision)
    back = rnn.to_torch(cell, by_params, single=TORCH[case][0].endswith("Cell"))
    for name, wanted in starting(numbers, "grad weight ").items():
        found = back[name]
        if "bias_hh" in name:  # added to bias_ih, so their gradients are the same
            own, found = found, back[name.replace("hh", "ih")].copy()
            if TORCH[case][0].startswith("GRU"):
                found[-len(own) // 3 :] = own[-len(own) // 3 :]
        same(found, wanted, f"gradient by {name}", precision)


@EVERY
@BOTH
def test_outputs_and_all_gradients_are_those_of_pytorch(case, precision):
    compare(case, precision, stored()[f"torch/{case}/{precision}"])


@EVERY
def test_a_live_module_gives_the_stored_numbers_and_ours(case):
    """Where PyTorch is installed: what is stored is not of another version."""
    torch = pytest.importorskip("torch")
    numbers = torch_numbers(case, "float64")
    for name, value in stored()[f"torch/{case}/float64"].items():
        same(numbers[name], value, name, "float64")
    compare(case, "float64", numbers)
    module = getattr(torch.nn, TORCH[case][0])(2, 3, **TORCH[case][1])
    cell, params = rnn.from_torch(module)
    weights = rnn.to_torch(cell, params, single=TORCH[case][0].endswith("Cell"))
    given = {k: torch.tensor(v) for k, v in weights.items()}
    module.load_state_dict(given, strict=TORCH[case][1].get("bias", True))
    assert rnn.from_torch(module).cell == cell


CELLS = [
    rnn.RNNCell(2, 3), rnn.RNNCell(2, 3, activation="relu"), rnn.LSTMCell(2, 3), rnn.GRUCell(2, 3),
    rnn.Projected(rnn.LSTMCell(2, 4), 3),
    rnn.Stack([rnn.Bidirectional(rnn.GRUCell(2, 3)), rnn.Bidirectional(rnn.GRUCell(6, 3))]),
]  # fmt: skip


@pytest.mark.parametrize("cell", CELLS, ids=rnn.kinds.written)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_there_and_back_every_bit_is_the_same(cell, precision):
    rng = np.random.default_rng(0)
    params = tree_map(lambda w: rng.normal(size=w.shape).astype(precision), cell.init(0))
    weights = rnn.to_torch(cell, params)
    again, found = rnn.from_torch(weights, nonlinearity=getattr(cell, "activation", "tanh"))
    assert again == cell
    for name, value in params.named().items():
        assert np.array_equal(found.named()[name], value)
        assert found.named()[name].dtype == precision
    once_more = rnn.to_torch(again, found)
    assert all(np.array_equal(once_more[name], value) for name, value in weights.items())


def test_a_safetensors_file_is_read_and_written(tmp_path):
    cell = rnn.LSTMCell(2, 3)
    weights = rnn.to_torch(cell, cell.init(0))
    weights.save(tmp_path / "w.safetensors")
    again, params = rnn.from_torch(tmp_path / "w.safetensors")
    assert again == cell
    assert np.array_equal(params.W_xf, cell.init(0).W_xf)


def test_a_layer_is_found_in_a_larger_model_by_its_prefix():
    inner = rnn.to_torch(rnn.GRUCell(2, 3), rnn.GRUCell(2, 3).init(0))
    model = {**{f"net.gru.{k}": v for k, v in inner.items()}, "net.fc.weight": np.ones((1, 3))}
    assert rnn.from_torch(model, prefix="net.gru.").cell == rnn.GRUCell(2, 3)
    assert rnn.from_torch(model, prefix="net.gru").cell == rnn.GRUCell(2, 3)
    with pytest.raises(ValueError, match=r"net.gru.weight_ih_l0 is no .*; give prefix='net.gru.'"):
        rnn.from_torch(model)
    with pytest.raises(ValueError, match=r"no key begins with 'lstm.'; there are net.gru"):
        rnn.from_torch(model, prefix="lstm.")


def test_the_receipt_prints_where_each_gate_was():
    cell = rnn.GRUCell(2, 3)
    receipt = rnn.from_torch(rnn.to_torch(cell, cell.init(0))).receipt
    lines = str(receipt).splitlines()
    assert lines[0] == "PyTorch → GRUCell(2, 3)"
    table = {row[0]: row[1:] for row in (re.split(r"\s{2,}", line) for line in lines[2:12])}
    assert table["W_hz"] == ["(3, 3)", "weight_hh_l0[3:6]", "transposed"]
    assert table["b_r"] == ["(3,)", "bias_ih_l0[0:3] + bias_hh_l0[0:3]", "added"]
    assert table["b_n"] == ["(3,)", "bias_ih_l0[6:9]", "as it is"]
    assert table["b_hn"] == ["(3,)", "bias_hh_l0[6:9]", "as it is"]
    assert "· gates side by side in PyTorch: r z n; here r z h̃, each by itself" in lines
    assert "· reset gate after the product: r ⊙ (h W_hn + b_hn)" in lines


def test_swapped_gates_would_be_seen():
    """The comparison is not empty: with f for i, and h for both biases, it fails."""
    numbers = dict(stored()["torch/LSTM/float64"])
    name = "weight weight_ih_l0"
    numbers[name] = numbers[name][[3, 4, 5, 0, 1, 2, *range(6, 12)]]
    with pytest.raises(AssertionError, match="ys: apart by"):
        compare("LSTM", "float64", numbers)
    numbers = dict(stored()["torch/GRU/float64"])
    numbers["grad weight bias_hh_l0"] = numbers["grad weight bias_ih_l0"]
    with pytest.raises(AssertionError, match="gradient by bias_hh_l0: apart by"):
        compare("GRU", "float64", numbers)


def lstm(X: int = 2, H: int = 3) -> Any:
    return dict(rnn.to_torch(rnn.LSTMCell(X, H), rnn.LSTMCell(X, H).init(0)))


def remade(*parts: str) -> Any:
    """What a module has that makes weight_hh_l0 anew at every call, as PyTorch names it."""
    plain = {key: w for key, w in lstm().items() if key != "weight_hh_l0"}
    return {**plain, **dict.fromkeys(parts, np.ones((12, 3)))}


MISTAKES: dict[str, tuple[Any, type[Exception], str]] = {
    "relu or tanh is not said": (
        lambda: rnn.from_torch(rnn.to_torch(rnn.RNNCell(2, 3), rnn.RNNCell(2, 3).init(0))),
        ValueError, "do not say whether it used tanh or relu"),
    "another activation": (
        lambda: rnn.from_torch(rnn.to_torch(rnn.RNNCell(2, 3), rnn.RNNCell(2, 3).init(0)),
                               nonlinearity="gelu"),
        ValueError, "nonlinearity is 'tanh' or 'relu', got 'gelu'"),
    "a bias of another layer": (
        lambda: rnn.from_torch({**lstm(), "bias_hh_l0": np.ones(5)}),
        mg.ShapeError, r"bias_hh_l0 has shape \(5,\), which is none of a layer of 2 inputs and 3"),
    "a file of another kind": (
        lambda: rnn.from_torch(__file__), ValueError, "is not a safetensors file, or only a part"),
    "no cell": (lambda: rnn.to_torch("lstm", {}), TypeError, "to_torch takes a cell, such as"),
    "half a layer": (
        lambda: rnn.from_torch({"weight_ih_l0": np.ones((12, 2))}),
        ValueError, "there is no weight_hh_l0 among weight_ih_l0"),
    "a layer left out": (
        lambda: rnn.from_torch({**lstm(), "weight_ih_l2": np.ones((12, 3))}),
        ValueError, "there is no weight_hh_l1|there is no weight_ih_l1"),
    "weight norm": (
        lambda: rnn.from_torch(remade("weight_hh_l0_g", "weight_hh_l0_v")), ValueError,
        r"part of which weight norm makes weight_hh_l0 .*nn.utils.remove_weight_norm\(module"),
    "spectral norm": (
        lambda: rnn.from_torch(remade("weight_hh_l0_u", "weight_hh_l0_orig")), ValueError,
        r"part of which spectral norm makes weight_hh_l0 .*utils.remove_spectral_norm\(module"),
    "a parametrization": (
        lambda: rnn.from_torch({f"net.{key}": w for key, w in remade(
            "parametrizations.weight_hh_l0.original0", "parametrizations.weight_hh_l0.original1"
        ).items()}, prefix="net"), ValueError,
        r"utils.parametrize.remove_parametrizations\(module, 'weight_hh_l0'\) puts that in"),
    "matrices of no layer": (
        lambda: rnn.from_torch({"weight_ih_l0": np.ones((9, 2)), "weight_hh_l0": np.ones((9, 2))}),
        mg.ShapeError, "are neither an RNN's, an LSTM's nor a GRU's"),
    "matrices of two layers": (
        lambda: rnn.from_torch({**lstm(), "weight_hh_l0": np.ones((8, 2))}),
        mg.ShapeError, "are not those of one layer"),
    "whole numbers": (
        lambda: rnn.from_torch({**lstm(), "bias_ih_l0": np.ones(12, int)}),
        TypeError, r"bias_ih_l0 is of int64.*module.float\(\)"),
    "no weights at all": (
        lambda: rnn.from_torch(3), TypeError, "from_torch takes a module, its state_dict"),
    "the reset gate before": (
        lambda: rnn.to_torch(rnn.GRUCell(2, 3, "before"), rnn.GRUCell(2, 3, "before").init(0)),
        ValueError, "applies its reset gate after the product"),
    "peepholes": (
        lambda: rnn.to_torch(rnn.LSTMCell(2, 3, peepholes=True),
                             rnn.LSTMCell(2, 3, peepholes=True).init(0)),
        ValueError, "nn.LSTM has no peepholes, so w_cf, w_ci and w_co would be lost"),
    "coupled gates": (
        lambda: rnn.to_torch(rnn.CoupledLSTMCell(2, 3), rnn.CoupledLSTMCell(2, 3).init(0)),
        ValueError, "nn.LSTM has no coupled gates"),
    "other activations": (
        lambda: rnn.to_torch(rnn.LSTMCell(2, 3, activation="relu"), rnn.LSTMCell(2, 3).init(0)),
        ValueError, "nn.LSTM has tanh, and σ for gates; it has no LSTMCell"),
    "layers of two sizes": (
        lambda: rnn.to_torch(*(lambda c: (c, c.init(0)))(
            rnn.Stack([rnn.LSTMCell(2, 3), rnn.LSTMCell(3, 4)]))),
        ValueError, "has one size and kind for all its layers, but layer2 is"),
    "an output layer": (
        lambda: rnn.to_torch(rnn.RNNCell(2, 3, 2), rnn.RNNCell(2, 3, 2).init(0)),
        ValueError, "RNNCell with an output layer has no place there"),
    "a cell of its own kind": (
        lambda: rnn.to_torch(rnn.MGUCell(2, 3), rnn.MGUCell(2, 3).init(0)),
        ValueError, "MGUCell has no counterpart there"),
    "a sum of directions": (
        lambda: rnn.to_torch(*(lambda c: (c, c.init(0)))(
            rnn.Bidirectional(rnn.GRUCell(2, 3), merge="sum"))),
        ValueError, "puts its directions side by side, it has no 'sum'"),
    "backward alone": (
        lambda: rnn.to_torch(rnn.Reversed(rnn.GRUCell(2, 3)), rnn.GRUCell(2, 3).init(0)),
        ValueError, "has no direction that runs backward alone"),
    "a single cell of two layers": (
        lambda: rnn.to_torch(*(lambda c: (c, c.init(0)))(
            rnn.Stack([rnn.LSTMCell(2, 3), rnn.LSTMCell(3, 3)])), single=True),
        ValueError, "nn.LSTMCell is one layer in one direction"),
    "parameters of another cell": (
        lambda: rnn.to_torch(rnn.LSTMCell(2, 3), rnn.GRUCell(2, 3).init(0)),
        ValueError, "LSTMCell: missing parameters"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_would_be_lost_is_refused_in_a_sentence(mistake):
    call, kind, told = MISTAKES[mistake]
    with pytest.raises(kind, match=told) as caught:
        call()
    assert type(caught.value) is kind


def test_what_comes_from_pytorch_is_drawn_studied_and_tested():
    cell, params = rnn.from_torch(lstm())
    assert "C⁽ᵗ⁾ = f⁽ᵗ⁾ ⊙ C⁽ᵗ⁻¹⁾ + i⁽ᵗ⁾ ⊙ C̃⁽ᵗ⁾" in str(viz.equations(cell))
    assert "</svg>" in viz.draw(cell).svg()
    assert_law("split and continue", cell)
    assert rnn.run(cell, params, np.ones((4, 1, 2)))[0].shape == (4, 1, 3)
