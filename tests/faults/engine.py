"""Faults of the engine, written down before the laws that find them.

Each is one that engines like this one have shipped, or one that a reader of ours could make: a
wrong slope, a broadcast that is not summed, a use that is lost, an index that is not added, a
buffer used too early.
"""

from __future__ import annotations

from typing import Any

from minigrad.core import Tensor
from minigrad.ops import cos, exp, flip, log, lookup, sigmoid, sin, transpose, where
from tests.faults.planting import Fault, WrongPush, WrongRule, WrongSlope, rewrites, table


def _values(y: Any) -> Any:
    """The numbers of a tensor, without the graph."""
    return y.data if type(y) is Tensor else y


SLOPES = (
    ("tanh slope (1 - y)²", "the square is in the wrong place", "tanh", 0,
     lambda y, x: (1 - y) ** 2),
    ("tanh slope at x", "1 - x² in place of 1 - y²", "tanh", 0, lambda y, x: 1 - x * x),
    ("tanh slope 1 - y", "the square is forgotten", "tanh", 0, lambda y, x: 1 - y),
    ("tanh slope 1", "the activation is forgotten", "tanh", 0, lambda y, x: y * 0 + 1.0),
    ("sigmoid slope at x", "x(1 - x) in place of y(1 - y)", "sigmoid", 0, lambda y, x: x * (1 - x)),
    ("sigmoid slope y(1 + y)", "a sign", "sigmoid", 0, lambda y, x: y * (1 + y)),
    ("relu slope everywhere 1", "the mask is forgotten", "relu", 0, lambda y, x: y * 0 + 1.0),
    ("relu slope at 0 is 1", "another subgradient than the stated one", "relu", 0,
     lambda y, x: x >= 0),
    ("abs slope 1", "the sign is forgotten", "absolute", 0, lambda y, x: y * 0 + 1.0),
    ("abs slope at 0 is 1", "another subgradient than the stated one", "absolute", 0,
     lambda y, x: where(x >= 0, 1.0, -1.0)),
    ("square slope x", "the factor 2 is forgotten", "square", 0, lambda y, x: 1.0 * x),
    ("exp slope x", "the operand in place of the output", "exp", 0, lambda y, x: x),
    ("log slope y", "the output in place of 1/x", "log", 0, lambda y, x: y),
    ("sqrt slope y/2", "multiplied where it is divided", "sqrt", 0, lambda y, x: 0.5 * y),
    ("sin slope -cos", "a sign", "sin", 0, lambda y, x: -cos(x)),
    ("cos slope sin", "a sign", "cos", 0, lambda y, x: sin(x)),
    ("log1p slope 1/x", "the 1 is forgotten", "log1p", 0, lambda y, x: 1.0 / (x + 1e-3)),
    ("expm1 slope y", "the 1 is forgotten", "expm1", 0, lambda y, x: y),
    ("softplus slope σ(-x)", "a sign", "softplus", 0, lambda y, x: sigmoid(-x)),
    ("div slope +y/b", "the sign of the denominator's", "divide", 1, lambda y, a, b: y / b),
    ("div slope -y", "the denominator's lacks 1/b", "divide", 1, lambda y, a, b: -y),
    ("power slope b·aᵇ", "the exponent is not lowered", "power", 0, lambda y, a, b: b * y),
    ("power exponent constant", "no gradient to the exponent", "power", 1, lambda y, a, b: 0.0 * y),
    ("power slope with log b", "log of the wrong operand", "power", 1,
     lambda y, a, b: y * log(where(b > 0, b, 1.0))),
    ("clip slope 1 outside", "values outside still learn", "clip", 0,
     lambda y, x, low, high: y * 0 + 1.0),
    ("maximum all to the first at ties", "ties are not shared", "maximum", 0,
     lambda y, a, b: (a >= b) * 1.0),
)  # fmt: skip
"""Wrong in the vjp and in the jvp, so only an independent derivative can tell."""

RULES = (
    ("sub second + g", "the sign of the second operand", "subtract", 1, lambda r, g, y, a, b: g),
    ("neg passes g", "the sign", "negative", 0, lambda r, g, y, x: g),
    ("mul by itself", "g·a in place of g·b", "multiply", 0, lambda r, g, y, a, b: g * a),
    ("mul off by 1e-9", "one rule is wrong by a billionth", "multiply", 0,
     lambda r, g, y, *xs: r(g, y, *xs) * (1 + 1e-9)),
    ("tanh stuck at first order", "the rule computes with plain values", "tanh", 0,
     lambda r, g, y, x: g * (1 - _values(y) ** 2)),
    ("where both branches", "the flag is forgotten", "where", 1, lambda r, g, y, f, a, b: g),
    ("where branches exchanged", "b gets what a should", "where", 2,
     lambda r, g, y, f, a, b: where(f, g, 0.0)),
    ("matmul left not transposed", "g @ b where shapes let it pass", "matmul", 0,
     lambda r, g, y, a, b: g @ b if b.shape[-1] == b.shape[-2] else r(g, y, a, b)),
    ("matmul right half", "the second operand's is halved", "matmul", 1,
     lambda r, g, y, a, b: 0.5 * r(g, y, a, b)),
    ("matmul right without the last row", "one sample of the batch is left out", "matmul", 1,
     lambda r, g, y, a, b: r(g[..., :-1, :], y, a[..., :-1, :], b)),
    ("sum divided by its length", "the mean's rule", "sum", 0,
     lambda r, g, y, x, axis, keepdims: r(g, y, x, axis, keepdims) / x.shape[axis[0]]),
    ("max to every entry", "no choice is made", "max", 0,
     lambda r, g, y, x, axis, keepdims: r(g, y, x, axis, keepdims) * 0 + 1.0),
    ("logsumexp without its value", "exp(x) in place of exp(x - y)", "logsumexp", 0,
     lambda r, g, y, x, axis, keepdims: r(g, y, x, axis, keepdims) * exp(0.125 * x)),
    ("cumsum forward", "the transpose runs the same way", "cumsum", 0,
     lambda r, g, y, x, axis: flip(r(flip(g, axis), y, x, axis), axis)),
    ("flip not turned back", "the gradient stays in reverse", "flip", 0,
     lambda r, g, y, x, axis: g),
    ("reshape in Fortran order", "entries by columns", "reshape", 0,
     lambda r, g, y, x, shape: transpose(r(g, y, x, shape).reshape(x.shape[::-1]))),
    ("lookup overwrites rows", "a row looked up twice counts once", "lookup", 0,
     lambda r, g, y, x, rows: r(g, y, x, rows) * (lookup(r(g * 0 + 1.0, y, x, rows), rows).sum()
                                                  == g.size)),
    ("pick from the row beside", "rows of the batch are exchanged", "pick", 0,
     lambda r, g, y, x, indices: r(g[::-1], y, x, indices)),
    ("astype keeps the other precision", "g is rounded to single", "astype", 0,
     lambda r, g, y, x, dtype: g.astype("float32").astype("float64")),
)  # fmt: skip
"""Wrong in the vjp alone."""

FAULTS: dict[str, Fault] = {
    **table("rules", *((name, about, WrongSlope(*what)) for name, about, *what in SLOPES)),
    **table("rules", *((name, about, WrongRule(*what)) for name, about, *what in RULES)),
    **table(
        "rules",
        ("jvp of max adds all", "the tangent of every entry counts",
         WrongPush("max", lambda right, t, y, xs, attrs: t[0].sum(**attrs))),
        ("jvp of tanh off by a millionth", "forward mode alone is wrong",
         WrongPush("tanh", lambda right, *args: right(*args) * (1 + 1e-6))),
    ),
    **rewrites(
        "shapes", "minigrad",
        ("broadcast not summed", "axes of size 1 stay stretched", "sum_to",
         'FUNCTIONS["sum"](g, axis=stretched, keepdims=True) if stretched else g', "g"),
        ("broadcast averaged", "mean in place of sum over stretched axes", "sum_to",
         'FUNCTIONS["sum"](g, axis=stretched, keepdims=True)',
         'FUNCTIONS["mean"](g, axis=stretched, keepdims=True)'),
        ("broadcast summed over the last axes", "added axes stand in front", "sum_to",
         "range(lead)", "range(g.ndim - lead, g.ndim)"),
        ("ties count twice", "the gradient of a tie is not shared", "_ties",
         "shut(logical_not(hits), g) / sum(astype(hits, y.dtype), axis, True)",
         "shut(logical_not(hits), g)"),
        ("reduced axes come back last", "keepdims at the wrong place", "keep",
         "expand_dims(y, axis)", "expand_dims(y, tuple(range(-len(axis), 0)))"),
        ("third part of a concatenation", "its offset forgets the second", "_parts",
         "cut(g, axis, start, stop)",
         "cut(g, axis, k := min(start, shape_of(xs[0])[axis]), k + stop - start)"),
        ("padding cut from the start", "the offset is forgotten", "_unpad",
         "slice(a, a + n)", "slice(0, n)"),
        ("own inverse assumed", "a permutation of order 3 is not", "inverse",
         "tuple(sorted(range(-n, 0), key=lambda a: axes[a] % n if n else 0))",
         "axes and axes or tuple(sorted(range(-n, 0), key=lambda a: axes[a] % n if n else 0))"),
        ("repeated index overwrites", "[0, 2, 0] adds twice to 0", "scatter",
         "np.add.at(result, position, part)",
         "result.__setitem__(position, result[position] + part)"),
        ("overlapping slices overwrite", "two reads of one entry", "scatter",
         "result[position] += part", "result[position] = part"),
        ("repeated row overwrites", "a class that comes twice counts once", "put",
         "np.add.reduceat(ordered, starts, axis=0)", "ordered[starts]"),
        ("one batch of a shared weight", "Σ over leading axes stops early", "_contract_like",
         "contract(a, g)", "contract(a[..., :1, :], g[..., :1, :])"),
    ),
    **rewrites(
        "walk", "minigrad",
        ("the last use wins", "cotangents overwrite each other", "_Arrived.add",
         "total + g", "g"),
        ("the third use is lost", "right for two uses", "_Arrived.add",
         "total += g", "pass"),
        ("the 17th use is lost", "right for any short sequence", "_Arrived.add", "total += g",
         "(self.kept.setdefault(-1 - target, []).append(0) or len(self.kept[-1 - target]) < 15) "
         "and np.add(total, g, out=total)"),
        ("sums into an array of others", "the seed, or another's cotangent, is written into",
         "_Arrived.add", "target in self.owned", "True"),
        ("oldest first", "no reverse order of creation", "pull_back",
         "reversed(nodes)", "nodes"),
        ("no sum over broadcast axes", "the walk forgets to un-broadcast", "_turn",
         "part.shape != operand._data.shape", "False"),
        ("precision of the cotangent", "float32 leaves get float64", "_turn",
         "part.dtype != operand._data.dtype", "False"),
        ("inner gradients dropped", "named values have none", "pull_back",
         "serial in wanted", "serial in wanted and node.primitive is None"),
        ("recorded: the third use is lost", "first order right, second wrong", "_Arrived.sum_at",
         'FUNCTIONS["add_n"](*terms)', "terms[0] + terms[1]"),
        ("one read of an array counts", "x[0] + x[1] loses a part", "_Arrived.sum_at",
         "reads[0][1].primitive.collect(node, reads)",
         "reads[0][1].primitive.collect(node, reads[:1])"),
        ("backward overwrites", "a second loss replaces the first", "backward",
         "np.array(g) if node.grad is None else node.grad + g", "np.array(g)"),
        ("gradients share memory", "two inputs get one array", "_own",
         "g if type(g) is Tensor else np.array(g)", "g"),
        ("an unused input gets a number", "zeros of its shape are wanted", "_own",
         "zeros_like(leaf)", "np.zeros(())"),
        ("a result given twice", "its seeds must add up", "_cotangents",
         "start[serial] + seed if serial in start else seed", "seed"),
        ("nested derivative is silent", "the outer variable looks constant", "_Call.graph",
         "outside or bool(outer) or any(type(x) is Tensor for x in more)",
         "bool(outer) or any(type(x) is Tensor for x in more)"),
        ("leaves share the caller's array", "a later write changes the graph", "to_array",
         "np.array(value)", "np.asarray(value)"),
        ("structures put together in reverse", "W_hh gets the gradient of b_h", "Tree._build",
         "[child._build(leaves) if child[0] else next(leaves) for child in self.children]",
         "[child._build(leaves) if child[0] else next(leaves) for child in self.children][::-1]"),
    ),
}  # fmt: skip
"""Every fault by its name."""
