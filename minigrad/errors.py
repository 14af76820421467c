"""What goes wrong with shapes, said in words.

NumPy reports a failed operation without names. Here the same failure is told with the name of
the primitive, its operands, the axis that disagrees, and the step of the recurrence.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from typing import Any

from numpy.linalg import LinAlgError


class ShapeError(ValueError):
    """Arrays whose shapes do not fit together.

    >>> import minigrad as mg, numpy as np
    >>> try:
    ...     mg.Tensor(np.ones((2, 3))) @ np.ones((4, 5))
    ... except mg.ShapeError as error:
    ...     print(error)
    matmul: axis n is 3 on the left, 4 on the right: shapes (2, 3) and (4, 5)
    """


class FoldError(ValueError):
    """A graph in which the loop cannot be found, or not be taken out; the message says where."""


def describe(operand: Any) -> str:
    """Name and shape of an operand, for messages: `W_xh (3, 5)`, or the number itself."""
    name = getattr(operand, "name", None)
    shape = str(operand.shape) if hasattr(operand, "shape") else f"{operand!r:.60}"
    return f"{name} {shape}" if name else shape


REFUSALS = (ValueError, TypeError, IndexError, AttributeError, ArithmeticError)
"""What NumPy and Python raise where operands do not fit an operation."""


def core_axes(signature: str) -> list[list[str]]:
    """The named axes of each operand: `(b,n),(n,m)->(b,m)` gives `[[b, n], [n, m]]`."""
    operands = re.findall(r"\(([^)]*)\)", signature.split("->")[0])
    return [[axis.strip() for axis in part.split(",") if axis.strip()] for part in operands]


def operation_error(
    primitive: Any, operands: Sequence[Any], tag: Any, cause: Exception
) -> Exception:
    """The error to raise when `primitive` refused `operands` with `cause`."""
    if primitive.kind == "loop" and isinstance(cause, ArithmeticError):
        return cause  # says already which of its operations it was
    where = f"{primitive.name}{at(tag)}"
    shapes = [getattr(operand, "shape", ()) for operand in operands]
    told = " and ".join(describe(operand) for operand in operands)
    axes = core_axes(primitive.signature)
    if all(isinstance(shape, tuple) for shape in shapes):
        reason = _axis_clash(axes, shapes) or _broadcast_clash(axes, shapes)
        if reason is not None:
            return ShapeError(f"{where}: {reason}: shapes {told}")
    return _kind(cause)(f"{where} of {told}: {cause}")


def argument_error(
    primitive: Any, operands: Sequence[Any], tag: Any, cause: Exception, known: Container[str]
) -> Exception:
    """The error to raise when the arguments of `primitive` could not be brought into form.

    It is the cause itself where that begins with the name of a function, as ours do.
    """
    if str(cause).partition(":")[0].partition(" ")[0] in known:
        return cause
    told = " and ".join(describe(operand) for operand in operands)
    return _kind(cause)(f"{primitive.name}{at(tag)} of {told}: {cause}")


def _kind(cause: Exception) -> type[Exception]:
    """The class below which a cause stands; NumPy's own cannot be made of a message."""
    for kind in (IndexError, FloatingPointError):
        if isinstance(cause, kind) and not isinstance(cause, ValueError):
            return kind
    if isinstance(cause, LinAlgError):
        return LinAlgError
    return ShapeError if isinstance(cause, ValueError | ArithmeticError) else TypeError


def at(tag: Any) -> str:
    """Where an operation stands: ` in layer1 at t = 3`, or nothing."""
    if tag is None:
        return ""
    scope = f" in {tag.scope}" if tag.scope else ""
    return scope + (f" at t = {tag.t}" if tag.t is not None else "")


def _axis_clash(axes: list[list[str]], shapes: list[tuple[int, ...]]) -> str | None:
    if len(axes) != len(shapes) or any("..." in names for names in axes):
        return None
    side = ["on the left", "on the right"] if len(axes) == 2 else []
    seen: dict[str, tuple[int, int]] = {}
    for k, (names, shape) in enumerate(zip(axes, shapes, strict=True)):
        if len(shape) < len(names):
            return f"operand {k + 1} needs {len(names)} axes ({', '.join(names)}), has {len(shape)}"
        for name, size in zip(names, shape[len(shape) - len(names) :], strict=True):
            first, before = seen.setdefault(name, (k, size))
            if before != size:
                here, there = (side[first], side[k]) if side else (f"in {first + 1}", f"in {k + 1}")
                return f"axis {name} is {before} {here}, {size} {there}"
    return None


def _broadcast_clash(axes: list[list[str]], shapes: list[tuple[int, ...]]) -> str | None:
    """The first axis, from the end, in which what stands before the core axes disagrees."""
    if len(axes) != len(shapes) or any("..." in names for names in axes):
        return None
    free = [shape[: len(shape) - len(core)] for core, shape in zip(axes, shapes, strict=True)]
    for axis in range(-1, -1 - max(map(len, free)), -1):
        sizes = dict.fromkeys(shape[axis] for shape in free if len(shape) >= -axis)
        clash = [size for size in sizes if size != 1]
        if len(clash) > 1:
            place = axis - max(map(len, axes))
            return f"axis {place} is {' and '.join(map(str, clash))}, which do not broadcast"
    return None
