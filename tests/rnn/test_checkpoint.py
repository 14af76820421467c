"""What is saved comes back bit for bit, or the old file is still there."""

from __future__ import annotations

import errno
import os
import pathlib
import sys
import tracemalloc
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.tree import flatten
from rnn import checkpoint, seal
from rnn.checkpoint import CheckpointError
from rnn.kinds import EXAMPLES
from tests.rnn import damage
from tests.rnn.damage import parts, whole

CELLS = [
    *EXAMPLES,
    rnn.LSTMCell(3, 5, forget_bias=2.0, peepholes=True),
    rnn.RNNCell(3, 5, 2, ("hidden-to-hidden", "output-to-output"), "relu", "sigmoid"),
    rnn.Stack([rnn.Bidirectional(rnn.LSTMCell(3, 2), rnn.GRUCell(3, 4)), rnn.Dense(6, 2, "tanh")]),
    rnn.Stack([rnn.Stack([rnn.RNNCell(3, 4)]), rnn.LSTMCell(np.int64(4), 2)]),
]


def same(a: Any, b: Any) -> bool:
    """Equal in structure, classes, dtypes and bits."""
    (left, tree), (right, other) = flatten(a), flatten(b)
    return tree == other and all(
        type(x) is type(y)
        and (x.dtype == y.dtype and x.tobytes() == y.tobytes() and x.shape == y.shape
             if isinstance(x, np.ndarray) else x == y)
        for x, y in zip(left, right, strict=True)
    )  # fmt: skip


@pytest.mark.parametrize("cell", CELLS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_cell_and_its_parameters_come_back(cell: Any, dtype: Any, tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    params = cell.init(1, dtype)
    checkpoint.save(file, params, cell)
    loaded, again, metadata = checkpoint.load(file)
    assert again == cell
    assert same(loaded, params)
    assert metadata == {}
    xs = np.ones((4, 2, 3), dtype)
    assert same(rnn.run(again, loaded, xs), rnn.run(cell, params, xs))


ARRAYS = st.sampled_from(
    [np.arange(6.0).reshape(2, 3).T, np.array(2.5), np.zeros((0, 3)), np.array([True, False]),
     np.array([1, 2], np.int64), np.array([np.nan, np.inf, -0.0], np.float32)]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_any_nested_metadata_comes_back_with_its_types(value: Any) -> None:
    arrays: dict[str, Any] = {}
    told = checkpoint._encode({"value": value}, "metadata", arrays)
    assert same(checkpoint._decode(told, arrays), {"value": value})


def test_extras_come_back_from_the_file(tmp_path: Path) -> None:
    file, cell = tmp_path / "run", rnn.Dense(2, 2)
    rng = np.random.default_rng(7)
    extras = {
        "state": ((np.ones((2, 3)),), ()),
        "rng": rng.bit_generator.state,
        "nested": [1, (2.5, None), {"x": np.arange(3)}],
        "nested.2": {"x": np.arange(4)},
    }
    checkpoint.save(file, cell.init(), cell, **extras)
    metadata = checkpoint.load(file)[2]
    assert same(metadata, extras)
    other = np.random.default_rng()
    other.bit_generator.state = metadata["rng"]
    assert other.random() == rng.random()


def test_weights_are_readable_by_name_without_this_library(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    cell = rnn.Stack([rnn.LSTMCell(2, 3), rnn.Dense(3, 2)])
    params = cell.init(0)
    checkpoint.save(tmp_path / "weights", params, cell)
    assert same(load_file(tmp_path / "weights")["layer1.W_xf"], params.layer1.W_xf)


def test_a_cell_of_ones_own_comes_back_once_it_is_defined(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Leaky(rnn.Cell):
        inputs: int
        decay: float

    assert checkpoint.rebuild(checkpoint.describe(Leaky(3, 0.5))) == Leaky(3, 0.5)


def test_a_cell_of_ones_own_may_have_the_name_of_another() -> None:
    """Of the library's, and of one in another module; what was saved without a module is found."""
    ours = rnn.Dense(3, 2)

    @dataclass(frozen=True)
    class Dense(rnn.Cell):
        inputs: int

    def elsewhere() -> Any:
        return dataclass(frozen=True)(
            type("Dense", (rnn.Cell,), {"__annotations__": {"inputs": int}, "__module__": "other"})
        )

    other = elsewhere()
    for cell in (ours, Dense(3), other(3)):
        assert type(checkpoint.rebuild(checkpoint.describe(cell))) is type(cell)
    assert checkpoint.describe(ours)["class"] == "Dense"
    moved = {**checkpoint.describe(Dense(3)), "class": "__main__:Dense"}
    assert type(checkpoint.rebuild(moved)) in (Dense, other)


# --- all or nothing ------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["fsync", "replace"])
@pytest.mark.parametrize("trouble", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_what_stops_a_save_leaves_the_old_file_and_nothing_else(
    moment: str, trouble: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, cell = tmp_path / "weights", rnn.Dense(2, 2)
    checkpoint.save(file, cell.init(1), cell, step=1)

    def stop(*args: Any) -> None:
        raise trouble

    with monkeypatch.context() as patch:
        patch.setattr(os, moment, stop)
        with pytest.raises(type(trouble)) as caught:
            checkpoint.save(file, cell.init(2), cell, step=2)
    if isinstance(trouble, OSError):
        assert str(caught.value) == f"[Errno 28] No space left: {str(file)!r}"
    assert list(tmp_path.iterdir()) == [file]
    params, _, metadata = checkpoint.load(file)
    assert metadata == {"step": 1}
    assert same(params, cell.init(1))


# --- a file that was changed ---------------------------------------------------------------------

NETWORK = rnn.Stack([rnn.LSTMCell(3, 4), rnn.GRUCell(4, 4), rnn.Dense(4, 3)])
EXTRAS = {"vocabulary": "abc", "state": NETWORK.start(2), "step": 7, "nested": [1, {"x": 2.5}]}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file that nothing happened to."""
    file = tmp_path_factory.mktemp("good") / "weights"
    checkpoint.save(file, NETWORK.init(0), NETWORK, **EXTRAS)
    return file.read_bytes()


@pytest.mark.parametrize("change", damage.CHANGES)
@given(random=st.randoms(use_true_random=False))
def test_a_changed_file_is_told_or_holds_what_was_saved(
    change: Any, good: bytes, random: Random
) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, "weights.safetensors")
        file.write_bytes(change(good, random))
        try:
            params, cell, extras = checkpoint.load(file)
        except CheckpointError as error:
            assert str(error).startswith(repr(str(file)))  # noqa: PT017  # both ways are right
        else:
            assert cell == NETWORK
            assert same((params, extras), (NETWORK.init(0), EXTRAS))


@pytest.mark.parametrize("change", damage.WELL_FORMED)
@given(random=st.randoms(use_true_random=False))
def test_a_forged_checksum_makes_no_network_that_cannot_run(
    change: Any, good: bytes, random: Random
) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, "weights.safetensors")
        file.write_bytes(damage.sealed(change(good, random)))
        with suppress(CheckpointError):
            params, cell, _ = checkpoint.load(file)
            ys, _ = rnn.run(cell, params, np.ones((2, 1, cell.inputs)))
            assert not np.isnan(ys).any()


def test_a_file_without_a_checksum_is_loaded_with_a_warning_if_it_fits(tmp_path: Path) -> None:
    """Files of the first version had none, those of the second another one."""
    file, cell = tmp_path / "weights", rnn.Dense(2, 2)
    checkpoint.save(file, cell.init(1), cell)
    header, numbers = parts(file.read_bytes())
    del header["__metadata__"][seal.KEY]
    file.write_bytes(whole(header, numbers))
    with pytest.raises(CheckpointError, match="was changed after it was written"):
        checkpoint.load(file)
    for old in checkpoint.OLD_FORMATS:
        header["__metadata__"]["format"] = old
        file.write_bytes(whole(header, numbers))
        with pytest.warns(UserWarning, match=r"weights' was written by an .* save it again"):
            assert same(checkpoint.load(file)[0], cell.init(1))
    header["W"], header["b"] = header["b"], header["W"]
    file.write_bytes(whole(header, numbers))
    with (
        pytest.warns(UserWarning, match="written by an earlier version"),
        pytest.raises(
            CheckpointError, match=r"holds no network: Dense: W has shape \(2,\), wanted"
        ),
    ):
        checkpoint.load(file)


def test_loading_takes_no_more_memory_than_twice_the_file(tmp_path: Path) -> None:
    file, cell = tmp_path / "weights", rnn.Dense(300, 400)
    checkpoint.save(file, cell.init(), cell)
    tracemalloc.start()
    try:
        checkpoint.load(file)
        assert tracemalloc.get_traced_memory()[1] < 2 * file.stat().st_size
    finally:
        tracemalloc.stop()


def test_numbers_of_any_order_of_bytes_are_saved_and_strange_ones_told(tmp_path: Path) -> None:
    file, cell = tmp_path / "weights", rnn.Dense(2, 2)
    checkpoint.save(file, cell.init(dtype=">f8"), cell)
    assert same(checkpoint.load(file)[0], cell.init())
    for strange in (np.longdouble([1]), np.array([1j]), np.array(["x"]), np.array([None])):
        with pytest.raises(TypeError, match=rf"metadata\.a is an array of {strange.dtype}; only"):
            checkpoint.save(file, cell.init(), cell, a=strange)


def test_parameters_of_another_cell_and_not_finite_ones_are_not_saved(tmp_path: Path) -> None:
    cell = rnn.Dense(2, 2)
    with pytest.raises(ValueError, match=r"Dense: missing parameters W, b"):
        checkpoint.save(tmp_path / "w", {}, cell)
    with pytest.raises(ValueError, match=r"Dense: W has shape \(3, 2\), wanted \(2, 2\)"):
        checkpoint.save(tmp_path / "w", rnn.Dense(3, 2).init(), cell)
    params = cell.init()
    params["b"][1] = np.nan
    with pytest.raises(ValueError, match="Dense: b has entries that are not finite"):
        checkpoint.save(tmp_path / "w", params, cell)
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_file_is_told_at_every_length(tmp_path: Path) -> None:
    file, cell = tmp_path / "weights", rnn.Dense(2, 2)
    checkpoint.save(file, cell.init(), cell)
    whole = file.read_bytes()
    for size in range(0, len(whole), 17):
        file.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"or (is )?only a part of"):
            checkpoint.load(file)


# --- what goes wrong -----------------------------------------------------------------------------


def test_a_missing_file_and_a_missing_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no weights file '.*nothing'"):
        checkpoint.load(tmp_path / "nothing")
    cell = rnn.Dense(2, 2)
    with pytest.raises(FileNotFoundError, match=r"there is no folder '.*nowhere' to write w into"):
        checkpoint.save(tmp_path / "nowhere" / "w", cell.init(), cell)


def test_a_file_of_somebody_else_is_told(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"W": np.ones(2)}, tmp_path / "other")
    with pytest.raises(
        ValueError, match=r"not written by rnn\.checkpoint\.save: its format is None"
    ):
        checkpoint.load(tmp_path / "other")


def test_no_permission_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, cell = tmp_path / "weights", rnn.Dense(2, 2)
    checkpoint.save(file, cell.init(), cell)

    def refuse(path: Path, *args: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(pathlib.Path, "open", refuse)
    message = f"[Errno 13] Permission denied: {str(file)!r}"
    for attempt in (
        lambda: checkpoint.load(file),
        lambda: checkpoint.save(file, cell.init(), cell),
    ):
        with pytest.raises(PermissionError) as caught:
            attempt()
        assert str(caught.value) == message


def test_an_unknown_cell_and_changed_fields_are_told() -> None:
    with pytest.raises(ValueError, match="the cell class 'Wonder' is not known here; import"):
        checkpoint.rebuild({"class": "Wonder", "inputs": 2})
    with pytest.raises(ValueError, match=r"Dense has other fields here: .*'colour'"):
        checkpoint.rebuild({"class": "Dense", "inputs": 2, "colour": "red"})


def test_what_cannot_be_saved_is_told_by_its_place(tmp_path: Path) -> None:
    cell = rnn.Dense(2, 2)
    with pytest.raises(TypeError, match=r"checkpoint: metadata\.a\.1 is a function; only numbers"):
        checkpoint.save(tmp_path / "w", cell.init(), cell, a=[1, lambda: 2])
    with pytest.raises(TypeError, match=r"keys must be strings, metadata\.a has the key 1"):
        checkpoint.save(tmp_path / "w", cell.init(), cell, a={1: 2})


def test_without_safetensors_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match=r'needs safetensors: pip install -e "\.\[train\]" in'):
        checkpoint.load("anything")


def test_an_activation_may_have_any_name_that_the_operation_has() -> None:
    """As in files that were saved before `abs` got NumPy's name."""
    saved = {"class": "Dense", "inputs": 3, "outputs": 2, "activation": "abs"}
    assert checkpoint.rebuild(saved) == rnn.Dense(3, 2, mg.absolute)
