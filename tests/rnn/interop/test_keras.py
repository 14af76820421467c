"""Weights of Keras give Keras's numbers here, and go back as they came."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.tree import flatten, tree_map
from rnn.kinds import written
from tests.rnn.interop.cases import KERAS, SINGLE
from tests.rnn.interop.make_reference import PRECISIONS, keras_numbers
from tests.rnn.interop.reading import same, starting, stored

EVERY = pytest.mark.parametrize("case", KERAS)


def asked(case: str) -> dict[str, Any]:
    """What the weights of a case alone do not say."""
    _, options, merge = KERAS[case]
    chosen = {k: v for k, v in options.items() if k.endswith("activation") or k == "reset_after"}
    if KERAS[case][0] == "GRU":
        chosen.setdefault("reset_after", True)
    return {**chosen, **({"merge_mode": merge} if merge else {})}


def in_order(numbers: dict[str, Any], what: str) -> list[Any]:
    found = starting(numbers, what)
    return [found[key] for key in sorted(found, key=int)]


def compare(case: str, precision: str, numbers: dict[str, Any]) -> None:
    cell, params = rnn.from_keras(in_order(numbers, "weight "), **asked(case))
    tree = flatten(cell.edges())[1]
    start, last, dlast = (
        tree.unflatten(in_order(numbers, what)) for what in ("state ", "last ", "dlast ")
    )

    def loss(params: Any, xs: Any, start: Any) -> Any:
        ys, ends = rnn.run(cell, params, xs, start)
        weighed = zip(flatten(ends)[0], flatten(dlast)[0], strict=True)
        return sum((mg.sum(s * d) for s, d in weighed), mg.sum(ys * numbers["dys"]))

    ys, ends = rnn.run(cell, params, numbers["xs"], start)
    same(ys, numbers["ys"], "ys", precision)
    for k, (a, b) in enumerate(zip(flatten(ends)[0], flatten(last)[0], strict=True)):
        same(a, b, f"last state {k}", precision)
    by_params, by_xs, by_start = mg.grad(loss, wrt=(0, 1, 2))(params, numbers["xs"], start)
    same(by_xs, numbers["grad xs"], "gradient by xs", precision)
    for k, (a, b) in enumerate(
        zip(flatten(by_start)[0], in_order(numbers, "grad state "), strict=True)
    ):
        same(a, b, f"gradient by start state {k}", precision)
    wanted = in_order(numbers, "grad weight ")
    back = rnn.to_keras(cell, by_params)
    directions = 2 if KERAS[case][2] else 1
    each, given = len(back) // directions, len(wanted) // directions  # biases may not be there
    for d in range(directions):
        for k in range(given):
            found = back[d * each + k]
            if found.shape[0] == 2 and k == 2:  # two biases that are added but for the candidate
                H = found.shape[1] // 3
                found[1, : 2 * H] = found[0, : 2 * H]
            same(found, wanted[d * given + k], f"gradient by weight {d}, {k}", precision)


@pytest.mark.parametrize("name", [name for name in stored() if name.startswith("keras/")])
def test_outputs_and_all_gradients_are_those_of_keras(name):
    _, case, precision = name.split("/")
    compare(case, precision, stored()[name])


def test_every_case_is_stored_in_both_precisions_or_says_why_not():
    known = {f"keras/{case}/{precision}" for case in KERAS for precision in PRECISIONS}
    assert known - set(stored()) == {f"{case}/float64" for case in SINGLE}


# Keras 3.15 over PyTorch asks a tensor for an array in a way of which NumPy warns.
keras_may_warn = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@keras_may_warn
@EVERY
def test_a_live_layer_gives_the_stored_numbers_and_ours(case, monkeypatch):
    """Where Keras is installed, with PyTorch under it."""
    pytest.importorskip("torch")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    precision = "float32" if f"keras/{case}" in SINGLE else "float64"
    numbers = keras_numbers(case, precision)
    for name, value in stored()[f"keras/{case}/{precision}"].items():
        same(numbers[name], value, name, precision)
    compare(case, precision, numbers)
    kind, options, merge = KERAS[case]
    layer = getattr(keras.layers, kind)(3, **options)
    layer = keras.layers.Bidirectional(layer, merge) if merge else layer
    layer.build((2, 3, 2))
    cell, params = rnn.from_keras(layer)
    alone, _ = rnn.from_keras(layer.get_weights(), **asked(case))
    assert cell == alone
    if options.get("use_bias", True):
        layer.set_weights(rnn.to_keras(cell, params))
    assert rnn.from_keras(layer).cell == cell


CELLS = [
    rnn.RNNCell(2, 3), rnn.LSTMCell(2, 3), rnn.GRUCell(2, 3), rnn.GRUCell(2, 3, "before"),
    rnn.Bidirectional(rnn.GRUCell(2, 3)), rnn.Bidirectional(rnn.LSTMCell(2, 3)),
]  # fmt: skip


@pytest.mark.parametrize("cell", CELLS, ids=written)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_there_and_back_every_bit_is_the_same(cell, precision):
    rng = np.random.default_rng(0)
    params = tree_map(lambda w: rng.normal(size=w.shape).astype(precision), cell.init(0))
    weights = rnn.to_keras(cell, params)
    again, found = rnn.from_keras(weights)
    assert again == cell
    for name, value in params.named().items():
        assert np.array_equal(found.named()[name], value)
        assert found.named()[name].dtype == precision
    assert all(
        np.array_equal(a, b) for a, b in zip(rnn.to_keras(again, found), weights, strict=True)
    )


def test_arrays_are_found_by_their_names_too():
    cell = rnn.Bidirectional(rnn.GRUCell(2, 3))
    arrays = rnn.to_keras(cell, cell.init(0))
    names = [
        f"bidirectional/{side}_gru/gru_cell/{name}:0"
        for side in ("forward", "backward") for name in ("kernel", "recurrent_kernel", "bias")
    ]  # fmt: skip
    turned = dict(reversed(list(zip(names, arrays, strict=True))))
    again, params = rnn.from_keras(turned)
    assert again == cell
    assert np.array_equal(params.backward.W_xz, cell.init(0).backward.W_xz)


def write_h5(path: Any, layers: dict[str, list[Any]]) -> None:
    """A weights file as Keras 3 lays it out."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for owner, arrays in layers.items():
            for k, array in enumerate(arrays):
                file[f"layers/{owner}/cell/vars/{k}"] = array
        file["layers/dense/vars/0"] = np.ones((3, 1))


def test_a_layer_is_read_from_a_weights_file(tmp_path):
    both, one = rnn.Bidirectional(rnn.LSTMCell(2, 3)), rnn.GRUCell(6, 2, "before")
    first, second = rnn.to_keras(both, both.init(0)), rnn.to_keras(one, one.init(1))
    path = tmp_path / "model.weights.h5"
    write_h5(path, {
        "bidirectional/backward_layer": first[3:], "bidirectional/forward_layer": first[:3],
        "gru": second,
    })  # fmt: skip
    again, params = rnn.from_keras(path, layer="bidirectional")
    assert again == both
    assert np.array_equal(params.forward.W_xf, both.init(0).forward.W_xf)
    assert rnn.from_keras(path, layer="gru").cell == one
    with pytest.raises(ValueError, match="2 recurrent layers; say layer= one of layers/bidir"):
        rnn.from_keras(path)
    with pytest.raises(ValueError, match=r"has no layer 'lstm'"):
        rnn.from_keras(path, layer="lstm")
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="is not a weights file of Keras"):
        rnn.from_keras(path)
    with pytest.raises(FileNotFoundError, match="there is no weights file"):
        rnn.from_keras(tmp_path / "none.weights.h5")


@keras_may_warn
def test_a_file_that_keras_writes_is_read(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    model = keras.Sequential([
        keras.layers.Input((4, 2)),
        keras.layers.Bidirectional(keras.layers.LSTM(3, return_sequences=True)),
        keras.layers.GRU(2), keras.layers.Dense(1),
    ])  # fmt: skip
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    for index, name in enumerate(("bidirectional", "gru")):
        params = rnn.from_keras(path, layer=name).params.named()
        wanted = rnn.from_keras(model.layers[index]).params.named()
        assert all(np.array_equal(params[n], w) for n, w in wanted.items())


def test_the_receipt_prints_where_each_gate_was_and_which_layer_to_make():
    cell = rnn.GRUCell(2, 3, activation="relu")
    lines = str(rnn.to_keras(cell, cell.init(0)).receipt).splitlines()
    assert lines[0] == "GRUCell(2, 3, activation='relu') → Keras"
    assert "W_xr  (2, 3)  kernel[:, 3:6]            as it is" in lines
    assert "b_hn  (3,)    bias[1][6:9]              as it is" in lines
    assert "· gates side by side in Keras: z r h; here z r h̃, each by itself" in lines
    assert "· made by GRU(3, activation='relu')" in lines
    before = rnn.GRUCell(2, 3, "before")
    assert "· made by GRU(3, reset_after=False)" in str(
        rnn.to_keras(before, before.init(0)).receipt
    )


def test_swapped_gates_would_be_seen():
    numbers = dict(stored()["keras/GRU/float64"])
    numbers["weight 0"] = numbers["weight 0"][:, [3, 4, 5, 0, 1, 2, 6, 7, 8]]
    with pytest.raises(AssertionError, match="ys: apart by"):
        compare("GRU", "float64", numbers)


class Conv1D:
    """A layer of another kind."""

    def get_config(self) -> dict[str, Any]:
        return {}


class LSTM:
    """What is read of a live layer, where Keras is not there to make one."""

    def __init__(self, cell: rnn.Cell, **config: Any) -> None:
        self.arrays = rnn.to_keras(cell, cell.init(0))
        self.config = {"activation": "relu", "recurrent_activation": "sigmoid", **config}

    def get_config(self) -> dict[str, Any]:
        return self.config

    def get_weights(self) -> list[Any]:
        return self.arrays


class Bidirectional:
    """Two layers, the second of which goes backwards."""

    merge_mode = "sum"

    def __init__(self, forward: LSTM, backward: LSTM) -> None:
        self.forward_layer, self.backward_layer = forward, backward

    get_config = Conv1D.get_config

    def get_weights(self) -> list[Any]:
        return [*self.forward_layer.get_weights(), *self.backward_layer.get_weights()]


def test_a_layer_says_itself_what_its_weights_do_not():
    side = rnn.LSTMCell(2, 3, activation="relu")
    both = Bidirectional(
        LSTM(side, dropout=0.5, return_sequences=False), LSTM(side, go_backwards=True)
    )
    found = rnn.from_keras(both)
    assert found.cell == rnn.Bidirectional(side, merge="sum")
    assert "· dropout 0.5 acts in training alone: rnn.Dropout does it" in str(found)
    assert "· return_sequences=False: the last of the outputs, ys[-1]" in str(found)
    assert "assumed" not in str(found)


def of(cell: rnn.Cell) -> Any:
    return lambda: rnn.to_keras(cell, cell.init(0))


MISTAKES: dict[str, tuple[Any, type[Exception], str]] = {
    "a layer of another kind": (
        lambda: rnn.from_keras(Conv1D()), ValueError, "Conv1D is none of SimpleRNN, LSTM, GRU"),
    "a layer that goes backwards": (
        lambda: rnn.from_keras(LSTM(rnn.LSTMCell(2, 3), go_backwards=True)),
        ValueError, "go_backwards gives its outputs last step first"),
    "two outputs": (
        lambda: rnn.from_keras(rnn.to_keras(rnn.Bidirectional(rnn.GRUCell(2, 3)),
                                            rnn.Bidirectional(rnn.GRUCell(2, 3)).init(0)),
                               merge_mode=None),
        ValueError, "merge_mode=None gives two outputs"),
    "no reset place": (
        lambda: rnn.from_keras([np.ones((2, 9)), np.ones((3, 9))]),
        ValueError, "does not say where its reset gate acts; give reset_after=True"),
    "an activation of its own": (
        lambda: rnn.from_keras([np.ones((2, 3)), np.ones((3, 3))], activation="selu"),
        ValueError, "activation 'selu' has no counterpart here; there are tanh"),
    "too many arrays": (
        lambda: rnn.from_keras([np.ones((2, 3))] * 5), ValueError, "5 arrays; a recurrent layer"),
    "matrices of no layer": (
        lambda: rnn.from_keras([np.ones((2, 5)), np.ones((3, 5))]),
        mg.ShapeError, "are neither a SimpleRNN's, an LSTM's nor a GRU's"),
    "a bias of another shape": (
        lambda: rnn.from_keras([np.ones((2, 12)), np.ones((3, 12)), np.ones((2, 12))]),
        mg.ShapeError, r"a bias of shape \(2, 12\) beside"),
    "whole numbers": (
        lambda: rnn.from_keras([np.ones((2, 3), int), np.ones((3, 3))]),
        TypeError, "an array of int64, wanted floats"),
    "unknown names": (
        lambda: rnn.from_keras({"kernel": np.ones((2, 3)), "depthwise": np.ones(3)}),
        ValueError, "depthwise is none of kernel, recurrent_kernel, bias"),
    "no weights at all": (lambda: rnn.from_keras(3), TypeError, "from_keras takes a layer"),
    "peepholes": (of(rnn.LSTMCell(2, 3, peepholes=True)), ValueError, "LSTM has no peepholes"),
    "a projection": (
        of(rnn.Projected(rnn.LSTMCell(2, 3), 2)), ValueError, "no counterpart of Projected"),
    "coupled gates": (of(rnn.CoupledLSTMCell(2, 3)), ValueError, "counterpart of CoupledLSTMCell"),
    "backward alone": (of(rnn.Reversed(rnn.GRUCell(2, 3))), ValueError, "go_backwards gives its"),
    "an activation that it has not": (
        of(rnn.GRUCell(2, 3, activation="sin")), ValueError, "Keras has no activation 'sin'"),
    "a dense layer": (of(rnn.Dense(2, 3)), ValueError, "Dense has no counterpart there"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_would_be_lost_is_refused_in_a_sentence(mistake):
    call, kind, told = MISTAKES[mistake]
    with pytest.raises(kind, match=told) as caught:
        call()
    assert type(caught.value) is kind
