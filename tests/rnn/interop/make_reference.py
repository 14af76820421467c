"""What PyTorch, Keras and onnxruntime compute, stored as `reference.safetensors` beside this file.

`python -m tests.rnn.interop.make_reference` renews it; it needs torch, keras, onnx, onnxruntime and
safetensors, and uses nothing of this repository but the table of cases. Each number has a name:
`library/case/precision/what`, what being an array that was given (weights, xs, states, cotangents)
or found (outputs, last states, gradients).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from tests.rnn.interop.cases import BATCH, INPUTS, KERAS, ONNX, SINGLE, STEPS, TORCH, UNITS, Options

FILE = Path(__file__).with_name("reference.safetensors")
PRECISIONS = ("float32", "float64")

Numbers = dict[str, Any]


def draw(name: str, *shape: int) -> Any:
    """Numbers that belong to a name."""
    return np.random.default_rng(list(name.encode())).normal(size=shape)


def torch_numbers(case: str, precision: str) -> Numbers:
    """A module's outputs, last states and all gradients of Σ dys·ys + Σ dstate·state."""
    import torch

    kind, options = TORCH[case]
    dtype = getattr(torch, precision)
    tensor = lambda name, *shape: torch.tensor(0.5 * draw(name, *shape), dtype=dtype)
    single = kind.endswith("Cell")
    module = getattr(torch.nn, kind)(INPUTS, UNITS, **options).to(dtype)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            weight.copy_(tensor(case + name, *weight.shape))
    rows = 1 if single else module.num_layers * (2 if module.bidirectional else 1)
    out = options.get("proj_size", UNITS)
    xs = tensor(case + "xs", STEPS, BATCH, INPUTS).requires_grad_()
    state = [tensor(case + "h", rows, BATCH, out).requires_grad_()]
    if kind.startswith("LSTM"):
        state.append(tensor(case + "C", rows, BATCH, UNITS).requires_grad_())
    if single:
        ys, last = [], tuple(s[0] for s in state)
        for x in xs:
            made = module(x, last if len(last) > 1 else last[0])
            last = made if isinstance(made, tuple) else (made,)
            ys.append(last[0])
        ys = torch.stack(ys)
        last = tuple(s[None] for s in last)
    else:
        ys, last = module(xs, tuple(state) if len(state) > 1 else state[0])
        last = last if isinstance(last, tuple) else (last,)
    dys = tensor(case + "dys", *ys.shape)
    dlast = [tensor(f"{case}d{k}", *s.shape) for k, s in enumerate(last)]
    loss = (ys * dys).sum() + sum((s * d).sum() for s, d in zip(last, dlast, strict=True))
    loss.backward()
    found = {"xs": xs, "dys": dys, "ys": ys, "grad xs": xs.grad}
    for k, (s, d, end) in enumerate(zip(state, dlast, last, strict=True)):
        found |= {f"state {k}": s, f"dlast {k}": d, f"last {k}": end, f"grad state {k}": s.grad}
    for name, weight in module.named_parameters():
        found |= {f"weight {name}": weight, f"grad weight {name}": weight.grad}
    return {name: value.detach().numpy() for name, value in found.items()}


def keras_numbers(case: str, precision: str) -> Numbers:
    """A layer's outputs, last states and all gradients; arrays are time first here too."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    import torch
    from keras.src.backend.common import dtypes

    # Over PyTorch, Keras multiplies double precision in single; over TensorFlow it does not, which
    # is this entry of its table.
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    kind, options, merge = KERAS[case]
    made = getattr(keras.layers, kind)(
        UNITS, return_sequences=True, return_state=True, dtype=precision, **options
    )
    layer = keras.layers.Bidirectional(made, merge, dtype=precision) if merge else made
    dtype = getattr(torch, precision)
    tensor = lambda name, *shape: torch.tensor(0.5 * draw(name, *shape), dtype=dtype)
    layer.build((BATCH, STEPS, INPUTS))
    layer.set_weights([0.5 * draw(f"{case}{k}", *w.shape) for k, w in enumerate(layer.weights)])
    xs = tensor(case + "xs", STEPS, BATCH, INPUTS).requires_grad_()
    count = (2 if kind == "LSTM" else 1) * (2 if merge else 1)
    state = [tensor(f"{case}s{k}", BATCH, UNITS).requires_grad_() for k in range(count)]
    with keras.device("cpu"):
        ys, *last = layer(xs.transpose(0, 1), initial_state=state)
    ys = ys.transpose(0, 1)
    dys = tensor(case + "dys", *ys.shape)
    dlast = [tensor(f"{case}d{k}", *s.shape) for k, s in enumerate(last)]
    loss = (ys * dys).sum() + sum((s * d).sum() for s, d in zip(last, dlast, strict=True))
    weights = [w.value for w in layer.weights]
    grads = torch.autograd.grad(loss, [xs, *state, *weights])
    found = {"xs": xs, "dys": dys, "ys": ys, "grad xs": grads[0]}
    for k, (s, d, end) in enumerate(zip(state, dlast, last, strict=True)):
        found |= {
            f"state {k}": s,
            f"dlast {k}": d,
            f"last {k}": end,
            f"grad state {k}": grads[1 + k],
        }
    for k, (w, g) in enumerate(zip(weights, grads[1 + count :], strict=True)):
        found |= {f"weight {k}": w, f"grad weight {k}": g}
    return {name: value.detach().numpy() for name, value in found.items()}


def onnx_model(case: str, precision: str) -> tuple[Any, Numbers]:
    """A model of one node with its weights stored in it, and what goes in."""
    import onnx
    from onnx import helper, numpy_helper

    kind, given = ONNX[case]
    options: Options = dict(given)
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    D = 2 if options.get("direction") == "bidirectional" else 1
    shapes = {"W": (D, gates * UNITS, INPUTS), "R": (D, gates * UNITS, UNITS),
              "B": (D, 2 * gates * UNITS)}  # fmt: skip
    if options.pop("P", False):
        shapes["P"] = (D, 3 * UNITS)
    stored = {name: (0.5 * draw(case + name, *shape)).astype(precision)
              for name, shape in shapes.items()}  # fmt: skip
    flows = {"xs": (STEPS, BATCH, INPUTS), "h": (D, BATCH, UNITS)}
    if kind == "LSTM":
        flows["C"] = (D, BATCH, UNITS)
    flowing = {name: (0.5 * draw(case + name, *shape)).astype(precision)
               for name, shape in flows.items()}  # fmt: skip
    names = ["xs", "W", "R", "B", "", "h"]
    names += ["C", "P" if "P" in stored else ""] if kind == "LSTM" else []
    made = ["Y", "h1"] + (["C1"] if kind == "LSTM" else [])
    node = helper.make_node(kind, names, made, "it", hidden_size=UNITS, **options)
    type_ = helper.np_dtype_to_tensor_dtype(np.dtype(precision))
    value = lambda name: helper.make_tensor_value_info(
        name, type_, [f"{name}{k}" for k in range(4 if name == "Y" else 3)]
    )
    graph = helper.make_graph(
        [node], "it", [value(name) for name in flowing], [value(name) for name in made],
        [numpy_helper.from_array(array, name) for name, array in stored.items()],
    )  # fmt: skip
    opset = [helper.make_opsetid("", 14)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(model)
    return model, flowing


def onnx_numbers(case: str, precision: str) -> Numbers:
    """What onnxruntime gives; it has single precision alone for these nodes."""
    import onnxruntime

    model, flowing = onnx_model(case, precision)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    Y, *last = session.run(None, flowing)
    ys = np.concatenate(list(Y.transpose(1, 0, 2, 3)), axis=-1)
    ends = {f"last {k}": end for k, end in enumerate(last)}
    start = {f"state {k}": flowing[name] for k, name in enumerate(("h", "C")) if name in flowing}
    file = np.frombuffer(model.SerializeToString(), np.uint8)
    return {"xs": flowing["xs"], "ys": ys, "model": file, **start, **ends}


def everything() -> Numbers:
    """All numbers of all cases."""
    found: Numbers = {}
    makers = {
        "torch": (TORCH, torch_numbers, PRECISIONS),
        "keras": (KERAS, keras_numbers, PRECISIONS),
        "onnx": (ONNX, onnx_numbers, ("float32",)),
    }
    for library, (cases, make, precisions) in makers.items():
        for case in cases:
            for precision in precisions[: 1 if f"{library}/{case}" in SINGLE else 2]:
                for what, value in make(case, precision).items():
                    found[f"{library}/{case}/{precision}/{what}"] = np.ascontiguousarray(value)
    return found


if __name__ == "__main__":
    from safetensors.numpy import save_file

    save_file(everything(), FILE)
