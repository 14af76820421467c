"""The adjoint of a folded graph for many cotangents at once.

The cotangents have one more axis in front, and so has everything that comes of them: one run does
for a whole basis, or for the losses of many steps. What the adjoint reads of the forward run has
no such axis, so it is there once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import Array
from minigrad.folded import (
    EVERY,
    STATE,
    STATIC,
    Folded,
    folded_adjoint,
    no_cotangent,
)
from minigrad.graph import Node
from rnn.bptt.surgery import fronted, lifted

FIT = 1 << 17
"""Bytes that the largest value of a step may take, with the axis in front.

Above it the run keeps T of them, and a ledger of a wide cell takes four times as long.
"""

Finish = Callable[[list[Any], list[Any]], list[Any]]


class Adjoint:
    """A run of a folded graph, ready to carry cotangents back, n at a time.

    Args:
        folded: the graph; `inputs`: as `minigrad.scan` takes them; `steps`: T.
        wrt: the numbers of the inputs whose cotangents are asked for, at every step: those of a
            static input too, which are not added up here.
        heard: the numbers of the outputs that have cotangents, not states.
    """

    def __init__(
        self,
        folded: Folded,
        steps: int,
        inputs: Sequence[Array],
        wrt: Sequence[int],
        heard: Sequence[int],
    ) -> None:
        self.folded, self.steps, self.wrt, self.heard = folded, steps, list(wrt), list(heard)
        fixed = {k for k, role in enumerate(folded.inputs) if role != STATE and k not in wrt}
        silent = set(folded.plain) - set(heard)
        self.pair = folded_adjoint(folded, silent, fixed)
        kept = mg.scan(self.pair.forward, steps, *inputs)[len(folded.plain) :]
        self.residuals = self.pair.residuals(inputs, kept)

    def at_once(self, most: int) -> int:
        """How many cotangents, of at most so many, one run does for without slowing down."""
        step = self.pair.backward.step
        has = fronted(step, range(len(self.residuals), len(step.inputs)))
        sizes = (int(np.prod(node.shape, dtype=int)) * _width(node) for node in step.nodes)
        widest = max(size for size, is_fronted in zip(sizes, has, strict=True) if is_fronted)
        return max(1, min(most, FIT // max(widest, 1)))

    def rows(
        self,
        n: int,
        finish: Finish | None = None,
        more: Sequence[Array] = (),
    ) -> Callable[..., list[Array]]:
        """The function from n cotangents of each output heard to those of the inputs asked for.

        Args:
            n: how many at once.
            finish: what is made of them within the step, and of `more`; they themselves if None.
            more: static inputs of `finish`.

        Returns:
            A function of `{output: (T, n, ...)}` that gives for each input `(T, n, ...)`, or what
            `finish` makes of that.
        """
        folded, backward, lead = self.folded, self.pair.backward, len(self.residuals)
        places = {k: j for j, k in enumerate(self.pair.step.wrt)}
        asked = [places[k] for k in self.wrt]
        examples: list[Any] = []
        for k in range(len(backward.inputs)):
            x = backward.input_node(k).example()
            examples.append(x if k < lead else np.broadcast_to(x, (n, *x.shape)))
        states = [r.output for r in backward.recurrences]

        def step(inputs: list[Any], more: list[Any]) -> list[Any]:
            outputs = lifted(backward.step, range(lead, len(examples)), n, inputs)
            found = [outputs[k] for k in asked]
            return [*(finish(found, more) if finish else found), *(outputs[k] for k in states)]

        graph = mg.trace(step, examples, list(more))
        count = len(graph.outputs) - len(states)
        edges = tuple(
            mg.Recurrence(count + k, r.input, r.delay, r.name)
            for k, r in enumerate(backward.recurrences)
        )
        roles = (*backward.inputs, *[STATIC] * len(more))
        many = Folded(graph, roles, (*[EVERY] * count, *[STATE] * len(edges)), edges)

        def run(cotangents: Mapping[int, Array]) -> list[Array]:
            seeds = [
                no_cotangent(folded, k, n) if folded.outputs[k] == STATE else cotangents[k]
                for k in self.pair.step.seeded
            ]
            return mg.scan(many, self.steps, *self.residuals, *seeds, *more)[:count]

        return run


def _width(node: Node) -> int:
    return 0 if node.dtype is None else node.dtype.itemsize
