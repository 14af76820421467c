"""A schedule as calls of `jax.numpy`, with each loop over time as one `lax.scan`.

What depends on no step runs once, what does not recur on whole sequences, and a sum of products
over steps is one product, as the schedule says. XLA gives the values their places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from minigrad.core import PRIMITIVES
from minigrad.engines.xla.arrays import applied, dtype_of
from minigrad.folded import EVERY, SEQUENCE, STATE, SUM
from minigrad.lower.nodes import lifted, read_part
from minigrad.lower.passes import LATE
from minigrad.lower.pipeline import planned
from minigrad.lower.schedule import Nest, Schedule

UNROLL = {"cpu": 1}
"""Steps in one turn of a loop, by the kind of device; elsewhere 8, which halves the time of a GPU
that starts a kernel for every call, where 32 can multiply it (measured on an H100)."""


def turns() -> int:
    """The number of steps in one turn of a loop."""
    return UNROLL.get(jax.default_backend(), 8)


def run(plan: Schedule, steps: int, inputs: Sequence[Any]) -> list[Any]:
    """The outputs of a scheduled folded graph, then for each recurrence its last values.

    Args:
        plan: what runs.
        steps: the number of steps T.
        inputs: as `minigrad.scan` takes them.
    """
    return _Run(plan, steps, inputs).results()


class _Run:
    """The values of the nodes; those in `whole` have all steps along an axis in front."""

    def __init__(self, plan: Schedule, steps: int, inputs: Sequence[Any]) -> None:
        self.plan, self.T, self.nodes = plan, steps, plan.folded.step.nodes
        self.origins = plan.folded.origins()
        self.values: dict[int, Any] = {}
        self.whole: set[int] = set()
        self.starts: dict[int, Any] = {}
        self._last: dict[int, list[Any]] = {}
        self._totals: dict[int, Any] = {}
        self._places: dict[int, dict[int, int]] = {}
        folded = plan.folded
        for i, role, x in zip(folded.step.inputs, folded.inputs, inputs, strict=True):
            if role == STATE:
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

    def results(self) -> list[Any]:
        """The outputs, then the last values."""
        folded, found = self.plan.folded, []
        for role, i in zip(folded.outputs, folded.step.outputs, strict=True):
            if role != STATE:
                value = self._read(i)
                found.append(self._every(i) if role == EVERY else
                             self._total(i) if role == SUM else jnp.asarray(value))  # fmt: skip
        for r in folded.recurrences:
            i, d = folded.step.inputs[r.input], r.delay
            if i in self._last:
                last = jnp.stack(self._last[i])
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
            return run(planned(folded, LATE), node.attrs["steps"], operands)
        if node.op == "project":
            return operands[0][self._places[node.inputs[0]][node.attrs["k"]]]
        return applied(node, operands, node.attrs)

    # --- on whole sequences -----------------------------------------------------------------------

    def _history(self, i: int) -> Any:
        """The values that a state input has, in the order of time, the last values behind them."""
        source, d = self.origins[i]
        start = jnp.asarray(self.starts[i], dtype_of(self.nodes[i]))
        return jnp.concatenate([start, self._every(source)][:: 1 if d > 0 else -1])

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
        return jnp.broadcast_to(jnp.asarray(value), (self.T, *self.nodes[i].shape))

    def _batch(self, k: int) -> None:
        """A node at all steps, by one call with the steps along an axis in front."""
        node = self.nodes[k]
        if node.op == "input":
            return
        operands = [self._read(i) for i in node.inputs]
        seen = self.whole.intersection(node.inputs)
        lift = PRIMITIVES[node.op].lift
        if not seen:  # the same at every step, though a recurrence carries it
            found = jnp.broadcast_to(applied(node, operands, node.attrs), (self.T, *node.shape))
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
            self._totals[k] = jnp.asarray(self._summed(k), dtype_of(self.nodes[k]))
        return self._totals[k]

    def _summed(self, k: int) -> Any:
        node = self.nodes[k]
        if k not in self.plan.summed:
            return self._read(k).sum(0) if k in self.whole else self.T * self._read(k)
        if node.lowering.through:
            return applied(node, [self._total(i) for i in node.inputs], node.attrs)
        operands = [self._every(i) for i in node.inputs]
        if node.op in ("contract", "put"):  # both add up over all leading axes
            return applied(node, operands, node.attrs)
        step = jax.vmap(lambda *xs: applied(node, xs, node.attrs))
        return step(*operands).sum(0)

    # --- loops ------------------------------------------------------------------------------------

    def _loop(self, nest: Nest) -> None:
        """The steps of a nest, one after the other: the last |delay| values are carried."""
        nodes, inside = self.nodes, nest.inside
        order = [k for k in nest.looped if nodes[k].op != "input"]
        states = [i for i in self.origins if i in inside]
        outside = {i for k in order for i in nodes[k].inputs} - inside
        given = {i: self._read(i) for i in outside}
        sequences = {i: x for i, x in given.items() if i in self.whole}
        kept = [k for k in order if self._is_kept(k, nest)]

        def step(carry: Mapping[int, Any], now: Mapping[int, Any]) -> tuple[Any, Any]:
            values = {**given, **now, **{i: window[0] for i, window in carry.items()}}
            for k in order:
                operands = [values[i] for i in nodes[k].inputs]
                values[k] = applied(nodes[k], operands, nodes[k].attrs)
            after = {i: (*w[1:], values[self.origins[i][0]]) for i, w in carry.items()}
            return after, {k: values[k] for k in kept}

        starts = [jnp.asarray(self.starts[i], dtype_of(nodes[i])) for i in states]
        start = {
            i: tuple(x)[:: nest.direction]
            for i, x in zip(states, _of_each_device(starts, [*given.values()]), strict=True)
        }
        end, found = lax.scan(step, start, sequences, self.T, nest.direction < 0,
                              max(1, min(turns(), self.T)))  # fmt: skip
        self._last.update({i: list(window)[:: nest.direction] for i, window in end.items()})
        self.values.update(found)
        self.whole.update(found)

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


def _of_each_device(starts: Sequence[Any], given: Sequence[Any]) -> list[Any]:
    """Start values as what is carried will be: under `shard_map` every device has its own."""
    arrays = [x for x in (*starts, *given) if isinstance(x, jax.Array)]
    axes = frozenset[str]().union(*(jax.typeof(x).mat.varying for x in arrays))
    missing = [tuple(axes - jax.typeof(x).mat.varying) for x in starts]
    return [lax.pcast(x, m, to="varying") if m else x for x, m in zip(starts, missing, strict=True)]
