"""Faults of recurrent networks: in the equations of cells, in time, in batches, in padding.

A gradient test passes them all, since backward fits forward; the recurrent laws must find them.
"""

from __future__ import annotations

import rnn.cell
from minigrad.testing.faults import FAULTS, plant, rewrite
from minigrad.testing.planting import CACHES, WrongRule

CACHES.append(rnn.cell._FOLDED.clear)

CELL = 'C = named("C", f * C + i * C_new)'
for _name, _about, _path, _changes in (
    ("gates f and i exchanged", "what to remember and what to add", "LSTMCell.step",
     (CELL, CELL.replace("f * C + i", "i * C + f"))),
    ("tanh of the memory forgotten", "h = o C", "LSTMCell.step", ("o * tanh(C)", "o * C")),
    ("candidate through a sigmoid", "C̃ cannot be negative", "LSTMCell.step",
     ('tanh(named("z_c"', 'sigmoid(named("z_c"')),
    ("h of the old memory", "shown before it is written", "LSTMCell.step",
     (CELL, f"old, {CELL}".replace("old, C =", "old, C = C,"), "o * tanh(C)", "o * tanh(old)")),
    ("input gate is 1 - f", "gates coupled that should not be", "LSTMCell.step",
     (CELL, CELL.replace("i * C_new", "(1.0 - f) * C_new"))),
    ("bias of the candidate twice", "as when two biases are imported", "LSTMCell.step",
     ("h @ p.W_hc + p.b_c", "h @ p.W_hc + p.b_c + p.b_c")),
    ("output gate without bias", "b_o is never read", "LSTMCell.step",
     ("h @ p.W_ho + p.b_o", "h @ p.W_ho")),
    ("output peephole of the forget gate", "w_cf in place of w_co", "LSTMCell.step",
     ("C * p.w_co", "C * p.w_cf")),
    ("samples share their memory", "C of the neighbour in the batch", "LSTMCell.step",
     (CELL, CELL.replace("f * C", "f * mg.flip(C, -2)"))),
    ("units share their memory", "C of another hidden unit", "LSTMCell.step",
     (CELL, CELL.replace("f * C", "f * mg.flip(C, -1)"))),
    ("the memory is cut", "no gradient along C", "LSTMCell.step",
     (CELL, CELL.replace("f * C", "f * mg.detach(C)"))),
    ("update gate turned round", "z keeps the new in place of the old", "GRUCell.step",
     ("(1.0 - z) * n + z * h", "z * n + (1.0 - z) * h")),
    ("reset gate spares the bias", "r (h W) + b in place of r (h W + b)", "GRUCell.step",
     ("r * (h @ p.W_hn + p.b_hn)", "r * (h @ p.W_hn) + p.b_hn")),
    ("recurrent weights transposed", "h Wᵀ in place of h W", "RNNCell.step",
     ('before["h"] @ p.W_hh', 'before["h"] @ p.W_hh.T')),
    ("output fed back through W_oo twice", "W_oo h in place of W_ho h too", "RNNCell.step",
     ('before["o"] @ p.W_oo', '(before["o"] @ p.W_oo) @ p.W_oo')),
    ("a layer without its bias", "b is never read", "Dense.step", ("x @ p.W + p.b", "x @ p.W")),
    ("memory beside W_hh", "h is also read without weights", "RNNCell.step",
     ('before["h"] @ p.W_hh', 'before["h"] @ p.W_hh + 0.125 * before["h"]')),
    ("output fed back transposed", "o W_ohᵀ in place of o W_oh", "RNNCell.step",
     ('before["o"] @ p.W_oh', 'before["o"] @ p.W_oh.T')),
    ("concatenated in the wrong order", "[h; x] in place of [x; h]", "concatenated",
     ('for source in "xho"', 'for source in "hxo"')),
):  # fmt: skip
    plant("cells", _name, _about, rewrite("rnn.cells", _path, *_changes))

plant("cells", "recurrent weights forgotten", "h in place of h W, in a cell of somebody's own",
      rewrite("rnn.testing.networks", "Mixed.step", ' @ p[f"W_{name}"]', ""))  # fmt: skip

for _name, _about, _where, _path, _old, _new in (
    ("backward layer runs forward", "its delays are not turned", "compose", "Bidirectional.edges",
     "-e.delay", "e.delay"),
    ("a stack forgets its states", "every layer keeps its first state", "compose", "Stack.step",
     "new.append(tuple(after))", "new.append(tuple(own))"),
    ("a stack skips a layer", "the second layer reads the network's input", "compose", "Stack.step",
     "layer.step(p[name], x, *own)",
     'layer.step(p[name], x if name != "layer2" or x.shape[-1] != layer.inputs else x * 0.5, '
     "*own)"),
    ("the start state is ignored", "every run starts at zero", "run", "run",
     "starts = _start(cell, state, ", "starts = _start(cell, None, "),
    ("states run on in padding", "the end of a sample is not seen", "cell", "_fold_step",
     "new = [mg.where(flags[0], a, b) for a, b in zip(new, states, strict=True)]",
     "new = list(new)"),
    ("outputs run on in padding", "not zero behind the end", "cell", "_fold_step",
     "y = mg.where(flags[0], y, 0.0)", "pass"),
    ("padding is multiplied", "NaN times zero is NaN", "cell", "_fold_step",
     "rows = rows if classes else mg.where(flags[0], rows, 0.0)", "pass"),
    ("lengths one too long", "a step of padding is read", "run", "_alive",
     "np.arange(1, T + 1)", "np.arange(0, T)"),
    ("delayed states not turned at the end", "ragged batches of delay 2", "run", "_turned",
     "shift = direction * (T - np.asarray(lengths))", "shift = 0 * np.asarray(lengths)"),
    ("unfolded: start values in reverse", "delay 2, in the visible copies alone", "run", "_before",
     "else start[k]", "else start[-1 - k]"),
    ("unfolded: inputs a step late", "x of the step before, in the copies alone", "run", "_steps",
     'xs[t]) if type(xs) is Tensor else xs[t]',
     'xs[max(t - 1, 0)]) if type(xs) is Tensor else xs[max(t - 1, 0)]'),
):  # fmt: skip
    plant("recurrent", _name, _about, rewrite(f"rnn.{_where}", _path, _old, _new))

plant("recurrent", "truncation lets gradients through", "detach has a derivative",
      WrongRule("detach", 0, lambda right, g, y, x: g))  # fmt: skip

for _name, _about, _area, _module, _path, _old, _new in (
    ("saved in single precision", "half of the digits are gone", "checkpoint", "rnn.checkpoint",
     "_encode", 'value.dtype.newbyteorder("=")', "np.float32"),
    ("states loaded in reverse", "C is h, and h is C", "checkpoint", "rnn.checkpoint", "_decode",
     "for item in content]", "for item in content[::-1]]"),
    ("every edge drawn with delay 1", "the delay of a recurrent edge is not read", "drawing",
     "viz.quotient", "_delayed", "r.delay, r.name", "1, r.name"),
    ("parameters drawn at the first step", "the same weights are used at every step", "drawing",
     "viz.diagram", "unfolded", 'f"t{t}", tags)', 'f"t{t}", tags and t == 1)'),
):  # fmt: skip
    plant(_area, _name, _about, rewrite(_module, _path, _old, _new))

__all__ = ["FAULTS"]
