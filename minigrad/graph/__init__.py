"""Graphs: frozen straight-line programs, and what can be done with them without running them.

`trace` runs a function once on tensors and freezes what happened. A graph prints, replays,
compares and differentiates.
"""

from minigrad.graph.nodes import Graph, Node, apply, as_text, prune, replay
from minigrad.graph.reverse import GraphAdjoint, graph_adjoint
from minigrad.graph.sameness import canonical, difference, isomorphic, same_attrs, same_node
from minigrad.graph.tracing import freeze, trace, trace_for_all

__all__ = [
    "Graph", "GraphAdjoint", "Node", "apply", "as_text", "canonical", "difference", "freeze",
    "graph_adjoint", "isomorphic", "prune", "replay", "same_attrs", "same_node", "trace",
    "trace_for_all",
]  # fmt: skip
