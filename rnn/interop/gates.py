"""The gates of a layer: side by side in one matrix, as libraries keep them, or each by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.errors import ShapeError
from rnn.cell import Cell
from rnn.cells import GRUCell
from rnn.gated import CoupledLSTMCell
from rnn.interop.libraries import Library
from rnn.interop.network import joined, sizes_of
from rnn.interop.receipt import Row
from rnn.wrappers.projected import Projected

GATES = {"rnn": 1, "gru": 3, "lstm": 4}


@dataclass(frozen=True)
class Blocks:
    """The arrays of one layer in one direction, turned so that a row of x meets them from the left.

    Attributes:
        kernel: `(X, G·H)`, G gates side by side.
        recurrent: `(R, G·H)`; R is H unless there is a projection.
        bias, recurrent_bias: `(G·H,)`, or None.
        peepholes: `(3·H,)`, or None.
        projection: `(H, R)`, or None.
        names: what the library calls each, by these names.
    """

    kernel: Any
    recurrent: Any
    bias: Any = None
    recurrent_bias: Any = None
    peepholes: Any = None
    projection: Any = None
    names: Mapping[str, str] | None = None


def fitting(where: str, kind: str, blocks: Blocks) -> Blocks:
    """The arrays, if they are those of one layer.

    Raises:
        ShapeError: one of them has another shape than the others ask for.
    """
    X, width = blocks.kernel.shape
    H = width // GATES[kind]
    R = H if blocks.projection is None else blocks.projection.shape[-1]
    wanted = {
        "kernel": (X, GATES[kind] * H), "recurrent": (R, width), "bias": (width,),
        "recurrent_bias": (width,), "peepholes": (3 * H,), "projection": (H, R),
    }  # fmt: skip
    for field, shape in wanted.items():
        array = getattr(blocks, field)
        if array is not None and array.shape != shape:
            name = (blocks.names or {}).get(field, field)
            raise ShapeError(
                f"{where}: {name} has shape {array.T.shape}, which is none of a layer of {X} "
                f"inputs and {H} units"
            )
    return blocks


def taken_apart(
    library: Library, kind: str, blocks: Blocks, cell: Cell, path: str
) -> tuple[dict[str, Any], list[Row]]:
    """The parameters of a cell out of a library's arrays, and what became of each."""
    H, _ = sizes_of(cell)
    wanted = cell.parameters()
    found: dict[str, Any] = {}
    rows = []
    for name, init in wanted.items():
        found[name], theirs, done = _out_of(library, kind, blocks, name, H, init.shape, wanted)
        rows.append(Row(joined(path, name), init.shape, theirs, done))
    return {name: np.array(value, order="C") for name, value in found.items()}, rows


def _out_of(
    library: Library, kind: str, blocks: Blocks, name: str, H: int, shape: Any, wanted: Any
) -> tuple[Any, str, str]:
    names, turned = blocks.names or {}, "transposed" if library.is_turned else "as it is"
    if name == "W_hr" and blocks.projection is not None:  # a GRU's W_hr is that of its gate r
        return blocks.projection, names["projection"], turned
    k = library.orders[kind].find(name[-1])
    at = slice(k * H, (k + 1) * H)
    span = f"[{at.start}:{at.stop}]" if library.is_turned else f"[:, {at.start}:{at.stop}]"
    if name.startswith("W_x"):
        return blocks.kernel[:, at], names["kernel"] + span, turned
    if name.startswith("W_h"):
        return blocks.recurrent[:, at], names["recurrent"] + span, turned
    if name.startswith("w_c"):
        p = library.peepholes.index(name[-1])
        own = slice(p * H, (p + 1) * H)
        return blocks.peepholes[own], f"{names['peepholes']}[{own.start}:{own.stop}]", "as it is"
    if name == "b_hn":
        used = [("recurrent_bias", blocks.recurrent_bias)]
    elif "b_hn" in wanted and name == "b_n":
        used = [("bias", blocks.bias)]
    else:
        used = [("bias", blocks.bias), ("recurrent_bias", blocks.recurrent_bias)]
    used = [(which, array) for which, array in used if array is not None]
    if not used:
        return np.zeros(shape, blocks.kernel.dtype), "–", "no bias there: zeros"
    total = used[0][1][at]
    for _, array in used[1:]:
        total = total + array[at]
    told = " + ".join(f"{names[which]}[{at.start}:{at.stop}]" for which, _ in used)
    return total, told, "added" if len(used) > 1 else "as it is"


def put_together(
    library: Library,
    kind: str,
    cell: Cell,
    named: Mapping[str, Any],
    names: Mapping[str, str],
    path: str,
) -> tuple[Blocks, list[Row]]:
    """A library's arrays out of the parameters of the cell at a path, and where each went."""
    H, _ = sizes_of(cell)
    order = library.orders[kind]
    inner = cell.cell if isinstance(cell, Projected) else cell
    params = {name: named[joined(path, name)] for name in cell.parameters()}
    if isinstance(inner, CoupledLSTMCell):
        # The forget gate of f = 1 − i is not read; were it, σ(−z) = 1 − σ(z) makes it the same.
        params |= {f"{name[:-1]}f": -params[name] for name in list(params) if name[-1] == "i"}
    kernel, recurrent, bias = (
        np.concatenate([params[prefix + g] for g in order], axis=-1)
        for prefix in ("W_x", "W_h", "b_")
    )
    recurrent_bias = np.zeros_like(bias)
    if "b_hn" in params:
        k = order.index("n")
        recurrent_bias[k * H : (k + 1) * H] = params["b_hn"]
    peepholes = None
    if "w_co" in params:
        peepholes = np.concatenate([params[f"w_c{g}"] for g in library.peepholes])
    blocks = Blocks(
        kernel, recurrent, bias, recurrent_bias, peepholes,
        params["W_hr"] if isinstance(cell, Projected) else None, names,
    )  # fmt: skip
    # The way back says where each stands now, so what a receipt says is what is done.
    _, rows = taken_apart(library, kind, blocks, cell, path)
    plain = "b_hn" in params
    told = [
        row._replace(theirs=row.theirs.partition(" + ")[0], done="the other bias is zero")
        if row.done == "added" or (plain and row.ours.endswith("b_n"))
        else row
        for row in rows
    ]
    return blocks, told


def notes(library: Library, kind: str, cell: Cell, rows: Sequence[Row] = ()) -> list[str]:
    """The permutation of the gates, where the reset gate acts, and what of two biases became."""
    told = []
    if kind != "rnn":
        theirs = library.letters[kind]
        mine = " ".join({"c": "C̃", "n": "h̃"}.get(g, g) for g in library.orders[kind])
        told.append(f"gates side by side in {library.name}: {theirs}; here {mine}, each by itself")
    if isinstance(cell, GRUCell):
        product = "r ⊙ (h W_hn + b_hn)" if cell.reset == "after" else "(r ⊙ h) W_hn"
        told.append(f"reset gate {cell.reset} the product: {product}")
    if any(row.done == "added" for row in rows):
        told.append(
            "two biases that are added are one here; a step of training moves it once, there twice"
        )
    return told
