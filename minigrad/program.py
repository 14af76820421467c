"""Programs: a folded graph compiled to NumPy calls on fixed buffers.

The schedule says what runs when; here every value gets a place and every operation becomes one
call that writes there. Views of all steps are made once, so a step of a loop is a list of plain
calls. The generated source can be read: `print(program.source)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.folded import EVERY, SEQUENCE, STATE, SUM, Folded
from minigrad.graph import Node
from minigrad.schedule import THROUGH, Stage, schedule, static_nodes, sums_only

Array = np.ndarray[Any, np.dtype[Any]]

VIEWS = frozenset(
    ("reshape", "transpose", "expand_dims", "squeeze", "broadcast_to", "index", "flip", "alias")
)
"""Operations that NumPy does without moving an entry, most of the time."""


def empty(shape: tuple[int, ...], dtype: Any) -> Array:
    """An array on a 64-byte boundary, where vector instructions are fastest."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    array: Array = raw[start : start + size].view(dtype).reshape(shape)
    return array


@dataclass
class Place:
    """Where the value of a node is.

    Attributes:
        name: the variable that holds it in the generated source.
        whole: it is the values of all steps, with time in front; else of one step, or static.
        array: the fixed buffer behind the name, None if it is only known at the call.
        rank: the number of axes of one step's value.
    """

    name: str
    whole: bool
    array: Array | None
    rank: int


class Program:
    """A folded graph for T steps on fixed buffers.

    Call it with one array for each input of the folded graph: a value (static), all steps
    `(T, ...)` (sequence), or start values (state; `(d, ...)` for a delay of d > 1 steps). It
    gives `(outputs, last)`: for each "every" output `(T, ...)` and for each "sum" its value, then
    for each recurrence its last values.

    The results are the program's own buffers: the next call overwrites them.

    Attributes:
        source: the generated Python.
        nbytes: the size of all buffers.
    """

    def __init__(self, folded: Folded, steps: int) -> None:
        self.T = steps
        self.plan = schedule(folded)
        self.folded = self.plan.folded
        self.nbytes = 0
        self._lines: list[str] = []
        self._names: dict[str, Any] = {"reshape": np.reshape}
        self._places: dict[int, Place] = {}
        self._static = static_nodes(self.folded)
        self._sums = sums_only(self.folded)
        self._history: dict[int, Array] = {}
        self._parameters = [f"x{k}" for k in range(len(folded.inputs))]
        self._build()
        body = "\n".join(f"    {line}" for line in self._lines) or "    pass"
        self.source = f"def program({', '.join(self._parameters)}):\n{body}\n"
        exec(compile(self.source, "<minigrad program>", "exec"), self._names)
        self._call: Callable[..., Any] = self._names["program"]

    def __call__(self, *inputs: Any) -> tuple[list[Array], list[Array]]:
        """Run; see the class."""
        outputs, last = self._call(*inputs)
        return outputs, last

    # --- places -----------------------------------------------------------------------------

    def _bind(self, prefix: str, value: Any) -> str:
        """A name in the generated source for a value known now."""
        name = f"{prefix}{len(self._names)}"
        self._names[name] = value
        return name

    def _buffer(self, shape: tuple[int, ...], dtype: Any) -> Array:
        array = empty(shape, dtype)
        self.nbytes += array.nbytes
        return array

    def _fixed(self, k: int, array: Array, whole: bool) -> Place:
        node = self.folded.step.nodes[k]
        place = Place(self._bind(node.op[:1], array), whole, array, len(node.shape))
        self._places[k] = place
        return place

    # --- building ---------------------------------------------------------------------------

    def _build(self) -> None:
        self._place_inputs()
        for k in self.plan.static:
            node = self.folded.step.nodes[k]
            self._places[k] = Place(f"v{k}", False, None, len(node.shape))
            operands = [self._places[i].name for i in node.inputs]
            self._lines.append(f"v{k} = {self._plain(node, node.attrs)}({', '.join(operands)})")
        for stage in self.plan.stages:
            if stage.direction:
                self._loop(stage)
            else:
                for k in stage.nodes:
                    self._batch(k)
        self._results()

    def _place_inputs(self) -> None:
        folded, T = self.folded, self.T
        nodes = folded.step.nodes
        for r in folded.recurrences:
            carrier, d = folded.step.outputs[r.output], r.delay
            node = nodes[carrier]
            history = self._buffer((T + abs(d), *node.shape), node.dtype)
            self._history[r.input] = history
            self._fixed(carrier, history[d:] if d > 0 else history[:T], True)
            reader = folded.step.inputs[r.input]
            self._fixed(reader, history[:T] if d > 0 else history[-d:], True)
            start = self._bind("h", history[:d] if d > 0 else history[T:])
            self._lines.append(f"{start}[...] = x{r.input}")
        for k, role in enumerate(folded.inputs):
            i = folded.step.inputs[k]
            if role != STATE:
                self._places[i] = Place(f"x{k}", role == SEQUENCE, None, len(nodes[i].shape))
        for k, node in enumerate(nodes):
            if node.op == "constant":
                self._places[k] = Place(self._bind("c", node.value), False, None, len(node.shape))

    def _plain(self, node: Node, attrs: Any) -> str:
        """The name of a function that allocates its result."""
        forward = PRIMITIVES[node.op].forward
        if not attrs:
            return self._bind(node.op, forward)
        return self._bind(node.op, lambda *xs, f=forward, a=dict(attrs): f(*xs, **a))

    def _lifted(self, node: Node) -> dict[str, Any]:
        lift: Any = PRIMITIVES[node.op].lift
        return dict(node.attrs) if isinstance(lift, str) else lift(node.attrs, self.T)

    def _batch(self, k: int) -> None:
        """One call on whole sequences."""
        node = self.folded.step.nodes[k]
        if k in self._places and node.op == "input":
            return
        operands = [self._places[i] for i in node.inputs]
        if node.op == "matmul" and operands[0].whole and not operands[1].whole:
            self._flat_product(k, node, operands)
            return
        if node.op == "lookup":
            self._store(k, node, [p.name for p in operands], self._plain(node, node.attrs))
            return
        attrs = self._lifted(node)
        if self._view(k, node, operands, attrs):
            return
        align = PRIMITIVES[node.op].lift == "align"
        top = max(p.rank for p in operands)
        names = [self._aligned(p, top) if align and p.whole else p.name for p in operands]
        if not align:
            names = [self._repeated(p, n) for p, n in zip(operands, names, strict=True)]
        self._store(k, node, names, None if self._kernel(node) else self._plain(node, attrs))

    def _kernel(self, node: Node) -> Any:
        return PRIMITIVES[node.op].kernel if not node.attrs else None

    def _aligned(self, place: Place, top: int) -> str:
        """A whole operand with axes of size 1 behind time until ranks agree."""
        gap = top - place.rank
        if not gap:
            return place.name
        if place.array is not None:
            shape = (self.T, *(1,) * gap, *place.array.shape[1:])
            return self._bind("a", place.array.reshape(shape))
        return (
            f"{place.name}.reshape({place.name}.shape[:1] + {(1,) * gap} + {place.name}.shape[1:])"
        )

    def _repeated(self, place: Place, name: str) -> str:
        """A static operand as a whole one, for operations that need all operands alike."""
        if place.whole:
            return name
        repeat = self._bind("r", lambda x, T=self.T: np.broadcast_to(x, (T, *np.shape(x))))
        return f"{repeat}({name})"

    def _view(self, k: int, node: Node, operands: list[Place], attrs: dict[str, Any]) -> bool:
        """Make the value a view of its operand's buffer, for nothing at run time."""
        if node.op not in VIEWS or operands[0].array is None or k in self._places:
            return False
        base = operands[0].array
        view = base if node.op == "alias" else PRIMITIVES[node.op].forward(base, **attrs)
        if not np.may_share_memory(base, view):
            return False
        self._fixed(k, view, operands[0].whole)
        return True

    def _target(self, k: int, whole: bool) -> Place:
        """Where the result of a node goes: its place if it has one, else a new buffer."""
        node = self.folded.step.nodes[k]
        if k not in self._places:
            shape = (self.T, *node.shape) if whole else node.shape
            self._fixed(k, self._buffer(shape, node.dtype), whole)
        return self._places[k]

    def _store(self, k: int, node: Node, names: list[str], plain: str | None) -> None:
        out = self._target(k, True).name
        if plain is None:
            call = self._bind(node.op, self._kernel(node))
            self._lines.append(f"{call}({', '.join(names)}, {out})")
        else:
            self._lines.append(f"{out}[...] = {plain}({', '.join(names)})")

    def _flat_product(self, k: int, node: Node, operands: list[Place]) -> None:
        """All steps' rows times one matrix, as one product."""
        left, right = operands
        out = self._target(k, True)
        array = out.array
        assert array is not None  # a target has a buffer
        flat = self._bind("f", array.reshape(-1, array.shape[-1]))
        call = self._bind("matmul", np.matmul)
        self._lines.append(f"{call}({self._rows(left)}, {right.name}, {flat})")

    def _rows(self, place: Place) -> str:
        """A whole value as a matrix: rows of all steps."""
        if place.array is None:
            return f"{place.name}.reshape(-1, {place.name}.shape[-1])"
        flat = place.array.reshape(-1, place.array.shape[-1])
        if np.may_share_memory(flat, place.array):
            return self._bind("f", flat)
        return f"reshape({place.name}, {flat.shape})"

    # --- loops ------------------------------------------------------------------------------

    def _loop(self, stage: Stage) -> None:
        """The calls of one step, in a loop over the views of all steps."""
        nodes = self.folded.step.nodes
        inside = set(stage.nodes)
        needed = self._needed_outside(inside)
        rows: dict[str, Any] = {}
        body: list[str] = []

        def read(i: int) -> str:
            place = self._places[i]
            if not place.whole:
                return place.name
            row = f"t_{place.name}"
            rows[row] = place
            return row

        for k in stage.nodes:
            node = nodes[k]
            if node.op == "input":
                continue
            operands = [self._places[i] for i in node.inputs]
            whole = all(p.whole for p in operands) and PRIMITIVES[node.op].lift is not None
            lifted = self._lifted(node) if whole else dict(node.attrs)
            if k not in needed and self._view(k, node, operands, lifted):
                continue
            names = [read(i) for i in node.inputs]
            self._target(k, k in needed)
            out = read(k)
            if self._kernel(node):
                call = self._bind(node.op, self._kernel(node))
                body.append(f"{call}({', '.join(names)}, {out})")
            else:
                body.append(f"{out}[...] = {self._plain(node, node.attrs)}({', '.join(names)})")
        self._emit_loop(stage.direction, rows, body)

    def _emit_loop(self, direction: int, rows: dict[str, Place], body: list[str]) -> None:
        turn = slice(None, None, direction)
        fixed = {name: p for name, p in rows.items() if p.array is not None}
        given = {name: p for name, p in rows.items() if p.array is None}
        views = list(zip(*(list(p.array[turn]) for p in fixed.values()), strict=True))  # type: ignore[index]
        if not fixed:
            views = [()] * self.T
        back = "[::-1]" if direction < 0 else ""
        names = f"({', '.join(fixed)}{',' if len(fixed) == 1 else ''})" if fixed else "_"
        source = self._bind("rows", views)
        if given:
            names = f"{names}, {', '.join(given)}"
            source = f"zip({source}, {', '.join(p.name + back for p in given.values())})"
        self._lines.append(f"for {names} in {source}:")
        self._lines += [f"    {line}" for line in body]

    def _needed_outside(self, inside: set[int]) -> set[int]:
        """Nodes of a loop whose values of all steps are read outside of it."""
        folded = self.folded
        result = {folded.step.outputs[r.output] for r in folded.recurrences}
        result |= {
            i for i, role in zip(folded.step.outputs, folded.outputs, strict=True) if role == EVERY
        }
        result |= {
            i for i, role in zip(folded.step.outputs, folded.outputs, strict=True) if role == SUM
        }
        for k, node in enumerate(folded.step.nodes):
            if k not in inside:
                result.update(node.inputs)
        # What a view outside looks at is needed too; views inside a loop are only names.
        return result & inside

    # --- results ----------------------------------------------------------------------------

    def _results(self) -> None:
        folded = self.folded
        outputs: list[str] = []
        for k, role in enumerate(folded.outputs):
            i = folded.step.outputs[k]
            if role == EVERY:
                outputs.append(self._whole(i))
            elif role == SUM:
                outputs.append(self._total(i))
        last = []
        for r in folded.recurrences:
            history, d = self._history[r.input], r.delay
            ends = history[self.T :] if d > 0 else history[:-d]
            last.append(self._bind("l", ends if abs(d) > 1 else ends[0]))
        self._lines.append(f"return [{', '.join(outputs)}], [{', '.join(last)}]")

    def _whole(self, i: int) -> str:
        place = self._places[i]
        if place.whole:
            return place.name
        return self._repeated(place, place.name)

    def _total(self, k: int) -> str:
        """The sum of a node over all steps, in one call where there is one."""
        node = self.folded.step.nodes[k]
        if k in self._static:
            return f"{self.T} * {self._places[k].name}"
        if k not in self._sums:
            total = self._bind("total", lambda x: np.sum(x, axis=0))
            return f"{total}({self._places[k].name})"
        if node.op in THROUGH:
            parts = [self._total(i) for i in node.inputs]
            return f"{self._plain(node, node.attrs)}({', '.join(parts)})"
        places = [self._places[i] for i in node.inputs]
        if node.op == "contract" and all(p.whole for p in places):
            product = self._bind("contract", lambda a, g: np.matmul(a.T, g))
            return f"{product}({self._rows(places[0])}, {self._rows(places[1])})"
        if node.op == "sum" and places[0].whole:
            axis = (-places[0].rank - 1, *node.attrs["axis"])
            keep = node.attrs["keepdims"]
            return self._sum(places[0], node, axis, keep)
        if node.op == "put" and all(p.whole for p in places):
            return f"{self._plain(node, node.attrs)}({', '.join(p.name for p in places)})"
        return self._generic_total(node, places)

    def _sum(self, place: Place, node: Node, axis: tuple[int, ...], keep: bool) -> str:
        if not keep and axis == (-3, -2):
            reduce = self._bind("sum", lambda x: np.add.reduce(x, 0))
            return f"{reduce}({self._rows(place)})"
        reduce = self._bind("sum", lambda x: np.sum(x, axis, keepdims=keep).reshape(node.shape))
        return f"{reduce}({place.name})"

    def _generic_total(self, node: Node, places: Sequence[Place]) -> str:
        """Step by step, for operations that know no better."""
        forward, T, attrs = PRIMITIVES[node.op].forward, self.T, dict(node.attrs)
        whole = [p.whole for p in places]

        def total(*xs: Any) -> Any:
            result = np.zeros(node.shape, node.dtype)
            for t in range(T):
                step = [x[t] if w else x for x, w in zip(xs, whole, strict=True)]
                result += forward(*step, **attrs)
            return result

        return f"{self._bind('total', total)}({', '.join(p.name for p in places)})"
