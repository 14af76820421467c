"""Optimisers: from parameters and gradients to new parameters.

An optimiser is a frozen value of rates, with `init(params) -> state` and
`update(params, grads, state) -> (params, state)`. The state, what it remembers between steps, is a
dictionary of trees like the parameters, so a run can be saved anywhere and nothing is ever changed
in place; dtypes stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.tree import flatten, tree_map


@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum: v ← μ v + g, p ← p − rate · v (Polyak 1964).

    Args:
        rate: step size.
        momentum: μ; 0 for plain gradient descent.

    >>> import numpy as np
    >>> sgd = SGD(rate=0.5)
    >>> params = {"w": np.array([1.0, 2.0])}
    >>> params, state = sgd.update(params, {"w": np.array([1.0, 0.0])}, sgd.init(params))
    >>> params["w"]
    array([0.5, 2. ])
    """

    rate: float = 0.1
    momentum: float = 0.0

    def init(self, params: Any) -> dict[str, Any]:
        """Velocity zero."""
        return {"velocity": tree_map(np.zeros_like, params)}

    def update(self, params: Any, grads: Any, state: Any) -> tuple[Any, dict[str, Any]]:
        """One step down the gradient."""
        v = tree_map(lambda v, g: self.momentum * v + g, state["velocity"], grads)
        return tree_map(lambda p, v: p - self.rate * v, params, v), {"velocity": v}


@dataclass(frozen=True)
class RMSProp:
    """Steps divided by a running root mean square of the gradient (Tieleman, Hinton 2012).

    s ← ρ s + (1 − ρ) g²,  p ← p − rate · g / (√s + ε)

    Args:
        rate: step size.
        decay: ρ, how much of the running mean is kept.
        epsilon: ε, what keeps the quotient finite.

    >>> import numpy as np
    >>> rms = RMSProp(rate=0.01, decay=0.0)
    >>> rms.update(np.array(1.0), np.array(-7.0), rms.init(np.array(1.0)))[0].round(6)
    np.float64(1.01)
    """

    rate: float = 0.001
    decay: float = 0.9
    epsilon: float = 1e-8

    def init(self, params: Any) -> dict[str, Any]:
        """Mean squares zero."""
        return {"square": tree_map(np.zeros_like, params)}

    def update(self, params: Any, grads: Any, state: Any) -> tuple[Any, dict[str, Any]]:
        """One step down the scaled gradient."""
        s = tree_map(
            lambda s, g: self.decay * s + (1 - self.decay) * np.square(g), state["square"], grads
        )
        new = tree_map(
            lambda p, g, s: p - self.rate * g / (np.sqrt(s) + self.epsilon), params, grads, s
        )
        return new, {"square": s}


@dataclass(frozen=True)
class Adam:
    """Momentum and scaling with their bias at the start removed (Kingma, Ba 2015, algorithm 1).

    m ← β₁ m + (1 − β₁) g,  s ← β₂ s + (1 − β₂) g²,
    p ← p − rate · (m / (1 − β₁ᵏ)) / (√(s / (1 − β₂ᵏ)) + ε)   at step k = 1, 2, …

    Args:
        rate: step size.
        beta1, beta2: β₁ and β₂, how much of the running means is kept.
        epsilon: ε, what keeps the quotient finite.

    >>> import numpy as np
    >>> adam = Adam(rate=0.01)
    >>> params, state = adam.update(np.ones(2), np.array([5.0, -0.1]), adam.init(np.ones(2)))
    >>> params.round(6), state["step"]
    (array([0.99, 1.01]), 1)
    """

    rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def init(self, params: Any) -> dict[str, Any]:
        """Means zero, at step 0."""
        zeros = tree_map(np.zeros_like, params)
        return {"step": 0, "mean": zeros, "square": zeros}

    def update(self, params: Any, grads: Any, state: Any) -> tuple[Any, dict[str, Any]]:
        """One step down the scaled mean gradient."""
        k = state["step"] + 1
        m = tree_map(lambda m, g: self.beta1 * m + (1 - self.beta1) * g, state["mean"], grads)
        s = tree_map(
            lambda s, g: self.beta2 * s + (1 - self.beta2) * np.square(g), state["square"], grads
        )
        rate, scale = self.rate / (1 - self.beta1**k), 1 / (1 - self.beta2**k)
        new = tree_map(
            lambda p, m, s: p - rate * m / (np.sqrt(s * scale) + self.epsilon), params, m, s
        )
        return new, {"step": k, "mean": m, "square": s}


def clip_by_global_norm(grads: Any, limit: float) -> tuple[Any, float]:
    """The gradients, scaled down if their norm as one long vector exceeds `limit`; and that norm.

    A direction is kept, only its length changes (Pascanu et al. 2013, algorithm 1). Gradients
    that are not finite are not repaired by scaling: they come back as they are.

    >>> import numpy as np
    >>> clip_by_global_norm({"a": np.array([3.0]), "b": np.array([4.0])}, limit=1.0)
    ({'a': array([0.6]), 'b': array([0.8])}, 5.0)
    """
    if not limit > 0:
        raise ValueError(f"clip_by_global_norm: the limit must be positive, got {limit!r}")
    leaves = [np.asarray(g, float) for g in flatten(grads)[0]]
    top = float(np.max([np.abs(g).max(initial=0.0) for g in leaves], initial=0.0))
    if not 0 < top < np.inf:
        return grads, top
    # Of numbers up to 1, or squares of large gradients overflow and those of small ones are 0.
    length = float(np.sqrt(sum(np.square(g / top).sum() for g in leaves)))
    norm = top * length
    if norm <= limit:
        return grads, norm
    return tree_map(lambda g: (g / top) * (limit / length), grads), norm
