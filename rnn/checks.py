"""What somebody gave, checked where it has a name: numbers, and what a cell is run on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.core import Tensor
from minigrad.errors import ShapeError
from minigrad.habits import unmasked
from minigrad.tree import flatten
from rnn.cell import Cell, state_paths


def whole(where: str, name: str, value: Any, least: int = 1, most: int | None = None) -> None:
    """Raise unless a value is a whole number, and neither too small nor too large.

    >>> whole("train", "steps", 2.5)
    Traceback (most recent call last):
    ValueError: train: steps must be a whole number ≥ 1, got 2.5
    """
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or value < least or (most is not None and value > most):
        span = f"≥ {least}" if most is None else f"from {least} to {most:,}"
        raise ValueError(f"{where}: {name} must be a whole number {span}, got {value!r:.60}")


def number(where: str, name: str, value: Any) -> None:
    """Raise unless a value is a number that is finite and not negative.

    >>> number("Recipe", "rate", float("nan"))
    Traceback (most recent call last):
    ValueError: Recipe: rate must be a number ≥ 0 and finite, got nan
    """
    real = isinstance(value, int | float | np.integer | np.floating)
    if isinstance(value, bool) or not real or not 0 <= value < np.inf:
        raise ValueError(f"{where}: {name} must be a number ≥ 0 and finite, got {value!r}")


def sequence(cell: Cell, xs: Any) -> tuple[Any, bool]:
    """xs checked, and whether it holds class indices."""
    if not isinstance(xs, Tensor | np.ndarray):
        raise TypeError(
            f"run: xs must be an array or a tensor of shape (T, B, X), got {type(xs).__name__}; "
            "np.asarray(xs) makes one, minigrad.stack joins a list of tensors"
        )
    unmasked(xs, "run: xs")
    wanted = f"{cell.label} takes xs of shape (T, B, {cell.inputs})"
    kind = xs.dtype.kind
    if kind in "iu" and xs.ndim == 2:
        return xs, True
    if kind in "iub" and xs.ndim == 3:
        xs = xs.astype(float)
    elif kind != "f":
        raise TypeError(f"run: xs has dtype {xs.dtype}; {wanted}, floats or class indices (T, B)")
    if xs.ndim == 2 and xs.shape[1] == cell.inputs:
        raise ShapeError(
            f"run: xs has shape {xs.shape}, {wanted}; "
            f"for one sample write xs[:, None, :], of shape ({xs.shape[0]}, 1, {xs.shape[1]})"
        )
    if xs.ndim != 3 or xs.shape[2] != cell.inputs:
        hint = ""
        if xs.ndim == 3 and cell.inputs in xs.shape:
            hint = "; time comes first, the columns last: np.moveaxis can put them there"
        elif xs.ndim == 2:
            hint = "; class indices (T, B) must be integers: xs.astype(int)"
        raise ShapeError(f"run: xs has shape {xs.shape}, {wanted}{hint}")
    if not xs.shape[1]:
        raise ShapeError(f"run: xs has shape {xs.shape}; there must be one sample at least")
    return xs, False


def classes(cell: Cell, xs: Any) -> None:
    """Raise unless class indices `(T, B)` are among those of the cell's inputs."""
    values = xs._data if type(xs) is Tensor else xs
    wrong = np.argwhere((values < 0) | (values >= cell.inputs))
    if len(wrong):
        t, b = wrong[0]
        raise ValueError(
            f"run: class index {values[t, b]} at t = {t + 1}, sample {b} is outside "
            f"0 … {cell.inputs - 1}"
        )


def parameters(where: str, cell: Cell, params: Any) -> list[Any]:
    """The parameters as a flat list in the cell's order, checked by name and shape."""
    if not isinstance(params, Mapping):
        came = type(params).__name__
        raise TypeError(f"{where}: params must be what cell.init() gives, got {came}")
    inits, tree = flatten(_as_dicts(cell.parameters()))
    leaves, given = flatten(_as_dicts(params))
    named = dict(zip(given.paths(), leaves, strict=True))
    wanted = dict(zip(tree.paths(), inits, strict=True))
    missing = [path for path in wanted if path not in named]
    unknown = [path for path in named if path not in wanted]
    told = [
        f"{what} parameters {', '.join(paths)}"
        for what, paths in (("missing", missing), ("unknown", unknown))
        if paths
    ]
    if told:
        raise ValueError(f"{cell.label}: {'; '.join(told)}")
    values = []
    for path, init in wanted.items():
        value = tensor_or_array(named[path])
        if value.shape != init.shape:
            raise ShapeError(f"{cell.label}: {path} has shape {value.shape}, wanted {init.shape}")
        if value.dtype.kind != "f":
            raise TypeError(f"{cell.label}: {path} has dtype {value.dtype}, wanted floats")
        values.append(value)
    return values


def tensor_or_array(value: Any) -> Any:
    """A tensor or an array as it is, anything else as an array."""
    return value if isinstance(value, Tensor | np.ndarray) else np.asarray(value)


def _as_dicts(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _as_dicts(v) if isinstance(v, Mapping) else v for k, v in tree.items()}


def state(cell: Cell, given: Any, batch: int) -> list[Any]:
    """The start value of each recurrent value, as a flat list, checked by name and shape."""
    edges, tree = flatten(cell.edges())
    leaves, found = flatten(given)
    if not isinstance(given, tuple) or found.paths() != tree.paths():
        came = f"a tuple of {len(leaves)}" if isinstance(given, tuple) else type(given).__name__
        raise ValueError(
            f"{cell.label}: state must be the tuple {_told(cell)}, got {came}; "
            f"cell.start({batch}) gives the state of zeros"
        )
    values = []
    for k, (leaf, edge) in enumerate(zip(leaves, edges, strict=True)):
        value = tensor_or_array(leaf)
        count = abs(edge.delay)
        wanted = (batch, edge.size) if count == 1 else (count, batch, edge.size)
        if value.dtype.kind not in "fiub":
            path = state_paths(cell)[k]
            raise TypeError(f"{cell.label}: state {path} has dtype {value.dtype}, wanted floats")
        if value.shape != wanted:
            path = state_paths(cell)[k]
            told = f", its values of {count} steps in order of time" if count > 1 else ""
            raise ShapeError(
                f"{cell.label}: state {path} has shape {value.shape}, wanted {wanted}{told}"
            )
        values.append(value)
    return values


def _told(cell: Cell) -> str:
    """The state's structure in words: `(h, C)`, `((h,), (h, C), ())`."""

    def tell(item: Any) -> str:
        if not isinstance(item, tuple):
            return str(item.name)
        return f"({', '.join(map(tell, item))}{',' if len(item) == 1 else ''})"

    return tell(cell.edges())


def lengths(given: Any, T: int, batch: int) -> Any:
    """The number of steps of each sample, as an array `(B,)`."""
    if isinstance(given, Tensor):
        raise TypeError(
            "run: lengths are a tensor, but they decide what is computed; give an array, known "
            "when the function is traced or compiled (let it close over the array)"
        )
    values = np.asarray(given)
    if values.shape != (batch,) or values.dtype.kind not in "iu":
        raise ShapeError(
            f"run: lengths must be {batch} whole numbers, one a sample, got {values.dtype} of "
            f"shape {values.shape}"
        )
    if values.size and not 0 <= values.min() <= values.max() <= T:
        raise ValueError(f"run: lengths must be between 0 and T = {T}, got {values.tolist()}")
    return values


def flags(name: str, given: Any, T: int, batch: int) -> Any:
    """Booleans `(T, B)`, as an array or a tensor."""
    values = tensor_or_array(given)
    if values.shape != (T, batch) or values.dtype != bool:
        hint = ""
        if batch != T and values.shape == (batch, T):
            hint = f"; time comes first: {name}.T"
        elif values.dtype != bool:
            hint = f"; {name} > 0 makes booleans"
        raise ShapeError(
            f"run: {name} must be booleans of shape ({T}, {batch}), one a step and sample, got "
            f"{values.dtype} of shape {values.shape}{hint}"
        )
    return values
