"""A schedule run on arrays of any kind that NumPy's functions apply to.

What depends on no step runs once, what does not recur on whole sequences, and a sum of products
over steps is one product, as the schedule says. An engine that runs a schedule this way gives its
arrays, to which NumPy's functions apply (NEP 13 and NEP 18), and how it loops. Values have no
places here: whoever makes a program of the calls finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.core.kinds import as_array
from minigrad.folded import EVERY, SEQUENCE, STATE, SUM
from minigrad.graph import Node
from minigrad.lower.nodes import lifted, read_part
from minigrad.lower.passes import Pass
from minigrad.lower.pipeline import planned
from minigrad.lower.schedule import Nest, Schedule

Values = list[Any]
Step = Callable[[Values, Values], tuple[Values, Values]]
Loop = Callable[[Step, Values, Values, Values, int, int], tuple[Values, Values]]
"""How an engine loops: `loop(step, carried, sequences, beside, steps, direction)`.

`step(carried, now)` gives what the next step is handed and what is kept of this one; the loop gives
what was carried out of it, and what was kept of all steps, in the order of time. What stands
`beside` is the same at every step, and the step reads it as it is.
"""


def run(
    plan: Schedule, steps: int, inputs: Sequence[Any], loop: Loop, passes: Sequence[Pass] = ()
) -> Values:
    """The outputs of a scheduled folded graph, then for each recurrence its last values.

    Args:
        plan: what runs.
        steps: the number of steps T.
        inputs: as `minigrad.scan` takes them, of the engine's kind.
        loop: how the engine loops.
        passes: on the loops inside of a graph, before they run.
    """
    return _Run(plan, steps, inputs, loop, passes).results()


def applied(node: Node, operands: Sequence[Any], attrs: Mapping[str, Any]) -> Any:
    """What the primitive of a node makes of arrays and of Python numbers, which are weak.

    Raises:
        TypeError: its forward does more than to call NumPy's functions, or one that is not there.
    """
    try:
        found = as_array(PRIMITIVES[node.op].forward(*operands, **attrs))
        return found if found.dtype == node.dtype else found.astype(node.dtype)
    except TypeError as error:
        raise TypeError(f"{node.op} does not run on this engine: {error}") from None


class _Run:
    """The values of the nodes; those in `whole` have all steps along an axis in front."""

    def __init__(
        self, plan: Schedule, steps: int, inputs: Sequence[Any], loop: Loop, passes: Sequence[Pass]
    ) -> None:
        self.plan, self.T, self.nodes = plan, steps, plan.folded.step.nodes
        self.loop, self.passes = loop, passes
        self.origins = plan.folded.origins()
        self.values: dict[int, Any] = {}
        self.whole: set[int] = set()
        self.starts: dict[int, Any] = {}
        self._last: dict[int, Values] = {}
        self._totals: dict[int, Any] = {}
        self._places: dict[int, dict[int, int]] = {}
        folded = plan.folded
        for i, role, x in zip(folded.step.inputs, folded.inputs, inputs, strict=True):
            if role == STATE:
                if isinstance(x, float | int):  # a loop in Python may start from a number
                    x = np.asarray(x, self.nodes[i].dtype)
                self.starts[i] = x if abs(self.origins[i][1]) > 1 else x[None]
            else:
                self.values[i] = x
                self.whole.update({i} if role == SEQUENCE else ())
        for k in plan.fixed:
            if self.nodes[k].op == "constant":
                self.values[k] = self.nodes[k].value
        for k in plan.static:
            self.values[k] = self._once(k)
        for block in plan.blocks:
            for k in block.batched if isinstance(block, Nest) else (block,):
                self._batch(k)
            if isinstance(block, Nest) and block.looped:
                self._loop(block)

    def results(self) -> Values:
        """The outputs, then the last values."""
        folded, found = self.plan.folded, []
        for role, i in zip(folded.outputs, folded.step.outputs, strict=True):
            if role != STATE:
                found.append(self._every(i) if role == EVERY else
                             self._total(i) if role == SUM else self._read(i))  # fmt: skip
        for r in folded.recurrences:
            i, d = folded.step.inputs[r.input], r.delay
            if i in self._last:
                last = self._last[i] if abs(d) == 1 else [np.stack(self._last[i])]
                found += last
            else:
                last = self._history(i)[self.T :] if d > 0 else self._history(i)[:-d]
                found.append(last if abs(d) > 1 else last[0])
        return found

    # --- once -------------------------------------------------------------------------------------

    def _once(self, k: int) -> Any:
        """The value of a node that depends on no step: an operation, or a loop of its own."""
        node = self.nodes[k]
        operands = [self.values[i] for i in node.inputs]
        if node.op == "scan":
            folded, self._places[k] = read_part(node, [self.nodes[j] for j in self.plan.users[k]])
            plan = planned(folded, self.passes)
            return run(plan, node.attrs["steps"], operands, self.loop)
        if node.op == "project":
            return operands[0][self._places[node.inputs[0]][node.attrs["k"]]]
        return applied(node, operands, node.attrs)

    # --- on whole sequences -----------------------------------------------------------------------

    def _history(self, i: int) -> Any:
        """The values that a state input has, in the order of time, the last values behind them."""
        source, d = self.origins[i]
        return np.concatenate([self.starts[i], self._every(source)][:: 1 if d > 0 else -1])

    def _read(self, i: int) -> Any:
        """The value of a node; that of a state of all steps, if no loop has kept it."""
        if i not in self.values and i in self.origins:
            d = self.origins[i][1]
            self.values[i] = self._history(i)[: self.T] if d > 0 else self._history(i)[-d:]
            self.whole.add(i)
        return self.values.get(i)

    def _every(self, i: int) -> Any:
        """The value of a node at all steps, repeated if it is the same at every step."""
        value = self._read(i)
        if i in self.whole:
            return value
        return np.broadcast_to(as_array(value), (self.T, *self.nodes[i].shape))

    def _batch(self, k: int) -> None:
        """A node at all steps, by one call with the steps along an axis in front."""
        node = self.nodes[k]
        if node.op == "input":
            return
        operands = [self._read(i) for i in node.inputs]
        lift = PRIMITIVES[node.op].lift
        if self.whole.isdisjoint(node.inputs):  # the same at every step, though it is carried
            once = applied(node, operands, node.attrs)
            found = np.broadcast_to(once, (self.T, *node.shape))
        elif lift == "align" or lift is None:
            rank = max(len(self.nodes[i].shape) for i in node.inputs) if lift else 0
            operands = [self._aligned(i, rank) for i in node.inputs]
            found = applied(node, operands, node.attrs)
        else:
            operands = [self._every(i) for i in node.inputs]
            found = applied(node, operands, lifted(node, self.T))
        self.values[k] = found
        self.whole.add(k)

    def _aligned(self, i: int, rank: int) -> Any:
        """A value with axes of size 1 behind the one of steps, up to a rank."""
        value, shape = self.values[i], self.nodes[i].shape
        gap = (1,) * (rank - len(shape))
        return value.reshape(self.T, *gap, *shape) if gap and i in self.whole else value

    # --- in sums over steps -----------------------------------------------------------------------

    def _total(self, k: int) -> Any:
        """The sum of a node over all steps, computed once."""
        if k not in self._totals:
            self._totals[k] = as_array(self._summed(k)).astype(self.nodes[k].dtype)
        return self._totals[k]

    def _summed(self, k: int) -> Any:
        node = self.nodes[k]
        if k not in self.plan.summed:
            return np.sum(self._read(k), axis=0) if k in self.whole else self.T * self._read(k)
        if node.lowering.through:
            return applied(node, [self._total(i) for i in node.inputs], node.attrs)
        operands = [self._read(i) for i in node.inputs]
        if node.op in ("contract", "put"):  # both add up over all leading axes
            return applied(node, [self._every(i) for i in node.inputs], node.attrs)
        if PRIMITIVES[node.op].lift is not None:
            self._batch(k)
            return np.sum(self.values[k], axis=0)
        whole = [i for i in node.inputs if i in self.whole]
        zeros = np.zeros(node.shape, node.dtype)

        def step(carried: Values, now: Values) -> tuple[Values, Values]:
            values = dict(zip(node.inputs, operands, strict=True)) | dict(
                zip(whole, now, strict=True)
            )
            term = applied(node, [values[i] for i in node.inputs], node.attrs)
            return [carried[0] + term], []

        sequences = [self.values[i] for i in whole]
        beside = [self.values[i] for i in node.inputs if i not in whole]
        return self.loop(step, [zeros], sequences, beside, self.T, 1)[0][0]

    # --- loops ------------------------------------------------------------------------------------

    def _loop(self, nest: Nest) -> None:
        """The steps of a nest, one after the other: the last |delay| values are carried."""
        nodes, inside, origins = self.nodes, nest.inside, self.origins
        order = [k for k in nest.looped if nodes[k].op != "input"]
        states = [(i, abs(origins[i][1])) for i in origins if i in inside]
        outside = sorted({i for k in order for i in nodes[k].inputs} - inside)
        given = {i: self._read(i) for i in outside}
        sequences = [i for i in outside if i in self.whole]
        read = [k for k in order if self._is_kept(k, nest)]
        parts = [k for k in read if nodes[k].lowering.view and {*read}.issuperset(nodes[k].inputs)]
        kept = [k for k in read if k not in parts]

        def step(carried: Values, now: Values) -> tuple[Values, Values]:
            values = given | dict(zip(sequences, now, strict=True))
            windows = _cut(carried, states)
            values.update({i: window[0] for i, window in windows.items()})
            for k in order:
                operands = [values[i] for i in nodes[k].inputs]
                values[k] = applied(nodes[k], operands, nodes[k].attrs)
            after = [x for i, w in windows.items() for x in (*w[1:], values[origins[i][0]])]
            return after, [values[k] for k in kept]

        turn = nest.direction
        start = [self.starts[i][n] for i, d in states for n in range(d)[::turn]]
        beside = [x for i, x in given.items() if i not in self.whole]
        whole = [given[i] for i in sequences]
        end, found = self.loop(step, start, whole, beside, self.T, turn)
        self._last.update({i: w[::turn] for i, w in _cut(end, states).items()})
        self.values.update(zip(kept, found, strict=True))
        self.whole.update(kept)
        for k in parts:  # are seen in what is kept
            self._batch(k)

    @cached_property
    def _outputs(self) -> set[int]:
        """Nodes that are results of their own, and not only carried."""
        folded = self.plan.folded
        pairs = zip(folded.outputs, folded.step.outputs, strict=True)
        return {i for role, i in pairs if role != STATE}

    def _is_kept(self, k: int, nest: Nest) -> bool:
        """Whether somebody outside of its loop reads a node, or what is carried of it."""
        if k in self._outputs or not nest.inside.issuperset(self.plan.users[k]):
            return True
        carried = [i for i, (source, _) in self.origins.items() if source == k]
        return any(i not in nest.inside or self._is_kept(i, nest) for i in carried)


def _cut(values: Values, states: Sequence[tuple[int, int]]) -> dict[int, Values]:
    """Carried values by state: as many as its delay has steps, the one to be read first."""
    rest = iter(values)
    return {i: [next(rest) for _ in range(d)] for i, d in states}
