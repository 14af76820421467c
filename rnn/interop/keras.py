"""Keras: `SimpleRNN`, `LSTM` and `GRU`, in one or both directions, as a layer or its weights.

Its matrices stand as ours do. A GRU keeps z before r; with `reset_after` it has a bias inside of
the reset gate, in the second row of its bias. Keras itself is never imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.errors import ShapeError
from minigrad.extras import needed
from rnn.cell import Cell
from rnn.cells import GRUCell, LSTMCell, RNNCell
from rnn.interop import gates, network
from rnn.interop.libraries import KERAS
from rnn.interop.receipt import Imported, Listed, Receipt, Row
from rnn.kinds import written
from rnn.params import Params

KINDS = {"SimpleRNN": "rnn", "LSTM": "lstm", "GRU": "gru"}
NAMES = {"kernel": "kernel", "recurrent": "recurrent_kernel", "bias": "bias"}


def from_keras(
    source: Any,
    layer: str | None = None,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    merge_mode: str = "concat",
    reset_after: bool | None = None,
) -> Imported:
    """The cell and parameters of a recurrent layer of Keras.

    `cell, params = …` takes the result apart, printing it shows the receipt. Of a layer whose
    weights alone are given, the other arguments say what they do not; they are Keras's defaults.

    Args:
        source: a live layer; the arrays that its `get_weights()` gives, six or four of them for
            both directions; a dictionary of them by name; or the path of a `.weights.h5` file.
        layer: which layer of a file, by a part of its path in it.
        activation: by the name that Keras has for it.
        recurrent_activation: of the gates.
        merge_mode: of both directions.
        reset_after: of a GRU without biases.

    Raises:
        ValueError: something that has no counterpart here; says what.
        ShapeError: arrays that do not fit each other.

    >>> import numpy as np
    >>> cell, params = from_keras([np.ones((3, 15)), np.ones((5, 15)), np.zeros((2, 15))])
    >>> cell
    GRUCell(inputs=3, hidden=5, reset='after', activation='tanh', gate_activation='sigmoid')
    """
    config = _config(source)
    arrays = _arrays(source, layer)
    directions = 2 if len(arrays) in (4, 6) else 1
    each = len(arrays) // directions
    if each not in (2, 3):
        raise ValueError(
            f"from_keras: {len(arrays)} arrays; a recurrent layer has a kernel, a recurrent kernel "
            "and a bias, for each of its directions"
        )
    asked: dict[str, Any] = {"activation": activation, "recurrent_activation": recurrent_activation}
    if reset_after is not None:
        asked["reset_after"] = reset_after
    told_by_layer = bool(config)
    cells, params, rows, told = [], [], [], []
    for k in range(directions):
        own = {**asked, **(config[k] if config else {})}
        path = ("forward", "backward")[k] if directions > 1 else ""
        kind, blocks = _blocks(arrays[k * each : (k + 1) * each])
        cell = _cell(kind, blocks, own, arrays[k * each : (k + 1) * each])
        found, more = gates.taken_apart(KERAS, kind, blocks, cell, path)
        cells.append(cell)
        params.append(Params(found))
        rows += more
        told += [note for note in _told(own) if note not in told]
    told = [*gates.notes(KERAS, kind, cells[0], rows), *told]
    if not told_by_layer:
        told.append(
            f"weights alone do not say activations: {activation} and {recurrent_activation} assumed"
        )
    merge = getattr(source, "merge_mode", merge_mode)
    if directions > 1 and merge is None:
        raise ValueError("from_keras: merge_mode=None gives two outputs, a cell gives one")
    cell, named = network.beside(cells, params, merge)
    title = f"Keras → {written(cell)}"
    return Imported(cell, named, Receipt(title, tuple(rows), tuple(told)))


def to_keras(cell: Cell, params: Any) -> Listed:
    """The arrays that `layer.set_weights` of Keras's layer for a cell takes.

    Those of the layers of a `Stack` follow each other, as `Sequential` takes them. The layer is
    made with the sizes and options of the cell: `print(weights.receipt)` says which.

    Raises:
        ValueError: Keras has no place for something that this cell does; says for what.

    >>> import rnn
    >>> cell = rnn.LSTMCell(3, 5)
    >>> [array.shape for array in to_keras(cell, cell.init(0))]
    [(3, 20), (5, 20), (20,)]
    """
    named = network.values("to_keras", cell, params)
    arrays: list[Any] = []
    rows: list[Row] = []
    told: list[str] = []
    for layer in network.layers(cell):
        if layer.is_backward:
            raise ValueError(
                "to_keras: go_backwards gives its outputs last step first; take Bidirectional, or "
                "turn the sequence yourself and convert the cell inside of Reversed"
            )
        for path, side in layer.sides:
            kind = network.kind_of("to_keras", side)
            options = _options(side, kind)
            blocks, more = gates.put_together(KERAS, kind, side, named, NAMES_TWO, path)
            after = "b_hn" in side.parameters()
            bias = np.stack([blocks.bias, blocks.recurrent_bias]) if after else blocks.bias
            arrays += [np.array(a, order="C") for a in (blocks.kernel, blocks.recurrent, bias)]
            rows += [row if after else row._replace(done="as it is") for row in more]
            told += gates.notes(KERAS, kind, side)
            told.append(f"{path}{': ' if path else ''}made by {options}")
        if len(layer.sides) > 1:
            told.append(f"both directions by Bidirectional(…, merge_mode={layer.merge!r})")
    notes = tuple(dict.fromkeys(told))
    return Listed(arrays, Receipt(f"{written(cell)} → Keras", tuple(rows), notes))


NAMES_TWO = {**NAMES, "bias": "bias[0]", "recurrent_bias": "bias[1]"}
"""With two rows of biases, as `reset_after` has them."""


def _config(source: Any, turns: bool = False) -> list[dict[str, Any]]:
    """What a live layer says of itself, for each of its directions; `turns` if it is to go back."""
    if not hasattr(source, "get_config"):
        return []
    name = type(source).__name__
    if name == "Bidirectional":
        return [*_config(source.forward_layer), *_config(source.backward_layer, turns=True)]
    if name not in KINDS:
        raise ValueError(
            f"from_keras: {name} is none of {', '.join(KINDS)} and Bidirectional; of a model, give "
            "each of its recurrent layers by itself"
        )
    config = dict(source.get_config())
    if bool(config.get("go_backwards")) is not turns:
        raise ValueError(
            "from_keras: go_backwards gives its outputs last step first, a cell at their own steps"
        )
    return [config]


def _arrays(source: Any, layer: str | None) -> list[Any]:
    if isinstance(source, str | Path):
        given: Any = _of_file(source, layer)
    elif hasattr(source, "get_weights"):
        given = source.get_weights()
    else:
        given = source
    if isinstance(given, Mapping):
        given = _ordered(given)
    if not isinstance(given, Sequence) or not given:
        raise TypeError(
            "from_keras takes a layer, the list that its get_weights() gives, a dictionary of "
            f"arrays, or the path of a .weights.h5 file, got {type(source).__name__}"
        )
    arrays = [np.asarray(array) for array in given]
    for array in arrays:
        if array.dtype.kind != "f":
            raise TypeError(f"from_keras: an array of {array.dtype}, wanted floats")
    return arrays


def _ordered(named: Mapping[str, Any]) -> list[Any]:
    """The arrays of a dictionary in the order of `get_weights`, forward before backward."""
    order = ("kernel", "recurrent_kernel", "bias")
    found: dict[tuple[bool, int], Any] = {}
    for key, value in named.items():
        name = key.replace(":0", "").replace(".", "/").rpartition("/")[2]
        if name not in order:
            raise ValueError(f"from_keras: {key} is none of {', '.join(order)}")
        found["backward" in key, order.index(name)] = value
    return [found[place] for place in sorted(found)]


def _of_file(path: str | Path, layer: str | None) -> list[Any]:
    """The arrays of the one layer of a file, or of the one that is asked for."""
    library = needed("h5py", "interop", "reading Keras's weights files")
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no weights file {str(path)!r}")
    found: dict[str, dict[str, Any]] = {}
    try:
        with library.File(path, "r") as file:

            def visit(name: str, item: Any) -> None:
                owner, _, number = name.rpartition("/")
                if owner.endswith("cell/vars") and isinstance(item, library.Dataset):
                    found.setdefault(owner.removesuffix("/cell/vars"), {})[number] = np.array(item)

            file.visititems(visit)
    except OSError as error:
        raise ValueError(f"{str(path)!r} is not a weights file of Keras ({error})") from None
    sides: dict[str, list[Any]] = {}
    for owner in sorted(found, key=lambda name: (name.rpartition("/")[0], "backward" in name)):
        both = owner.endswith(("forward_layer", "backward_layer"))
        arrays = [value for _, value in sorted(found[owner].items())]
        sides.setdefault(owner.rpartition("/")[0] if both else owner, []).extend(arrays)
    chosen = [name for name in sides if layer is None or layer in name.split("/") or layer == name]
    if len(chosen) != 1:
        which = f"no layer {layer!r}" if layer and not chosen else f"{len(chosen)} recurrent layers"
        raise ValueError(
            f"{str(path)!r} has {which}; say layer= one of {', '.join(sorted(sides)) or 'none'}"
        )
    return sides[chosen[0]]


def _blocks(arrays: Sequence[Any]) -> tuple[str, gates.Blocks]:
    """The kind of a layer by the shapes of its arrays, and the arrays."""
    kernel, recurrent, *rest = arrays
    bias = rest[0] if rest else None
    told = f"a kernel of shape {kernel.shape} and a recurrent kernel of shape {recurrent.shape}"
    kinds = {count: kind for kind, count in gates.GATES.items()}
    fits = kernel.ndim == recurrent.ndim == 2 and kernel.shape[1] == recurrent.shape[1]
    H = recurrent.shape[0]
    if not fits or not H or kernel.shape[1] % H or kernel.shape[1] // H not in kinds:
        raise ShapeError(f"from_keras: {told} are neither a SimpleRNN's, an LSTM's nor a GRU's")
    kind = kinds[kernel.shape[1] // H]
    shapes = [(kernel.shape[1],), (2, kernel.shape[1])][: 2 if kind == "gru" else 1]
    if bias is not None and bias.shape not in shapes:
        raise ShapeError(f"from_keras: a bias of shape {bias.shape} beside {told}")
    blocks = gates.Blocks(kernel, recurrent, bias, names=NAMES)
    if bias is not None and bias.ndim == 2:
        blocks = gates.Blocks(kernel, recurrent, bias[0], bias[1], names=NAMES_TWO)
    return kind, gates.fitting("from_keras", kind, blocks)


def _cell(kind: str, blocks: gates.Blocks, own: Mapping[str, Any], arrays: Sequence[Any]) -> Cell:
    X, H = blocks.kernel.shape[0], blocks.recurrent.shape[0]
    phi = _activation(own["activation"])
    if kind == "rnn":
        return RNNCell(X, H, activation=phi)
    sigma = _activation(own["recurrent_activation"])
    if kind == "lstm":
        return LSTMCell(X, H, activation=phi, gate_activation=sigma)
    after = own.get("reset_after")
    if len(arrays) == 3:
        after = arrays[2].ndim == 2
    if after is None:
        raise ValueError(
            "from_keras: a GRU without biases does not say where its reset gate acts; give "
            "reset_after=True, Keras's default, or False"
        )
    return GRUCell(X, H, "after" if after else "before", phi, sigma)


def _activation(given: Any) -> str:
    name = str(given or "linear")
    if name not in KERAS.activations:
        raise ValueError(
            f"from_keras: activation {name!r} has no counterpart here; there are "
            f"{', '.join(KERAS.activations)}"
        )
    return KERAS.activations[name]


def _told(config: Mapping[str, Any]) -> list[str]:
    """What a layer does beside its weights, and how it is done here."""
    told = []
    for name, way in (("dropout", "rnn.Dropout"), ("recurrent_dropout", "rnn.RecurrentDropout")):
        if config.get(name):
            told.append(f"{name} {config[name]} acts in training alone: {way} does it")
    if config and config.get("return_sequences") is False:
        told.append("return_sequences=False: the last of the outputs, ys[-1]")
    return told


def _options(side: Cell, kind: str) -> str:
    """The layer to put the arrays into, if there is one."""
    what = {"rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}[kind]
    if type(side) not in (RNNCell, LSTMCell, GRUCell):
        raise ValueError(f"to_keras: {what} has no counterpart of {side.label}")
    if getattr(side, "peepholes", False):
        raise ValueError("to_keras: LSTM has no peepholes, so w_cf, w_ci and w_co would be lost")
    chosen = {"activation": getattr(side, "activation", None)}
    if kind != "rnn":
        chosen["recurrent_activation"] = getattr(side, "gate_activation", None)
    for name in chosen.values():
        if name not in KERAS.ours:
            raise ValueError(
                f"to_keras: Keras has no activation {name!r}; of ours it has "
                f"{', '.join(KERAS.ours)}"
            )
    defaults = {"activation": "tanh", "recurrent_activation": "sigmoid"}
    told = [f"{k}={KERAS.ours[str(v)]!r}" for k, v in chosen.items() if v != defaults[k]]
    told += ["reset_after=False"] if getattr(side, "reset", "after") == "before" else []
    return f"{what}({', '.join([str(network.sizes_of(side)[0]), *told])})"
