"""Tensors that remember how they were made.

A tensor keeps the primitive and the operands that made it, and a serial number. Serial numbers
grow, so creation order is a topological order of the graph, and every walk over it is a loop.
There is no tape, no closure and no recursion.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.errors import ShapeError, at
from minigrad.habits import Refusals, explained, one_entry, title, unmasked
from minigrad.scopes import TAG, Tag
from minigrad.show import picture

if TYPE_CHECKING:
    from minigrad.core.primitive import Primitive

Array = np.ndarray[Any, np.dtype[Any]]

FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""Primitives and functions composed of them, by the names under which they are public.

Operators and methods find theirs here, which keeps this module free of imports.
"""

FROZEN: ContextVar[Any] = ContextVar("frozen", default=None)
"""The trace that is being made, if its graph stands for other values: it refuses to give these."""

SERIALS = itertools.count()
"""The numbers of tensors, in the order in which they are made."""

_new = object.__new__
_NO_ATTRS: dict[str, Any] = {}


def _operator(name: str, swapped: bool = False) -> Any:
    if swapped:
        return lambda self, other: FUNCTIONS[name](other, self)
    return lambda self, other: FUNCTIONS[name](self, other)


def _method(name: str) -> Any:
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        return FUNCTIONS[name](self, *args, **kwargs)

    method.__doc__ = f"The same as `minigrad.{name}(self, ...)`."
    return method


class Tensor(Refusals):
    """An array that remembers the primitive and the operands that made it.

    `Tensor(array)` makes a leaf: it copies the array, so later writes to it cannot change the
    graph. After `loss.backward()`, `.grad` is an array of the same shape on every leaf and on
    every named tensor. Copies (`copy.copy`, `copy.deepcopy`, `pickle`) are new leaves with the same
    values and name: without a history, without a gradient, of the scope they are made in.

    >>> import minigrad as mg
    >>> w = mg.Tensor([1.0, 2.0], name="w")
    >>> loss = (w * w).sum()
    >>> loss.backward()
    >>> w.grad
    array([2., 4.])
    """

    __slots__ = ("__weakref__", "_data", "attrs", "grad", "name", "parents", "primitive", "serial",
                 "tag")  # fmt: skip
    _data: Array
    primitive: Primitive | None
    parents: tuple[Any, ...]
    attrs: dict[str, Any]
    serial: int
    name: str | None
    tag: Tag | None
    grad: Array | None

    @explained
    def __new__(cls, data: Any, name: str | None = None) -> Tensor:  # noqa: D102  # as the class
        if type(data) is Tensor:
            raise TypeError("Tensor(tensor): already a tensor; use detach(tensor) to cut the graph")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"Tensor(data, name): the name is a text, got {name!r:.60}")
        leaf = record(to_array(data, f"Tensor {name}" if name else "Tensor(data)"))
        leaf.name = name
        return leaf

    def __init_subclass__(cls) -> None:
        raise TypeError("Tensor has no subclasses; keep tensors in structures, such as Params")

    def __reduce__(self) -> Any:
        """A copy is a new leaf, with a serial number of its own."""
        return Tensor, (self._data, self.name)

    @property
    def data(self) -> Array:
        """The values, read-only: NumPy says so where `tensor.data -= step` is tried.

        Updates make new parameters, `params = sgd(params, grads)`; a graph keeps the old values.
        """
        self._not_frozen(".data")
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        raise AttributeError(
            f"{title(self)}.data cannot be assigned: graphs may hold the old values; "
            f"make a new tensor, Tensor(values, name={self.name!r})"
        )

    shape = property(lambda self: self._data.shape, doc="The sizes of all axes.")
    dtype = property(lambda self: self._data.dtype, doc="The NumPy type of the entries.")
    ndim = property(lambda self: self._data.ndim, doc="The number of axes.")
    size = property(lambda self: self._data.size, doc="The number of entries.")
    scope = property(lambda self: self.tag.scope if self.tag else "", doc="Path of the scopes.")
    t = property(lambda self: self.tag.t if self.tag else None, doc="The time step, or None.")
    T = property(lambda self: FUNCTIONS["transpose"](self), doc="All axes in reverse order.")

    @explained
    def backward(self, cotangent: Any = None) -> None:
        """Add d(self)/d(tensor) to `.grad` of every leaf and named tensor self depends on."""
        FUNCTIONS["backward"](self, cotangent)

    def item(self) -> float:
        """The one entry as a Python number."""
        self._not_frozen("item()")
        return one_entry(self, "item()").item()  # type: ignore[no-any-return]  # NumPy types it as Any

    def __repr__(self) -> str:
        values = np.array2string(self._data, precision=4, threshold=20, separator=", ")
        name = f", name={self.name!r}" if self.name else ""
        made = f", {self.primitive.name}{at(self.tag)}" if self.primitive else ""
        return f"Tensor({values}{name}{made})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    def __len__(self) -> int:
        if not self._data.ndim:
            raise TypeError(f"{title(self)}{at(self.tag)} is one number: it has no length or parts")
        return len(self._data)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[k] for k in range(len(self)))

    def __bool__(self) -> bool:
        self._not_frozen("a condition")
        return bool(one_entry(self, "a condition"))

    def _not_frozen(self, what: str) -> None:
        """Python asks for a value; not in a trace that stands for other values too."""
        if (trace := FROZEN.get()) is not None:
            trace.refuse(self, what)

    def __getitem__(self, index: Any) -> Tensor:
        name = "index" if FROZEN.get() is None else "_read"
        return FUNCTIONS[name](self, index)  # type: ignore[no-any-return]  # registry

    _repr_svg_ = lambda self: picture(self, values=True)
    __hash__ = object.__hash__
    __neg__ = lambda self: FUNCTIONS["negative"](self)  # one line an operator
    __pos__ = lambda self: self
    __abs__ = lambda self: FUNCTIONS["absolute"](self)
    __add__, __radd__ = _operator("add"), _operator("add", True)
    __sub__, __rsub__ = _operator("subtract"), _operator("subtract", True)
    __mul__, __rmul__ = _operator("multiply"), _operator("multiply", True)
    __truediv__, __rtruediv__ = _operator("divide"), _operator("divide", True)
    __pow__ = lambda self, other, *modulus: FUNCTIONS["power"](self, other, *modulus)
    __rpow__ = _operator("power", True)
    __rmatmul__ = _operator("matmul", True)

    def __matmul__(self, other: Any) -> Any:
        """The matrix product; what has no `__array_ufunc__` takes it over, as from an array."""
        try:
            return FUNCTIONS["matmul"](self, other)
        except (TypeError, ValueError):  # asked afterwards, so that a product pays nothing for it
            if getattr(other, "__array_ufunc__", self) is None:
                return NotImplemented
            raise

    __mod__, __rmod__ = _operator("remainder"), _operator("remainder", True)
    __floordiv__, __rfloordiv__ = _operator("floor_divide"), _operator("floor_divide", True)
    __divmod__, __rdivmod__ = _operator("divmod"), _operator("divmod", True)
    __and__, __rand__ = _operator("bitwise_and"), _operator("bitwise_and", True)
    __or__, __ror__ = _operator("bitwise_or"), _operator("bitwise_or", True)
    __xor__, __rxor__ = _operator("bitwise_xor"), _operator("bitwise_xor", True)
    __invert__ = lambda self: FUNCTIONS["invert"](self)
    __lt__, __le__ = _operator("less"), _operator("less_equal")
    __gt__, __ge__ = _operator("greater"), _operator("greater_equal")
    __eq__, __ne__ = _operator("equal"), _operator("not_equal")
    sum, mean, max, min = _method("sum"), _method("mean"), _method("max"), _method("min")
    reshape, transpose = _method("reshape"), _method("transpose")
    swapaxes, squeeze, detach = _method("swapaxes"), _method("squeeze"), _method("detach")
    astype = _method("astype")

    # No __iadd__: Python then runs `h += x` as `h = h + x`, which makes a new tensor.


def record(
    data: Any,
    primitive: Primitive | None = None,
    operands: tuple[Any, ...] = (),
    attrs: dict[str, Any] = _NO_ATTRS,
) -> Tensor:
    """The tensor with read-only `data`, made by `primitive` from `operands`."""
    tensor: Tensor = _new(Tensor)
    tensor._data = data
    tensor.primitive = primitive
    tensor.parents = operands
    tensor.attrs = attrs
    tensor.serial = next(SERIALS)
    tensor.name = None
    tensor.tag = TAG.get()
    tensor.grad = None
    return tensor


def to_array(value: Any, where: str) -> Array:
    """A read-only array of numbers that shares no memory with `value`; a clear error otherwise."""
    unmasked(value, where)
    try:
        array: Array = np.array(value)
    except (ValueError, TypeError) as error:
        if any(type(item) is Tensor for item in value if isinstance(value, list | tuple)):
            raise TypeError(f"{where} is a list of tensors; join them with stack") from None
        raise ShapeError(f"{where} is ragged: rows of different lengths ({error})") from None
    if array.dtype.kind not in "fiubc":
        hint = "; a .grad is None until backward has reached its tensor" if value is None else ""
        raise TypeError(f"{where} must be numbers, got {value!r:.60} of dtype {array.dtype}{hint}")
    array.flags.writeable = False
    return array


def named(name: str, value: Any) -> Any:
    """Give a tensor the name by which `find`, pictures and equations know it; returns it.

    A tensor has one name: a second, different name is given to an alias node. Arrays pass through.

    >>> import minigrad as mg
    >>> h = mg.named("h", mg.tanh(mg.Tensor(0.5)))
    >>> h.name
    'h'
    """
    if not isinstance(name, str):
        raise TypeError(f"named(name, value): the name is a text, got {name!r:.60}")
    if type(value) is Tensor:
        if value.name is not None and value.name != name:
            value = FUNCTIONS["alias"](value)
        value.name = name
    return value


def ancestors(*tensors: Tensor, since: int = -1, stop: Sequence[Tensor] = ()) -> list[Tensor]:
    """The tensors and all they were made from, oldest first.

    Only serial numbers > `since` count, and what the tensors in `stop` were made from is left out.
    """
    seen = {tensor.serial: tensor for tensor in tensors if tensor.serial > since}
    ends = {tensor.serial for tensor in stop}
    stack = list(seen.values())
    while stack:
        tensor = stack.pop()
        if tensor.serial in ends:
            continue
        for parent in tensor.parents:
            if type(parent) is Tensor and parent.serial > since and parent.serial not in seen:
                seen[parent.serial] = parent
                stack.append(parent)
    return [seen[serial] for serial in sorted(seen)]
