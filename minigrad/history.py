"""Looking back: a tensor found by its name in what another was made from."""

from __future__ import annotations

from minigrad.core import Tensor, ancestors
from minigrad.habits import RECORDED
from minigrad.scopes import scope_path


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
