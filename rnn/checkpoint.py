"""Saving a network, and whatever a run needs to go on, in one safetensors file.

Arrays are tensors of the file, parameters under their own names (`layer1.W_xh`), so any other
program can read them. The rest is JSON in the file's metadata: the cell as its class and its
fields, and what else was saved, in which a tensor of the file stands where an array was. There is
no pickle: loading a file cannot run code. Writing is all or nothing, and a checksum (`rnn.seal`)
tells at loading, before anything is made of a file, that every bit is the one that was written.
"""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from minigrad import files
from minigrad.extras import needed
from rnn import checks, seal
from rnn.cell import Cell
from rnn.params import Params

FORMAT = "minigrad 3"
OLD_FORMATS = ("minigrad 1", "minigrad 2")
"""Of files without a checksum, or with one that is read no more."""


class CheckpointError(ValueError):
    """A file that is not, or no longer, what was saved; the message begins with its name."""


def save(path: str | Path, params: Mapping[str, Any], cell: Cell, **metadata: Any) -> None:
    """Write parameters, the cell they belong to and named extras to a file, atomically.

    The new file is complete on the disk before it takes the old one's place, so a crash at any
    moment leaves one or the other.

    Args:
        path: of the file to write or replace.
        params: from `cell.init`, in any precision.
        cell: any cell whose fields are numbers, strings, cells, or tuples of them.
        metadata: anything made of dictionaries, lists, tuples, numbers, strings and arrays: the
            vocabulary, an optimiser's state, the step, a random generator's state.

    Raises:
        OSError: the folder is missing, full or not writable; an old file is unharmed.
        TypeError: metadata holds something else; the message says where.
        ValueError: the parameters are not those of the cell, or not finite.

    >>> import rnn, tempfile
    >>> cell = rnn.Stack([rnn.LSTMCell(3, 5), rnn.Dense(5, 3)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/weights.safetensors", cell.init(0), cell, step=7)
    ...     params, same, metadata = load(f"{folder}/weights.safetensors")
    >>> same == cell, metadata
    (True, {'step': 7})
    """
    safetensors = _library()
    arrays: dict[str, Any] = {}
    header = {
        "format": FORMAT,
        "cell": json.dumps(describe(cell)),
        "params": json.dumps(_encode(params, "", arrays)),
        "metadata": json.dumps(_encode(metadata, "metadata", arrays)),
        seal.KEY: seal.BLANK,
    }
    _check(cell, params)
    files.write(path, seal.sealed(safetensors.numpy.save(arrays, header)))


def load(path: str | Path) -> tuple[Params, Cell, dict[str, Any]]:
    """The `(params, cell, metadata)` that were saved, bit for bit.

    A file of an older version is loaded with a warning if its parameters are those of its cell.

    Raises:
        OSError: there is no such file, or it may not be read.
        CheckpointError: the file is not whole, was changed, was not written by `save`, or holds a
            cell whose class is not known here.
    """
    safetensors, path = _library(), Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no weights file {str(path)!r}")
    _check_seal(path)
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            header = file.metadata()
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no dict
    except (safetensors.SafetensorError, TypeError, AttributeError) as error:  # or unknown dtypes
        raise CheckpointError(_broken(path, error)) from None
    try:
        cell = rebuild(json.loads(header["cell"]))
        params = _decode(json.loads(header["params"]), arrays)
        metadata = _decode(json.loads(header["metadata"]), arrays)
        _check(cell, params)
    except Exception as error:  # whatever a file of somebody else may hold
        told = error if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise CheckpointError(f"{str(path)!r} holds no network: {told}") from error
    return params, cell, metadata


def _check(cell: Cell, params: Mapping[str, Any]) -> None:
    """Refuse parameters that are not those of the cell, or not finite."""
    checks.parameters("checkpoint", cell, params)
    for name, value in Params(params).named().items():
        if not np.all(np.isfinite(value)):
            raise ValueError(f"{cell.label}: {name} has entries that are not finite")


def _check_seal(path: Path) -> None:
    """Refuse a file that is not, or no longer, what `save` wrote."""
    try:
        kind, is_whole = seal.examined(path)
    except ValueError as error:
        raise CheckpointError(_broken(path, error)) from None
    if kind not in (FORMAT, *OLD_FORMATS):
        raise CheckpointError(
            f"{str(path)!r} was not written by rnn.checkpoint.save: its format is {kind!r:.40}, "
            f"wanted {FORMAT!r}"
        )
    if is_whole is None and kind in OLD_FORMATS:
        warnings.warn(
            f"{str(path)!r} was written by an earlier version, so nothing tells whether its "
            "numbers were changed; save it again to give it a checksum",
            stacklevel=3,
        )
    elif not is_whole:
        raise CheckpointError(
            f"{str(path)!r} was changed after it was written, or is only a part of it: its "
            "checksum is another one; take a copy of it, or train again"
        )


def _broken(path: Path, error: Exception) -> str:
    return f"{str(path)!r} is not a safetensors file, or only a part of one ({error})"


# --- cells as data ------------------------------------------------------------------------------


def describe(cell: Cell) -> dict[str, Any]:
    """A cell as its class and fields, nested cells too: what JSON can hold.

    >>> import rnn
    >>> describe(rnn.Dense(5, 3))
    {'class': 'Dense', 'inputs': 5, 'outputs': 3, 'activation': None}
    """

    def tell(value: Any) -> Any:
        if isinstance(value, Cell):
            return describe(value)
        if isinstance(value, list | tuple):
            return [tell(item) for item in value]
        return value.item() if isinstance(value, np.generic) else value

    if not dataclasses.is_dataclass(cell):
        raise TypeError(f"{cell!r} cannot be saved: a cell is a dataclass of sizes")
    fields = {field.name: tell(getattr(cell, field.name)) for field in dataclasses.fields(cell)}
    kind = type(cell)
    own = "" if _is_ours(kind) else f"{kind.__module__}:"
    return {"class": f"{own}{kind.__name__}", **fields}


def rebuild(description: Mapping[str, Any]) -> Cell:
    """The cell that `describe` told of.

    Cells of your own are found by the name of their class, once their module is imported; of
    several with one name it is that of the module in which it was described, or the last.

    >>> rebuild({"class": "Dense", "inputs": 5, "outputs": 3})
    Dense(inputs=5, outputs=3, activation=None)
    """

    def make(value: Any) -> Any:
        if isinstance(value, Mapping):
            return rebuild(value)
        return tuple(map(make, value)) if isinstance(value, list) else value

    fields = {key: make(value) for key, value in description.items() if key != "class"}
    module, _, name = description["class"].rpartition(":")

    def likely(kind: type[Cell]) -> bool:
        """Whether it is where the class was; a script of one's own may have another name now."""
        return kind.__module__ == module if module else _is_ours(kind)

    # The last one wins: a notebook that runs a class's definition again makes a second class.
    known = {kind.__name__: kind for kind in sorted(_subclasses(Cell), key=likely)}
    if name not in known:
        raise ValueError(
            f"the cell class {name!r} is not known here; import the module that defines it first. "
            f"Known are {', '.join(sorted(known))}"
        )
    try:
        return known[name](**fields)
    except TypeError as error:
        raise ValueError(f"{name} has other fields here: {error}") from None


def _is_ours(kind: type[Cell]) -> bool:
    """Whether it is a cell of the library, whose name says enough."""
    return kind.__module__.partition(".")[0] == "rnn"


def _subclasses(kind: type[Cell]) -> Iterator[type[Cell]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from _subclasses(sub)


# --- trees as JSON, with arrays beside it -------------------------------------------------------


def _encode(value: Any, path: str, arrays: dict[str, Any]) -> Any:
    """JSON for a value; arrays go into `arrays` by their dotted path."""
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"checkpoint: keys must be strings, {path} has the key {key!r}")
        kind = "params" if isinstance(value, Params) else "dict"
        items = {key: _encode(item, _join(path, key), arrays) for key, item in value.items()}
        return {kind: items}
    if isinstance(value, list | tuple):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_encode(item, _join(path, k), arrays) for k, item in enumerate(value)]}
    if isinstance(value, np.ndarray | np.generic):
        while path in arrays:  # a key with a dot in it can spell another's path
            path += "'"
        if value.dtype.kind not in "biuf" or value.itemsize > 8:
            raise TypeError(
                f"checkpoint: {path} is an array of {value.dtype}; only numbers of at most 64 bits "
                "are saved, and no complex ones"
            )
        arrays[path] = np.array(value, value.dtype.newbyteorder("="), order="C")
        return {"array": path}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"checkpoint: {path} is a {type(value).__name__}; only numbers, strings, arrays, and "
        "dictionaries, lists and tuples of them are saved"
    )


def _decode(value: Any, arrays: Mapping[str, Any]) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "array":
        return arrays[content]
    if kind in ("params", "dict"):
        entries = {key: _decode(item, arrays) for key, item in content.items()}
        return Params(entries) if kind == "params" else entries
    items = [_decode(item, arrays) for item in content]
    return tuple(items) if kind == "tuple" else items


def _join(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _library() -> Any:
    library = needed("safetensors", "train", "saving and loading weights")
    import_module("safetensors.numpy")
    return library
