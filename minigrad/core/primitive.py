"""A primitive is one operation, defined in one place.

Applied to arrays it computes; applied to tensors it also records: the result keeps the primitive
and the operands.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from keyword import iskeyword
from typing import Any
from weakref import finalize

import numpy as np
from numpy import ndarray

from minigrad.anomaly import OPEN, WAY, look
from minigrad.core.tensor import FUNCTIONS, Tensor, record, to_array
from minigrad.errors import REFUSALS, argument_error, at, operation_error
from minigrad.facts import PLAIN, STRAIGHT, Formula, Lowering, Numerics
from minigrad.habits import call_error
from minigrad.scopes import TAG

Rule = Callable[..., Any]

PRIMITIVES: dict[str, Primitive] = {}
"""Every primitive by its name."""

_WEAK = frozenset((float, int, bool, complex))


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
        self.still = frozenset(i for i, rule in enumerate(rules) if rule is None)
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
        return i not in self.still

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
                    or argument_error(self, operands, TAG.get(), error, FUNCTIONS)
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
            raise operation_error(self, operands, TAG.get(), error) from None
        if OPEN and WAY.get():
            look(f"{self.name}{at(TAG.get())}", data, operands)
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
        for k, operand in enumerate(operands):
            kind = type(operand)
            if kind is Tensor:
                recorded = True
                operand = operand._data
            elif kind is ndarray:
                given = True
            elif kind not in _WEAK:
                given = True
                operand = to_array(operand, f"{self.name}: operand {k + 1}")
            values.append(operand)
        if not recorded:
            return None, tuple(values)
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
                    operand = values[k]  # made above, nobody else's
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
