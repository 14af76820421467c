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
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import Primitive, Tensor

_LIBRARY = frozenset(("minigrad", "rnn", "viz", "numpy"))
"""Packages whose functions read no globals that change."""
_DESCRIPTORS = (property, staticmethod, classmethod)
_FIXED = (
    Tensor, Primitive, type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType,
    np.ufunc, np.dtype, str, bytes, int, float, complex, type(None), *_DESCRIPTORS,
)  # fmt: skip
"""Values that cannot change while they are the same object; what functions read is followed."""
_ARRAYS = (np.ndarray, np.generic, array, bytearray, memoryview)
_LISTS = (list, tuple, deque)
_DICTS = (dict, types.MappingProxyType)
_SETS = (set, frozenset)
_BY_PARTS = (types.MethodType, partial, slice, range)
"""Values that are alike where their attributes are, besides dataclasses."""


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
    if isinstance(value, _ARRAYS):
        numbers = np.asarray(value)
        if numbers.dtype.hasobject:
            held = [_fingerprint(x, above) for x in numbers.ravel().tolist()]
            return kind, numbers.shape, tuple(held)
        return kind, numbers.dtype.str, numbers.shape, numbers.tobytes()
    if isinstance(value, _FIXED) or any(x is value for x in above):
        return Same(value)
    above = (*above, value)
    content: Any
    if isinstance(value, _DICTS):
        content = tuple(
            [(_fingerprint(k, above), _fingerprint(x, above)) for k, x in value.items()]
        )
    elif isinstance(value, _LISTS):
        content = tuple([_fingerprint(x, above) for x in value])
    elif isinstance(value, _SETS):
        content = frozenset(_fingerprint(x, above) for x in value)
    elif dataclasses.is_dataclass(value) or isinstance(value, _BY_PARTS):
        content = ()
    else:
        content = Same(value)
    return kind, content, tuple([(k, _fingerprint(x, above)) for k, x in _attributes(value)])


def _attributes(value: Any) -> list[tuple[str, Any]]:
    """What an object holds by name: in its dictionary, in slots, or as C code lays it out."""
    kind: Any = type(value)
    held = list(getattr(value, "__dict__", {}).items())
    return held + [(k, getattr(value, k)) for k in _members(kind) if hasattr(value, k)]


@lru_cache
def _members(kind: Any) -> tuple[str, ...]:
    return tuple(name for c in kind.__mro__ for name, member in vars(c).items()
                 if isinstance(member, types.MemberDescriptorType))  # fmt: skip


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
    if type(value) in (tuple, frozenset):
        return all(map(settled, value))
    known = getattr(type(value), "__dataclass_params__", None)
    if known is None or not known.frozen or isinstance(value, _ARRAYS + _DICTS + _LISTS + _SETS):
        return False
    return all(settled(x) for _, x in _attributes(value))


def _read_only(array: Any) -> bool:
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return array is None


class Captured:
    """The values that a function, or an object with methods, reads from outside.

    Closures, default arguments, bound objects, classes and the globals it names are followed
    through all functions that are not the library's own. Attributes of modules count where a name
    in the function's code is theirs. What an installed package holds is taken to stay as it is.

    Args:
        f: the function, or the object.
        also: other objects whose functions it may call; what they hold is compared elsewhere.
    """

    def __init__(self, f: Any, *also: Any) -> None:
        self._seen = [
            (read, value, None if settled(value) else fingerprint(value))
            for read, value in _reads(f, also)
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


def _reads(f: Any, also: Iterable[Any]) -> Iterator[tuple[Read, Any]]:
    """How to read each value from outside, and what it is now."""
    if not isinstance(f, _FIXED):
        yield lambda: f, f
    pending: list[Any] = [f, *also]
    seen = set[Same]()
    while pending:
        value = pending.pop()
        if Same(value) in seen:
            continue
        seen.add(Same(value))
        if isinstance(value, types.FunctionType):
            reads = list(_of_function(value))
        elif isinstance(value, type):
            reads = list(_of_class(value))
        else:
            reads = []
            pending += _parts(value)
        for read in reads:
            found = read()
            yield read, found
            pending.append(found)


def _parts(value: Any) -> list[Any]:
    """What an object is made of, as far as it may hold functions."""
    if isinstance(value, _FIXED) and not isinstance(value, _DESCRIPTORS):
        return []
    inner = value.values() if isinstance(value, _DICTS) else value
    held = list(inner) if isinstance(value, _DICTS + _LISTS + _SETS) else []
    return [type(value), *held, *(x for _, x in _attributes(value))]


def _of_class(kind: type) -> Iterator[Read]:
    """Where a class is read: its attributes, how many there are, and its bases."""
    if _is_installed(kind.__module__):
        return
    yield partial(len, vars(kind))
    yield partial(getattr, kind, "__bases__")
    for name, value in vars(kind).items():
        if _is_written(value) or not (name[0] == name[-1] == "_"):
            yield partial(vars(kind).get, name)


def _is_written(value: Any) -> bool:
    """Whether a value is a function that somebody wrote, and not `dataclass`."""
    if not isinstance(value, types.FunctionType):
        return False
    inner = getattr(value, "__wrapped__", value)
    return not inner.__code__.co_qualname.startswith("__create_fn__")


def _of_function(f: types.FunctionType) -> Iterator[Read]:
    """Where a function reads from: closure, defaults, attributes, globals."""
    names = _names(f.__code__)
    for cell in f.__closure__ or ():
        yield partial(_content, cell)
        yield from _of_module(_content(cell), names)
    for kind in ("__defaults__", "__kwdefaults__", "__dict__"):
        if getattr(f, kind):
            yield partial(getattr, f, kind)
    if _is_installed(f.__globals__.get("__name__")):
        return
    for name in names & set(f.__globals__):
        yield partial(f.__globals__.get, name)
        yield from _of_module(f.__globals__[name], names)


def _of_module(value: Any, names: set[str], above: tuple[Any, ...] = ()) -> Iterator[Read]:
    """Where code with these names reads a module of one's own, and modules in it."""
    if not isinstance(value, types.ModuleType) or _is_installed(value.__name__) or value in above:
        return
    for name in names & set(vars(value)):
        yield partial(vars(value).get, name)
        yield from _of_module(vars(value)[name], names, (*above, value))


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a variable that has no value yet
        return None


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
