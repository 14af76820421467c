"""Nested dictionaries, lists and tuples of arrays, seen as one flat list of leaves.

Gradients come back in the structure they were asked for; dictionaries keep the order of their
keys and their class, so `Params` in gives `Params` out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from numpy import ndarray

CONTAINERS = (dict, list, tuple)


class Tree(NamedTuple):
    """The structure of nested containers, without the leaves; `kind` is None for a leaf."""

    kind: type | None
    keys: tuple[Any, ...] = ()
    children: tuple[Tree, ...] = ()

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """Put leaves back in their places."""
        return self._build(iter(leaves))

    def leaves_of(self, value: Any) -> list[Any] | None:
        """The leaves of a value if it has this structure, otherwise None."""
        leaves: list[Any] = []
        return leaves if self._collect(value, leaves) else None

    def _collect(self, value: Any, leaves: list[Any]) -> bool:
        kind: Any = self.kind
        if kind is None:
            leaves.append(value)
            return not isinstance(value, CONTAINERS)
        items: Any = value
        if type(items) is not kind:
            return False
        if issubclass(kind, dict):
            if tuple(items) != self.keys:
                return False
            items = items.values()
        elif len(items) != len(self.keys):
            return False
        for child, item in zip(self.children, items, strict=True):
            if child[0] is None and (type(item) is ndarray or not isinstance(item, CONTAINERS)):
                leaves.append(item)
            elif not child._collect(item, leaves):
                return False
        return True

    def _build(self, leaves: Iterator[Any]) -> Any:
        kind: Any = self.kind
        if kind is None:
            return next(leaves)
        values = [child._build(leaves) if child[0] else next(leaves) for child in self.children]
        if issubclass(kind, dict):
            return kind(zip(self.keys, values, strict=True))
        return kind(*values) if hasattr(kind, "_fields") else kind(values)

    def paths(self, prefix: str = "") -> list[str]:
        """The name of every leaf: `layer1.W_xh` in dictionaries, `xs[0]` in sequences."""
        if self.kind is None:
            return [prefix]
        names = []
        for key, child in zip(self.keys, self.children, strict=True):
            dotted = f"{prefix}.{key}" if prefix else str(key)
            names += child.paths(dotted if issubclass(self.kind, dict) else f"{prefix}[{key}]")
        return names


LEAF = Tree(None)


def flatten(tree: Any) -> tuple[list[Any], Tree]:
    """The leaves in order, and the structure that puts them back.

    >>> flatten({"a": 1.0, "b": [2.0, 3.0]})[0]
    [1.0, 2.0, 3.0]
    """
    if isinstance(tree, dict):
        keys, items = tuple(tree), tuple(tree.values())
    elif isinstance(tree, list | tuple):
        keys, items = tuple(range(len(tree))), tuple(tree)
    else:
        return [tree], LEAF
    leaves: list[Any] = []
    children = []
    for item in items:
        inner, child = flatten(item)
        leaves += inner
        children.append(child)
    return leaves, Tree(type(tree), keys, tuple(children))


def leaf_paths(tree: Any, prefix: str = "") -> list[str]:
    """The names of the leaves of a nested structure.

    >>> leaf_paths({"layer1": {"W_xh": 0.0}, "b": [1.0, 2.0]})
    ['layer1.W_xh', 'b[0]', 'b[1]']
    """
    return flatten(tree)[1].paths(prefix)


def tree_map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Apply a function to corresponding leaves of trees of one structure.

    >>> tree_map(lambda a, b: a + b, {"w": 1}, {"w": 10})
    {'w': 11}
    """
    leaves, structure = flatten(tree)
    columns = []
    for other in others:
        column, shape = flatten(other)
        if shape.paths() != structure.paths():
            raise ValueError(
                f"tree_map: the structures differ: {structure.paths()[:6]} and {shape.paths()[:6]}"
            )
        columns.append(column)
    return structure.unflatten(function(*row) for row in zip(leaves, *columns, strict=True))
