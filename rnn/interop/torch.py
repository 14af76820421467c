"""PyTorch: `nn.RNN`, `nn.LSTM`, `nn.GRU` and their single cells, as a module or a `state_dict`.

A gate there is σ(W_ih x + b_ih + W_hh h + b_hh). The two biases are one here, but for the candidate
of a GRU, whose b_hn stands inside of the reset gate. PyTorch itself is never imported.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.errors import ShapeError
from minigrad.extras import needed
from rnn.cell import Cell
from rnn.cells import GRUCell, LSTMCell, RNNCell
from rnn.interop import gates, network
from rnn.interop.libraries import TORCH
from rnn.interop.receipt import Imported, Named, Receipt, Row
from rnn.kinds import written
from rnn.params import Params
from rnn.wrappers.projected import Projected

KEY = re.compile(r"(weight|bias)_(ih|hh|hr)(?:_l(\d+)(_reverse)?)?")
REMADE = re.compile(r"(?:.+\.)?(?:parametrizations\.(\w+)\..+|((?:weight|bias)_\w+)_(g|v|u|orig))")
"""What a weight is made of, not a weight: `weight_hh_l0_g`, `parametrizations.weight_hh_l0.…`."""
FIELDS = {
    "kernel": "weight_ih", "recurrent": "weight_hh", "bias": "bias_ih",
    "recurrent_bias": "bias_hh", "projection": "weight_hr",
}  # fmt: skip


def from_torch(source: Any, prefix: str = "", nonlinearity: str | None = None) -> Imported:
    """The cell and parameters of a recurrent module of PyTorch.

    `cell, params = …` takes the result apart, printing it shows the receipt. Layers become a
    `Stack`, two directions a `Bidirectional`, `proj_size` a `Projected`. Sequences are time first
    here, whatever `batch_first` said.

    Args:
        source: a live module; its `state_dict()`, of tensors or arrays; or the path of a
            safetensors file with one.
        prefix: what stands in front of its keys in the `state_dict` of a larger model: "net.gru.",
            or "net.gru".
        nonlinearity: "tanh" or "relu" of an `nn.RNN` whose weights alone are given.

    Raises:
        ValueError: keys that are no recurrent module's, or too few of them; says which.
        ShapeError: arrays that do not fit each other.

    >>> import numpy as np
    >>> weights = {"weight_ih_l0": np.ones((20, 3)), "weight_hh_l0": np.ones((20, 5)),
    ...            "bias_ih_l0": np.ones(20), "bias_hh_l0": np.zeros(20)}
    >>> cell, params = from_torch(weights)
    >>> cell.label, params.W_xf.shape
    ('LSTMCell', (3, 5))
    """
    nonlinearity = getattr(source, "nonlinearity", nonlinearity)
    prefix, arrays = _arrays(source, prefix)
    names: dict[tuple[int, bool], dict[str, str]] = {}
    for key in arrays:
        match = KEY.fullmatch(key)
        if match is None:
            raise ValueError(_stranger(key, prefix, arrays))
        place = (int(match[3] or 0), bool(match[4]))
        field = next(f for f, name in FIELDS.items() if name == f"{match[1]}_{match[2]}")
        names.setdefault(place, {})[field] = key
    count = 1 + max((layer for layer, _ in names), default=0)
    sides = (False, True) if any(back for _, back in names) else (False,)
    wanted = [(layer, back) for layer in range(count) for back in sides]
    for layer, back in wanted:
        missing = {"kernel", "recurrent"} - set(names.get((layer, back), {}))
        if missing:
            key = f"{FIELDS[sorted(missing)[0]]}_l{layer}{'_reverse' * back}"
            raise ValueError(f"from_torch: there is no {prefix}{key} among {', '.join(arrays)}")
    kinds = {place: _kind(arrays, names[place]) for place in wanted}
    if len(set(kinds.values())) > 1:
        raise ValueError(f"from_torch: layers of several kinds, {', '.join(kinds.values())}")
    kind = kinds[0, False]
    if kind == "rnn" and nonlinearity is None:
        raise ValueError(
            "from_torch: the weights of an nn.RNN do not say whether it used tanh or relu; "
            "give the module itself, or nonlinearity='tanh'"
        )
    if kind == "rnn" and nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"from_torch: nonlinearity is 'tanh' or 'relu', got {nonlinearity!r}")
    made: list[Cell] = []
    params: list[Params] = []
    rows: list[Row] = []
    for layer in range(count):
        cells, own = [], []
        for back in sides:
            blocks = gates.fitting("from_torch", kind, _blocks(arrays, names[layer, back]))
            cell = _cell(kind, blocks, nonlinearity)
            path = f"layer{layer + 1}" * (count > 1)
            if len(sides) > 1:
                path += "." * bool(path) + ("backward" if back else "forward")
            found, more = gates.taken_apart(TORCH, kind, blocks, cell, path)
            cells.append(cell)
            own.append(Params(found))
            rows += more
        both, both_params = network.beside(cells, own)
        made.append(both)
        params.append(both_params)
    cell, named = network.stacked(made, params)
    told = gates.notes(TORCH, kind, _first(cell), rows)
    if getattr(source, "dropout", 0):
        told.append(f"dropout {source.dropout} between layers has no weights: rnn.Dropout does it")
    if getattr(source, "batch_first", False):
        told.append("batch_first: here time comes first, xs is (T, B, X)")
    title = f"PyTorch → {written(cell)}"
    return Imported(cell, named, Receipt(title, tuple(rows), tuple(told)))


def to_torch(cell: Cell, params: Any, single: bool = False) -> Named:
    """The `state_dict` of PyTorch's module for a cell, as arrays.

    `module.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})` puts it
    into one; `weights.save(path)` writes a safetensors file, `print(weights.receipt)` the table.

    Args:
        cell: an `RNNCell`, `LSTMCell` or `GRUCell`, also `Projected`, both directions, or a
            `Stack` of them, all alike.
        params: of the cell.
        single: names of `nn.LSTMCell` in place of those of `nn.LSTM`.

    Raises:
        ValueError: PyTorch has no place for something that this cell does; says for what.

    >>> import rnn
    >>> cell = rnn.GRUCell(3, 5)
    >>> list(to_torch(cell, cell.init(0)))
    ['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0']
    """
    named = network.values("to_torch", cell, params)
    kind = _refused(cell, single)
    arrays: dict[str, Any] = {}
    rows: list[Row] = []
    for k, layer in enumerate(network.layers(cell)):
        for (path, side), back in zip(layer.sides, (False, True), strict=False):
            suffix = "" if single else f"_l{k}{'_reverse' * back}"
            names = {field: name + suffix for field, name in FIELDS.items()}
            blocks, told = gates.put_together(TORCH, kind, side, named, names, path)
            rows += told
            for field, name in names.items():
                value = getattr(blocks, field)
                if value is not None:
                    arrays[name] = np.array(value.T, order="C")
    title = f"{written(cell)} → PyTorch"
    return Named(arrays, Receipt(title, tuple(rows), tuple(gates.notes(TORCH, kind, _first(cell)))))


def _arrays(source: Any, prefix: str) -> tuple[str, dict[str, Any]]:
    """The prefix, with its dot, and the entries behind it, as arrays."""
    if isinstance(source, str | Path):
        library = needed("safetensors.numpy", "interop", "reading safetensors")
        try:
            known = library.load_file(source)
        except needed("safetensors", "interop", "reading safetensors").SafetensorError as error:
            raise ValueError(
                f"{str(source)!r} is not a safetensors file, or only a part of one ({error})"
            ) from None
    else:
        known = source.state_dict() if hasattr(source, "state_dict") else source
    if not isinstance(known, Mapping):
        raise TypeError(
            "from_torch takes a module, its state_dict, or the path of a safetensors file, got "
            f"{type(source).__name__}"
        )
    if any(key.startswith(f"{prefix}.") for key in known):
        prefix += "."
    found = {key[len(prefix) :]: value for key, value in known.items() if key.startswith(prefix)}
    if not found:
        raise ValueError(
            f"from_torch: no key begins with {prefix!r}; there are {', '.join(known) or 'none'}"
        )
    arrays = {}
    for key, value in found.items():
        is_tensor = hasattr(value, "detach") and hasattr(value, "cpu")
        try:
            arrays[key] = np.asarray(value.detach().cpu().numpy() if is_tensor else value)
        except TypeError:
            arrays[key] = np.empty(0, object)  # such as bfloat16
        if arrays[key].dtype.kind != "f":
            kind = getattr(value, "dtype", type(value).__name__)
            raise TypeError(
                f"from_torch: {prefix}{key} is of {kind}, which NumPy has no floats for; convert "
                "it first: module.float()"
            )
    return prefix, arrays


def _stranger(key: str, prefix: str, known: Collection[str]) -> str:
    if (made := REMADE.fullmatch(key)) is not None:
        weight = made[1] or made[2]
        is_spectral = any(other.endswith(f"{weight}_orig") for other in known)
        norm = "spectral" if is_spectral else "weight"
        what = "a parametrization" if made[1] else f"{norm} norm"
        undo = "parametrize.remove_parametrizations" if made[1] else f"remove_{norm}_norm"
        return (
            f"from_torch: {prefix}{key} is a part of which {what} makes {weight} at every call, "
            f"not the weight itself; torch.nn.utils.{undo}(module, {weight!r}) puts that in its "
            "place"
        )
    inside = key.rpartition(".")[0]
    way = f"give prefix='{prefix}{inside}.'" if inside else "it belongs to another module"
    return f"from_torch: {prefix}{key} is no weight of an RNN, LSTM or GRU; {way}"


def _kind(arrays: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The kind of a layer, by the shapes of its matrices."""
    W, R = arrays[names["kernel"]], arrays[names["recurrent"]]
    told = f"{names['kernel']} of shape {W.shape} and {names['recurrent']} of shape {R.shape}"
    if W.ndim != 2 or R.ndim != 2 or len(W) != len(R):
        raise ShapeError(f"from_torch: {told} are not those of one layer")
    units = R.shape[1]
    if "projection" in names:
        units = arrays[names["projection"]].shape[-1]
    for kind, count in gates.GATES.items():
        if units and len(W) == count * units:
            return kind
    raise ShapeError(f"from_torch: {told} are neither an RNN's, an LSTM's nor a GRU's")


def _blocks(arrays: Mapping[str, Any], names: Mapping[str, str]) -> gates.Blocks:
    return gates.Blocks(**{field: arrays[key].T for field, key in names.items()}, names=names)


def _cell(kind: str, blocks: gates.Blocks, nonlinearity: str | None) -> Cell:
    X, width = blocks.kernel.shape
    H = width // gates.GATES[kind]
    if kind == "rnn":
        return RNNCell(X, H, activation=str(nonlinearity))
    if kind == "gru":
        return GRUCell(X, H)
    cell = LSTMCell(X, H)
    return cell if blocks.projection is None else Projected(cell, blocks.projection.shape[1])


def _refused(cell: Cell, single: bool) -> str:
    """The kind of a network, if PyTorch has all that it does."""
    layers = network.layers(cell)
    first = layers[0].sides[0][1]
    kind = network.kind_of("to_torch", first)
    what = f"to_torch: nn.{kind.upper()}"
    width = first.width * len(layers[0].sides)
    for k, layer in enumerate(layers):
        if layer.merge != "concat":
            raise ValueError(f"{what} puts its directions side by side, it has no {layer.merge!r}")
        if layer.is_backward:
            raise ValueError(f"{what} has no direction that runs backward alone")
        if single and (len(layers) > 1 or len(layer.sides) > 1):
            raise ValueError(f"{what}Cell is one layer in one direction")
        for path, side in layer.sides:
            alike = network.kind_of("to_torch", side) == kind
            sized = network.sizes_of(side) == network.sizes_of(first)
            of_width = side.inputs == (first.inputs if not k else width)
            if not (alike and sized and of_width and type(side) is type(first)) or len(
                layer.sides
            ) != len(layers[0].sides):
                raise ValueError(
                    f"{what} has one size and kind for all its layers, but {path} is "
                    f"{side}; convert layer by layer"
                )
            _plain(what, side, kind)
            if side != first and getattr(side, "activation", 0) != getattr(first, "activation", 0):
                raise ValueError(f"{what} has one activation for all its layers, {path} another")
    if single and isinstance(first, Projected):
        raise ValueError(f"{what}Cell has no projection")
    return kind


def _plain(what: str, side: Cell, kind: str) -> None:
    """Raise if a single cell does what PyTorch's does not."""
    inner = side.cell if isinstance(side, Projected) else side
    if isinstance(side, Projected) and type(inner) is not LSTMCell:
        raise ValueError(f"{what} has no projection; nn.LSTM has")
    if type(inner) is not LSTMCell and kind == "lstm":
        raise ValueError(f"{what} has no coupled gates")
    if getattr(inner, "peepholes", False):
        raise ValueError(f"{what} has no peepholes, so w_cf, w_ci and w_co would be lost")
    if getattr(inner, "reset", "after") != "after":
        raise ValueError(
            f"{what} applies its reset gate after the product, r ⊙ (h W_hn + b_hn); "
            "GRUCell(reset='before') gives other numbers there"
        )
    allowed = ("tanh", "relu") if kind == "rnn" else ("tanh",)
    activation = getattr(inner, "activation", None)
    if activation not in allowed or getattr(inner, "gate_activation", "sigmoid") != "sigmoid":
        raise ValueError(
            f"{what} has {' or '.join(allowed)}{', and σ for gates' * (kind != 'rnn')}; "
            f"it has no {side}"
        )


def _first(cell: Cell) -> Cell:
    return network.layers(cell)[0].sides[0][1]
