"""What a function reads besides its arguments, and whether it is still the same.

A traced function is run once, so everything that it closes over and every global that it names
becomes part of its graph. `Captured` remembers these values, by content where they can change, so
that a later call can tell whether the graph is still that of the function. `fingerprint` is the
content of one value: equal fingerprints, the same value, also where Python's `==` is blind
(`True == 1.0`, `0.0 == -0.0`).
"""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import Primitive, Tensor

_LIBRARY = frozenset(("minigrad", "rnn", "viz", "numpy"))
"""Packages whose functions read no globals that change."""
_FIXED = (Tensor, Primitive, type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType,
          np.ufunc, np.dtype, str, bytes, int, float, complex, type(None))  # fmt: skip
"""Values that cannot change while they are the same object; what functions read is followed."""


class Same(NamedTuple):
    """A value that is equal to itself alone, kept alive so that no other takes its place."""

    value: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.value is self.value

    def __hash__(self) -> int:
        return object.__hash__(self.value)


def fingerprint(value: Any) -> Any:
    """What a value is, hashable: equal for values that no function can tell apart.

    Numbers count with their type and sign, arrays by their bytes, containers and objects by their
    parts, anything else by identity.

    >>> fingerprint(True) == fingerprint(1), fingerprint(0.0) == fingerprint(-0.0)
    (False, False)
    """
    return _fingerprint(value, ())


def _fingerprint(value: Any, above: tuple[Any, ...]) -> Any:
    kind = type(value)
    if kind in (str, bytes, int, bool, type(None)):
        return kind, value
    if kind in (float, complex):
        return kind, repr(value)
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        if array.dtype.hasobject:
            return kind, array.shape, tuple(_fingerprint(x, above) for x in array.ravel().tolist())
        return kind, array.dtype.str, array.shape, array.tobytes()
    if isinstance(value, _FIXED) or any(x is value for x in above):
        return Same(value)
    above = (*above, value)
    if isinstance(value, dict):
        return kind, tuple((Same(k) if _odd(k) else (type(k), k), _fingerprint(x, above))
                           for k, x in value.items())  # fmt: skip
    if isinstance(value, list | tuple):
        return kind, tuple([_fingerprint(x, above) for x in value])
    if isinstance(value, set | frozenset):
        return kind, frozenset(_fingerprint(x, above) for x in value)
    parts = _attributes(value)
    if parts is None:
        return Same(value)
    # Two objects of the same parts are alike if their class says so, as a dataclass does.
    same = () if dataclasses.is_dataclass(value) else (Same(value),)
    return kind, same, tuple((name, _fingerprint(x, above)) for name, x in parts)


def _odd(key: Any) -> bool:
    return type(key) not in (str, int, bool, bytes)


def _attributes(value: Any) -> list[tuple[str, Any]] | None:
    """The attributes of an object that was written in Python; None for others."""
    if dataclasses.is_dataclass(value) and not hasattr(value, "__dict__"):
        return [(f.name, getattr(value, f.name, None)) for f in dataclasses.fields(value)]
    return list(vars(value).items()) if hasattr(value, "__dict__") else None


@dataclass(frozen=True, eq=False)
class Static:
    """An argument that is no array: a part of the program, which another value does not share."""

    value: Any

    @cached_property
    def content(self) -> Any:
        """The fingerprint of the value as it was when it was given."""
        return fingerprint(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.content)


def settled(value: Any) -> bool:
    """Whether a value cannot change while it is the same object."""
    if isinstance(value, _FIXED) or (type(value) is np.ndarray and _read_only(value)):
        return True
    if isinstance(value, tuple | frozenset):
        return all(map(settled, value))
    known = getattr(type(value), "__dataclass_params__", None)
    return bool(known and known.frozen and all(settled(x) for _, x in _attributes(value) or ()))


def _read_only(array: Any) -> bool:
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return array is None


class Captured:
    """The values that a function, or an object with methods, reads from outside.

    Closures, default arguments, bound objects and the globals it names are followed through all
    functions that are not the library's own. Attributes of modules count where a name in the
    function's code is theirs. What an installed package holds is taken to stay as it is.
    """

    def __init__(self, f: Any) -> None:
        self._seen = [
            (read, value, None if settled(value) else fingerprint(value))
            for read, value in _reads(f)
        ]

    def unchanged(self) -> bool:
        """Whether every value is what it was."""
        for read, value, content in self._seen:
            now = read()
            if content is None:
                if now is not value and not (
                    settled(now) and fingerprint(now) == fingerprint(value)
                ):
                    return False
            elif fingerprint(now) != content:
                return False
        return True


Read = Callable[[], Any]


def _reads(f: Any) -> Iterator[tuple[Read, Any]]:
    """How to read each value from outside, and what it is now."""
    pending: list[Any] = [f]
    seen = set[Same]()
    while pending:
        value = pending.pop()
        if Same(value) in seen:
            continue
        seen.add(Same(value))
        if isinstance(value, types.FunctionType):
            for read in _places(value):
                try:
                    found = read()
                except ValueError:  # a variable that has no value yet
                    continue
                if found is not None:
                    yield read, found
                    pending.append(found)
        else:
            if not settled(value):
                yield partial(_itself, value), value
            pending += _parts(value)


def _parts(value: Any) -> list[Any]:
    """What an object is made of, as far as it may hold functions."""
    if isinstance(value, partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, types.MethodType):
        return [value.__func__, value.__self__]
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list | tuple):
        return list(value)
    kind = value if isinstance(value, type) else type(value)
    owners = [c for c in kind.__mro__ if not _is_installed(c.__module__)]
    methods = [m for c in owners for name, m in vars(c).items()
               if isinstance(m, types.FunctionType) and (name == "__call__" or name[:2] != "__")]
    held = [] if isinstance(value, _FIXED) else [x for _, x in _attributes(value) or ()]
    return methods + held


def _places(f: types.FunctionType) -> Iterator[Read]:
    """Where a function reads from: closure, defaults, globals, attributes of its modules."""
    for cell in f.__closure__ or ():
        yield partial(getattr, cell, "cell_contents")
    yield partial(getattr, f, "__defaults__")
    yield partial(getattr, f, "__kwdefaults__")
    if _is_installed(f.__module__):
        return
    names = _names(f.__code__)
    for name in names & set(f.__globals__):
        yield partial(f.__globals__.get, name)
        module = f.__globals__[name]
        if isinstance(module, types.ModuleType) and not _is_installed(module.__name__):
            for inner in names & set(vars(module)):
                yield partial(vars(module).get, inner)


def _itself(value: Any) -> Any:
    return value


@cache
def _is_installed(name: str | None) -> bool:
    """Whether a module is this library's, Python's or was installed with a package."""
    top = (name or "").partition(".")[0]
    if top in _LIBRARY or (top in sys.stdlib_module_names and top != "__main__"):
        return True
    return "site-packages" in (getattr(sys.modules.get(top), "__file__", None) or "")


def _names(code: types.CodeType) -> set[str]:
    """Every global name in a function's code and in the functions inside of it."""
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return set(code.co_names).union(*map(_names, inner))
