"""Derivatives of functions: `grad`, `vjp`, `jvp` and what is made of them.

Each call runs the function on fresh leaves and walks over what was recorded (`minigrad.core`).
It gives arrays, unless the result depends on a tensor from outside the call: then the walk is
recorded too, so derivatives nest and mix to any order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.core import (
    PRIMITIVES,
    SERIALS,
    Array,
    Tensor,
    ancestors,
    pull_back,
    push_forward,
    to_array,
)
from minigrad.habits import explained, function_of
from minigrad.ops import astype, reshape, stack, zeros_like
from minigrad.tree import Tree, flatten

Function = Callable[..., Any]


class _Call:
    """A function called once on fresh leaves: its leaves, its result and the graph between."""

    def __init__(
        self,
        where: str,
        f: Function,
        args: tuple[Any, ...],
        wrt: tuple[int, ...],
        fixed: Mapping[str, Any],
    ) -> None:
        for k in wrt:
            if not -len(args) <= k < len(args):
                raise TypeError(
                    f"{where}: wrt={k}, but the function was given {len(args)} arguments"
                    + (" by position; what is given by name is not differentiated" * bool(fixed))
                )
        if len({k % len(args) for k in wrt}) < len(wrt):
            raise TypeError(f"{where}: wrt={wrt} names an argument twice")
        self.start = next(SERIALS)
        inputs = list(args)
        self.leaves: list[Tensor] = []
        self.trees: list[Tree] = []
        for k in wrt:
            values, tree = flatten(args[k])
            fresh = [
                _fresh(value, f"{where}: argument {path or k}")
                for value, path in zip(values, tree.paths(), strict=True)
            ]
            self.leaves += fresh
            self.trees.append(tree)
            inputs[k] = tree.unflatten(fresh)
        self.result = f(*inputs, **fixed)

    def graph(self, outputs: Sequence[Any], *more: Any) -> tuple[list[Tensor], bool]:
        """The nodes of this call, and whether anything from outside it takes part."""
        tensors = [x for x in outputs if type(x) is Tensor]
        nodes = ancestors(*tensors, since=self.start)
        outside = any(
            type(x) is Tensor and x.serial <= self.start for node in nodes for x in node.parents
        )
        outer = [x for x in tensors if x.serial <= self.start]
        return nodes, outside or bool(outer) or any(type(x) is Tensor for x in more)

    def split(self, values: list[Any]) -> tuple[Any, ...]:
        """Values of all leaves, given back in the structures of the arguments."""
        flat = iter(values)
        return tuple(tree.unflatten([next(flat) for _ in tree.paths()]) for tree in self.trees)


def _fresh(value: Any, where: str) -> Tensor:
    """A new node for an argument: an alias of a tensor, a leaf of an array."""
    leaf = PRIMITIVES["alias"](value) if type(value) is Tensor else Tensor(to_array(value, where))
    if leaf.dtype.kind != "f":
        raise TypeError(
            f"{where} has dtype {leaf.dtype}; gradients need floating-point numbers: "
            + (
                "complex input is for checks of arrays only"
                if leaf.dtype.kind == "c"
                else "write 2.0 for 2, or array.astype(float)"
            )
        )
    leaf.name = value.name if type(value) is Tensor else None
    return leaf


def _chosen(where: str, f: Any, wrt: Any, several: bool = False) -> tuple[int, ...]:
    """The numbers of the arguments to differentiate by, of what is a function."""
    function_of(where, f)
    chosen = tuple(wrt) if several and isinstance(wrt, list | tuple | range) else (wrt,)
    if any(type(k) is not int for k in chosen):
        raise TypeError(
            f"{where}: wrt is the number of an argument{', or several' if several else ''}, got "
            f"{wrt!r:.60}; the arguments come in a second call, {where}(f)(x)"
        )
    return chosen


def _plain(x: Any) -> Any:
    return x._data if type(x) is Tensor else x


@explained
def value_and_grad(
    f: Function, wrt: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that returns `(f(*args), gradient)`.

    The gradient has the structure of the argument: nested dictionaries, lists and tuples of
    arrays. `wrt` chooses the argument, or several, then the gradient is a tuple. The others, and
    those given by name, are passed on as they are, whatever they are. With `has_aux=True`, f
    returns `(loss, more)` and so does the result, `((loss, more), gradient)`.

    Raises:
        ValueError: the loss is not a scalar.

    >>> import minigrad as mg, numpy as np
    >>> mg.value_and_grad(lambda x: mg.sum(x * x))(np.array([1.0, 2.0]))
    (array(5.), array([2., 4.]))
    """
    chosen = _chosen("grad", f, wrt, several=True)

    def gradient(*args: Any, **fixed: Any) -> Any:
        call = _Call("grad", f, args, chosen, fixed)
        if has_aux and not (isinstance(call.result, tuple) and len(call.result) == 2):
            raise TypeError("grad: with has_aux=True the function must return (loss, more)")
        loss, aux = call.result if has_aux else (call.result, None)
        if not isinstance(loss, Tensor | np.ndarray | float | int | np.generic):
            raise TypeError(f"grad: the function must return a loss, it returned {loss!r:.60}")
        if np.shape(_plain(loss)) != ():
            raise ValueError(
                f"grad needs a scalar loss, got shape {np.shape(_plain(loss))}; reduce it with sum "
                "or mean, or use jacobian"
            )
        nodes, recorded = call.graph([loss])
        grads = _cotangents(
            call, [loss], [np.ones((), np.asarray(_plain(loss)).dtype)], nodes, recorded
        )
        value = loss if recorded else _plain(loss)
        if has_aux:
            leaves, tree = flatten(aux)
            value = (value, tree.unflatten(leaves if recorded else map(_plain, leaves)))
        return value, grads[0] if isinstance(wrt, int) else grads

    return gradient


@explained
def grad(f: Function, wrt: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The function that returns the gradient of the scalar `f(*args)`; see `value_and_grad`.

    >>> import minigrad as mg
    >>> mg.grad(lambda x: x * mg.grad(lambda y: x * y)(x))(2.0)
    array(4.)
    """
    both = value_and_grad(f, wrt)
    return lambda *args, **fixed: both(*args, **fixed)[1]


def _cotangents(
    call: _Call, outputs: Sequence[Any], seeds: Sequence[Any], nodes: list[Tensor], recorded: bool
) -> tuple[Any, ...]:
    """Gradients in the structure of the arguments; zeros where nothing arrived."""
    start: dict[int, Any] = {}
    for output, seed in zip(outputs, seeds, strict=True):
        if type(output) is Tensor:
            serial = output.serial
            start[serial] = start[serial] + seed if serial in start else seed
    wanted = {leaf.serial for leaf in call.leaves}
    found = pull_back(nodes, start, wanted, recorded)
    return call.split([_own(found.get(leaf.serial), leaf) for leaf in call.leaves])


def _own(g: Any, leaf: Tensor) -> Any:
    """A gradient that shares memory with nothing else."""
    if g is None:
        return zeros_like(leaf)
    return g if type(g) is Tensor else np.array(g)


def vjp(f: Function, *args: Any, **fixed: Any) -> tuple[Any, Callable[[Any], Any]]:
    """f(*args) and the function that pulls a cotangent back: a tuple, one entry an argument.

    Arguments given by name are passed on as they are, and have no entry.

    >>> import minigrad as mg, numpy as np
    >>> y, pull = mg.vjp(mg.tanh, np.zeros(2))
    >>> pull(np.array([1.0, 2.0]))
    (array([1., 2.]),)
    """
    call = _Call("vjp", function_of("vjp", f), args, tuple(range(len(args))), fixed)
    outputs, tree = flatten(call.result)
    nodes, outside = call.graph(outputs)

    def pull(cotangent: Any) -> Any:
        seeds = _like(cotangent, outputs, tree, "vjp: cotangent")
        recorded = outside or any(type(seed) is Tensor for seed in seeds)
        return _cotangents(call, outputs, seeds, nodes, recorded)

    value = tree.unflatten(outputs if outside else map(_plain, outputs))
    return value, pull


def _like(values: Any, models: Sequence[Any], tree: Tree, where: str) -> list[Any]:
    """Leaves of `values`, checked to have structure, shapes and dtypes of the models."""
    leaves, structure = flatten(values)
    if structure.paths() != tree.paths():
        raise ValueError(f"{where} has structure {structure.paths()}, wanted {tree.paths()}")
    result = []
    for leaf, model, path in zip(leaves, models, tree.paths(), strict=True):
        place = f"{where} {path}".rstrip()
        shape, dtype = np.shape(_plain(model)), np.asarray(_plain(model)).dtype
        leaf = leaf if type(leaf) is Tensor else to_array(leaf, place)
        if leaf.shape != shape:
            raise ValueError(f"{place} has shape {leaf.shape}, wanted {shape}")
        result.append(leaf if leaf.dtype == dtype else astype(leaf, dtype))
    return result


@explained
def jvp(
    f: Function, primals: Sequence[Any], tangents: Sequence[Any], **fixed: Any
) -> tuple[Any, Any]:
    """f(*primals) and its directional derivative along `tangents` (forward mode).

    Arguments given by name are passed on as they are.

    >>> import minigrad as mg
    >>> mg.jvp(mg.square, [3.0], [1.0])
    (array(9.), array(6.))
    """
    if not isinstance(primals, list | tuple) or not isinstance(tangents, list | tuple):
        raise TypeError("jvp: primals and tangents are lists, one entry an argument of f")
    call = _Call("jvp", function_of("jvp", f), tuple(primals), tuple(range(len(primals))), fixed)
    outputs, tree = flatten(call.result)
    directions: list[Any] = []
    if len(primals) != len(tangents):
        raise ValueError(f"jvp: {len(primals)} primals, but {len(tangents)} tangents")
    flat = iter(call.leaves)
    for k, (structure, tangent) in enumerate(zip(call.trees, tangents, strict=True)):
        models = [next(flat) for _ in structure.paths()]
        directions += _like(tangent, models, structure, f"jvp: tangent {k}")
    nodes, recorded = call.graph(outputs, *directions)
    start = {leaf.serial: t for leaf, t in zip(call.leaves, directions, strict=True)}
    found = push_forward(nodes, start, recorded)
    values = outputs if recorded else [_plain(x) for x in outputs]
    derivatives = [
        _own(found.get(x.serial) if type(x) is Tensor else None, x)
        if type(x) is Tensor else _no_tangent(x)
        for x in outputs
    ]  # fmt: skip
    return tree.unflatten(values), tree.unflatten(derivatives)


def _no_tangent(x: Any) -> Array:
    """The tangent of a value that depends on nothing: zeros in its precision."""
    value = np.asarray(x)
    return np.zeros(value.shape, value.dtype if value.dtype.kind == "f" else float)


@explained
def jacobian(f: Function, wrt: int = 0) -> Callable[..., Any]:
    """All partial derivatives of an array-valued f: shape `(*output, *argument)` for each leaf.

    Row by row in reverse mode: one walk back for each entry of what f gives.

    >>> import minigrad as mg, numpy as np
    >>> mg.jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    chosen = _chosen("jacobian", f, wrt)

    def matrix(*args: Any, **fixed: Any) -> Any:
        call = _Call("jacobian", f, args, chosen, fixed)
        outputs, tree = flatten(call.result)
        for output in outputs:
            if not isinstance(output, Tensor | np.ndarray | float | np.generic):
                raise TypeError(f"jacobian: the function must return arrays, got {output!r:.60}")
        nodes, recorded = call.graph(outputs)
        blocks = []
        for output in outputs:
            shape = np.shape(_plain(output))
            rows = []
            for k in range(int(np.prod(shape))):
                seed = np.zeros(shape, np.asarray(_plain(output)).dtype)
                seed.flat[k] = 1.0
                rows.append(flatten(_cotangents(call, [output], [seed], nodes, recorded)[0])[0])
            block = [
                reshape(stack([row[i] for row in rows]), (*shape, *leaf.shape))
                if rows
                else np.zeros((*shape, *leaf.shape), leaf.dtype)
                for i, leaf in enumerate(call.leaves)
            ]
            blocks.append(call.trees[0].unflatten(block))
        return tree.unflatten(blocks)

    return matrix


@explained
def hessian(f: Function, wrt: int = 0) -> Callable[..., Any]:
    """Second derivatives of a scalar f: the jacobian of its gradient.

    >>> import minigrad as mg, numpy as np
    >>> mg.hessian(lambda x: mg.sum(x**3))(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    _chosen("hessian", f, wrt)
    return jacobian(grad(f, wrt), wrt)


@explained
def hvp(f: Function, x: Any, v: Any, **fixed: Any) -> Any:
    """The Hessian of a scalar f at x times v, in the structure of x, without forming the Hessian.

    Arguments given by name are passed on as they are.

    >>> import minigrad as mg, numpy as np
    >>> mg.hvp(lambda x: mg.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    return jvp(grad(function_of("hvp", f)), [x], [v], **fixed)[1]
