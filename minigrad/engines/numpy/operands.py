"""Operands: the values of a program as instructions read and write them, in loops and outside."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from operator import itemgetter

import numpy as np

from minigrad.core import Array
from minigrad.engines.numpy.instructions import (
    Body,
    Constant,
    Copy,
    Given,
    Look,
    Make,
    Operand,
    View,
)
from minigrad.engines.numpy.needs import CHUNK, RING, WHOLE
from minigrad.engines.numpy.operations import Function, number, shared
from minigrad.engines.numpy.storage import Storage


class Operands:
    """The values of nodes as operands.

    Attributes:
        storage, buffers: where they are.
        once: copies that are made before the first call.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage, self.plan, self.T = storage, storage.plan, storage.T
        self.nodes, self.buffers = storage.nodes, storage.buffers
        self.view, self.place = self.buffers.view, self.buffers.place
        self.once: list[Copy] = []
        self._numbers = itertools.count()
        self._places: dict[int, Operand] = {}
        self._moving: dict[tuple[int, str], View] = {}

    def of(self, k: int) -> Operand:
        """A static value, an argument, or all of a buffer."""
        value = self.storage.values[k]
        if value.array is None:
            return Given(value.name)
        if k not in self._places:
            self._places[k] = self.view(value.array, self.nodes[k].op)
        return self._places[k]

    def into(self, k: int) -> View:
        """All of the buffer in which a node is computed."""
        out = self.of(k)
        assert isinstance(out, View)  # what is computed has a buffer
        return out

    def is_there(self, k: int) -> bool:
        """Whether nothing has to be done for a node."""
        return self.nodes[k].op == "input" or self.storage.values[k].is_view

    def moving(self, i: int, see: Function | None = None, tag: str = "") -> Operand:
        """A value in a loop; `see` makes another view of its steps, told apart by `tag`."""
        if (i, tag) in self._moving:
            return self._moving[i, tag]
        value = self.storage.values[i]
        if value.array is None:
            return Given(value.name, value.level == WHOLE)
        if value.level not in (WHOLE, CHUNK, RING):
            return self.of(i) if see is None else self.view(see(value.array), "view")
        array = self._owned(i, value.array)
        step = array[0, ...]
        period = {WHOLE: 0, CHUNK: len(array), RING: 2}[value.level]
        seen = step if see is None else see(step)
        self._moving[i, tag] = self.place(seen, f"v{i}{tag}", array.strides[0], period, value.turn)
        return self._moving[i, tag]

    def _owned(self, i: int, array: Array) -> Array:
        """An array in which views can move: what the graph holds is copied once."""
        if isinstance(self.of(i), View):
            return array
        copy = self.storage.values[i].array = self.buffers.new(array.shape, array.dtype)
        self.once.append(Copy(Constant(array, "constant"), self.place(copy, "held")))
        self._places.pop(i)
        return copy

    def target(self, k: int, see: Function | None = None, tag: str = "") -> View:
        """Where a node is computed in a loop."""
        out = self.moving(k, see, tag)
        assert isinstance(out, View)  # what is computed has a buffer
        return out

    def operand(self, k: int, i: int, moving: bool = False) -> Operand:
        """An operand of node k, in a loop if it is `moving`; weak numbers as k takes them."""
        if self.nodes[i].op != "constant":
            return self.moving(i) if moving else self.of(i)
        if self.nodes[i].dtype is None and self.storage.values[k].array is not None:
            return Constant(number(self.nodes[i], self.nodes[k]), "number")
        return self.of(i)

    def seen(self, x: Operand, see: Function, tag: str, body: Body) -> Operand:
        """Another view of an operand: known now where its array is, otherwise made in the body."""
        known = self.buffers.array(x) if isinstance(x, View) and x.step is None else None
        if (view := shared(see, known)) is not None:
            return self.place(view, tag)
        # Numbered, as two values may have one label, and both be read later.
        name = f"{x.name if isinstance(x, Given) else x.label}_{tag}_{next(self._numbers)}"
        body.append(Make(tag, see, (x,), name))
        return Given(name)

    def aligned(self, k: int, i: int, body: Body, moving: bool = False) -> Operand:
        """An operand of node k with the axes that it lacks to the others, behind that of time."""
        operand = self.operand(k, i, moving)
        ranks = [len(self.nodes[j].shape) for j in self.nodes[k].inputs]
        gap = (None,) * (max(ranks) - len(self.nodes[i].shape))
        if not gap or self.storage.values[i].level not in (WHOLE, CHUNK):
            return operand
        if isinstance(operand, View) and moving:
            return self.moving(i, itemgetter((*gap, ...)), f"_{len(gap)}")
        see = Look("item", (slice(None), *gap))
        return self.seen(operand, see, "aligned", body)

    def whole(self, i: int, body: Body) -> Operand:
        """A value of all steps, repeated if it is the same at every step."""
        if self.storage.values[i].level == WHOLE:
            return self.of(i)
        # Not self.T inside: a function that holds what holds it would be a circle.
        repeat = lambda x, T=self.T: np.broadcast_to(x, (T, *np.shape(x)))
        return self.seen(self.of(i), repeat, "repeated", body)

    def rows(self, i: int, body: Body) -> Operand:
        """The rows of all leading axes, that of time among them, as a matrix."""
        return self.seen(self.of(i), self.as_rows(i), "rows", body)

    def as_rows(self, i: int) -> Look:
        """What makes a matrix of a value, a row for each of its steps and of its leading axes."""
        *lead, width = self.nodes[i].shape
        steps = self.T if self.storage.values[i].level == WHOLE else 1
        return Look("reshape", (steps * math.prod(lead), width))

    def copies(self, k: int, operands: Iterable[int], moving: bool = False) -> Body:
        """Copies of operands into a concatenation; those made in place need none."""
        copies, array, spans = Body(), self.storage.values[k].array, self.storage.spans(k)
        assert array is not None  # concatenations have buffers
        for n in operands:
            i, see = self.nodes[k].inputs[n], itemgetter(spans[n])
            if self.storage.values[i].inside == k:
                continue
            if k in self.storage.needs.lasting and self.nodes[i].op == "constant":
                constant = Constant(self.nodes[i].value, "constant")
                self.once.append(Copy(constant, self.place(see(array), "part")))
            elif moving:
                copies.append(Copy(self.moving(i), self.target(k, see, f"_{n}")))
            else:
                copies.append(Copy(self.of(i), self.place(see(array), "part")))
        return copies
