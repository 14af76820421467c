"""A network as its layers, of kinds that other libraries have; and layers as one network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from minigrad.core import Tensor
from rnn import checks
from rnn.cell import Cell
from rnn.cells import GRUCell, LSTMCell, RNNCell
from rnn.compose import Bidirectional, Reversed, Stack
from rnn.gated import CoupledLSTMCell
from rnn.params import Params
from rnn.wrappers.projected import Projected
from rnn.wrappers.wrapper import must_be_cell


class Layer(NamedTuple):
    """One layer of a network: its path, its cells by path, and how their outputs are merged."""

    path: str
    sides: tuple[tuple[str, Cell], ...]
    merge: str = "concat"
    is_backward: bool = False


def layers(cell: Cell) -> list[Layer]:
    """The layers of a network, from the bottom up, each with its one or two directions."""
    found = []
    for path, layer in (cell.parts() if isinstance(cell, Stack) else {"": cell}).items():
        if isinstance(layer, Bidirectional):
            inner = tuple((joined(path, name), side) for name, side in layer.parts().items())
            found.append(Layer(path, inner, layer.merge))
        elif isinstance(layer, Reversed):
            found.append(Layer(path, ((path, layer.cell),), is_backward=True))
        else:
            found.append(Layer(path, ((path, layer),)))
    return found


def beside(
    cells: Sequence[Cell], params: Sequence[Params], merge: str = "concat"
) -> tuple[Cell, Params]:
    """One direction as it is, or both as one cell, and its parameters."""
    if len(cells) == 1:
        return cells[0], params[0]
    return Bidirectional(cells[0], cells[1], merge), Params(forward=params[0], backward=params[1])


def stacked(cells: Sequence[Cell], params: Sequence[Params]) -> tuple[Cell, Params]:
    """One layer as it is, or several as one cell, and its parameters."""
    if len(cells) == 1:
        return cells[0], params[0]
    return Stack(cells), Params((f"layer{k}", own) for k, own in enumerate(params, 1))


def values(where: str, cell: Cell, params: Any) -> dict[str, Any]:
    """The parameters of a cell as arrays by path, checked by name and shape."""
    must_be_cell(where, cell)
    arrays = checks.parameters(where, cell, params)
    paths = cell.init(0).named()
    plain = (value.data if isinstance(value, Tensor) else value for value in arrays)
    return dict(zip(paths, plain, strict=True))


def kind_of(where: str, cell: Cell) -> str:
    """The kind of a cell: "rnn", "lstm" or "gru".

    Raises:
        ValueError: it is something that no other library has.
    """
    inner = cell.cell if isinstance(cell, Projected) else cell
    if type(inner) is RNNCell:
        if inner.outputs is None and inner.recurrence == ("hidden-to-hidden",):
            return "rnn"
        raise ValueError(
            f"{where}: {cell.label} with an output layer has no place there; take "
            "RNNCell(inputs, hidden), and convert the Dense layer behind it by itself"
        )
    if type(inner) in (LSTMCell, CoupledLSTMCell):
        return "lstm"
    if type(inner) is GRUCell:
        return "gru"
    raise ValueError(f"{where}: {cell.label} has no counterpart there; RNN, LSTM and GRU layers do")


def sizes_of(cell: Cell) -> tuple[int, int]:
    """The number of units H, and of columns R that come back."""
    if isinstance(cell, Projected):
        return cell.units, cell.outputs
    H = int(getattr(cell, "hidden"))  # noqa: B009  # every cell that has a kind
    return H, H


def joined(path: str, name: str) -> str:
    """The path of what has that name in the cell at a path."""
    return f"{path}.{name}" if path else name
