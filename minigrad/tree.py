"""Nested dictionaries, lists and tuples of arrays, seen as one flat list of leaves.

Gradients come back in the structure they were asked for; dictionaries keep the order of their
keys and their class, so `Params` in gives `Params` out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple


class Tree(NamedTuple):
    """The structure of nested containers, without the leaves; `kind` is None for a leaf."""

    kind: type | None
    keys: tuple[Any, ...] = ()
    children: tuple[Tree, ...] = ()

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """Put leaves back in their places."""
        return self._build(iter(leaves))

    def _build(self, leaves: Iterator[Any]) -> Any:
        if self.kind is None:
            return next(leaves)
        values = [child._build(leaves) for child in self.children]
        build: Any = self.kind
        if issubclass(build, dict):
            return build(zip(self.keys, values, strict=True))
        return build(*values) if hasattr(build, "_fields") else build(values)

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
