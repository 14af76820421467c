"""What leaves a function behind for others: a function of JAX, and files that need no Python.

`to_jax` gives what JAX's own transformations take, which is the way past one machine; `export`
writes StableHLO, through `jax.export`, or ONNX.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from minigrad import files
from minigrad.compile import Compiled, Traced, leaves_of
from minigrad.engines import engine_of
from minigrad.extras import needed
from minigrad.tree import flatten


def to_jax(f: Callable[..., Any], *example: Any) -> Callable[..., Any]:
    """The same function for JAX: pure, of its arrays, and taken by its `jit`, `grad` and `vmap`.

    Passes and schedule have done their work in it, a loop over time is one `lax.scan`. As in
    `compile`, Python code of f runs once for each set of shapes, and what is no array is a part of
    the program. Several devices are JAX's business: give `jit` sharded arrays, or use `shard_map`.

    Unless JAX has 64 bits (`jax_enable_x64`), whole numbers of 64 bits can be read, as an index is,
    and nothing is computed in them: a call that would is refused.

    Args:
        f: a function of arrays, or of structures of them.
        example: arguments such as it will be given. They are needed where their structures are of
            classes that JAX does not know, such as `Params`, and make errors come at once.

    Raises:
        ImportError: JAX is not installed.

    >>> import jax, minigrad as mg, numpy as np
    >>> f = mg.to_jax(lambda x: mg.sum(mg.tanh(x)))
    >>> jax.vmap(jax.grad(f))(np.zeros((2, 3), np.float32)).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]

    The samples of a batch shared out over all devices there are, weights on each of them:

    >>> import rnn
    >>> from jax.sharding import Mesh, NamedSharding, PartitionSpec
    >>> mesh = Mesh(jax.devices(), ("batch",))
    >>> cell, xs = rnn.LSTMCell(3, 5), np.ones((7, 16, 3), np.float32)
    >>> p = cell.init(0, np.float32)
    >>> step = jax.jit(mg.to_jax(lambda p, xs: mg.sum(rnn.run(cell, p, xs)[0]), p, xs))
    >>> p = jax.device_put(p, NamedSharding(mesh, PartitionSpec()))
    >>> xs = jax.device_put(xs, NamedSharding(mesh, PartitionSpec(None, "batch")))
    >>> step(p, xs).shape
    ()
    """
    engine_of("jax", "to_jax")
    from minigrad.engines.xla.face import PURE, as_pytrees

    pure = Compiled(f, engine=PURE)
    if example:
        made = pure.prepare(*example)
        as_pytrees(made.tree)
        as_pytrees(made.out)
    return lambda *args, **kwargs: pure(*args, **kwargs)


def export(f: Callable[..., Any], path: str | Path, *example: Any) -> None:
    """Write a function to a file that runs without it: StableHLO, or ONNX.

    The file takes the arrays in the arguments, one by one in the order of `leaf_paths`, and gives
    those in the result. It is for the shapes and dtypes of the example.

    Args:
        f: a function of arrays, or of structures of them.
        path: ending in `.stablehlo`, for `jax.export.deserialize`; or in `.onnx`.
        example: its arguments.

    Raises:
        ImportError: JAX, or onnx, is not installed.
        ValueError: another ending.
        TypeError: the format has not what the function needs.
        OSError: the file cannot be written; an old one is unharmed.

    >>> import minigrad as mg, numpy as np, onnxruntime, rnn, tempfile
    >>> cell, xs = rnn.GRUCell(3, 4), np.ones((5, 2, 3), np.float32)
    >>> p = cell.init(0, np.float32)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mg.export(lambda xs: rnn.run(cell, p, xs)[0], f"{folder}/gru.onnx", xs)
    ...     session = onnxruntime.InferenceSession(f"{folder}/gru.onnx")
    >>> (ys,) = session.run(None, {"argument[0]": xs})
    >>> bool(np.allclose(ys, rnn.run(cell, p, xs)[0], atol=1e-6))
    True
    """
    if not callable(f):
        raise TypeError(f"export takes a function, got {f!r:.60}")
    write = {".stablehlo": _stablehlo, ".onnx": _onnx}.get(Path(path).suffix)
    if write is None:
        raise ValueError(f"export: {str(path)!r} ends neither in .stablehlo nor in .onnx")
    files.write(path, write(f, example))


def _stablehlo(f: Callable[..., Any], example: tuple[Any, ...]) -> bytes:
    """The function as portable StableHLO."""
    engine_of("jax", "export")
    from minigrad.engines.xla.face import PURE

    program: Any = Compiled(f, engine=PURE).prepare(*example).program
    return bytes(program.exported())


def _onnx(f: Callable[..., Any], example: tuple[Any, ...]) -> bytes:
    """The function as an ONNX model, its inputs and outputs named as in `leaf_paths`."""
    needed("onnx", "onnx", "export to ONNX")
    from minigrad.engines.onnx.model import written

    values, tree = flatten((example, {}))
    leaves = leaves_of("export", values, tree, ())
    traced = Traced("export", f, tree, leaves)
    paths = [path[len("[0]") :] for path in tree.paths()]
    names = [f"argument{paths[k]}" for k in traced.places]
    return written(traced.graph, names, [f"result{path}" for path in traced.names()])
