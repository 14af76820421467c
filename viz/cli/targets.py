"""What a target on the command line stands for: `pkg.module:name`, `file.py:name`, or a module.

Whatever goes wrong while code of someone else is loaded is told in one line, by the command that
asked for it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING
from pathlib import Path
from types import ModuleType
from typing import Any

from rnn import Cell

SIZES = {"inputs": 3, "hidden": 3, "outputs": 3}
"""The sizes of a cell of which only the class is named."""


def named(where: str, target: str, also: tuple[type, ...] = ()) -> Any:
    """The one cell or function that a target names, or thing of one of some types.

    Raises:
        OSError, ValueError: it names a module or a folder, or nothing that is there.

    >>> named("draw", "rnn.cells:LSTMCell").hidden
    3
    """
    if not target.partition(":")[2]:
        raise ValueError(
            f"{where}: {target!r:.200} names no one thing; write pkg.module:name or file.py:name"
        )
    thing = _instance(where, target, read(where, target), SIZES, also)
    return steps(where, target, thing) if isinstance(thing, Cell) else thing


def steps(where: str, target: str, cell: Cell) -> Cell:
    """The cell, of which it is known that its step runs.

    Raises:
        ValueError: it does not; says in a line why.
    """
    try:
        cell.folded()
    except Exception as error:  # whatever code of someone else does
        told = str(error).partition("\n")[0]
        raise ValueError(f"{where}: {target}: {type(error).__name__}: {told}") from error
    return cell


def resolve(where: str, target: str, sizes: Mapping[str, int] = SIZES) -> Iterator[tuple[str, Any]]:
    """Names and things that a target stands for; a class of cells as a cell of those sizes.

    >>> [(name, cell.hidden) for name, cell in resolve("check", "rnn.cells:GRUCell")]
    [('rnn.cells:GRUCell', 3)]
    """
    path, _, name = target.partition(":")
    place = Path(path)
    if name:
        yield target, _instance(where, target, read(where, target), sizes)
    elif path and place.is_dir() and not (place / "__init__.py").exists():
        for file in sorted(place.rglob("*.py")):
            yield from _members(str(file), load_file(where, file))
    else:
        yield from _members(path, read(where, target))


def read(where: str, target: str) -> Any:
    """What a target names, as it is: a thing, or a module where there is no `:name`.

    Raises:
        OSError, ValueError: it names nothing; the message begins with `where`.

    >>> read("train", "rnn.cells:GRUCell").__name__
    'GRUCell'
    """
    path, _, name = target.partition(":")
    if not path:
        raise ValueError(
            f"{where}: {target!r} names no module; write pkg.module:name or file.py:name"
        )
    place = Path(path)
    thing: Any = load_file(where, place) if place.suffix == ".py" else _import(where, path)
    for part in name.split(".") if name else ():
        if not hasattr(thing, part):
            raise ValueError(f"{where}: {path} has no {name}")
        thing = getattr(thing, part)
    return thing


def _instance(
    where: str, target: str, thing: Any, sizes: Mapping[str, int], also: tuple[type, ...] = ()
) -> Any:
    """A class of cells with its sizes; anything else as it is."""
    if isinstance(thing, type) and issubclass(thing, Cell):
        try:
            return thing(**{name: sizes[name] for name in _fields(thing) if name in sizes})
        except TypeError as error:
            raise ValueError(f"{where}: {target} is a class; name a cell of it ({error})") from None
    if not isinstance(thing, (Cell, *also)) and not callable(thing):
        raise ValueError(f"{where}: {target} is {thing!r:.60}, neither a function nor a cell")
    return thing


def _fields(cell: Any) -> list[str]:
    known = getattr(cell, "__dataclass_fields__", {})
    return [name for name, field in known.items() if field.default is MISSING]


def _members(path: str, module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The cells of a module, and its functions that have inputs to be checked on."""
    for name, thing in vars(module).items():
        own = getattr(thing, "__module__", None) == module.__name__
        if isinstance(thing, Cell) or (own and hasattr(thing, "example_inputs")):
            yield f"{path}:{name}", thing


def _import(where: str, name: str) -> ModuleType:
    sys.path.insert(0, "")
    try:
        if name.startswith("."):
            raise ImportError("there is no package that it could be relative to")
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise _unloaded(where, name, error) from error
    finally:
        sys.path.remove("")


def load_file(where: str, path: Path) -> ModuleType:
    """The module that a file is."""
    if not path.is_file():
        raise FileNotFoundError(f"{where}: there is no file {path}")
    # A file may have the name of a module that others import.
    taken = sys.modules.get(path.stem)
    is_ours = taken is None or getattr(taken, "__file__", None) == str(path.absolute())
    name = path.stem if is_ours else str(path)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # a .py file has a spec and a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]  # half of it
        raise _unloaded(where, path, error) from error
    return module


def _unloaded(where: str, target: object, error: BaseException) -> ValueError:
    """The error for a module of someone else that fails, or exits, while it is loaded."""
    first_line = str(error).partition("\n")[0]
    return ValueError(f"{where}: {target} cannot be loaded: {type(error).__name__}: {first_line}")
