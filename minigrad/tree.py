"""Nested dictionaries, lists and tuples of arrays, seen as one flat list of leaves.

Gradients come back in the structure they were asked for; dictionaries keep the order of their
keys and their class, so `Params` in gives `Params` out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

CONTAINERS = (dict, list, tuple)


class Tree(NamedTuple):
    """The structure of nested containers, without the leaves; `kind` is None for a leaf."""

    kind: type | None
    keys: tuple[Any, ...] = ()
    children: tuple[Tree, ...] = ()

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """Put leaves back in their places."""
        return self._build(iter(leaves))

    def reader(self) -> Callable[[Any], list[Any] | None]:
        """A function, written for this structure, of a value: what stands where it has leaves.

        It gives None for a value of another structure. Whether containers stand in the places of
        leaves is left to the caller, who looks at the leaves.
        """
        names: dict[str, Any] = {}
        lines: list[str] = []
        found: list[str] = []

        def read(tree: Tree, value: str) -> None:
            kind: Any = tree.kind
            if kind is None:
                found.append(value)
                return
            n = len(lines)
            names[f"kind{n}"], names[f"keys{n}"] = kind, tree.keys
            is_dict = issubclass(kind, dict)
            size = f"tuple({value}) != keys{n}" if is_dict else f"len({value}) != {len(tree.keys)}"
            lines.append(f"if type({value}) is not kind{n} or {size}: return None")
            items = f"{value}.values()" if is_dict else value
            if all(child.kind is None for child in tree.children):
                found.append(f"*{items}")
                return
            inner = [f"{value}_{k}" for k in range(len(tree.children))]
            lines.append(f"{', '.join(inner)}, = {items}")
            for child, name in zip(tree.children, inner, strict=True):
                read(child, name)

        read(self, "value")
        lines.append(f"return [{', '.join(found)}]")
        exec("def function(value):\n " + "\n ".join(lines), names)
        return names["function"]  # type: ignore[no-any-return]  # as the line above defines it

    def writer(self) -> Callable[[list[Any]], Any]:
        """A function, written for this structure, that puts leaves back in their places."""
        names: dict[str, Any] = {}
        places, lines = iter(range(len(self.paths()))), []

        def write(tree: Tree) -> str:
            kind: Any = tree.kind
            if kind is None:
                return f"leaves[{next(places)}]"
            n = len(names)
            names[f"kind{n}"], names[f"keys{n}"] = kind, tree.keys
            inner = [write(child) for child in tree.children]
            values = f"({''.join(f'{x}, ' for x in inner)})"
            if issubclass(kind, dict):
                values = f"{{{', '.join(f'keys{n}[{k}]: {x}' for k, x in enumerate(inner))}}}"
            lines.append(f"x{n} = kind{n}({'*' * hasattr(kind, '_fields')}{values})")
            return f"x{n}"

        lines.append(f"return {write(self)}")
        exec("def function(leaves):\n " + "\n ".join(lines), names)
        return names["function"]  # type: ignore[no-any-return]  # as the line above defines it

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
