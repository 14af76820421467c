"""Real-time recurrent learning: the same gradient in forward mode, step by step, with no past kept.

∂s⁽ᵗ⁾/∂W = (∂s⁽ᵗ⁾/∂s⁽ᵗ⁻¹⁾) ∂s⁽ᵗ⁻¹⁾/∂W + (the use of W at step t): one tangent for every single
weight is carried forward, and nothing else. That is what backpropagation through time saves, at the
price of keeping all steps.
Source: Williams and Zipser (1989), A learning algorithm for continually running fully recurrent
neural networks, equations 10 to 12.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import Array
from minigrad.folded import folded_adjoint
from minigrad.graph import Graph, Node, replay
from rnn.bptt.recorded import Loss, Recorded, recorded
from rnn.bptt.surgery import lifted
from rnn.bptt.table import Result, Table, number
from rnn.cell import Cell


@dataclass(frozen=True)
class Cost:
    """What a way to the gradient takes, counted on its graphs.

    Attributes:
        kept: numbers that have to be held from one step to another.
        products: multiplications and other operations on single numbers.
    """

    kept: int
    products: int


@dataclass(frozen=True, eq=False, repr=False)
class Rtrl(Result):
    """The gradient in forward mode beside that by backpropagation through time.

    Attributes:
        cell: its name; `steps`: T; `weights`: the number P of single weights.
        gradient: in forward mode; `by_bptt`: in reverse mode; by the name of the parameter.
        rtrl, bptt: what each costs.
    """

    cell: str
    steps: int
    weights: int
    gradient: Mapping[str, Array]
    by_bptt: Mapping[str, Array]
    rtrl: Cost
    bptt: Cost

    @property
    def off(self) -> float:
        """The largest difference of the two, relative to the largest entry of a parameter."""
        worst = 0.0
        for name, g in self.by_bptt.items():
            scale = float(np.max(np.abs(g), initial=0.0)) or 1.0
            worst = max(worst, float(np.max(np.abs(g - self.gradient[name]), initial=0.0)) / scale)
        return worst

    @property
    def sentence(self) -> str:
        """What forward mode costs beside reverse mode."""
        kept, made = (
            number(a / b) if b else "∞"
            for a, b in ((self.rtrl.kept, self.bptt.kept), (self.rtrl.products, self.bptt.products))
        )
        return (
            f"the same gradient both ways; forward in time it takes {made} times the operations of "
            f"backward, and keeps {kept} times as many numbers at T = {self.steps}"
        )

    def table(self) -> Table:
        """What is kept and what is computed, and how each grows."""
        return Table(
            f"RTRL = BPTT to {self.off:.1g}: {self.cell}, T = {self.steps}, {self.weights} weights",
            ("", "numbers kept", "operations", "grows with"),
            (
                ("BPTT", self.bptt.kept, self.bptt.products, "kept: T; operations: T"),
                ("RTRL", self.rtrl.kept, self.rtrl.products, "kept: not T, but weights × states; "
                 "operations: T × weights"),
            ),
            (self.sentence,),
        )  # fmt: skip

    def drawn(self, axes: Any) -> None:
        """Costs side by side, on a logarithmic axis."""
        for k, (name, cost) in enumerate((("BPTT", self.bptt), ("RTRL", self.rtrl))):
            axes.bar([k - 0.2, 2 + k - 0.2], [cost.kept, cost.products], width=0.7, label=name)
        axes.set(yscale="log", title=f"{self.cell}: BPTT and RTRL")
        axes.set_xticks([0.3, 2.3], ["numbers kept", "operations"])
        axes.legend()


def rtrl(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    loss: Loss,
    state: Any = None,
    lengths: Any = None,
) -> Rtrl:
    """The gradient by real-time recurrent learning, and what it costs beside BPTT.

    It takes a tangent for each single weight: for cells of some thousand weights at most.

    Args:
        cell: any whose edges all run the same way in time.
        params: from `cell.init`.
        xs: the sequence `(T, B, X)`, or class indices `(T, B)`.
        loss: a function of the outputs `(T, B, O)` that gives a number.
        state: start values, as `rnn.run` takes them, and chooses them if None.
        lengths: of ragged batches, as `rnn.run` takes them.

    >>> import numpy as np, minigrad as mg, rnn
    >>> cell = rnn.RNNCell(2, 3)
    >>> xs = np.random.default_rng(0).normal(size=(20, 1, 2))
    >>> found = rnn.bptt.rtrl(cell, cell.init(0), xs, lambda ys: mg.sum(ys * ys))
    >>> found.off < 1e-14, found.rtrl.kept, found.bptt.kept
    (True, 54, 160)
    """
    run = recorded(cell, params, xs, loss, state, lengths)
    if run.edges and not run.direction:
        raise ValueError(
            f"rtrl: {cell.label} has edges both with and against time, so no way through the "
            "steps carries all states forward"
        )
    count = len(run.params)
    shapes = [w.shape for w in run.inputs[:count]]
    sizes = [_size(shape) for shape in shapes]
    P = sum(sizes)
    many = _tangent(run, P)
    found = np.zeros(P)
    basis = np.split(np.eye(P, dtype=run.ys.dtype), np.cumsum(sizes)[:-1], axis=1) if P else []
    fixed = [b.reshape(P, *shape) for b, shape in zip(basis, shapes, strict=True)]
    sequences = run.inputs[count : len(run.inputs) - len(run.edges)]
    made = [run.folded.step.outputs[r.output] for r in run.edges]
    carried = {node: list[Array]() for node in made}
    for r, node, before in zip(run.edges, made, run.before, strict=True):
        more = abs(r.delay) - len(carried[node])
        carried[node] += [np.zeros((P, *before.shape[1:]))] * more
    for t in range(run.steps)[:: run.direction or 1]:
        values = [
            *run.inputs[:count],
            *(x[t] for x in sequences),
            *(before[t] for before in run.before),
        ]
        pairs = zip(made, run.edges, strict=True)
        moved_y, *moved = many(values, [*fixed, *(carried[k][-abs(r.delay)] for k, r in pairs)])
        for node, new in dict(zip(made, moved, strict=True)).items():
            carried[node] = [*carried[node][1:], new]
        found += np.sum(moved_y * run.seeded[t], axis=tuple(range(1, moved_y.ndim)))
    parts = np.split(found, np.cumsum(sizes)[:-1]) if P else []
    gradient = {
        name: g.reshape(shape) for name, g, shape in zip(run.params, parts, shapes, strict=True)
    }
    held = sum(x.size for tangents in carried.values() for x in tangents)
    costs = Cost(held, run.steps * work(many)), _bptt_cost(run)
    return Rtrl(cell.label, run.steps, P, gradient, run.gradient, *costs)


def _tangent(run: Recorded, P: int) -> Graph:
    """A step that takes values, and P tangents of weights and states, to P tangents of outputs."""
    folded = run.folded
    step = folded.step
    examples = [folded.input_node(k).example() for k in range(len(folded.inputs))]
    moving = [*range(len(run.params)), *(r.input for r in run.edges)]
    outputs = [0, *(r.output for r in run.edges)]

    def pushed(values: list[Any], tangents: list[Any]) -> list[Any]:
        def primal(*chosen: Any) -> list[Any]:
            inputs = list(values)
            for k, value in zip(moving, chosen, strict=True):
                inputs[k] = value
            results = replay(step, inputs)
            return [results[k] for k in outputs]

        found: list[Any] = mg.jvp(primal, [values[k] for k in moving], tangents)[1]
        return found

    one = mg.trace(pushed, examples, [examples[k] for k in moving])
    lead = range(len(examples), len(examples) + len(moving))
    return mg.trace(
        lambda values, tangents: lifted(one, lead, P, [*values, *tangents]),
        examples,
        [np.broadcast_to(examples[k], (P, *examples[k].shape)) for k in moving],
    )


def _bptt_cost(run: Recorded) -> Cost:
    """What backpropagation through time keeps of every step, and what it computes."""
    pair = folded_adjoint(run.folded)
    nodes = pair.step.forward.nodes
    kept = sum(_size(nodes[pair.step.residuals[k]].shape) for k in pair.emitted)
    return Cost(run.steps * kept, run.steps * (work(run.folded.step) + work(pair.step.backward)))


def work(graph: Graph) -> int:
    """Operations on single numbers: entries made, times what each is a sum of.

    >>> import numpy as np
    >>> work(mg.trace(lambda a, b: mg.tanh(a @ b), np.ones((2, 3)), np.ones((3, 4))))
    32
    """
    return sum(_work(graph.nodes, node) for node in graph.nodes if node.op in mg.PRIMITIVES)


def _work(nodes: tuple[Node, ...], node: Node) -> int:
    made, read = _size(node.shape), [_size(nodes[i].shape) for i in node.inputs]
    primitive = mg.PRIMITIVES[node.op]
    if primitive.kind != "bilinear":
        return max([made, *read])
    # A sum of products: every axis of either operand once, as the signature names them.
    axes: dict[str, int] = {}
    lead = 1
    for core, i in zip(re.findall(r"\(([^)]*)\)", primitive.signature), node.inputs, strict=False):
        names = [name for name in core.split(",") if name not in ("", "...")]
        shape = nodes[i].shape
        axes.update(zip(names, shape[len(shape) - len(names) :], strict=True))
        lead = max(lead, _size(shape[: len(shape) - len(names)]))
    return max(made, lead * _size(tuple(axes.values())))


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=int))
