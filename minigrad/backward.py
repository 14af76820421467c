"""`loss.backward()`: gradients as tensors have them, in place of those that a function has."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core import FUNCTIONS, Tensor, ancestors, pull_back
from minigrad.habits import RECORDED, title


def backward(loss: Tensor, cotangent: Any = None) -> None:
    """Add d(loss)/d(tensor) to `.grad` of every leaf and every named tensor of the graph.

    Calls accumulate: two losses add up, and so do two calls on the same graph.

    Where Python says that an array has no `backward`, the parameters were arrays, so nothing was
    recorded: make tensors of them, `p = params.tensors()`.

    Raises:
        ValueError: the loss is not a scalar and no cotangent is given.
        TypeError: the loss is an array, or no tensor it depends on can have a gradient.
    """
    if type(loss) is not Tensor:
        raise TypeError(
            f"backward: the loss is an array ({type(loss).__name__}), not a tensor; {RECORDED}"
        )
    if cotangent is None:
        if loss.shape != ():
            raise ValueError(
                f"backward needs a scalar loss, got shape {loss.shape}; "
                "reduce it with sum or mean, or give a cotangent of that shape"
            )
        cotangent = 1.0
    if loss.dtype.kind != "f":
        raise TypeError(f"backward: the loss has dtype {loss.dtype}; gradients need real floats")
    if type(cotangent) is Tensor:
        raise TypeError("backward: the cotangent is a tensor; for derivatives of gradients use vjp")
    if np.shape(cotangent) not in ((), loss.shape):
        raise ValueError(
            f"backward: cotangent has shape {np.shape(cotangent)}, wanted {loss.shape}"
        )
    seed = np.broadcast_to(np.asarray(cotangent, loss.dtype), loss.shape)
    nodes = ancestors(loss)
    shown = [
        node
        for node in nodes
        if (node.primitive is None or node.name is not None) and node.dtype.kind == "f"
    ]
    kinds = {node.dtype.kind for node in nodes if node.primitive is None}
    if "c" in kinds or "f" not in kinds:
        leaves = ", ".join(f"{title(x)} of {x.dtype}" for x in nodes if x.primitive is None)
        raise TypeError(
            f"backward: gradients are those of leaves of real floating-point numbers, there are: "
            f"{leaves}; write 2.0 for 2, array.astype(float), or keep as an array what is fixed"
        )
    found = pull_back(nodes, {loss.serial: seed}, {node.serial for node in shown}, recorded=False)
    for node in shown:
        g = found.get(node.serial)
        g = np.zeros(node.shape, node.dtype) if g is None else g
        node.grad = np.array(g) if node.grad is None else node.grad + g


FUNCTIONS["backward"] = backward
