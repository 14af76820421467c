"""The same inputs give the same bits in every process."""

from __future__ import annotations

import pytest

from tests.test_house import in_a_new_process

SCRIPT = """
    import hashlib, numpy as np, minigrad as mg, rnn
    cell = rnn.{cell}
    rng, dtype = np.random.default_rng(0), np.{dtype}
    p, xs = cell.init(0, dtype), rng.normal(size=({T}, {B}, cell.inputs)).astype(dtype)
    loss = lambda p, xs: mg.mean(mg.square(rnn.run(cell, p, xs)[0][-1]))
    digest = hashlib.sha256()
    for f in (mg.value_and_grad(loss), mg.compile(mg.value_and_grad(loss))):
        value, grads = f(p, xs)
        for x in (value, *grads.values()):
            digest.update(np.ascontiguousarray(x).tobytes())
    print(digest.hexdigest())
"""


@pytest.mark.parametrize(
    ("cell", "T", "B"),
    [
        ("LSTMCell(64, 128)", 20, 32),  # products in tiles
        ("GRUCell(64, 128)", 20, 32),
        ("RNNCell(32, 512)", 6, 64),
        ("LSTMCell(8, 16)", 300, 16),  # several chunks of steps
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_process_computes_the_same_bits(cell: str, T: int, B: int, dtype: str):
    script = SCRIPT.format(cell=cell, T=T, B=B, dtype=dtype)
    found = {in_a_new_process(script, PYTHONHASHSEED=str(k)) for k in range(3)}
    assert len(found) == 1


def test_a_choice_by_stopwatch_would_be_seen():
    script = SCRIPT.format(cell="RNNCell(32, 64)", T=4, B=4, dtype="float32")
    noisy = script.replace("rng.normal", "__import__('time').time_ns() % 97 * rng.normal")
    assert len({in_a_new_process(noisy) for _ in range(3)}) > 1
