"""An ONNX model in the making: nodes, constants, and loops as `Scan`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from onnx import checker, helper, numpy_helper

from minigrad.core import Array
from minigrad.engines.onnx.symbols import Symbol
from minigrad.engines.walk import Step, Values, run
from minigrad.graph import Graph
from minigrad.lower.pipeline import as_folded, planned

OPSET = 18
"""The version of ONNX's operations: that of 2022, which runtimes of today know."""


def written(graph: Graph, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    """The file of a graph, with names for its inputs and its outputs.

    Raises:
        TypeError: something in it is not written as ONNX.
    """
    strange = [node for node in graph.nodes if node.dtype is not None and node.dtype.kind == "c"]
    if strange:
        raise TypeError(f"export: {strange[0].op} of complex numbers is not written as ONNX")
    model = Model()
    nodes = [graph.nodes[i] for i in graph.inputs]
    given = [Symbol(model, name, np.zeros(node.shape, node.dtype))
             for name, node in zip(inputs, nodes, strict=True)]  # fmt: skip
    found = run(planned(as_folded(graph), ()), 1, given, model.loop)
    results = [model.node("Identity", [x], x.like, name=name)
               for x, name in zip(map(model.symbol, found), outputs, strict=True)]  # fmt: skip
    return model.file(given, results)


class Model:
    """What has been written so far."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._count = itertools.count()

    def symbol(self, value: Any) -> Symbol:
        """A value as a symbol: a constant, if it is none."""
        if isinstance(value, Symbol):
            return value
        array = np.array(value)
        name = f"constant_{next(self._count)}"
        self._constants.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return Symbol(self, name, np.zeros(array.shape, array.dtype))

    def cast(self, x: Any, dtype: np.dtype[Any]) -> Symbol:
        """A value in a dtype."""
        if not isinstance(x, Symbol):
            return self.symbol(np.asarray(x).astype(dtype))
        if x.dtype == dtype:
            return x
        return self.node("Cast", [x], x.like.astype(dtype), to=_kind(dtype))

    def node(
        self, op: str, operands: Sequence[Any], like: Array, name: str = "", output: int = 0,
        **attrs: Any,
    ) -> Symbol:  # fmt: skip
        """One more node, and its result; that of a number, if it is not the first."""
        name = name or f"{op}_{next(self._count)}"
        names = [self.symbol(x).name for x in operands]
        found = [f"{name}_{n}" for n in range(output)] + [name]
        self._nodes.append(helper.make_node(op, names, found, name=name, **attrs))
        return Symbol(self, name, np.zeros(like.shape, like.dtype))

    def loop(
        self, step: Step, carried: Values, sequences: Values, beside: Values, steps: int,
        direction: int,
    ) -> tuple[Values, Values]:  # fmt: skip
        """One `Scan`; see `minigrad.engines.walk`. Its body reads what stands beside by name."""
        whole = [self.symbol(x) for x in sequences] or [self.symbol(np.zeros(steps, bool))]
        start = [self.symbol(x) for x in carried]
        states = [Symbol(self, f"state_{next(self._count)}", x.like) for x in start]
        likes = [np.zeros(x.shape[1:], x.dtype) for x in whole]
        now = [Symbol(self, f"now_{next(self._count)}", like) for like in likes]
        with self._inside() as nodes:
            after, kept = step(states, now[: len(sequences)])
            ends = [self.node("Identity", [x], self.symbol(x).like) for x in (*after, *kept)]
        if not steps:  # a Scan has one or more
            return [*start], [self.symbol(np.zeros((0, *x.shape), x.dtype))
                              for x in ends[len(start) :]]  # fmt: skip
        number = next(self._count)
        infos = [[_info(x) for x in part] for part in ((*states, *now), ends)]
        names = [f"scan_{number}_{n}" for n in range(len(ends))]
        turn = int(direction < 0)
        self._nodes.append(helper.make_node(
            "Scan", [x.name for x in (*start, *whole)], names, name=f"scan_{number}",
            body=helper.make_graph(nodes, f"step_{number}", *infos),
            num_scan_inputs=len(whole), scan_input_directions=[turn] * len(whole),
            scan_output_directions=[turn] * len(kept),
        ))  # fmt: skip
        found = [
            Symbol(self, name, x.like if n < len(start) else
                   np.zeros((steps, *x.shape), x.dtype))
            for n, (name, x) in enumerate(zip(names, ends, strict=True))
        ]  # fmt: skip
        return [*found[: len(start)]], [*found[len(start) :]]

    @contextmanager
    def _inside(self) -> Iterator[list[Any]]:
        """Nodes that are written meanwhile stand in a list of their own."""
        outer, self._nodes = self._nodes, []
        try:
            yield self._nodes
        finally:
            self._nodes = outer

    def file(self, inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> bytes:
        """The whole, checked."""
        graph = helper.make_graph(self._nodes, "minigrad", [*map(_info, inputs)],
                                  [*map(_info, outputs)], self._constants)  # fmt: skip
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString())


def _kind(dtype: np.dtype[Any]) -> int:
    return int(helper.np_dtype_to_tensor_dtype(dtype))


def _info(x: Symbol) -> Any:
    return helper.make_tensor_value_info(x.name, _kind(x.dtype), x.shape)
