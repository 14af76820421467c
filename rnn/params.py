"""Parameters: named arrays, nested by layer, and how they start.

`Params` is a dictionary whose entries are also attributes, so a cell reads `p.W_xh`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.core import Array, Tensor
from minigrad.habits import ATTRIBUTES
from minigrad.tree import flatten, leaf_paths


class Params(dict[str, Any]):
    """Named arrays, nested by layer; entries can be read as attributes.

    >>> import rnn
    >>> p = rnn.RNNCell(inputs=3, hidden=5, outputs=2).init(0)
    >>> p.W_xh.shape
    (3, 5)
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            way = f"; {ATTRIBUTES[name]}" if name in ATTRIBUTES else ""
            raise AttributeError(
                f"no parameter {name}; there are: {', '.join(self) or 'none'}{way}"
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        """Set the entry of that name, which has to be there."""
        getattr(self, name)
        self[name] = value

    def tensors(self) -> Params:
        """The same parameters as named tensors, for `loss.backward()` and `p.W_xh.grad`."""
        leaves, tree = flatten(self)
        made = [Tensor(leaf, name) for leaf, name in zip(leaves, tree.paths(), strict=True)]
        return tree.unflatten(made)  # type: ignore[no-any-return]  # same class as self

    def named(self) -> dict[str, Any]:
        """A flat dictionary with dotted names, `layer1.W_xh`."""
        return dict(zip(leaf_paths(self), flatten(self)[0], strict=True))

    def astype(self, dtype: Any) -> Params:
        """All parameters in another precision."""
        leaves, tree = flatten(self)
        return tree.unflatten(np.asarray(leaf).astype(dtype) for leaf in leaves)  # type: ignore[no-any-return]  # as above

    def __repr__(self) -> str:
        shapes = (
            f"{name} {tuple(np.shape(getattr(x, 'data', x)))}" for name, x in self.named().items()
        )
        return f"Params({', '.join(shapes)})"


def nested(tree: Mapping[str, Any]) -> Params:
    """A dictionary of dictionaries as `Params`."""
    return Params((k, nested(v) if isinstance(v, Mapping) else v) for k, v in tree.items())


@dataclass(frozen=True)
class Init:
    """The shape of a parameter and how its first values are drawn."""

    shape: tuple[int, ...]
    draw: Callable[[np.random.Generator, tuple[int, ...]], Array]
    about: str


def glorot(rows: int, columns: int) -> Init:
    """Uniform in ±√(6 / (rows + columns)), which keeps variances level (Glorot, Bengio 2010)."""
    limit = np.sqrt(6.0 / (rows + columns))
    return Init((rows, columns), lambda rng, s: rng.uniform(-limit, limit, s), "Glorot uniform")


def orthogonal(rows: int, columns: int) -> Init:
    """A random orthogonal matrix: many in a row neither grow nor shrink (Saxe et al. 2014)."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        q = _orthonormal(rng, max(shape), min(shape))
        return q if shape[0] >= shape[1] else q.T

    return Init((rows, columns), draw, "orthogonal")


PANEL = 256
"""Columns of a panel of a large orthogonal matrix. Those of two panels are made by one QR."""


def _orthonormal(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """A matrix with orthonormal columns, each such matrix as likely as any other (Haar measure).

    A large one is [P, H [0; Q]]: a panel P of few columns, a smaller matrix Q of the same kind, and
    the block reflection H that begins with P. That is half the work of one QR, and most of it are
    products. Source: Stewart (1980), The efficient generation of random orthogonal matrices.
    """
    q = np.zeros((rows, columns))
    tops = range(0, columns - 2 * PANEL, PANEL)
    last = len(tops) * PANEL
    q[last:, last:] = _by_qr(rng, rows - last, columns - last)
    for top in reversed(tops):
        side = top + PANEL
        q[top:, top:side] = panel = _by_qr(rng, rows - top, PANEL)
        # H = 1 - W (1 - Aᵀ)⁻¹ Wᵀ with W = [A; B] - [1; 0] for the panel [A; B].
        A, B, Q = panel[:PANEL], panel[PANEL:], q[side:, side:]
        parts = np.linalg.solve(np.eye(PANEL) - A.T, B.T @ Q)
        q[top:side, side:] = parts - A @ parts
        Q -= B @ parts
    return q


def _by_qr(rng: np.random.Generator, rows: int, columns: int) -> Array:
    q, r = np.linalg.qr(rng.normal(size=(rows, columns)))
    return q * np.sign(np.diag(r))  # without this the signs favour some matrices over others


def constant(value: float, *shape: int) -> Init:
    """The same number everywhere."""
    return Init(shape, lambda rng, s: np.full(s, float(value)), f"constant {value:g}")
