"""`minigrad check`: hold functions and cells to their laws; plant faults and see what finds them.

`minigrad check pkg.module:name` checks a cell, or a function together with what it is called on:
`example_inputs`, an attribute of the function or a name in its module. Without `:name`, all cells
of the module are checked. A file or a folder of files may stand for the module. Exit code 1 if
anything is wrong.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

FAILED = 1


def add(commands: Any) -> None:
    """Say what `minigrad check` takes."""
    p = commands.add_parser("check", help="test gradients and recurrent laws", description=__doc__)
    p.add_argument("targets", nargs="*", metavar="module:name", help="function, cell, or module")
    p.add_argument("--faults", nargs="?", const="", metavar="PART", help="plant the named faults "
                   "(those with PART in their name) and show which law finds each")  # fmt: skip
    p.add_argument("--draws", type=int, default=3, help="random draws of each law (%(default)s)")
    p.add_argument("--artifacts", metavar="DIR", help="folder for report, program and picture")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check, print, and return 1 if something is wrong."""
    if args.faults is None and not args.targets:
        raise ValueError("check: name a function or cell, as pkg.module:name, or --faults")
    wrong = 0
    if args.faults is not None:
        wrong += plant_faults(args.faults, args.draws)
    for target in args.targets:
        for name, thing in resolve(target):
            wrong += not check(name, thing, args.draws, args.artifacts)
    return FAILED if wrong else 0


def plant_faults(part: str, draws: int) -> int:
    """Print which law finds which fault; the number of faults that are missed without a reason."""
    from minigrad.testing.gate import examine
    from rnn.testing.gate import FAULTS, PROBES

    chosen = [f for f in FAULTS.values() if part in f.name or part == f.area]
    if not chosen:
        raise ValueError(f"check: no fault is called {part!r}")
    missed = 0
    for fault in chosen:
        verdict = examine(fault, PROBES, draws)
        found = verdict.law is not None
        law = verdict.law if found else f"MISSED {fault.missed}"
        print(f"{fault.area:10} {fault.name:45} {law}", flush=True)
        missed += not found and not fault.missed
    print(f"{len(chosen)} faults, {missed} missed")
    return missed


def check(name: str, thing: Any, draws: int, artifacts: Any) -> bool:
    """Check one thing and print what was found; whether it is right."""
    from minigrad.testing import check_gradients
    from rnn import Cell
    from rnn.testing import all_laws

    if isinstance(thing, Cell):
        card = all_laws(thing, range(draws))
        print(f"{name}: {card}")
        return card.ok
    try:
        for seed in range(draws):
            found = check_gradients(
                thing, *_inputs(name, thing), seed=seed, order=2, artifacts=artifacts
            )
    except AssertionError as error:
        print(f"{name}: {error}")
        return False
    print(f"{name}: {found}")
    return True


def _inputs(name: str, function: Any) -> tuple[Any, ...]:
    """What a function is checked on."""
    module = sys.modules.get(getattr(function, "__module__", ""), None)
    given = getattr(function, "example_inputs", getattr(module, "example_inputs", None))
    if given is None:
        raise ValueError(
            f"check: {name} needs inputs to be checked on: write example_inputs = (array, …) "
            "beside it, or name a cell"
        )
    return tuple(given() if callable(given) else given)


def resolve(target: str) -> Iterator[tuple[str, Any]]:
    """Names and things that a target stands for."""
    path, _, name = target.partition(":")
    place = Path(path)
    if place.is_dir() and not name and not (place / "__init__.py").exists():
        for file in sorted(place.rglob("*.py")):
            yield from _members(str(file), _load_file(file))
        return
    module = _load_file(place) if place.suffix == ".py" else _import(path)
    if not name:
        yield from _members(path, module)
        return
    thing: Any = module
    for part in name.split("."):
        if not hasattr(thing, part):
            raise ValueError(f"check: {path} has no {name}")
        thing = getattr(thing, part)
    yield target, _instance(target, thing)


def _instance(target: str, thing: Any) -> Any:
    """A class of cells with example sizes; anything else as it is."""
    from rnn import Cell

    if isinstance(thing, type) and issubclass(thing, Cell):
        try:
            return thing(*[3] * sum(f in ("inputs", "hidden", "outputs") for f in _fields(thing)))
        except TypeError as error:
            raise ValueError(f"check: {target} is a class; name a cell of it ({error})") from None
    if not isinstance(thing, Cell) and not callable(thing):
        raise ValueError(f"check: {target} is {thing!r:.60}, neither a function nor a cell")
    return thing


def _fields(cell: Any) -> list[str]:
    known = getattr(cell, "__dataclass_fields__", {})
    return [name for name, field in known.items() if str(field.default).startswith("<dataclasses")]


def _members(path: str, module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The cells of a module, and its functions that have inputs to be checked on."""
    from rnn import Cell

    for name, thing in vars(module).items():
        own = getattr(thing, "__module__", None) == module.__name__
        if isinstance(thing, Cell) or (own and hasattr(thing, "example_inputs")):
            yield f"{path}:{name}", thing


def _import(name: str) -> ModuleType:
    sys.path.insert(0, "")
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove("")


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileNotFoundError(f"check: there is no file {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None  # a .py file has a spec and a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
