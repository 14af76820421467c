"""Which layers share a name, and the subscript that tells them apart."""

from __future__ import annotations

from collections.abc import Collection, Iterable


class Layers:
    """For each name the scopes that have it; a cotangent, or `tanh h`, is told apart as h is.

    >>> shared = Layers([("h", "layer1"), ("h", "layer2"), ("o", "layer2")])
    >>> shared.sub("∂h", "layer2"), shared.sub("o", "layer2")
    ('2', '')
    """

    def __init__(self, named: Iterable[tuple[str, str]]) -> None:
        self.scopes: dict[str, set[str]] = {}
        for name, scope in named:
            self.scopes.setdefault(_value(name), set()).add(scope)

    def sub(self, name: str, scope: str) -> str:
        """What stands below a name in a scope; "" if no other layer has the name."""
        return layer(scope, self.scopes.get(_value(name), ()))

    @classmethod
    def whole(cls, named: Collection[tuple[str, str]], recurring: set[str]) -> Layers:
        """Layers of which those that recur and share a name have a subscript at all of theirs.

        >>> named = [("h", "layer1"), ("h", "layer2"), ("f", "layer2"), ("o", "layer3")]
        >>> step = Layers.whole(named, {"layer1", "layer2"})
        >>> [step.sub(*own) for own in named]
        ['1', '2', '2', '']
        """
        found = cls(named)
        shared = (scopes & recurring for scopes in found.scopes.values())
        alike = set().union(*(scopes for scopes in shared if len(scopes) > 1))
        for name, scope in named:
            if scope in alike:
                found.scopes[_value(name)] |= alike
        return found


def _value(name: str) -> str:
    """The name of what it is the cotangent of, or a function of."""
    return name.removeprefix("∂").rpartition(" ")[2]


def layer(scope: str, scopes: Collection[str]) -> str:
    """A scope as a subscript that tells it from other, distinct scopes; "" if there is no other.

    The number of a layer, an arrow for a direction:

    >>> layer("net.layer2", ["net.layer1", "net.layer2"])
    '2'
    >>> layer("layer1.backward", ["layer1.forward", "layer1.backward", "layer2"])
    '1←'
    """
    if len(scopes) < 2:
        return ""
    paths = [path.split(".") for path in scopes]
    shared = 0
    while len({path[shared] if shared < len(path) else None for path in paths}) == 1:
        shared += 1
    words = {"forward": "→", "backward": "←"}
    parts = scope.split(".")[shared:]
    return "".join(words.get(p, p.removeprefix("layer") if p[5:].isdigit() else p) for p in parts)
