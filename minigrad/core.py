"""Tensors that remember how they were made.

A `Primitive` is one operation, defined in one place. Applied to arrays it computes; applied to
tensors it also records: the result keeps the primitive, the operands and a serial number.
Serial numbers grow, so creation order is a topological order of the graph, and every walk over
it is a loop. There is no tape, no closure and no recursion.
"""

from __future__ import annotations

import inspect
import itertools
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from keyword import iskeyword
from typing import Any, NamedTuple
from weakref import finalize

import numpy as np
from numpy import ndarray

from minigrad.errors import REFUSALS, ShapeError, argument_error, at, operation_error
from minigrad.facts import PLAIN, STRAIGHT, Formula, Lowering, Numerics
from minigrad.habits import (
    RECORDED,
    Refusals,
    call_error,
    explained,
    no_rule,
    one_entry,
    title,
    unmasked,
)
from minigrad.show import picture

Array = np.ndarray[Any, np.dtype[Any]]
Rule = Callable[..., Any]

PRIMITIVES: dict[str, Primitive] = {}
"""Every primitive by its name. Operators find theirs here, which keeps `Tensor` free of imports."""

FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""Primitives and functions composed of them by the name under which they are public, NumPy's."""

NUMPY_FUNCTIONS: dict[Any, Callable[..., Any]] = {}
"""What NumPy's functions do on tensors, by the function, with NumPy's argument names."""

_serials = itertools.count()
_new = object.__new__
_NO_ATTRS: dict[str, Any] = {}


class Tag(NamedTuple):
    """Where in a recurrent program an operation stands."""

    scope: str
    t: int | None = None
    run: int = 0


_tag: ContextVar[Tag | None] = ContextVar("tag", default=None)


@contextmanager
def scope(name: str, t: int | None = None) -> Iterator[None]:
    """Tag all operations inside with a scope and, if given, the time step `t`.

    Scopes nest: `layer1` inside `rnn` is `rnn.layer1`. Each entry of a scope without `t`, outside
    of any step, is a run of its own, so a cell that is run twice is told apart.

    >>> import minigrad as mg
    >>> with mg.scope("rnn", t=3):
    ...     h = mg.tanh(mg.Tensor(0.5))
    >>> h.scope, h.t
    ('rnn', 3)
    """
    outer = _tag.get() or Tag("")
    run = outer.run if outer.t is not None or t is not None else next(_serials)
    path = f"{outer.scope}.{name}" if outer.scope and name else outer.scope or name
    token = _tag.set(Tag(path, outer.t if t is None else t, run))
    try:
        yield
    finally:
        _tag.reset(token)


class Primitive:
    """One operation: forward, derivative rules and everything else that is known of it.

    Attributes:
        name: the registry's key, and the public function's name: an identifier, as it also stands
            in generated source.
        forward: computes on NumPy arrays, `forward(*arrays, **attrs)`.
        rules: `rules[i](g, y, *operands, **attrs)` is the vjp for operand i, None where the
            operand has no derivative. Rules are written with operators and primitives, so they
            work on arrays and, for higher order, on tensors. They never un-broadcast.
        push: `push(tangents, y, operands, attrs)` is the jvp; a tangent of None is zero.
        kind: "elementwise", "linear", "bilinear", "stepwise" (zero derivative), "general", or
            "loop": it runs a graph of its own, and is told of by that graph's operations.
        signature: gufunc signature of the core axes; leading axes broadcast.
        by_entries: whether there are none: the result has each entry from those at its place.
        label: what drawings and equations show.
        domain: for each operand the interval or the kind of values it accepts.
        prepare: brings arguments to their canonical form (negative axes, tuples).
        sample: draws shapes and attributes to test the primitive on, `sample(random)`, or
            `sample(random, number)` for a number of operands.
        collect: `collect(operand, [(g, user), ...])` adds up the cotangents of all uses of an
            operand by this primitive at once.
        lift: how an axis of time steps can stand in front of all operands: "align" (put axes of
            size 1 behind it until ranks agree), "same" (nothing to do), a function
            `lift(attrs, steps)` that gives other attributes, or None where it cannot.
        kernel: the NumPy function that computes it and can write into `out`, if there is one;
            the defining function is then only signature and documentation.
        joint: in place of rules the one rule of any number of operands, which gives all their
            cotangents: `joint(g, y, operands, attrs, asked)`; None for those not asked for will do.
        lowering: what a program may do with it.
        numerics: what bounds its rounding, and where it has a kink.
        formula: how it is written; as `label(a, b)` if nothing is said.
        public: whether it is a function for all, under its name.
    """

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        rules: Sequence[Rule | None],
        push: Callable[..., Any],
        *,
        kind: str = "general",
        signature: str = "(...)->(...)",
        label: str | None = None,
        domain: tuple[Any, ...] = (),
        prepare: Callable[..., Any] | None = None,
        sample: Callable[..., Any] | None = None,
        collect: Callable[..., Any] | None = None,
        lift: Any = None,
        kernel: Callable[..., Any] | None = None,
        joint: Callable[..., Any] | None = None,
        lowering: Lowering = PLAIN,
        numerics: Numerics = STRAIGHT,
        formula: Formula | None = None,
        public: bool = True,
    ) -> None:
        if not _is_identifier(name):
            raise ValueError(
                f"Primitive: the name must be an identifier, such as 'my_op', got {name!r}; "
                "that of a lambda is none: use def"
            )
        self.name = name
        self.forward = kernel or forward
        self.rules = rules
        self.push = push
        self.kind = kind
        self.signature = signature
        self.label = label or name
        self.domain = domain
        self.prepare = prepare
        self.sample = sample
        self.collect = collect
        self.kernel = kernel
        self.joint = joint
        self.defined = forward
        # A ufunc would take one operand more, or an attribute, for a place to write to.
        self.arity = len(rules) if kernel is not None and prepare is None else -1
        self.by_entries = not set(signature) - set("(),->")
        # A primitive of single entries takes an axis in front of aligned operands as it is.
        self.lift = lift or ("align" if self.by_entries else None)
        self.lowering = lowering
        self.numerics = numerics
        self.formula = formula
        self.__doc__ = forward.__doc__
        PRIMITIVES[name] = self
        if public:
            FUNCTIONS[name] = self

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    @property
    def is_product(self) -> bool:
        """Whether it multiplies matrices, or takes rows of one, as a product with 0 and 1 does."""
        bilinear = self.kind == "bilinear" and not self.by_entries
        return bilinear or self.lowering.weight is not None

    def moves(self, i: int) -> bool:
        """Whether the result has a derivative with respect to operand i."""
        return self.joint is not None or self.rules[i] is not None

    def __reduce__(self) -> Any:
        """Copies and pickles are the primitive itself, as there is one of each name."""
        return _primitive, (self.name,)

    def __call__(self, *operands: Any, **attrs: Any) -> Any:
        """Apply to arrays for an array, to at least one tensor for a recorded tensor."""
        if self.prepare is not None:
            try:
                operands, attrs = self.prepare(*operands, **attrs)
            except REFUSALS as error:
                raise (
                    call_error(self.name, self.prepare, operands, attrs)
                    or argument_error(self, operands, _tag.get(), error, FUNCTIONS)
                ) from None
        elif (attrs or len(operands) != self.arity) and self.arity >= 0:
            raise call_error(self.name, self.defined, operands, attrs) or TypeError(self.name)
        values = None
        for operand in operands:
            if type(operand) is not ndarray:
                values, operands = self._taken(operands)
                break
        try:
            data = self.forward(*(operands if values is None else values), **attrs)
        except REFUSALS as error:
            raise operation_error(self, operands, _tag.get(), error) from None
        if values is None:
            return data
        if type(data) is not np.ndarray:
            if type(data) is Outputs:
                tensor = record(data, self, operands, attrs)
                if data.release is not None:
                    finalize(tensor, data.release).atexit = False
                return tensor
            data = np.asarray(data)
        data.flags.writeable = False
        return record(data, self, operands, attrs)

    def _taken(self, operands: tuple[Any, ...]) -> tuple[list[Any] | None, tuple[Any, ...]]:
        """The values of operands, None if no tensor is among them; and what a graph may keep."""
        recorded = given = False
        values = []
        for operand in operands:
            kind = type(operand)
            if kind is Tensor:
                recorded = True
                operand = operand._data
            elif kind is ndarray:
                given = True
            elif kind not in _WEAK:
                given = True
                unmasked(operand, f"{self.name}: an operand")
            values.append(operand)
        if not recorded:
            return None, operands
        if given:
            # The graph keeps copies, and computes with them, as a result may be a view:
            # writing into the caller's arrays cannot reach either.
            held = []
            for k, operand in enumerate(operands):
                kind = type(operand)
                if kind is ndarray:
                    values[k] = operand = operand.copy()
                    operand.flags.writeable = False
                elif kind is not Tensor and kind not in _WEAK:
                    values[k] = operand = to_array(operand, f"{self.name}: operand {k + 1}")
                held.append(operand)
            operands = tuple(held)
        return values, operands


def _primitive(name: str) -> Primitive:
    return PRIMITIVES[name]


def _is_identifier(name: Any) -> bool:
    """Whether a name can stand in generated source and be found again, which has normal forms."""
    return (
        isinstance(name, str)
        and name.isidentifier()
        and not iskeyword(name)
        and unicodedata.normalize("NFKC", name) == name
    )


class Outputs(tuple[Any, ...]):
    """The results of a primitive that has several; `project` takes one out.

    `release` is called when the tensor that holds them is freed.
    """

    shape = ()
    dtype = np.dtype(object)
    release: Callable[[], None] | None = None


_WEAK = frozenset((float, int, bool, complex))


def record(
    data: Any,
    primitive: Primitive | None,
    operands: tuple[Any, ...] = (),
    attrs: dict[str, Any] = _NO_ATTRS,
) -> Tensor:
    """The tensor with read-only `data`, made by `primitive` from `operands`."""
    tensor: Tensor = _new(Tensor)
    tensor._data = data
    tensor.primitive = primitive
    tensor.parents = operands
    tensor.attrs = attrs
    tensor.serial = next(_serials)
    tensor.name = None
    tensor.tag = _tag.get()
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


def _operator(name: str, swapped: bool = False) -> Any:
    if swapped:
        return lambda self, other: FUNCTIONS[name](other, self)
    return lambda self, other: FUNCTIONS[name](self, other)


def _method(name: str) -> Any:
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        return FUNCTIONS[name](self, *args, **kwargs)

    method.__doc__ = f"The same as `minigrad.{name}(self, ...)`."
    return method


class Frozen(NamedTuple):
    """A trace that stands for other values too, so that nothing is to be decided on these.

    Attributes:
        what: who is traced, for messages.
        inputs: serial numbers of the tensors that stand for values to come.
        is_step: whether it is one step of a loop, in which other loops are unrolled.
    """

    what: str
    inputs: frozenset[int]
    is_step: bool = False


FROZEN: ContextVar[Frozen | None] = ContextVar("frozen", default=None)
"""The trace that is being made, if its graph is to stand for other values."""


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

    __slots__ = (
        "__weakref__",
        "_data",
        "attrs",
        "grad",
        "name",
        "parents",
        "primitive",
        "serial",
        "tag",
    )
    _data: Array
    primitive: Primitive | None
    parents: tuple[Any, ...]
    attrs: dict[str, Any]
    serial: int
    name: str | None
    tag: Tag | None
    grad: Array | None

    @explained
    def __init__(self, data: Any, name: str | None = None) -> None:
        if type(data) is Tensor:
            raise TypeError("Tensor(tensor): already a tensor; use detach(tensor) to cut the graph")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"Tensor(data, name): the name is a text, got {name!r:.60}")
        self._data = to_array(data, f"Tensor {name}" if name else "Tensor(data)")
        self.primitive = None
        self.parents = ()
        self.attrs = _NO_ATTRS
        self.serial = next(_serials)
        self.name = name
        self.tag = _tag.get()
        self.grad = None

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
        """Refuse to give a value to Python in a trace that stands for other values too."""
        if (trace := FROZEN.get()) is not None and self.serial >= min(trace.inputs, default=0):
            if trace.inputs.isdisjoint(x.serial for x in ancestors(self)):
                return  # the same whatever is given
            raise TypeError(
                f"{trace.what}: {what} of {title(self)}{at(self.tag)} would be answered once and "
                "for all; choose between values with minigrad.where, and let the function close "
                "over what is decided in Python"
            )

    def __getitem__(self, index: Any) -> Tensor:
        name = "index" if FROZEN.get() is None else "_read"
        return FUNCTIONS[name](self, index)  # type: ignore[no-any-return]  # registry

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if "out" in kwargs or "where" in kwargs:
            raise TypeError(
                f"{ufunc.__name__}{at(self.tag)}: a result cannot be written into an array "
                f"(out=, where=, array += {title(self)}); write array = array + tensor"
            )
        known = FUNCTIONS.get(ufunc.__name__)
        if method != "__call__" or known is None:
            raise no_rule(ufunc.__name__ + ("" if method == "__call__" else f".{method}"))
        return known(*inputs, **kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        known = NUMPY_FUNCTIONS.get(func)
        if known is None:
            raise no_rule(func.__name__)
        given = inspect.signature(func).bind(*args, **kwargs).arguments
        given.update(given.pop("kwargs", {}))
        wanted = inspect.signature(known).parameters
        extra = [name for name in given if name not in wanted]
        missing = [n for n, p in wanted.items() if p.default is p.empty and n not in given]
        if extra or missing:
            what = f"does not take {', '.join(extra)}" if extra else f"needs {', '.join(missing)}"
            raise TypeError(
                f"np.{func.__name__} on tensors {what}; minigrad.{func.__name__} and the array "
                "itself, tensor.data, are the other ways"
            )
        try:
            return known(**given)
        except TypeError as error:
            raise TypeError(f"np.{func.__name__} on tensors: {error}") from None

    _repr_svg_ = picture
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
    __matmul__, __rmatmul__ = _operator("matmul"), _operator("matmul", True)
    __lt__, __le__ = _operator("less"), _operator("less_equal")
    __gt__, __ge__ = _operator("greater"), _operator("greater_equal")
    __eq__, __ne__ = _operator("equal"), _operator("not_equal")
    sum, mean, max, min = _method("sum"), _method("mean"), _method("max"), _method("min")
    reshape, transpose = _method("reshape"), _method("transpose")
    swapaxes, squeeze, detach = _method("swapaxes"), _method("squeeze"), _method("detach")
    astype = _method("astype")

    # No __iadd__: Python then runs `h += x` as `h = h + x`, which makes a new tensor.


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
            value = PRIMITIVES["alias"](value)
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


def scope_path(tag: Tag | None, runs: dict[str, dict[int, int]]) -> str:
    """The scope of a tag as text; a second run of the same scope is called `name#2`.

    `runs` collects what was seen so far, so that tags of one graph are told apart.
    """
    if tag is None or not tag.scope:
        return ""
    outer, dot, rest = tag.scope.partition(".")
    seen = runs.setdefault(tag.scope, {})  # an inner scope has a run of its own
    count = seen.setdefault(tag.run, len(seen) + 1)
    return f"{outer}{f'#{count}' if count > 1 else ''}{dot}{rest}"


def find(tensor: Tensor, name: str, t: int | None = None) -> Tensor:
    """The ancestor of `tensor` with that name, at step t if given.

    The name may be qualified by the end of its scope, as in `layer1.h`, or `RNNCell#2.h` in the
    second run of one cell.

    Raises:
        LookupError: no such tensor, or several; the message lists what there is.

    >>> import minigrad as mg
    >>> w = mg.Tensor(2.0, name="w")
    >>> mg.find(w * w, "w") is w
    True
    """
    if type(tensor) is not Tensor:
        raise TypeError(
            f"find looks in the graph of a tensor, got {type(tensor).__name__}; {RECORDED}"
        )
    hits: list[Tensor] = []
    known: dict[tuple[str, int | None], None] = {}
    runs: dict[str, dict[int, int]] = {}
    scanned = False
    for node in ancestors(tensor):
        scope = scope_path(node.tag, runs)
        scanned = scanned or (node.primitive is not None and node.primitive.kind == "loop")
        if node.name is None:
            continue
        path = f".{scope}.{node.name}"
        known[path.strip("."), node.t] = None
        if path.endswith(f".{name}") and (t is None or node.t == t):
            hits.append(node)
    if len(hits) == 1:
        return hits[0]
    wanted = name if t is None else f"{name} at t = {t}"
    if not hits:
        names = ", ".join(sorted({path for path, _ in known})[:20])
        steps = sorted({step for _, step in known if step is not None})
        span = f", at steps {steps[0]} to {steps[-1]}" if steps else ""
        hint = "; a run has its steps on the graph with unfolded=True" if scanned else ""
        raise LookupError(f"no tensor named {wanted}; there are: {names or 'none'}{span}{hint}")
    places = "; ".join(f"{hit.scope or 'no scope'}, t = {hit.t}" for hit in hits[:6])
    raise LookupError(f"{len(hits)} tensors are named {wanted}: {places}; give t= or scope.name")
