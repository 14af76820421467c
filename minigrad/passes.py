"""Passes: a folded graph to one that gives the same numbers with fewer and larger calls.

Each pass is small, can be switched off (`schedule(folded, passes=...)`), and is tested to change
nothing but rounding. They find by rule what is done by hand in fast recurrent code: gates computed
by one product and one tanh, biases and input products outside the loop.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.folded import STATIC, Folded, components
from minigrad.graph import Node, prune, same_attrs
from minigrad.tree import flatten

Pass = Callable[[Folded], Folded]


def static_nodes(folded: Folded) -> set[int]:
    """Nodes whose value is the same at every step; not carriers, which have a buffer to fill."""
    result = {i for i, r in zip(folded.step.inputs, folded.inputs, strict=True) if r == STATIC}
    kept = carriers(folded)
    for k, node in enumerate(folded.step.nodes):
        fixed = k not in kept and node.inputs and all(i in result for i in node.inputs)
        if node.op == "constant" or fixed:
            result.add(k)
    return result


def looped_nodes(folded: Folded) -> set[int]:
    """Nodes that take part in a loop over time."""
    return {k for direction, group in components(folded) if direction for k in group}


def carriers(folded: Folded) -> set[int]:
    """Nodes whose values a recurrence carries."""
    return {folded.step.outputs[r.output] for r in folded.recurrences}


def by_entries(node: Node) -> bool:
    """Whether a node works entry by entry, by a NumPy function that writes into a buffer."""
    primitive = PRIMITIVES.get(node.op)
    if primitive is None or primitive.kernel is None or node.attrs or node.op == "matmul":
        return False
    return bool(primitive.lift == "align")


class Rewrite:
    """A step under change: nodes may be replaced or added in any order, and are sorted at the end.

    Attributes:
        nodes: the nodes so far; new ones are added behind.
        outputs: of the step.
    """

    def __init__(self, folded: Folded) -> None:
        self.folded = folded
        self.nodes = list(folded.step.nodes)
        self.outputs = list(folded.step.outputs)

    def add(self, op: str, inputs: Sequence[int], shape: Sequence[int], /, **attrs: Any) -> int:
        """A new node of a primitive, with the dtype of its last operand that has one."""
        kinds = [d for d in (self.nodes[i].dtype for i in inputs) if d is not None]
        self.nodes.append(Node(op, tuple(inputs), attrs, tuple(shape), kinds[-1]))
        return len(self.nodes) - 1

    def constant(self, value: float) -> int:
        """A weak number."""
        self.nodes.append(Node("constant", value=value))
        return len(self.nodes) - 1

    def columns(self, wide: int, low: int, high: int) -> int:
        """Columns low … high − 1 of a node; the node itself if that is all of them."""
        shape = self.nodes[wide].shape
        if (low, high) == (0, shape[-1]):
            return wide
        return self.add(
            "index", [wide], (*shape[:-1], high - low), position=(..., slice(low, high))
        )

    def become(self, k: int, other: int) -> None:
        """Let node k be what another, newly added node is, under its own name."""
        node, old = self.nodes[other], self.nodes[k]
        self.nodes[k] = replace(node, name=old.name, scope=old.scope)

    def done(self) -> Folded:
        """The folded graph with its nodes in order, those nobody needs dropped."""
        place = {k: n for n, k in enumerate(_in_order(self.nodes))}
        nodes = [
            replace(self.nodes[k], inputs=tuple(place[i] for i in self.nodes[k].inputs))
            for k in place
        ]
        outputs = tuple(place[i] for i in self.outputs)
        inputs = tuple(place[i] for i in self.folded.step.inputs)
        step = prune(nodes, inputs, outputs, self.folded.step.in_tree, flatten(outputs)[1])
        return replace(self.folded, step=step)


def _in_order(nodes: Sequence[Node]) -> list[int]:
    """Indices so that every node comes after its operands, otherwise as they stand."""
    missing = [len(set(node.inputs)) for node in nodes]
    users: list[list[int]] = [[] for _ in nodes]
    for k, node in enumerate(nodes):
        for i in set(node.inputs):
            users[i].append(k)
    ready = [k for k, count in enumerate(missing) if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        k = heapq.heappop(ready)
        order.append(k)
        for user in users[k]:
            missing[user] -= 1
            if not missing[user]:
                heapq.heappush(ready, user)
    return order


def own_carriers(folded: Folded) -> Folded:
    """Give every recurrence a node of its own to carry its value, an alias where one is shared.

    Each recurrence then has one buffer: its start values followed by the values of its node.
    """
    work, static, taken = Rewrite(folded), static_nodes(folded), set[int]()
    for r in folded.recurrences:
        k = work.outputs[r.output]
        if k in taken or k in static or work.nodes[k].op in ("input", "constant"):
            k = work.outputs[r.output] = work.add("alias", [k], work.nodes[k].shape)
        taken.add(k)
    return work.done()


def eliminate_common(folded: Folded) -> Folded:
    """Compute equal expressions once, and weak numbers too; carriers are left alone."""
    work, kept = Rewrite(folded), carriers(folded)
    first: dict[tuple[object, ...], list[int]] = {}
    same: dict[int, int] = {}
    for k, node in enumerate(work.nodes):
        node = work.nodes[k] = replace(node, inputs=tuple(same.get(i, i) for i in node.inputs))
        number = node.op == "constant" and node.dtype is None
        if node.op == "input" or (node.op == "constant" and not number) or k in kept:
            continue
        if node.op == "alias":
            same[k] = node.inputs[0]
            continue
        alike = first.setdefault((node.op, node.inputs, repr(node.value)), [])
        for j in alike:
            if same_attrs(work.nodes[j].attrs, node.attrs) and work.nodes[j].dtype == node.dtype:
                same[k] = j
                break
        else:
            alike.append(k)
    work.outputs = [same.get(i, i) for i in work.outputs]
    return work.done()


def reassociate(folded: Folded) -> Folded:
    """Group what does not recur: (x W + h U) + b becomes (x W + b) + h U.

    In a chain of sums or products inside a loop, the operands from outside the loop are combined
    first; that part then leaves the loop and runs once on whole sequences.
    """
    work, looped, users = Rewrite(folded), looped_nodes(folded), folded.step.users()
    nodes, kept = folded.step.nodes, set(folded.step.outputs)

    def absorbed(k: int) -> bool:
        """Whether a sum or product is only a term of a larger one."""
        if nodes[k].op not in ("add", "mul") or k not in looped or k in kept or len(users[k]) != 1:
            return False
        above = nodes[users[k][0][0]]
        return above.op == nodes[k].op and above.shape == nodes[k].shape

    for k, node in enumerate(nodes):
        if node.op not in ("add", "mul") or k not in looped or absorbed(k):
            continue
        terms, pending = [], list(reversed(node.inputs))
        while pending:
            i = pending.pop()
            if nodes[i].op == node.op and absorbed(i):
                pending += reversed(nodes[i].inputs)
            else:
                terms.append(i)
        outside = [i for i in terms if i not in looped]
        if not 2 <= len(outside) < len(terms):
            continue
        total, *rest = outside + [i for i in terms if i in looped]
        for i in rest[:-1]:
            a, b = work.nodes[total], work.nodes[i]
            if a.dtype is None and b.dtype is None:  # two weak numbers are one
                total = work.constant(a.value * b.value if node.op == "mul" else a.value + b.value)
                continue
            total = work.add(node.op, [total, i], np.broadcast_shapes(a.shape, b.shape))
        work.nodes[k] = replace(node, inputs=(total, rest[-1]))
    return work.done()


def sigmoid_by_tanh(folded: Folded) -> Folded:
    """σ(x) = tanh(x/2)/2 + 1/2, so that one tanh can serve all gates."""
    work = Rewrite(folded)
    for k, node in enumerate(folded.step.nodes):
        if node.op == "sigmoid":
            half = work.constant(0.5)
            scaled = work.add("mul", [node.inputs[0], half], node.shape)
            bent = work.add("tanh", [scaled], node.shape)
            narrow = work.add("mul", [bent, half], node.shape)
            work.nodes[k] = replace(node, op="add", inputs=(narrow, half))
    return work.done()


def scale_weights(folded: Folded) -> Folded:
    """Multiply weights instead of results: (x W + h U + b) / 2 becomes x (W/2) + h (U/2) + b/2."""
    while True:
        changed = _scale_once(folded)
        if changed is None:
            return folded
        folded = changed


def _scale_once(folded: Folded) -> Folded | None:
    work, users, static = Rewrite(folded), folded.step.users(), static_nodes(folded)
    nodes, kept, moved = folded.step.nodes, set(folded.step.outputs), False
    for k, node in enumerate(nodes):
        if node.op != "mul" or k in static:
            continue
        x, c = node.inputs
        inner = nodes[x]
        if nodes[c].op != "constant" or nodes[c].dtype is not None:
            continue
        if x in kept or len(users[x]) != 1 or x in static:
            continue
        if inner.op == "add":
            parts = [work.add("mul", [i, c], nodes[i].shape) for i in inner.inputs]
            work.nodes[k] = replace(node, op="add", inputs=tuple(parts))
            moved = True
        elif inner.op == "matmul" and inner.inputs[1] in static:
            weight = inner.inputs[1]
            smaller = work.add("mul", [weight, c], nodes[weight].shape)
            work.nodes[k] = replace(node, op="matmul", inputs=(inner.inputs[0], smaller))
            moved = True
    return work.done() if moved else None


def merge_products(folded: Folded) -> Folded:
    """Products that share their left operand become one, with the weights side by side.

    So do look-ups of the same rows in several tables.
    """
    work, looped, static = Rewrite(folded), looped_nodes(folded), static_nodes(folded)
    nodes, users = folded.step.nodes, folded.step.users()
    groups: dict[tuple[str, int, bool], list[int]] = {}
    for k, node in enumerate(nodes):
        if node.op not in WEIGHTS or k in static:
            continue
        weight = node.inputs[WEIGHTS[node.op]]
        shared = node.inputs[1 - WEIGHTS[node.op]]
        if weight in static and shared not in static and len(nodes[weight].shape) == 2:
            groups.setdefault((node.op, shared, k in looped), []).append(k)

    def destiny(k: int) -> tuple[str, ...]:
        """What becomes of a product: equal ones stand together, so that they can be merged on."""
        path: list[str] = []
        while users[k] and len(path) < 5:
            k, port = users[k][0]
            numbers = [i for i in nodes[k].inputs if nodes[i].op == "constant"]
            path.append(f"{nodes[k].op} {port} {[nodes[i].value for i in numbers]}")
        return tuple(path)

    for (op, shared, _), group in groups.items():
        if len(group) < 2:
            continue
        group.sort(key=lambda k: (destiny(k), k))
        widths = [nodes[k].shape[-1] for k in group]
        weights = [nodes[k].inputs[WEIGHTS[op]] for k in group]
        rows = nodes[weights[0]].shape[0]
        beside = work.add("concatenate", weights, (rows, sum(widths)), axis=-1)
        operands = [beside, shared] if WEIGHTS[op] == 0 else [shared, beside]
        shape = (*nodes[group[0]].shape[:-1], sum(widths))
        wide = work.add(op, operands, shape)
        work.nodes[wide] = replace(work.nodes[wide], dtype=nodes[group[0]].dtype)
        _share_out(work, wide, group, widths)
    return work.done()


WEIGHTS = {"matmul": 1, "lookup": 0}
"""Operations whose weights can be put side by side, and which operand is the weight."""


def _share_out(work: Rewrite, wide: int, members: Sequence[int], widths: Sequence[int]) -> None:
    """Make each member its columns of the wide node."""
    low = 0
    for k, width in zip(members, widths, strict=True):
        work.become(k, work.columns(wide, low, low + width))
        low += width


def merge_elementwise(folded: Folded) -> Folded:
    """The same operation on neighbouring columns becomes one operation on all of them."""
    while True:
        changed = _merge_once(folded)
        if changed is None:
            return folded
        folded = changed


def _merge_once(folded: Folded) -> Folded | None:
    work, looped, static = Rewrite(folded), looped_nodes(folded), static_nodes(folded)
    nodes, users, kept = folded.step.nodes, folded.step.users(), carriers(folded)
    columns = {k: span for k, node in enumerate(nodes) if (span := _columns(nodes, node))}
    runs: dict[tuple[int, str, int, bool], list[tuple[int, int, int]]] = {}
    for k, (wide, low, high) in columns.items():
        for user, port in users[k]:
            fits = nodes[user].shape == nodes[k].shape and user not in kept | columns.keys()
            if fits and by_entries(nodes[user]):
                key = (wide, nodes[user].op, port, user in looped)
                runs.setdefault(key, []).append((low, high, user))
    for (wide, op, port, loops), members in runs.items():
        for run in _neighbours(members):
            others = _others(work, [u for *_, u in run], port, columns, static, looped, loops)
            if others is None:
                continue
            low, high = run[0][0], run[-1][1]
            operands = list(others)
            operands.insert(port, work.columns(wide, low, high))
            shape = (*nodes[wide].shape[:-1], high - low)
            merged = work.add(op, operands, shape)
            _share_out(work, merged, [u for *_, u in run], [b - a for a, b, _ in run])
            return work.done()
    return None


def _columns(nodes: Sequence[Node], node: Node) -> tuple[int, int, int] | None:
    """The node and the columns that an index takes, if that is what it does."""
    if node.op != "index":
        return None
    position = node.attrs["position"]
    if len(position) != 2 or position[0] is not ... or not isinstance(position[1], slice):
        return None
    span = position[1]
    return None if span.step is not None else (node.inputs[0], span.start, span.stop)


def _neighbours(members: Iterable[tuple[int, int, int]]) -> list[list[tuple[int, int, int]]]:
    """Members sorted by column, cut into runs without gaps, of two or more."""
    runs: list[list[tuple[int, int, int]]] = []
    for member in sorted(members):
        if runs and runs[-1][-1][1] == member[0]:
            runs[-1].append(member)
        elif not runs or runs[-1][-1][0] < member[0]:
            runs.append([member])
    return [run for run in runs if len(run) > 1]


def _others(
    work: Rewrite,
    members: list[int],
    port: int,
    columns: dict[int, tuple[int, int, int]],
    static: set[int],
    looped: set[int],
    loops: bool,
) -> list[int] | None:
    """The other operands of the members, side by side; None where that would cost a copy."""
    nodes, result = work.nodes, []
    for p in range(len(nodes[members[0]].inputs)):
        if p == port:
            continue
        given = [nodes[k].inputs[p] for k in members]
        if len(set(given)) == 1 and nodes[given[0]].shape == ():
            result.append(given[0])
            continue
        spans = [columns.get(i) for i in given]
        whole = [s for s in spans if s is not None]
        lead = {nodes[i].shape[:-1] for i in given}
        fits = all(
            nodes[i].shape[-1:] == nodes[k].shape[-1:] for i, k in zip(given, members, strict=True)
        )
        if not fits or len(lead) > 1:
            return None
        if len(whole) == len(given) and all(
            a[0] == b[0] and a[2] == b[1] for a, b in itertools.pairwise(whole)
        ):
            result.append(work.columns(whole[0][0], whole[0][1], whole[-1][2]))
        elif all(i in static or (loops and i not in looped) for i in given):
            width = sum(nodes[i].shape[-1] for i in given)
            result.append(work.add("concatenate", given, (*lead.pop(), width), axis=-1))
        else:
            return None
    return result


def merge_sums(folded: Folded) -> Folded:
    """A sum of products with weights becomes one product: a U + b V = [a b] [U; V]."""
    work, static, users = Rewrite(folded), static_nodes(folded), folded.step.users()
    looped = looped_nodes(folded)
    nodes, kept = folded.step.nodes, set(folded.step.outputs)
    for k, node in enumerate(nodes):
        if node.op != "add_n":
            continue
        products = [
            i
            for i in node.inputs
            if nodes[i].op == "matmul"
            and nodes[i].inputs[1] in static
            and nodes[i].inputs[0] not in static
            and len(nodes[nodes[i].inputs[1]].shape) == 2
            and len(users[i]) == 1
            and i not in kept
        ]
        if len(products) < 2:
            continue
        # Factors of one cotangent stand together, so that they can be multiplied at once.
        products.sort(key=lambda i: sorted(set(nodes[nodes[i].inputs[0]].inputs) & looped))
        lefts, rights = ([nodes[i].inputs[p] for i in products] for p in (0, 1))
        width = sum(nodes[i].shape[-1] for i in lefts)
        left = work.add("concatenate", lefts, (*nodes[lefts[0]].shape[:-1], width), axis=-1)
        right = work.add("concatenate", rights, (width, nodes[rights[0]].shape[-1]), axis=0)
        rest = [i for i in node.inputs if i not in products]
        if not rest:
            work.nodes[k] = replace(node, op="matmul", inputs=(left, right))
            continue
        merged = work.add("matmul", [left, right], node.shape)
        op = "add" if len(rest) == 1 else "add_n"
        work.nodes[k] = replace(node, op=op, inputs=(*rest, merged))
    return work.done()


def merge_gradients(folded: Folded) -> Folded:
    """Weight gradients of gates that stand side by side become one product, one sum."""
    work, nodes = Rewrite(folded), folded.step.nodes
    inside: dict[int, tuple[int, int]] = {}
    for k, node in enumerate(nodes):
        if node.op == "concatenate" and node.attrs["axis"] == -1:
            low = 0
            for i in node.inputs:
                inside.setdefault(i, (k, low))
                low += nodes[i].shape[-1]
    groups: dict[tuple[object, ...], list[int]] = {}
    for k, node in enumerate(nodes):
        if node.op in GRADIENTS and node.inputs[GRADIENTS[node.op]] in inside:
            g = node.inputs[GRADIENTS[node.op]]
            rest = tuple(i for i in node.inputs if i != g)
            groups.setdefault((node.op, rest, repr(node.attrs), inside[g][0]), []).append(k)
    for (op, _, _, beside), group in groups.items():
        first = nodes[group[0]]
        if len(group) < 2 or (op == "sum" and first.attrs["axis"] != (-2,)):
            continue
        operands = list(first.inputs)
        operands[GRADIENTS[str(op)]] = int(str(beside))
        width = nodes[int(str(beside))].shape[-1]
        wide = work.add(str(op), operands, (*first.shape[:-1], width), **first.attrs)
        work.nodes[wide] = replace(work.nodes[wide], dtype=first.dtype)
        for k in group:
            low = inside[nodes[k].inputs[GRADIENTS[str(op)]]][1]
            work.become(k, work.columns(wide, low, low + nodes[k].shape[-1]))
    return work.done()


GRADIENTS = {"contract": 1, "put": 0, "sum": 0}
"""Operations that make gradients of weights, and which operand has the columns."""


def merge_factors(folded: Folded) -> Folded:
    """Side by side, [a s, b s, c s] of one s becomes [a b c] times s, broadcast over the gates.

    a, b and c do not recur, so they are put side by side outside of the loop.
    """
    work, nodes, users = Rewrite(folded), folded.step.nodes, folded.step.users()
    looped, kept = looped_nodes(folded), set(folded.step.outputs)

    def split(k: int) -> tuple[int, int] | None:
        """The shared cotangent and the factor of a product that only a concatenation reads."""
        node = nodes[k]
        if node.op != "mul" or k in kept or len(users[k]) != 1 or k not in looped:
            return None
        inside = [i for i in node.inputs if i in looped]
        outside = [i for i in node.inputs if i not in looped]
        fits = len(inside) == 1 and all(nodes[i].shape == node.shape for i in node.inputs)
        return (inside[0], outside[0]) if fits else None

    for k, node in enumerate(nodes):
        if node.op != "concatenate" or node.attrs["axis"] != -1 or k not in looped:
            continue
        operands: list[int] = []
        for shared, run in itertools.groupby(node.inputs, lambda i: (split(i) or (-1, i))[0]):
            members = list(run)
            if shared < 0 or len(members) < 2:
                operands += members
                continue
            lead, width, count = nodes[shared].shape[:-1], nodes[shared].shape[-1], len(members)
            factors = [pair[1] for i in members if (pair := split(i)) is not None]
            beside = work.add("concatenate", factors, (*lead, count * width), axis=-1)
            shape = (*lead, count, width)
            gates = work.add("reshape", [beside], shape, shape=shape)
            once = work.add("expand_dims", [shared], (*lead, 1, width), axis=(-2,))
            merged = work.add("mul", [gates, once], shape)
            flat = (*lead, count * width)
            operands.append(work.add("reshape", [merged], flat, shape=flat))
        if len(operands) == 1:
            work.become(k, operands[0])
        else:
            work.nodes[k] = replace(node, inputs=tuple(operands))
    return work.done()


PASSES: tuple[Pass, ...] = (
    own_carriers,
    eliminate_common,
    sigmoid_by_tanh,
    scale_weights,
    reassociate,
    eliminate_common,
    merge_products,
    merge_elementwise,
    merge_sums,
    merge_gradients,
    eliminate_common,
    merge_factors,
    eliminate_common,
)
"""In the order in which they run. `own_carriers` is needed, the others can be left out."""
