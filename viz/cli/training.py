"""What a run of training is begun with, and gone on with: its place, its options, its cell."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from minigrad.extras import needed
from rnn.cell import Cell
from rnn.kinds import LAYERS
from viz.cli.targets import read

WEIGHTS = "weights.safetensors"


def kind(text: str) -> str:
    """The kind of a recurrent layer, as it is written on the command line.

    >>> kind("rnn.cells:GRUCell")
    'rnn.cells:GRUCell'
    """
    if text not in LAYERS and ":" not in text:
        raise argparse.ArgumentTypeError(
            f"invalid choice: {text!r} (choose from {', '.join(LAYERS)}, or give module:name)"
        )
    return text


def made_of(text: str) -> str | Callable[..., Cell]:
    """What makes a layer of a number of inputs and of hidden units.

    Raises:
        ValueError: what is named is not there, or makes no cell of two numbers.
    """
    if text in LAYERS:
        return text
    make = read("train", text)

    def made(inputs: int, hidden: int) -> Cell:
        cell = make(inputs, hidden)
        if not isinstance(cell, Cell):
            raise TypeError(f"it is {cell!r:.60}")
        return cell

    try:
        made(3, 4)
    except Exception as error:  # whatever code of somebody else does
        raise ValueError(f"train: {text}(3, 4) makes no cell: {error}") from None
    return made


def vacant(path: Path) -> None:
    """Refuse a place where another run is."""
    if path.exists():
        raise FileExistsError(f"{path} holds a run; --resume goes on with it, --out starts another")


def precise(engine: str, dtype: str) -> None:
    """Refuse a precision that an engine has not."""
    if engine == "jax" and dtype == "float64":
        jax = needed("jax", "jax", "the engine 'jax'")
        if not jax.config.jax_enable_x64:
            raise ValueError(
                "train: JAX has single precision only, unless JAX_ENABLE_X64=1 stands in the "
                "environment; set it, or train with --dtype float32"
            )


def agreed(path: Path, given: Mapping[str, Any], begun: Mapping[str, Any]) -> Any:
    """The rate to go on with, which alone may be another than the run was begun with.

    Raises:
        ValueError: another option that was given is not what the run was begun with.
    """
    for name, value in given.items():
        if name != "lr" and begun[name] not in (value, None):
            raise ValueError(
                f"--{name} {value}: the run in {path} was begun with {begun[name]}; leave it out "
                "to go on with that, or start another run with --out"
            )
    rate = given.get("lr", begun["lr"])
    if rate != begun["lr"]:
        print(f"going on with rate {rate:g} in place of {begun['lr']:g}", file=sys.stderr)
    return rate
