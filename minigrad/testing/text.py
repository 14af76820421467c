"""Programs as Python: a failing example that can be pasted and run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import ops
from minigrad.core import PRIMITIVES
from minigrad.graph import Graph, Node


def program_text(graph: Graph, values: Sequence[Any]) -> str:
    """The program on these values as Python that runs by itself, literals and all.

    >>> import minigrad as mg, numpy as np
    >>> print(program_text(mg.trace(lambda x: mg.tanh(2.0 * x), 1.0), [np.array(1.0)]))
    import numpy as np
    import minigrad as mg
    from minigrad.testing import check_gradients
    <BLANKLINE>
    def program(x0):
        v2 = mg.multiply(2.0, x0)
        return mg.tanh(v2)
    <BLANKLINE>
    x0 = np.array(1.0)
    check_gradients(program, x0)
    """
    names = input_names(graph)
    lines, said = [], dict(zip(graph.inputs, names, strict=True))
    for k, node in enumerate(graph.nodes):
        if node.op == "constant":
            said[k] = literal(node.value)
        elif node.op != "input":
            call = _call(node, [said[i] for i in node.inputs])
            if (k,) == graph.outputs and k == len(graph.nodes) - 1:
                lines.append(f"    return {call}")
                break
            said[k] = f"v{k}"
            lines.append(f"    v{k} = {call}")
    else:
        results = [said[i] for i in graph.outputs]
        lines.append(f"    return {results[0] if len(results) == 1 else ', '.join(results)}")
    given = ", ".join(names)
    return "\n".join(
        [
            "import numpy as np\nimport minigrad as mg",
            "from minigrad.testing import check_gradients\n",
            f"def program({given}):",
            *lines,
            "",
            *(f"{name} = {literal(value)}" for name, value in zip(names, values, strict=True)),
            f"check_gradients(program, {given})",
        ]
    )


def input_names(graph: Graph) -> list[str]:
    """A Python name for each input: its own where that can be one, or x0, x1, and so on."""
    names: list[str] = []
    for n, i in enumerate(graph.inputs):
        name = (graph.nodes[i].name or "").replace(".", "_")
        names.append(name if name.isidentifier() and name not in names else f"x{n}")
    return names


def _call(node: Node, operands: Sequence[str]) -> str:
    primitive = PRIMITIVES.get(node.op)
    public = node.op in ops.__all__ and primitive is not None
    function = f"mg.{node.op}" if public else f"mg.PRIMITIVES[{node.op!r}]"
    attrs = [f"{key}={literal(value)}" for key, value in node.attrs.items()]
    return f"{function}({', '.join([*operands, *attrs])})"


def literal(value: Any) -> str:
    """An attribute or array as Python.

    >>> literal((slice(0, 2), np.array([1.0, np.nan])))
    '(slice(0, 2, None), np.array([1.0, np.nan]))'
    """
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        kind = "" if array.dtype in (float, int, bool) else f", dtype={array.dtype.name!r}"
        if not array.size:
            return f"np.zeros({array.shape})"
        text = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
        return f"np.array({text}{kind})"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    return repr(value)
