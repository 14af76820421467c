"""The square: differentiating and unfolding commute, for cells of every kind."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.folded import (
    DUAL,
    EVERY,
    SEQUENCE,
    STATE,
    STATIC,
    SUM,
    Folded,
    FoldedAdjoint,
    Recurrence,
    run_folded,
)
from minigrad.graph import Graph, GraphAdjoint, canonical, prune, replay
from minigrad.tree import flatten
from tests.minigrad.cells import CELLS, FOLDED, everything, random_inputs
from tests.rounding import assert_agree, replay_rounded

# --- the two ways around the square ---------------------------------------------------------------


def wire(forward: Graph, backward: Graph, sources: list[int | None], outputs: list[int],
         seeds: list[int], cotangents: list[int]) -> Graph:  # fmt: skip
    """One graph: forward, then backward with its k-th input fed by node `sources[k]` of forward.

    Inputs are those of forward, then the inputs `seeds` of backward; outputs are the nodes
    `outputs` of forward, then the nodes `cotangents` of backward.
    """
    nodes = list(forward.nodes)
    fed = dict(zip(backward.inputs, sources, strict=True))
    place = {}
    for k, node in enumerate(backward.nodes):
        source = fed.get(k)
        if source is None:
            source = len(nodes)
            nodes.append(replace(node, inputs=tuple(place[i] for i in node.inputs)))
        place[k] = source
    return prune(
        nodes,
        [*forward.inputs, *(place[i] for i in seeds)],
        [*outputs, *(place[i] for i in cotangents)],
    )


@cache
def by_unfolding_first(folded: Folded, T: int) -> Graph:
    """Outputs and cotangents of `unfold(F, T)`, by the adjoint of the unfolded graph."""
    pair = mg.adjoint(mg.unfold(folded, T))
    assert isinstance(pair, GraphAdjoint)
    n = len(pair.residuals)
    kept = len(pair.forward.outputs) - n
    return wire(
        pair.forward,
        pair.backward,
        [*pair.forward.outputs[kept:], *[None] * (len(pair.backward.inputs) - n)],
        list(pair.forward.outputs[:kept]),
        list(pair.backward.inputs[n:]),
        list(pair.backward.outputs),
    )


def by_differentiating_first(folded: Folded, pair: FoldedAdjoint, T: int) -> Graph:
    """The same, by unfolding both halves of the adjoint of F."""
    forward, backward = mg.unfold(pair.forward, T), mg.unfold(pair.backward, T)
    results, last = by_role(pair.forward, forward.out_tree.unflatten(forward.outputs))
    given_ = backward.in_tree.unflatten(backward.inputs)
    own = len(folded.outputs)
    # What backward reads: static inputs of F, and what forward emits at every step.
    inputs = forward.in_tree.unflatten(forward.inputs)
    n = len(pair.static) + len(pair.emitted)
    kept: list[Any] = [None] * n
    static = [k for k, role in enumerate(pair.backward.inputs[:n]) if role == STATIC]
    for k, number in zip(static, pair.static, strict=True):
        kept[k] = inputs[number]
    for j, k in enumerate(pair.emitted):
        kept[k] = results[own + j]
    # Cotangents in the order of the unfolded outputs: values, then last states.
    seeds = dict(zip(pair.step.seeded, given_[n:], strict=True))
    order = [k for k in range(own) if folded.outputs[k] != STATE]
    order += [r.output for r in folded.recurrences]
    found, ends = by_role(pair.backward, backward.out_tree.unflatten(backward.outputs))
    found |= ends
    return wire(
        forward,
        backward,
        [*flatten(kept)[0], *[None] * len(flatten(given_[n:])[0])],
        flatten([results[k] for k in order if k in results] + list(last.values()))[0],
        flatten([seeds[k] for k in order if k in seeds])[0],
        flatten([found[k] for k in range(len(pair.step.wrt))])[0],
    )


def without_trivial_sums(graph: Graph) -> Graph:
    """The graph with sums of one term, and terms that are zero constants, left out."""
    place: list[int] = []
    nodes = list(graph.nodes)
    zero = [node.op == "constant" and not np.any(node.value) for node in nodes]
    for k, node in enumerate(nodes):
        inputs = tuple(place[i] for i in node.inputs)
        if node.op in ("add", "add_n") and all(nodes[i].shape == node.shape for i in inputs):
            inputs = tuple(i for i in inputs if not zero[i]) or inputs[:1]
        nodes[k] = replace(node, inputs=inputs)
        if (
            node.op in ("add", "add_n")
            and len(inputs) == 1
            and nodes[inputs[0]].shape == node.shape
        ):
            place.append(inputs[0])
        else:
            place.append(k)
    return prune(nodes, graph.inputs, [place[i] for i in graph.outputs])


def by_role(folded: Folded, values: Any) -> tuple[dict[int, Any], dict[int, Any]]:
    """By output of the step: its values ("every", "sum"), and the last values of states."""
    numbers = [k for k, role in enumerate(folded.outputs) if role != STATE]
    n = len(numbers)
    ends = {r.output: end for r, end in zip(folded.recurrences, values[n:], strict=True)}
    return dict(zip(numbers, values[:n], strict=True)), ends


def check_square(folded: Folded, T: int, pair: FoldedAdjoint | None = None) -> None:
    """Both ways give the same expressions, up to the order of sums."""
    pair = pair or mg.adjoint(folded)
    assert isinstance(pair, FoldedAdjoint)
    left = without_trivial_sums(by_unfolding_first(folded, T))
    right = without_trivial_sums(by_differentiating_first(folded, pair, T))
    assert len(left.inputs) == len(right.inputs)
    table: dict[Any, int] = {}
    keys = [canonical(graph, table) for graph in (left, right)]
    a, b = ([key[i] for i in g.outputs] for key, g in zip(keys, (left, right), strict=True))
    assert len(a) == len(b)
    wrong = [k for k in range(len(a)) if a[k] != b[k]]
    assert not wrong, f"outputs {wrong} of {len(a)} are different expressions"


@everything
@pytest.mark.parametrize("T", [0, 1, 2, 5])
def test_differentiating_and_unfolding_commute(name, T):
    """adjoint(unfold(F, T)) = unfold(adjoint(F), T): the theorem of the house."""
    check_square(FOLDED[name], T)


@everything
@given(T=st.integers(0, 5), seed=st.integers(0, 2**32 - 1))
def test_both_ways_around_the_square_give_the_same_numbers(name, T, seed):
    """To within the rounding of both, bounded by a run on numbers that carry their error."""
    folded = FOLDED[name]
    left = by_unfolding_first(folded, T)
    right = by_differentiating_first(folded, mg.adjoint(folded), T)
    values = random_inputs(left, seed)
    wanted = replay_rounded(left, values)
    for found in (replay(left, values), replay(right, values)):
        for k, (a, b) in enumerate(zip(found, wanted, strict=True)):
            assert_agree(a, b, f"output {k} ")


@everything
@given(T=st.integers(0, 5), seed=st.integers(0, 2**32 - 1))
def test_running_the_folded_pair_gives_the_numbers_of_the_unfolded_graph(name, T, seed):
    folded = FOLDED[name]
    pair = mg.adjoint(folded)
    left = by_unfolding_first(folded, T)
    values = random_inputs(left, seed)
    whole = mg.unfold(folded, T)
    n = len(whole.inputs)
    results, found = run_pair(folded, pair, T, whole.in_tree.unflatten(values[:n]), values[n:])
    for k, (a, b) in enumerate(zip(results + found, replay_rounded(left, values), strict=True)):
        assert_agree(a, b, f"output {k} ")


def run_pair(
    folded: Folded, pair: FoldedAdjoint, T: int, inputs: Any, seeds: list[Any]
) -> tuple[list[Any], list[Any]]:
    """Outputs and cotangents, flat, from `run_folded` on both halves of an adjoint."""
    own = len(folded.outputs)
    columns, last = run_folded(pair.forward, T, inputs)
    outputs = [columns[k] for k in range(own) if folded.outputs[k] != STATE] + last
    cotangents = iter(seeds)
    shaped = [[next(cotangents) for _ in x] if isinstance(x, list) else next(cotangents)
              for x, r in zip(outputs, seeded_outputs(folded), strict=True)
              if r in pair.step.seeded]  # fmt: skip
    by_output = dict(zip([r for r in seeded_outputs(folded) if r in pair.step.seeded], shaped,
                         strict=True))  # fmt: skip
    kept: list[Any] = [None] * (len(pair.static) + len(pair.emitted))
    for j, k in enumerate(pair.emitted):
        kept[k] = columns[own + j]
    static = iter(pair.static)
    kept = [inputs[next(static)] if role == STATIC else value
            for role, value in zip(pair.backward.inputs, kept, strict=False)]  # fmt: skip
    found, ends = run_folded(pair.backward, T, [*kept, *(by_output[k] for k in pair.step.seeded)])
    for r, end in zip(pair.backward.recurrences, ends, strict=True):
        found[r.output] = end
    return flatten(outputs)[0], flatten(found)[0]


def seeded_outputs(folded: Folded) -> list[int]:
    """The outputs of the step in the order of the unfolded graph's: values, then last states."""
    return [k for k, role in enumerate(folded.outputs) if role != STATE] + [
        r.output for r in folded.recurrences
    ]


@pytest.mark.parametrize("name", CELLS)
@given(T=st.integers(0, 5), seed=st.integers(0, 2**32 - 1))
def test_the_gradient_of_a_run_is_the_unfolded_adjoint(name, T, seed):
    cell = CELLS[name]
    left = by_unfolding_first(FOLDED[name], T)
    values = random_inputs(left, seed)
    whole = mg.unfold(FOLDED[name], T)
    n = len(whole.inputs)
    parts = whole.in_tree.unflatten(values[:n])
    params = flatten(cell.init(0))[1].unflatten(parts[: len(flatten(cell.init(0))[0])])
    xs_list, *states = parts[len(flatten(params)[0]) :]
    xs = np.stack(xs_list) if T else np.zeros((0, 2, cell.inputs))
    edges, tree = flatten(cell.edges())
    start = tree.unflatten(
        s[0] if abs(e.delay) == 1 else np.stack(s) for s, e in zip(states, edges, strict=True)
    )
    seeds = iter(values[n:])
    dys = [next(seeds) for _ in range(T)]
    ends = [[next(seeds) for _ in range(abs(e.delay))] for e in edges]

    def loss(params: Any, xs: Any, start: Any) -> Any:
        ys, last = rnn.run(cell, params, xs, start)
        total = sum((mg.sum(ys[t] * dys[t]) for t in range(T)), mg.Tensor(0.0))
        for value, edge, end in zip(flatten(last)[0], edges, ends, strict=True):
            total = total + mg.sum(value * (end[0] if abs(edge.delay) == 1 else np.stack(end)))
        return total

    dp, dxs, dstart = mg.grad(loss, wrt=(0, 1, 2))(params, xs, start)
    found = [*flatten(dp)[0], *dxs]
    for d, edge in zip(flatten(dstart)[0], edges, strict=True):
        found += [d] if abs(edge.delay) == 1 else list(d)
    wanted = replay_rounded(left, values)[-len(found) :] if found else []
    for k, (a, b) in enumerate(zip(found, wanted, strict=True)):
        assert_agree(a, b, f"gradient {k} ")


# --- the square can fail --------------------------------------------------------------------------


def turned_delay(pair: FoldedAdjoint) -> FoldedAdjoint:
    edges = tuple(replace(r, delay=-r.delay) for r in pair.backward.recurrences)
    return replace(pair, backward=replace(pair.backward, recurrences=edges))


def crossed_residuals(pair: FoldedAdjoint) -> FoldedAdjoint:
    """Two residuals of one shape exchanged: backward reads one in place of the other."""
    outputs = list(pair.forward.step.outputs)
    own = len(outputs) - len(pair.emitted)
    nodes = pair.forward.step.nodes
    for a in range(own, len(outputs)):
        for b in range(a):
            if outputs[a] != outputs[b] and nodes[outputs[a]].shape == nodes[outputs[b]].shape:
                outputs[a] = outputs[b]
                step = replace(pair.forward.step, outputs=tuple(outputs))
                return replace(pair, forward=replace(pair.forward, step=step))
    raise AssertionError("no two residuals of one shape")


def dropped_cotangent(pair: FoldedAdjoint) -> FoldedAdjoint:
    """What comes back through the first recurrent edge is left out: truncated after one step."""
    step = pair.backward.step
    entry = step.inputs[pair.backward.recurrences[0].input]
    nodes = list(step.nodes)
    nodes[entry] = replace(nodes[entry], op="constant", value=np.zeros(nodes[entry].shape))
    fresh = replace(step.nodes[entry])
    shifted = (*nodes, fresh)
    inputs = tuple(len(nodes) if i == entry else i for i in step.inputs)
    cut = replace(step, nodes=shifted, inputs=inputs)
    return replace(pair, backward=replace(pair.backward, step=cut))


def last_step_instead_of_sum(pair: FoldedAdjoint) -> FoldedAdjoint:
    outputs = tuple(EVERY if role == SUM else role for role in pair.backward.outputs)
    return replace(pair, backward=replace(pair.backward, outputs=outputs))


FAULTS = [turned_delay, crossed_residuals, dropped_cotangent, last_step_instead_of_sum]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU", "Bidirectional", "delay 2", "delay -1"])
def test_the_square_sees_a_planted_fault(name, fault):
    folded = FOLDED[name]
    pair = mg.adjoint(folded)
    check_square(folded, 3, pair)
    with pytest.raises(AssertionError):
        check_square(folded, 3, fault(pair))


def test_the_square_sees_a_wrong_derivative_of_one_half_only(monkeypatch):
    folded = replace(FOLDED["LSTM"])  # not the one whose unfolded adjoint is known already
    pair = mg.adjoint(folded)
    monkeypatch.setattr(mg.tanh, "rules", [lambda g, y, x: g * (1.0 - y) * (1.0 - y)])
    with pytest.raises(AssertionError, match="different expressions"):
        check_square(folded, 3, pair)


# --- the shape of the adjoint ---------------------------------------------------------------------


@everything
def test_roles_of_the_adjoint_are_dual_and_delays_flip(name):
    folded = FOLDED[name]
    pair = mg.adjoint(folded)
    assert isinstance(pair, FoldedAdjoint)
    seeds = pair.backward.inputs[len(pair.static) + len(pair.emitted) :]
    assert seeds == tuple(DUAL[folded.outputs[k]] for k in pair.step.seeded)
    assert pair.backward.outputs == tuple(DUAL[folded.inputs[k]] for k in pair.step.wrt)
    assert [r.delay for r in pair.backward.recurrences] == [-r.delay for r in folded.recurrences]
    assert [r.name for r in pair.backward.recurrences] == [f"∂{r.name}" for r in folded.recurrences]


@everything
def test_forward_of_the_adjoint_is_the_original_that_shows_more(name):
    folded = FOLDED[name]
    forward, _ = mg.adjoint(folded)
    assert forward.step.nodes == folded.step.nodes
    assert forward.outputs[: len(folded.outputs)] == folded.outputs
    assert set(forward.outputs[len(folded.outputs) :]) <= {EVERY}
    assert forward.recurrences == folded.recurrences


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("T", [0, 1, 3])
def test_folded_graphs_are_closed_under_the_adjoint(name, T):
    """The backward half is a folded graph like any other: its own square commutes."""
    _, backward = mg.adjoint(FOLDED[name])
    check_square(backward, T)


@given(T=st.integers(0, 4), seed=st.integers(0, 2**32 - 1))
def test_the_adjoint_of_the_adjoint_has_the_right_numbers(T, seed):
    """Of an LSTM: the square of its backward half, in numbers."""
    _, backward = mg.adjoint(FOLDED["LSTM"])
    left = by_unfolding_first(backward, T)
    right = by_differentiating_first(backward, mg.adjoint(backward), T)
    values = random_inputs(left, seed)
    for a, b in zip(replay(right, values), replay_rounded(left, values), strict=True):
        assert_agree(a, b, "second order ")


def test_a_linear_folded_graph_is_its_own_second_adjoint():
    """h = x + h W, y = h: no residual but W, and two transpositions are none."""
    step = mg.trace(lambda W, x, h: (x + h @ W, x + h @ W)[:1] * 2, *[np.ones((2, 2))] * 3)
    folded = Folded(step, (STATIC, SEQUENCE, STATE), (EVERY, STATE), (Recurrence(1, 2, 1, "h"),))
    pair = mg.adjoint(folded)
    assert pair.static == (0,)
    assert [r.delay for r in pair.backward.recurrences] == [-1]
    again = mg.adjoint(pair.backward)
    assert [r.delay for r in again.backward.recurrences] == [1]
    assert again.backward.outputs[-2:] == (EVERY, STATE)
