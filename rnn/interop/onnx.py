"""ONNX: the nodes `RNN`, `LSTM` and `GRU` of a model, in and out.

Both biases of a gate are stored and added. `linear_before_reset` says where a GRU's reset gate
acts, `P` are peepholes, `input_forget` couples the gates. Source: ONNX's operator specification.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minigrad import files
from minigrad.extras import needed
from rnn.cell import Cell
from rnn.cells import GRUCell, LSTMCell, RNNCell
from rnn.compose import Reversed
from rnn.gated import CoupledLSTMCell
from rnn.interop import gates, network
from rnn.interop.libraries import ONNX
from rnn.interop.receipt import Imported, Receipt, Row
from rnn.kinds import written
from rnn.params import Params
from rnn.wrappers.projected import Projected

PARTS = {"kernel": "W", "recurrent": "R", "bias": "B", "recurrent_bias": "B", "peepholes": "P"}
"""The inputs of a node that hold weights; B has the biases of x, then those of h."""
DEFAULTS = {"rnn": ("Tanh",), "lstm": ("Sigmoid", "Tanh", "Tanh"), "gru": ("Sigmoid", "Tanh")}
OPSET = 14
"""The first in which these operators have their present form."""


def from_onnx(source: Any, node: str | None = None) -> Imported:
    """The cell and parameters of the recurrent nodes of a model.

    `cell, params = …` takes the result apart, printing it shows the receipt. Several nodes, each
    reading the one before, are the layers of a `Stack`.

    Args:
        source: a model, or the path of an `.onnx` file.
        node: the name of one node, where there are several that do not follow each other.

    Raises:
        ValueError: something that has no counterpart here; says what.
        ImportError: the package `onnx` is not here.
    """
    library = needed("onnx", "interop", "reading ONNX models")
    model = _read(library, Path(source)) if isinstance(source, str | Path) else source
    graph = getattr(model, "graph", None)
    if graph is None:
        raise TypeError(
            f"from_onnx takes a model or the path of an .onnx file, got {type(source).__name__}"
        )
    known = {i.name: library.numpy_helper.to_array(i) for i in graph.initializer}
    for n in graph.node:
        if n.op_type == "Constant" and n.attribute[0].name == "value":
            known[n.output[0]] = library.numpy_helper.to_array(n.attribute[0].t)
    nodes = [n for n in graph.node if n.op_type.lower() in DEFAULTS]
    listed = ", ".join(n.name or n.op_type for n in nodes) or "none"
    if node is not None:
        nodes = [n for n in nodes if n.name == node]
    if not nodes:
        raise ValueError(f"from_onnx: no such recurrent node; there are: {listed}")
    _follow(graph, nodes, listed)
    cells, params, rows, told = [], [], [], []
    for k, n in enumerate(nodes, 1):
        path = f"layer{k}" * (len(nodes) > 1)
        cell, own, more, notes = _layer(library, n, known, path)
        cells.append(cell)
        params.append(own)
        rows += more
        told += [note for note in notes if note not in told]
    cell, named = network.stacked(cells, params)
    return Imported(cell, named, Receipt(f"ONNX → {written(cell)}", tuple(rows), tuple(told)))


def to_onnx(cell: Cell, params: Any, path: str | Path | None = None) -> tuple[Any, Receipt]:
    """A model with one node for each layer of a cell, and the receipt of its making.

    Its input is `xs`, `(T, B, X)`; its outputs are `ys`, `(T, B, Y)`, and the last states of each
    layer, `h1`, `(directions, B, H)`, and `C1` for a memory cell. It starts from zeros.

    Args:
        cell: an `RNNCell`, `LSTMCell`, `CoupledLSTMCell` or `GRUCell`, also `Reversed`, both
            directions, or a `Stack` of them.
        params: of the cell.
        path: of a file to write, whole or not at all.

    Raises:
        ValueError: ONNX has no place for something that this cell does; says for what.
        ImportError: the package `onnx` is not here.
    """
    library = needed("onnx", "interop", "writing ONNX models")
    helper, numpy_helper = library.helper, library.numpy_helper
    named = network.values("to_onnx", cell, params)
    float_type = helper.np_dtype_to_tensor_dtype(next(iter(named.values())).dtype)
    nodes, stored, outputs = [], [], []
    rows: list[Row] = []
    told: list[str] = []
    reading = "xs"
    for k, layer in enumerate(network.layers(cell), 1):
        if layer.merge != "concat":
            raise ValueError(f"to_onnx: directions stand side by side, there is no {layer.merge!r}")
        kinds = {network.kind_of("to_onnx", side) for _, side in layer.sides}
        sizes = {network.sizes_of(side) for _, side in layer.sides}
        types = {type(side) for _, side in layer.sides}
        if len(kinds) > 1 or len(sizes) > 1 or len(types) > 1:
            raise ValueError(f"to_onnx: one node has two directions alike, not {layer.sides}")
        (kind,), (H, _) = kinds, sizes.pop()
        attributes = _attributes([side for _, side in layer.sides], kind, layer.is_backward)
        found: dict[str, list[Any]] = {"W": [], "R": [], "B": [], "P": []}
        for d, (path_, side) in enumerate(layer.sides):
            names = _names({part: f"{part}{k}" for part in "WRBP"}, d, len(layer.sides))
            blocks, more = gates.put_together(ONNX, kind, side, named, names, path_)
            rows += more
            told += gates.notes(ONNX, kind, side)
            found["W"].append(blocks.kernel.T)
            found["R"].append(blocks.recurrent.T)
            found["B"].append(np.concatenate([blocks.bias, blocks.recurrent_bias]))
            found["P"] += [] if blocks.peepholes is None else [blocks.peepholes]
        inputs = [reading, f"W{k}", f"R{k}", f"B{k}", "", "", "", f"P{k}"]
        made = [f"Y{k}", f"h{k}", *([f"C{k}"] if kind == "lstm" else [])]
        stored += [
            numpy_helper.from_array(np.ascontiguousarray(np.stack(arrays)), f"{name}{k}")
            for name, arrays in found.items()
            if arrays
        ]
        nodes.append(
            helper.make_node(
                kind.upper(), inputs if found["P"] else inputs[:4], made,
                name=layer.path or "layer1", hidden_size=H, **attributes,
            )
        )  # fmt: skip
        reading = f"ys{k}"
        nodes.append(helper.make_node("Transpose", [f"Y{k}"], [f"side{k}"], perm=[0, 2, 1, 3]))
        nodes.append(helper.make_node("Reshape", [f"side{k}", "flat"], [reading]))
        outputs += [(name, [len(layer.sides), "B", H]) for name in made[1:]]
    nodes[-1].output[0] = "ys"
    stored.append(numpy_helper.from_array(np.array([0, 0, -1]), "flat"))
    values = [("ys", ["T", "B", cell.width]), *outputs]
    graph = helper.make_graph(
        nodes, cell.label,
        [helper.make_tensor_value_info("xs", float_type, ["T", "B", cell.inputs])],
        [helper.make_tensor_value_info(name, float_type, shape) for name, shape in values],
        stored,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    library.checker.check_model(model)
    if path is not None:
        files.write(path, model.SerializeToString())
    return model, Receipt(f"{written(cell)} → ONNX", tuple(rows), tuple(dict.fromkeys(told)))


def _read(library: Any, path: Path) -> Any:
    """The model in a file."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no model {str(path)!r}")
    try:
        return library.load(str(path))
    except Exception as error:  # protobuf's own, which is no dependency of ours
        raise ValueError(f"{str(path)!r} is not a model of ONNX ({error})") from None


def _follow(graph: Any, nodes: list[Any], listed: str) -> None:
    """Raise unless each node reads the outputs of the one before, and nothing else changes them."""
    made = {name: n for n in graph.node for name in n.output}
    for before, after in itertools.pairwise(nodes):
        name = after.input[0]
        while name in made and made[name].op_type in (
            "Transpose",
            "Reshape",
            "Squeeze",
            "Identity",
        ):
            name = made[name].input[0]
        if name != before.output[0]:
            raise ValueError(
                f"from_onnx: {after.name} does not read the outputs of {before.name} as they are; "
                f"say node= one of {listed}"
            )


def _layer(
    library: Any, n: Any, known: Mapping[str, Any], path: str
) -> tuple[Cell, Params, list[Row], list[str]]:
    """The cell of one node, its parameters, their rows and notes."""
    where, kind = f"from_onnx: {n.name or n.op_type}", n.op_type.lower()
    given = {a.name: library.helper.get_attribute_value(a) for a in n.attribute}
    if "clip" in given:
        raise ValueError(f"{where}: clip limits what gates see, which no cell here does")
    inputs = dict(zip(("X", "W", "R", "B", "lens", "h", "C", "P"), n.input, strict=False))
    missing = [x for x in "WRBP" if inputs.get(x) and inputs[x] not in known]
    if missing:
        raise ValueError(f"{where}: {missing[0]} is computed by the model, not stored in it")
    stored = {x: known[inputs[x]] for x in "WRBP" if inputs.get(x)}
    W, R, B, P = stored["W"], stored["R"], stored.get("B"), stored.get("P")
    direction = _text(given.get("direction", "forward"))
    chosen = [_text(a) for a in given.get("activations", ())]
    functions = chosen or list(DEFAULTS[kind]) * len(W)
    each = len(functions) // len(W)
    slopes = {"alpha": list(given.get("activation_alpha", [])),
              "beta": list(given.get("activation_beta", []))}  # fmt: skip
    cells, own, rows, told = [], [], [], []
    for d in range(len(W)):
        side = ("forward", "backward")[d] if len(W) > 1 else ""
        inner = ".".join(part for part in (path, side) if part)
        names = _names(inputs, d, len(W))
        half = 0 if B is None else B.shape[1] // 2
        blocks = gates.Blocks(
            W[d].T, R[d].T, None if B is None else B[d, :half],
            None if B is None else B[d, half:], None if P is None else P[d], names=names,
        )  # fmt: skip
        gates.fitting(where, kind, blocks)
        mine = _functions(where, kind, functions[d * each : (d + 1) * each], slopes)
        cell = _cell(kind, blocks, mine, given)
        found, more = gates.taken_apart(ONNX, kind, blocks, cell, inner)
        cells.append(cell)
        own.append(Params(found))
        rows += more
    told = gates.notes(ONNX, kind, cells[0], rows)
    if given.get("layout"):
        told.append("layout=1: here time comes first, xs is (T, B, X)")
    if inputs.get("h") or inputs.get("C"):
        told.append("the start state is an input of the node: give it to rnn.run as state")
    if inputs.get("lens"):
        told.append("sequence_lens is an input of the node: give it to rnn.run as lengths")
    cell, named = network.beside(cells, own)
    return Reversed(cell) if direction == "reverse" else cell, named, rows, told


def _names(inputs: Mapping[str, str], d: int, directions: int) -> dict[str, str]:
    """What the arrays of one direction are called."""
    index = f"[{d}]" * (directions > 1)
    names = {field: f"{inputs.get(part) or part}{index}" for field, part in PARTS.items()}
    return {
        field: name + {"bias": " of x ", "recurrent_bias": " of h "}.get(field, "")
        for field, name in names.items()
    }


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _functions(where: str, kind: str, names: list[str], slopes: Mapping[str, list[float]]) -> Any:
    """Our names of the activations of one direction, gates first."""
    found = []
    spelled = {theirs.lower(): mine for theirs, mine in ONNX.activations.items()}
    for name in names:
        if name.lower() not in spelled:
            raise ValueError(
                f"{where}: activation {name} has no counterpart here; there are "
                f"{', '.join(ONNX.activations)}"
            )
        sixth = [abs(alpha - 1 / 6) < 1e-6 for alpha in slopes["alpha"]]
        half = [beta == 0.5 for beta in slopes["beta"]]
        if name.lower() == "hardsigmoid" and not (sixth and all(sixth + half)):
            raise ValueError(
                f"{where}: HardSigmoid of alpha {slopes['alpha'] or 0.2} has no counterpart here; "
                "hard_sigmoid has alpha 1/6 and beta 1/2"
            )
        found.append(spelled[name.lower()])
    if kind == "lstm" and found[1] != found[2]:
        raise ValueError(
            f"{where}: {names[1]} for the candidate and {names[2]} for what is shown; here both "
            "have one activation"
        )
    return found


def _cell(kind: str, blocks: gates.Blocks, functions: list[str], given: Mapping[str, Any]) -> Cell:
    X, H = blocks.kernel.shape[0], blocks.recurrent.shape[0]
    if kind == "rnn":
        return RNNCell(X, H, activation=functions[0])
    if kind == "gru":
        reset = "after" if given.get("linear_before_reset") else "before"
        return GRUCell(X, H, reset, functions[1], functions[0])
    make = CoupledLSTMCell if given.get("input_forget") else LSTMCell
    return make(X, H, 1.0, blocks.peepholes is not None, functions[1], functions[0])


def _attributes(sides: list[Cell], kind: str, is_backward: bool) -> dict[str, Any]:
    """The attributes of a node."""
    directions = "bidirectional" if len(sides) > 1 else "reverse" if is_backward else "forward"
    found: dict[str, Any] = {"direction": directions}
    functions: list[str] = []
    for side in sides:
        if isinstance(side, Projected):
            raise ValueError("to_onnx: there is no projection, so W_hr would be lost")
        own = [getattr(side, name, None) for name in ("gate_activation", "activation")]
        chosen = {"rnn": own[1:], "lstm": [*own, own[1]], "gru": own}[kind]
        for name in chosen:
            if name not in ONNX.ours:
                raise ValueError(f"to_onnx: there is no activation {name!r}")
        functions += [ONNX.ours[str(name)] for name in chosen]
    if tuple(functions) != DEFAULTS[kind] * len(sides):
        found["activations"] = functions
        if hard := functions.count("HardSigmoid"):
            found["activation_alpha"] = [1 / 6] * hard
            found["activation_beta"] = [0.5] * hard
    resets = {getattr(side, "reset", None) for side in sides}
    if kind == "gru":
        if len(resets) > 1:
            raise ValueError("to_onnx: both directions of a GRU have their reset gate in one place")
        found["linear_before_reset"] = int(resets == {"after"})
    if isinstance(sides[0], CoupledLSTMCell):
        found["input_forget"] = 1
    peepholes = {getattr(side, "peepholes", False) for side in sides}
    if len(peepholes) > 1:
        raise ValueError("to_onnx: both directions have peepholes, or neither")
    return found
