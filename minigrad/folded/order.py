"""The order in which the steps of a folded graph can run: loops over time, one after the other."""

from __future__ import annotations

from minigrad.folded.program import Folded


def components(folded: Folded) -> list[tuple[int, list[int]]]:
    """Strongly connected components of the step with its delayed edges, in a runnable order.

    Returns:
        Pairs `(direction, nodes)`: +1 or −1 for a loop over time, 0 where nothing recurs.

    Raises:
        ValueError: a loop has delays of both signs, so no order of the steps can run it.
    """
    nodes, origins = folded.step.nodes, folded.origins()
    sources = [
        [*node.inputs, *((origins[k][0],) if k in origins else ())] for k, node in enumerate(nodes)
    ]
    # Tarjan's algorithm without recursion; sources first, so the order found is runnable.
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    on_stack: set[int] = set()
    stack: list[int] = []
    found: list[list[int]] = []
    for root in range(len(nodes)):
        work = [(root, iter(sources[root]))] if root not in index else []
        while work:
            k, rest = work[-1]
            if k not in index:
                index[k] = low[k] = len(index)
                stack.append(k)
                on_stack.add(k)
            for j in rest:
                if j not in index:
                    work.append((j, iter(sources[j])))
                    break
                if j in on_stack:
                    low[k] = min(low[k], index[j])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[k])
                if low[k] == index[k]:
                    group = [stack.pop()]
                    while group[-1] != k:
                        group.append(stack.pop())
                    on_stack.difference_update(group)
                    found.append(sorted(group))
    result = []
    for group in found:
        inside = set(group)
        signs = {1 if origins[k][1] > 0 else -1 for k in group if k in origins
                 and origins[k][0] in inside}  # fmt: skip
        if len(signs) > 1:
            raise ValueError(
                "a loop has delays of both signs, so its steps cannot be ordered in time: "
                + ", ".join(f"{r.name} delay {r.delay}" for r in folded.recurrences)
            )
        result.append((signs.pop() if signs else 0, group))
    return result


def phases(folded: Folded) -> list[tuple[int, list[int]]]:
    """Runs over the steps, `(direction, nodes)`: one, unless directions are mixed.

    Within a phase the steps are taken one after the other, and in each the nodes in order.
    """
    result: list[tuple[int, list[int]]] = []
    origins = folded.origins()
    for direction, group in components(folded):
        # A node that only reads a delayed value needs the producer of all steps before it.
        reads = [1 if origins[k][1] > 0 else -1 for k in group if k in origins]
        direction = direction or (reads[0] if reads else 0)
        if result and (not direction or not result[-1][0] or result[-1][0] == direction):
            result[-1][1].extend(group)
            result[-1] = (result[-1][0] or direction, result[-1][1])
        else:
            result.append((direction, list(group)))
    return [(direction or 1, sorted(group)) for direction, group in result]
