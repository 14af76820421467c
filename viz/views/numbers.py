"""Numbers on a drawing: shapes, values, gradients, and a fill for the size of a gradient.

Sizes span decades, so the fill is a scale of logarithms in one hue, and the number stands in the
box as well. NaN and inf have a look of their own and are never left out of a summary.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from minigrad.core import Array
from viz.quotients.recorded import Record
from viz.scene.label import words
from viz.scene.scene import Scene, Shape, Text
from viz.scene.style import HEAT, MUTED


@dataclass(frozen=True)
class Numbers:
    """What is written on the box of a node.

    Args:
        record: the nodes with their values.
        values: write the value of a scalar, mean and spread of an array.
        gradients: write the norm of the gradient, and fill the box by it.
    """

    record: Record
    values: bool = False
    gradients: bool = False

    def __call__(self, k: int, shape: Shape, readers: Sequence[int] = ()) -> Shape:
        """The shape of node k with its numbers; for some readers their share of its gradient."""
        record, lines = self.record, []
        node, invalid = record.nodes[k], False
        if node.shape:
            lines.append(words(str(node.shape)))
        if self.values and k in record.values:
            lines.append(words(summary(record.values[k])))
            invalid = not _is_finite(record.values[k])
        fill = ""
        gradient = record.gradients.get(k)
        if readers and gradient is not None:
            uses = [self.shares[k, j] for j in readers if (k, j) in self.shares]
            gradient = sum(uses[1:], uses[0]) if uses else None
        if self.gradients and gradient is not None:
            size = norm(gradient)
            lines.append(words(f"‖grad‖ {_short(size)}"))
            invalid = invalid or not math.isfinite(size)
            fill = HEAT[heat(size, *self.span)]
        if invalid:
            return replace(shape, lines=(*shape.lines, *lines), kind="invalid", fill="")
        return replace(shape, lines=(*shape.lines, *lines), fill=fill)

    @cached_property
    def span(self) -> tuple[int, int]:
        """The decades of the smallest and the largest gradient."""
        tagged = {k for k, _ in self.shares}
        own = (g for k, g in self.record.gradients.items() if k not in tagged)
        return span(norm(g) for g in (*own, *self.shares.values()))

    @cached_property
    def shares(self) -> Mapping[tuple[int, int], Array]:
        """What each reader of a parameter that all steps share gives to its gradient."""
        return self.record.shares() if self.gradients else {}

    def legend(self, scene: Scene) -> None:
        """The scale of fills, below the picture."""
        if not self.gradients or not self.record.gradients:
            return
        low, high = self.span
        left, bottom, _, _ = scene.bounds()
        for k, fill in enumerate(HEAT):
            box = Shape(f"_scale_{k}", left + 12 + 24 * k, bottom - 26, 24, 12, "tag", "constant")
            scene.add(replace(box, fill=fill))
        end = left + 24 * len(HEAT) + 6
        text = f"‖grad‖ from {10.0**low:g} to {10.0**high:g}, logarithmic"
        scene.texts.append(Text(end, bottom - 26, words(text), 11, MUTED, "start"))
        totals = {
            self.record.nodes[k].name or "": norm(self.record.gradients[k]) for k, _ in self.shares
        }
        told = ", ".join(f"‖∂{name}‖ {_short(size)}" for name, size in totals.items() if name)
        if told:
            told = f"beside a box its share of a gradient; whole: {told}"
            left_end = Text(left + 12, bottom - 46, words(told, 200), 11, MUTED, "start")
            scene.texts.append(left_end)


def summary(value: Array) -> str:
    """A scalar's value, an array's mean and standard deviation; what is not finite is counted.

    >>> import numpy as np
    >>> summary(np.array(0.5)), summary(np.array([1.0, 3.0]))
    ('0.5', '2 ± 1')
    >>> summary(np.array([1.0, np.nan, np.inf]))
    '1 NaN, 1 inf of 3'
    """
    if value.size == 0:
        return "empty"
    if value.dtype.kind not in "fiub":
        return str(value.dtype)
    if not _is_finite(value):
        nan, infinite = int(np.isnan(value).sum()), int(np.isinf(value).sum())
        if value.size == 1:
            return "NaN" if nan else "inf" if value.item() > 0 else "−inf"
        parts = [f"{count} {name}" for count, name in ((nan, "NaN"), (infinite, "inf")) if count]
        return f"{', '.join(parts)} of {value.size}"
    if value.size == 1:
        return _short(float(value.item()))
    # Halves do not overflow where squares would.
    scale = float(np.abs(value.astype(float)).max()) or 1.0
    scaled = value / scale
    return f"{_short(float(scaled.mean()) * scale)} ± {_short(float(scaled.std()) * scale)}"


def norm(gradient: Array) -> float:
    """The Euclidean norm, without overflow."""
    if gradient.size == 0:
        return 0.0
    scale = float(np.abs(gradient).max())
    if not math.isfinite(scale) or scale == 0.0:
        return scale
    return scale * float(np.sqrt(np.square(gradient / scale).sum()))


def span(sizes: Iterable[float]) -> tuple[int, int]:
    """The decades from the smallest to the largest of positive finite sizes, at least one."""
    logs = [math.log10(s) for s in sizes if math.isfinite(s) and s > 0]
    if not logs:
        return (-1, 0)
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    return (low, max(high, low + 1))


def heat(size: float, low: int, high: int) -> int:
    """The step of the scale for a size; 0 only for a gradient of zero.

    >>> heat(0.0, -3, 1), heat(1e-3, -3, 1), heat(10.0, -3, 1)
    (0, 1, 4)
    """
    if not size > 0 or not math.isfinite(size):
        return 0
    part = (math.log10(size) - low) / (high - low)
    return 1 + min(int(part * (len(HEAT) - 1)), len(HEAT) - 2)


def _is_finite(value: Array) -> bool:
    return bool(np.isfinite(value).all()) if value.dtype.kind == "f" else True


def _short(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return f"{value:.3g}".replace("-", "−").replace("e−0", "e−").replace("e+0", "e")
