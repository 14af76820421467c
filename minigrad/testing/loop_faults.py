"""Faults of recurrence: folding, the adjoint in time, passes, storage, scan, compiled programs."""

from __future__ import annotations

from minigrad.testing.faults import plant, rewrite

for _name, _about, _path, _old, _new in (
    ("start values in one piece", "a delay of 2 has two start values", "run_steps",
     "return start[t + delay - 1] if delay > 0 else start[t - T - 1]", "return start[0]"),
    ("every delay is 1", "the step before in place of d steps before", "run_steps",
     "value = reach(source, t - delay, delay, given)",
     "value = reach(source, t - (1 if delay > 0 and t > delay else delay), delay, given)"),
    ("sequence read backwards", "x of step T + 1 - t", "run_steps", "else given[t - 1]",
     "else given[T - t]"),
    ("last state one step early", "the state before the last step", "run_steps",
     "range(T - r.delay + 1, T + 1)", "range(T - r.delay, T)"),
    ("adjoint runs forward", "the delays of the adjoint are not turned", "folded_adjoint",
     "delay=-r.delay", "delay=r.delay"),
    ("unfolded sum of the first step", "weight sharing forgotten in the unfolded graph", "unfold",
     'Node("add_n", tuple(column)', 'Node("add_n", tuple(column[:1])'),
    ("sum of the last step alone", "weight sharing forgotten in a run by steps", "run_folded",
     "add_n(*column)", "column[-1]"),
    ("loops in both directions as one", "the second direction runs as the first", "phases",
     "return [(direction or 1, sorted(group))", "return [(1, sorted(group))"),
):  # fmt: skip
    plant("folding", _name, _about, rewrite("minigrad.folded", _path, _old, _new))

plant("folding", "graphs of other attributes are equal", "isomorphism looks at names alone",
      rewrite("minigrad.graph", "same_node", "and same_attrs(a.attrs, b.attrs)", ""))  # fmt: skip

for _name, _about, _where, _path, _old, _new in (
    ("a term is lost when regrouping", "(x W + h U) + b becomes h U + b", "regroup",
     "reassociate", "sorted(outside, key=late)", "sorted(outside, key=late)[1:]"),
    ("half of a sum is scaled", "(a + b)/2 becomes a/2 + b", "scale", "_Scaling._scaled",
     "parts = [self._scaled(i, by) for i in node.inputs]",
     "parts = [self._scaled(node.inputs[0], by), node.inputs[1]]"),
    ("sigmoid by exp off by 1e-9", "the one is not one", "scale", "sigmoid_by_exp",
     "work.constant(1.0)", "work.constant(1.0 + 1e-9)"),
    ("gates exchanged when merged", "every gate gets the columns of the first", "gates",
     "merge_products", "work.entry(pile, n)", "work.entry(pile, 0)"),
    ("common by name alone", "reads of other positions count as the same", "regroup",
     "eliminate_common", "if same_attrs(work.nodes[j].attrs, node.attrs) and", "if"),
    ("joined sum drops the rest", "what is not a product is forgotten", "gates",
     "join_operands", "if i not in products and i not in biases]", "if False]"),
    ("a pile in another order", "gates take each other's cotangents", "regroup", "pile_up",
     "key=lambda n: spans[n]", "key=lambda n: -spans[n][0]"),
    ("columns of the weight from the start", "a narrow product takes the first columns", "regroup",
     "narrow_products", "position=(..., slice(*span[1:]))",
     "position=(..., slice(0, span[2] - span[1]))"),
    ("factors in one order, cotangents in another", "a factor meets another gate's cotangent",
     "regroup", "distribute", "low if many else 0", "0"),
):  # fmt: skip
    plant("passes", _name, _about, rewrite(f"minigrad.lower.passes.{_where}", _path, _old, _new))

plant(
    "passes",
    "a value's buffer is used too early",
    "life ends at the block that made it",
    rewrite(
        "minigrad.engines.numpy.storage",
        "Storage._buffer",
        "max(own, self.needs.last[k]) if level == WHOLE else own",
        "own",
    ),
)
plant(
    "passes",
    "chunks of a backward loop in order",
    "the last chunk must come first",
    rewrite("minigrad.engines.numpy.nests", "NestWriter.lines", "spans[:: nest.direction]",
            "spans"),
)  # fmt: skip
plant("passes", "a sum over steps of one step", "constant terms count once, not T times",
      rewrite("minigrad.engines.numpy.totals", "Totals._made_total",
              '{self.T} * {self.names.of(k)}', "{self.names.of(k)}"))  # fmt: skip

for _name, _about, _where, _path, _old, _new in (
    ("results are the program's buffers", "the next run overwrites them", "scan", "_run",
     "*map(_copy, found[:own])", "*[x[...] for x in found[:own]]"),
    ("buffers given back too early", "a second run overwrites what backward reads", "scan", "_run",
     "values.release = lambda: POOL.give(kept, program)",
     "POOL.give(kept, program)"),
    ("a state's two places exchanged", "a step reads what is still to be made",
     "engines.numpy.storage", "Storage._place_inputs", "turn=int(d > 0)", "turn=int(d < 0)"),
    ("the last chunk's gradient alone", "chunks do not add up",
     "engines.numpy.totals", "Totals.add_up", "({name}, {other}, {name})", "({other}, 0, {name})"),
    ("a compiled loop reads forwards", "reversed sequences are not reversed", "loops.rolled",
     "_Rolling._steps", "if places == range(1, shape[0] + 1):", "if len(places) == shape[0]:"),
    ("no gradient through the last state", "only outputs are seeded", "scan", "_pull",
     "seed = ends[k] if role == STATE", "seed = None if role == STATE"),
    ("a scan's results in other places", "gradients of W_xh and W_hh exchanged", "scan",
     "_sorted_back", "parts[operand] = by_output[k]", "parts[operand] = by_output[len(by_output) "
     "- 1 - k] if np.shape(by_output[k]) == np.shape(by_output[len(by_output) - 1 - k]) else "
     "by_output[k]"),
    ("compiled: buffers freed at first use", "a value read twice is overwritten",
     "engines.numpy.straight", "Straight._take_buffer",
     "self._users[i][-1] == k and i not in self._kept", "i not in self._kept"),
    ("compiled: results' buffers are used again", "the first result holds the second",
     "engines.numpy.straight", "Straight.__init__", "set(kept) | self._held(order)",
     "self._held(order)"),
    ("compiled: one program for all shapes", "the trace of the first call answers all", "compile",
     "_about", "(leaf.shape, leaf.dtype)", "(leaf.ndim, leaf.dtype)"),
):  # fmt: skip
    plant("scan", _name, _about, rewrite(f"minigrad.{_where}", _path, _old, _new))
