"""Programs: a folded graph compiled to NumPy calls on fixed buffers.

The schedule says what runs when, `minigrad.storage` where every value lives; here each operation
becomes one call that writes there. All views are made once, so a step of a loop is a list of
plain calls. The generated source can be read: `print(program.source)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.folded import EVERY, SUM, Folded, Recurrence
from minigrad.graph import Node
from minigrad.passes import PASSES, Pass
from minigrad.schedule import THROUGH, Nest, Schedule, schedule
from minigrad.source import call, function, number
from minigrad.storage import (
    CHUNK,
    RING,
    STATIC,
    STEP,
    VIEWS,
    WHOLE,
    Array,
    Storage,
    Value,
    joined_part,
)
from minigrad.tiles import Cut, best_cut

Names = list[str]
See = Callable[[Array], Array]


class Program:
    """A folded graph for T steps on fixed buffers.

    Call it with one array for each input of the folded graph: a value (static), all steps
    `(T, ...)` (sequence), or start values (state; `(d, ...)` for a delay of d > 1 steps). It
    gives `(outputs, last)`: for each "every" output `(T, ...)` and for each "sum" its value, then
    for each recurrence its last values.

    The results are the program's own buffers: the next call overwrites them. Inputs that are
    always in the same array can be given as `known`, by number; calls then leave them out.

    Attributes:
        plan: the schedule it was made from.
        run: the compiled source: the outputs and the last values in one list.
        results: the arrays in that list that are known before any call, None for the others.
        source: the generated Python.
        nbytes: the size of all buffers.

    >>> import numpy as np, rnn
    >>> from minigrad.program import Program
    >>> cell = rnn.RNNCell(3, 5)
    >>> p = cell.init(0)
    >>> run = Program(cell.folded(batch=2), steps=7)
    >>> (ys,), (h,) = run(p.W_xh, p.W_hh, p.b_h, np.ones((7, 2, 3)), np.zeros((2, 5)))
    >>> ys.shape, h.shape
    ((7, 2, 5), (2, 5))
    """

    def __init__(
        self,
        folded: Folded,
        steps: int,
        passes: Sequence[Pass] = PASSES,
        known: Mapping[int, Array] | None = None,
    ) -> None:
        self.T = steps
        self.plan: Schedule = schedule(folded, passes)
        self.nodes = self.plan.folded.step.nodes
        self.storage = Storage(self.plan, steps, known or {})
        self.results: list[Array | None] = []
        self._totals: dict[int, tuple[str, Array | None]] = {}
        self._names: dict[str, Any] = {}
        self._bound: dict[int, str] = {}
        self._matmul = self._bind("matmul", np.matmul)
        lines = self._inputs()
        for k in self.plan.static:
            node, operands = self.nodes[k], [self._operand(k, i) for i in self.nodes[k].inputs]
            if self.storage.values[k].array is None:
                lines.append(f"{self._name(k)} = {call(node, operands, self._bind)}")
            else:
                names = ", ".join([*operands, self._name(k)])
                lines.append(f"{self._bind(node.op, _kernel(node))}({names})")
        for block in self.plan.blocks:
            lines += self._nest(block) if isinstance(block, Nest) else self._batch(block)
        lines += self._results()
        given = (k for k in range(len(folded.inputs)) if k not in (known or {}))
        parameters = ", ".join(f"x{k}" for k in given)
        body = "\n".join(f"    {line}" for line in lines)
        self.source = f"def program({parameters}):\n{body}\n"
        self.nbytes = self.storage.nbytes
        exec(compile(self.source, "<minigrad program>", "exec"), self._names)
        self.run: Callable[..., list[Array]] = self._names["program"]

    def __call__(self, *inputs: Any) -> tuple[list[Array], list[Array]]:
        """Run; see the class."""
        results, plain = self.run(*inputs), len(self.plan.folded.plain)
        return results[:plain], results[plain:]

    # --- names --------------------------------------------------------------------------------

    def _bind(self, prefix: str, value: Any) -> str:
        """A name in the generated source for a value known now."""
        name = f"{prefix}_{len(self._names)}"
        self._names[name] = value
        return name

    def _name(self, k: int) -> str:
        """The variable that holds a static value, a parameter or a buffer."""
        value = self.storage.values[k]
        if value.array is None:
            return value.name
        if k not in self._bound:
            self._bound[k] = self._bind(self.nodes[k].op, value.array)
        return self._bound[k]

    def _operand(self, k: int, i: int) -> str:
        """The name of an operand of node k that is the same at every step, or a whole value."""
        if self.nodes[i].op == "constant" and self.nodes[i].dtype is None:
            return self._bind("number", number(self.nodes[i], self.nodes[k]))
        return self._name(i)

    def _plain(self, node: Node, attrs: Any = None) -> str:
        """The name of a function that allocates its result."""
        return function(node, node.attrs if attrs is None else attrs, self._bind)

    def _inputs(self) -> Names:
        """Start values go into the buffers of their recurrences."""
        lines = []
        for r in self.plan.folded.recurrences:
            history, d = self.storage.history[r.input], r.delay
            if self._is_ring(r):
                first = 0 if d > 0 else self.T % 2
                start = history[first : first + 1]
            else:
                start = history[:d] if d > 0 else history[self.T :]
            lines.append(f"{self._bind('start', start)}[...] = x{r.input}")
        return lines

    def _is_ring(self, r: Recurrence) -> bool:
        return self.storage.values[self.plan.folded.step.inputs[r.input]].level == RING

    # --- operations on whole sequences --------------------------------------------------------

    def _batch(self, k: int) -> Names:
        """One call on whole sequences."""
        node, out = self.nodes[k], self.storage.values[k]
        operands = [self.storage.values[i] for i in node.inputs]
        if out.is_view:
            return []
        assert out.array is not None  # what is computed has a buffer
        target = self._bind(node.op, out.array)
        if node.op == "matmul" and operands[0].level == WHOLE and operands[1].level != WHOLE:
            flat = out.array.reshape(-1, out.array.shape[-1])
            if np.may_share_memory(flat, out.array):
                rows, weight = self._rows(node.inputs[0]), self._name(node.inputs[1])
                return [f"{self._matmul}({rows}, {weight}, {self._bind('rows', flat)})"]
        if node.op == "concatenate":
            return self._copies(k, range(len(node.inputs)))
        if node.op == "lookup":
            names = ", ".join(map(self._name, node.inputs))
            return [f"{target}[...] = {self._plain(node)}({names})"]
        lift: Any = PRIMITIVES[node.op].lift
        attrs = dict(node.attrs) if isinstance(lift, str) else lift(node.attrs, self.T)
        names = ", ".join(self._aligned(k, i, lift == "align") for i in node.inputs)
        if _kernel(node):
            return [f"{self._bind(node.op, _kernel(node))}({names}, {target})"]
        return [f"{target}[...] = {self._plain(node, attrs)}({names})"]

    def _aligned(self, k: int, i: int, align: bool) -> str:
        """An operand of whole sequences, with its rank brought to that of the others."""
        value, name = self.storage.values[i], self._operand(k, i)
        if value.level != WHOLE:
            return name if align else self._whole(i)
        top = max(len(self.nodes[j].shape) for j in self.nodes[k].inputs)
        gap = top - len(self.nodes[i].shape)
        if not align or not gap:
            return name
        shape = (self.T, *(1,) * gap, *self.nodes[i].shape)
        if value.array is not None:
            return self._bind("aligned", value.array.reshape(shape))
        return f"{name}.reshape({shape})"

    def _whole(self, i: int) -> str:
        """A value of all steps, repeated if it is the same at every step."""
        if self.storage.values[i].level == WHOLE:
            return self._name(i)
        repeat = self._bind("repeat", lambda x: np.broadcast_to(x, (self.T, *np.shape(x))))
        return f"{repeat}({self._name(i)})"

    def _rows(self, i: int) -> str:
        """A whole value as a matrix: the rows of all steps."""
        value, name, width = self.storage.values[i], self._name(i), self.nodes[i].shape[-1]
        if value.array is None:
            return f"{name}.reshape(-1, {width})"
        flat = value.array.reshape(-1, width)
        if np.may_share_memory(flat, value.array):
            return self._bind("rows", flat)
        return f"{name}.reshape(-1, {width})"

    # --- loops --------------------------------------------------------------------------------

    def _nest(self, nest: Nest) -> Names:
        """Chunks of steps; in each the batched operations, then the steps one by one."""
        outer, inner = _Rows(self, False), _Rows(self, True)
        self._before: Names = []
        first = [line for k in nest.batched for line in self._call_line(k, outer, CHUNK)]
        # What a joined operand takes from outside of the loop is copied for the chunk at once.
        for k in nest.looped:
            first += self._copies(k, self._outside(k, nest), outer)
        self._looping = nest
        then = [line for k in nest.looped for line in self._call_line(k, inner, STEP)]
        after = self._add_up(nest, outer)
        size = self.storage.chunk[nest]
        spans = [(lo, min(lo + size, self.T)) for lo in range(0, self.T, size)]
        chunks = [
            (lo, hi, outer.views(lo, hi), inner.steps(lo, hi, nest.direction))
            for lo, hi in spans[:: nest.direction]
        ]
        if not chunks or not (first or then):
            return []
        lines = [
            *self._before,
            f"for lo, hi, {outer.pattern()}, steps in {self._bind('chunks', chunks)}:",
        ]
        lines += [f"    {line}" for line in first]
        if then:
            back = "[::-1]" if nest.direction < 0 else ""
            given = [f"{name}[lo:hi]{back}" for name in inner.given]
            pattern, source = inner.pattern(), "steps"
            if given:
                pattern = ", ".join([pattern, *(f"{name}_t" for name in inner.given)])
                source = f"zip(steps, {', '.join(given)})"
            lines.append(f"    for {pattern} in {source}:")
            lines += [f"        {line}" for line in then]
        return lines + [f"    {line}" for line in after]

    def _add_up(self, nest: Nest, rows: _Rows) -> Names:
        """Weight gradients of a chunk, added to those of the others."""
        lines = []
        for k in (k for k, where in self.storage.partial.items() if where == nest):
            node = self.nodes[k]
            part, total = (self.storage.new(node.shape, node.dtype) for _ in range(2))
            name, other = self._bind("total", total), self._bind("part", part)
            self._totals[k] = name, total
            self._before.append(f"{name}[...] = 0")
            operands = ", ".join(rows.flat(i) for i in node.inputs)
            lines.append(f"{self._bind('contract', _transposed_product)}({operands}, {other})")
            lines.append(f"{self._bind('add', np.add)}({name}, {other}, {name})")
        return lines

    def _call_line(self, k: int, rows: _Rows, level: str) -> Names:
        """The call for one node, on views of chunks or of steps."""
        node, out = self.nodes[k], self.storage.values[k]
        if node.op == "input" or out.is_view:
            return []
        align = level == CHUNK and PRIMITIVES[node.op].lift == "align"
        if node.op == "concatenate":
            outside = self._outside(k, self._looping) if level == STEP else []
            parts = [n for n in range(len(node.inputs)) if n not in outside]
            return self._copies(k, parts, rows)
        if level == STEP and node.op == "matmul" and (product := self._product(k, rows)):
            return [product]
        names = [
            self._operand(k, i)
            if self.nodes[i].op == "constant"
            else rows.aligned(i, self._gap(k, i) if align else 0)
            for i in node.inputs
        ]
        target = rows.read(k)
        if node.op == "add_n":
            add = self._bind("add", np.add)
            lines = [f"{add}({names[0]}, {names[1]}, {target})"] if len(names) > 1 else []
            return lines + [f"{add}({target}, {name}, {target})" for name in names[2:]] or [
                f"{target}[...] = {names[0]}"
            ]
        if _kernel(node):
            return [f"{self._bind(node.op, _kernel(node))}({', '.join(names)}, {target})"]
        return [f"{target}[...] = {self._plain(node)}({', '.join(names)})"]

    def _product(self, k: int, rows: _Rows) -> str | None:
        """A step's product with a fixed weight: cut into tiles if that pays, or plain."""
        node, (left, right) = self.nodes[k], self.nodes[k].inputs
        a, y = (self._sample(i) for i in (left, k))
        if right not in self.plan.fixed or a is None or y is None or node.dtype is None:
            return None
        if a.ndim != 2 or len(self.nodes[right].shape) != 2:
            return None
        if self.nodes[left].dtype != node.dtype or self.nodes[right].dtype != node.dtype:
            return None
        (m, n), K = node.shape, self.nodes[right].shape[0]
        cut = best_cut(m, K, n, node.dtype.name)
        weight = self._weight(right, cut)
        if cut is not None:
            tag = f"_{cut.m}x{cut.n}"
            operands = rows.read(left, cut.left, tag), weight, rows.read(k, cut.out, tag)
            return f"{self._matmul}({', '.join(operands)})"
        # `dot` has less to decide than `matmul`, but copies what has gaps.
        plain = a.flags.c_contiguous and y.flags.c_contiguous
        product = self._bind("dot", np.dot) if plain else self._matmul
        return f"{product}({rows.read(left)}, {weight}, {rows.read(k)})"

    def _weight(self, k: int, cut: Cut | None) -> str:
        """A fixed weight in the layout of its product: copied once a run, if it is another."""
        value, node = self.storage.values[k], self.nodes[k]
        see: See = cut.weight if cut else lambda w: w
        if value.array is not None and see(value.array).flags.c_contiguous:
            return self._bind("weight", see(value.array))
        shape = see(np.empty(node.shape, np.uint8)).shape
        copy = self._bind("weight", self.storage.new(shape, node.dtype))
        if value.array is None:
            given = f"{self._bind('layout', see)}({value.name})"
        else:
            given = self._bind("layout", see(value.array))
        self._before.append(f"{copy}[...] = {given}")
        return copy

    def _sample(self, i: int) -> Array | None:
        """The place of a node's value at one step."""
        value = self.storage.values[i]
        if value.array is None or value.level == STATIC or value.level == STEP:
            return value.array
        return value.array[0] if len(value.array) else None

    def _gap(self, k: int, i: int) -> int:
        """How many axes an operand of a batched operation lacks behind time."""
        if self.storage.values[i].level not in (WHOLE, CHUNK):
            return 0
        return max(len(self.nodes[j].shape) for j in self.nodes[k].inputs) - len(
            self.nodes[i].shape
        )

    def _outside(self, k: int, nest: Nest) -> list[int]:
        """Operands of a concatenation in a loop that can be copied into it ahead of the loop."""
        if self.nodes[k].op != "concatenate" or self.storage.values[k].level != WHOLE:
            return []
        return [n for n, i in enumerate(self.nodes[k].inputs) if i not in nest.looped]

    def _copies(self, k: int, operands: Iterable[int], rows: _Rows | None = None) -> Names:
        """Copies of operands into a concatenation; those made in place need none."""
        lines, value = [], self.storage.values[k]
        for n in operands:
            i = self.nodes[k].inputs[n]
            see = partial(joined_part, self.nodes, k, n)
            if self.storage.values[i].inside == k:
                continue
            if k in self.storage.lasting and self.nodes[i].op == "constant":
                see(value.array)[...] = self.nodes[i].value  # once and for all
            elif rows is None:
                lines.append(f"{self._bind('part', see(value.array))}[...] = {self._name(i)}")
            else:
                lines.append(f"{rows.read(k, see, f'_{n}')}[...] = {rows.read(i)}")
        return lines

    # --- results ------------------------------------------------------------------------------

    def _results(self) -> Names:
        folded = self.plan.folded
        lines: Names = []
        outputs = []
        for role, i in zip(folded.outputs, folded.step.outputs, strict=True):
            if role == EVERY:
                value = self.storage.values[i]
                outputs.append(self._whole(i))
                self.results.append(value.array if value.level == WHOLE else None)
            elif role == SUM:
                name, array = self._total(i, lines)
                outputs.append(name)
                self.results.append(array)
        for r in folded.recurrences:
            history, d = self.storage.history[r.input], r.delay
            if self._is_ring(r):
                last = history[self.T % 2 if d > 0 else 0, ...]
            else:
                ends = history[self.T :] if d > 0 else history[:-d]
                last = ends if abs(d) > 1 else ends[0, ...]
            outputs.append(self._bind("last", last))
            self.results.append(last)
        return [*lines, f"return [{', '.join(outputs)}]"]

    def _total(self, k: int, lines: Names) -> tuple[str, Array | None]:
        """A node's sum over all steps, computed once: its variable, and its array if known."""
        if k not in self._totals:
            self._totals[k] = self._seen_total(k, lines) or self._made_total(k, lines)
        return self._totals[k]

    def _seen_total(self, k: int, lines: Names) -> tuple[str, Array] | None:
        """A part or another view of a known sum, made once and for all."""
        node = self.nodes[k]
        if k not in self.plan.summed or node.op not in VIEWS or node.op not in THROUGH:
            return None
        whole = self._total(node.inputs[0], lines)[1]
        if whole is None:
            return None
        forward, attrs = PRIMITIVES[node.op].forward, dict(node.attrs)
        view = whole if node.op == "alias" else forward(whole, **attrs)
        if not (isinstance(view, np.ndarray) and np.may_share_memory(whole, view)):
            return None
        return self._bind(node.op, view), view

    def _made_total(self, k: int, lines: Names) -> tuple[str, Array | None]:
        """A sum over steps that has to be computed, by one call where there is one."""
        node, name = self.nodes[k], f"total{k}"
        if k not in self.plan.summed:
            if self.storage.values[k].level == WHOLE:
                return self._into(node, _sum_over(0), [self._name(k)], lines)
            lines.append(f"{name} = {self.T} * {self._name(k)}")
            return name, None
        if node.op in THROUGH:
            parts = [self._total(i, lines)[0] for i in node.inputs]
            lines.append(f"{name} = {call(node, parts, self._bind)}")
            return name, None
        whole = [self.storage.values[i].level == WHOLE for i in node.inputs]
        operands = [self._name(i) for i in node.inputs]
        if node.op == "contract" and all(whole):
            rows = [self._rows(i) for i in node.inputs]
            return self._into(node, _transposed_product, rows, lines)
        if node.op == "sum" and whole[0]:
            axes = (-len(self.nodes[node.inputs[0]].shape) - 1, *node.attrs["axis"])
            kept = node.attrs["axis"] if node.attrs["keepdims"] else ()
            return self._into(node, _sum_over(axes), operands, lines, kept)
        one_call = node.op == "put" and all(whole)
        total = self._plain(node) if one_call else self._bind("sum", _Total(node, whole, self.T))
        lines.append(f"{name} = {total}({', '.join(operands)})")
        return name, None

    def _into(
        self, node: Node, function: Any, operands: Names, lines: Names, kept: tuple[int, ...] = ()
    ) -> tuple[str, Array]:
        """A call that writes into a buffer of its own; it leaves out the axes that are kept."""
        array = self.storage.new(node.shape, node.dtype)
        out = self._bind("total", np.squeeze(array, kept))
        lines.append(f"{self._bind(node.op, function)}({', '.join([*operands, out])})")
        return self._bind("total", array), array


class _Rows:
    """The variables of a loop: views of buffers, of each step or of each chunk."""

    def __init__(self, program: Program, by_step: bool) -> None:
        self.program, self.by_step = program, by_step
        self.fixed: dict[str, tuple[Value, See | None]] = {}
        self.given: list[str] = []

    def read(self, i: int, see: See | None = None, tag: str = "") -> str:
        """The variable of a node's value; `see` makes another view of it, told apart by `tag`."""
        value = self.program.storage.values[i]
        if value.array is None:
            if value.level != WHOLE:
                return value.name
            if not self.by_step:
                return f"{value.name}[lo:hi]"
            if value.name not in self.given:
                self.given.append(value.name)
            return f"{value.name}_t"
        if value.level not in (WHOLE, CHUNK, RING):
            if see is None:
                return self.program._name(i)
            return self.program._bind("view", see(value.array))
        name = f"v{i}{tag}"
        self.fixed[name] = (value, see)
        return name

    def aligned(self, i: int, gap: int) -> str:
        """The variable with `gap` axes of size 1 behind time."""
        if not gap:
            return self.read(i)
        ones, shape = (1,) * gap, self.program.nodes[i].shape
        if self.program.storage.values[i].array is None:
            return f"{self.read(i)}.reshape({(-1, *ones, *shape)})"
        return self.read(i, lambda part: part.reshape(len(part), *ones, *shape), f"_{gap}")

    def flat(self, i: int) -> str:
        """The rows of all steps of a chunk, as a matrix."""
        width, array = self.program.nodes[i].shape[-1], self.program.storage.values[i].array
        if array is None or not np.may_share_memory(array, array.reshape(-1, width)):
            return f"{self.read(i)}.reshape(-1, {width})"
        return self.read(i, lambda part: part.reshape(-1, width), "_rows")

    def pattern(self) -> str:
        """The tuple of the variables, as it is taken apart."""
        return f"({', '.join(self.fixed)},)" if self.fixed else "_"

    def _part(self, name: str, lo: int, hi: int) -> Array:
        value, see = self.fixed[name]
        assert value.array is not None  # fixed values have buffers
        part = value.array[lo:hi] if value.level == WHOLE else value.array[: hi - lo]
        return part if see is None else see(part)

    def views(self, lo: int, hi: int) -> tuple[Array, ...]:
        """Of a chunk."""
        return tuple(self._part(name, lo, hi) for name in self.fixed)

    def steps(self, lo: int, hi: int, direction: int) -> list[tuple[Array, ...]]:
        """Of each step in a chunk, in the order of the loop."""
        columns = [self._column(name, lo, hi)[::direction] for name in self.fixed]
        return list(zip(*columns, strict=True)) if columns else [()] * (hi - lo)

    def _column(self, name: str, lo: int, hi: int) -> list[Array]:
        """A variable's views, step by step."""
        value, see = self.fixed[name]
        # part[k] of single numbers would be a number, and nothing can be written into it.
        if value.level == RING:
            assert value.array is not None  # rings are buffers
            ring = value.array if see is None else see(value.array)
            return [ring[(t + value.turn) % 2, ...] for t in range(lo, hi)]
        part = self._part(name, lo, hi)
        return list(part) if part.ndim > 1 else [part[k, ...] for k in range(hi - lo)]


class _Total:
    """A sum over steps, step by step: for operations that know no better."""

    def __init__(self, node: Node, whole: Sequence[bool], steps: int) -> None:
        self.node, self.whole, self.steps = node, whole, steps

    def __call__(self, *xs: Any) -> Array:
        result = np.zeros(self.node.shape, self.node.dtype)
        forward = PRIMITIVES[self.node.op].forward
        for t in range(self.steps):
            step = [x[t] if whole else x for x, whole in zip(xs, self.whole, strict=True)]
            result += forward(*step, **self.node.attrs)
        return result


def _kernel(node: Node) -> Any:
    """The NumPy function that writes into a buffer, if there is one."""
    return PRIMITIVES[node.op].kernel if not node.attrs else None


def _transposed_product(a: Array, b: Array, out: Array) -> None:
    np.matmul(a.T, b, out)


def _sum_over(axes: int | tuple[int, ...]) -> Callable[[Array, Array], None]:
    add: Any = np.add.reduce

    def into(x: Array, out: Array) -> None:
        add(x, axes, None, out)

    return into
