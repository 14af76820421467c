"""A small reverse-mode autodiff engine in which recurrent networks are graphs."""

from typing import Any

from minigrad import habits, ops
from minigrad.anomaly import anomaly
from minigrad.autodiff import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from minigrad.backward import backward
from minigrad.compile import compile
from minigrad.core import PRIMITIVES, Primitive, Tensor, ancestors, named, scope
from minigrad.errors import ShapeError
from minigrad.explain import explain
from minigrad.export import export, to_jax
from minigrad.folded import Folded, Recurrence, adjoint, unfold
from minigrad.graph import Graph, Node, isomorphic, trace
from minigrad.history import find
from minigrad.loops.embed import embed, fold
from minigrad.loops.embedded import Embedded
from minigrad.ops import *  # noqa: F403  # the one place: every primitive is a public name
from minigrad.scan import scan
from minigrad.tree import tree_map

__all__ = [
    "PRIMITIVES",
    "Embedded",
    "Folded",
    "Graph",
    "Node",
    "Primitive",
    "Recurrence",
    "ShapeError",
    "Tensor",
    "adjoint",
    "ancestors",
    "anomaly",
    "backward",
    "compile",
    "embed",
    "explain",
    "export",
    "find",
    "fold",
    "grad",
    "hessian",
    "hvp",
    "isomorphic",
    "jacobian",
    "jvp",
    "named",
    "scan",
    "scope",
    "to_jax",
    "trace",
    "tree_map",
    "unfold",
    "value_and_grad",
    "vjp",
]  # fmt: skip
__all__ += ops.__all__


def __getattr__(name: str) -> Any:
    raise habits.missing(name)
