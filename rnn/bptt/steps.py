"""One-step Jacobians: what one step makes of the state, and what their products say.

With delays of more than one step the state is that of the last steps together, and a step moves
the older values on (the companion form).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigrad.core import Array
from rnn.bptt.adjoints import Adjoint
from rnn.bptt.recorded import Recorded
from rnn.bptt.surgery import cut, probed


@dataclass(frozen=True)
class Steps:
    """The Jacobians within a step, between which nothing is carried.

    Attributes:
        state: ∂s⁽ᵗ⁾/∂s⁽ᵗ⁻¹⁾ `(T, N, N)`, where s is all states of the last |delay| steps.
        out: ∂v⁽ᵗ⁾/∂s⁽ᵗ⁻¹⁾ `(T, n, N)`; `into`: ∂s⁽ᵗ⁾/∂u⁽ᵗ⁾ `(T, N, m)`.
        place: the rows of v in s, where v is a state.
    """

    state: Array
    out: Array
    into: Array
    place: slice | None


def steps_of(run: Recorded, of: str, by: str) -> Steps:
    """The one-step Jacobians of a run; the state holds the values of the last |delay| steps."""
    T, edges = run.steps, run.edges
    v, u = run.node(of), run.node(by)
    folded = cut(probed(run.folded, [u, v]))
    own = len(run.folded.inputs)
    heard = [*(r.output for r in edges), len(folded.outputs) - 1]
    adjoint = Adjoint(
        folded,
        T,
        [*run.without_edges(), *run.zeros([u, v])],
        [*(r.input for r in edges), own],
        list(dict.fromkeys(heard)),
    )
    shapes = [folded.output_node(k).shape for k in heard]
    sizes = [int(np.prod(shape)) for shape in shapes]
    total = sum(sizes)
    seeds: dict[int, Array] = {}
    first = 0
    for k, shape, size in zip(heard, shapes, sizes, strict=True):
        seed = seeds.setdefault(k, np.zeros((T, total, *shape), run.ys.dtype))
        seed[:, first : first + size] = np.eye(size).reshape(size, *shape)
        first += size
    *by_state, by_u = [x.reshape(T, total, -1) for x in adjoint.rows(total)(seeds)]
    # Edges that carry one value share its last steps: it stands there once, as long as any waits.
    made = [run.folded.step.outputs[r.output] for r in edges]
    owners = {node: made.index(node) for node in made}
    steps = {node: max(abs(r.delay) for r, k in zip(edges, made, strict=True) if k == node)
             for node in owners}  # fmt: skip
    widths = [steps[node] * sizes[i] for node, i in owners.items()]
    tops = dict(zip(owners, np.cumsum([0, *widths]).tolist(), strict=False))
    rows = np.cumsum([0, *sizes])
    N, n = sum(widths), sizes[-1]
    state = np.zeros((T, N, N), run.ys.dtype)
    out = np.zeros((T, n, N), run.ys.dtype)
    into = np.zeros((T, N, by_u.shape[-1]), run.ys.dtype)
    for j, r in enumerate(edges):
        # A value of d steps ago stands at the d-th place of its part.
        top = tops[made[j]] + (abs(r.delay) - 1) * sizes[j]
        read = slice(top, top + sizes[j])
        for node, i in owners.items():
            place = slice(tops[node], tops[node] + sizes[i])
            state[:, place, read] = by_state[j][:, rows[i] : rows[i + 1]]
        out[:, :, read] = by_state[j][:, rows[-2] :]
    for (node, i), width in zip(owners.items(), widths, strict=True):
        top, size = tops[node], sizes[i]
        into[:, top : top + size] = by_u[:, rows[i] : rows[i + 1]]
        # Each step moves the older values on.
        state[:, top + size : top + width, top : top + width - size] += np.eye(width - size)
    return Steps(state, out, into, slice(tops[v], tops[v] + n) if v in tops else None)


def products(parts: Steps, to: int, direction: int) -> tuple[Array, Array]:
    """∂v⁽ᵗ⁾/∂u⁽ᵏ⁾ as products of one-step Jacobians, and the products of their norms.

    Nothing is known of step t itself: it stays zero.
    """
    T = len(parts.state)
    found = np.zeros((T, parts.out.shape[1], parts.into.shape[2]), parts.out.dtype)
    bound = np.zeros(T, parts.out.dtype)
    each, ends = _norms(parts.state), _norms(parts.into)
    carried, size = parts.out[to - 1], _norms(parts.out)[to - 1]
    for k in range(to - 2, -1, -1) if direction > 0 else range(to, T):
        found[k], bound[k] = carried @ parts.into[k], size * ends[k]
        carried, size = carried @ parts.state[k], size * each[k]
    return found, bound


def _norms(matrices: Array) -> Array:
    return np.linalg.norm(matrices, 2, axis=(-2, -1)) if matrices.size else np.zeros(len(matrices))


def lyapunov(jacobians: Array) -> Array:
    """The exponents at which small changes grow or shrink a step, largest first, by QR.

    Args:
        jacobians: those of the steps `(T, N, N)`, in the order in which they run.

    Source: Benettin et al. (1980); Engelken, Wolf and Abbott (2023), Lyapunov spectra of chaotic
    recurrent neural networks.

    >>> lyapunov(np.array([np.diag([2.0, 0.5])] * 10)).round(3).tolist()
    [0.693, -0.693]
    """
    T, N = jacobians.shape[:2]
    q, total = np.eye(N), np.zeros(N)
    for jacobian in jacobians:
        q, r = np.linalg.qr(jacobian @ q)
        with np.errstate(divide="ignore"):  # a direction that is lost at once has −∞
            total += np.log(np.abs(np.diag(r)))
    return np.sort(total / max(T, 1))[::-1]
