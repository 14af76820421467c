"""Nothing depends on how deep a graph is, and graphs go when nobody holds them."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from tests.house import in_a_new_process

CHAIN = """
    import gc, sys
    gc.disable()
    assert sys.getrecursionlimit() == 1000
    import minigrad as mg

    def chain(x, n={n}):
        h = x
        for _ in range(n):
            h = h + 1.0
        return h

    x = mg.Tensor(0.5, name="x")
    loss = chain(x)
    assert loss.item() == {n} + 0.5
    loss.backward()
    assert x.grad == 1.0
    assert len(repr(loss)) < 100
    assert len(mg.ancestors(loss)) == {n} + 1
    assert mg.find(loss, "x") is x
    del loss
    graph = mg.trace(chain, 0.5)
    assert len(graph) >= {n}
    assert len(str(graph)) < 20_000, "the text is abridged"
    assert graph(1.5) == {n} + 1.5
    assert mg.isomorphic(graph, graph)
    del graph
    assert mg.grad(chain)(2.0) == 1.0
    print("freed")
"""


def test_a_chain_of_100_000_operations_needs_no_recursion():
    assert in_a_new_process(CHAIN.format(n=100_000)) == "freed\n"


@pytest.mark.deep
def test_a_chain_of_1_000_000_operations_needs_no_recursion():
    assert in_a_new_process(CHAIN.format(n=1_000_000)) == "freed\n"


def test_an_adjoint_of_a_deep_graph_needs_no_recursion():
    script = """
        import minigrad as mg
        def chain(x):
            for _ in range(20_000):
                x = mg.sin(x)
            return x
        forward, backward = mg.adjoint(mg.trace(chain, 0.5))
        print(len(forward), len(backward.outputs), len(str(backward)) < 20_000)
    """
    assert in_a_new_process(script) == "20001 1 True\n"


def test_the_text_of_a_graph_is_the_same_in_every_process():
    script = """
        import numpy as np, minigrad as mg, rnn
        cell = rnn.Stack([rnn.LSTMCell(3, 2), rnn.Dense(2, 2)])
        print(cell.folded(), *mg.adjoint(cell.folded()), mg.unfold(cell.folded(), 2))
        loss = lambda p: mg.sum(rnn.run(cell, p, np.ones((2, 1, 3)), unfolded=True)[0])
        print(mg.trace(loss, cell.init(0)))
    """
    texts = {in_a_new_process(script, PYTHONHASHSEED=seed) for seed in ("1", "2")}
    assert len(texts) == 1


# --- memory -------------------------------------------------------------------------------------

CELL = rnn.Stack([rnn.LSTMCell(3, 2), rnn.Bidirectional(rnn.GRUCell(2, 2))])


def _backward() -> Any:
    w = mg.Tensor(np.ones(3), name="w")
    loss = mg.sum(mg.named("h", mg.tanh(w * w)))
    loss.backward()
    return loss


def _run(unfolded: bool) -> Any:
    ys, _ = rnn.run(CELL, CELL.init(0).tensors(), np.ones((4, 2, 3)), unfolded=unfolded)
    loss = mg.sum(ys * ys)
    loss.backward()
    return loss


def _second_order() -> Any:
    w = mg.Tensor(np.ones(3), name="w")
    return mg.sum(mg.grad(lambda v: mg.sum(mg.tanh(v * w)))(w) * w)


GRAPHS: dict[str, Callable[[], Any]] = {
    "after backward": _backward,
    "of a scan": lambda: _run(False),
    "of an unfolded run": lambda: _run(True),
    "of a derivative": _second_order,
}


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_graph_is_freed_by_reference_count(graph):
    """With the garbage collector off: nodes hold no cycle."""
    GRAPHS[graph]()  # what is made once and kept, such as compiled programs
    gc.collect()
    gc.disable()
    try:
        loss = GRAPHS[graph]()
        alive = [weakref.ref(tensor) for tensor in mg.ancestors(loss)]
        assert len(alive) > 3
        del loss
        assert [ref() for ref in alive if ref() is not None] == []
    finally:
        gc.enable()


def test_a_cycle_would_be_seen():
    """The check above is not empty: a tensor that holds itself stays alive."""
    gc.disable()
    try:
        tensor = mg.tanh(mg.Tensor(1.0))
        tensor.attrs = {"self": tensor}
        ref = weakref.ref(tensor)
        del tensor
        assert ref() is not None
    finally:
        gc.enable()
        gc.collect()
