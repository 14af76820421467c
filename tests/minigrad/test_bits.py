"""The same inputs give the same bits in every process."""

from __future__ import annotations

from tests.house import in_a_new_process

SCRIPT = """
    import hashlib, numpy as np, minigrad as mg, rnn
    for cell, T, B in (
        (rnn.LSTMCell(64, 128), 6, 32),  # products in tiles
        (rnn.GRUCell(64, 128), 6, 32),
        (rnn.RNNCell(32, 512), 6, 64),
        (rnn.LSTMCell(8, 16), 200, 16),  # several chunks of steps
    ):
        for dtype in (np.float32, np.float64):
            rng = np.random.default_rng(0)
            p, xs = cell.init(0, dtype), rng.normal(size=(T, B, cell.inputs)).astype(dtype)
            loss = lambda p, xs: mg.mean(mg.square(rnn.run(cell, p, xs)[0][-1]))
            digest = hashlib.sha256()
            for f in (mg.value_and_grad(loss), mg.compile(mg.value_and_grad(loss))):
                value, grads = f(p, xs)
                for x in (value, *grads.values()):
                    digest.update(np.ascontiguousarray(x).tobytes())
            print(digest.hexdigest())
"""


def bits(script: str, seed: int) -> list[str]:
    """What a process of its own prints; one thread, as another count may give other bits."""
    return in_a_new_process(script, PYTHONHASHSEED=str(seed), OPENBLAS_NUM_THREADS="1").split()


def test_every_process_computes_the_same_bits():
    found = [bits(SCRIPT, k) for k in range(4)]
    assert all(others == found[0] for others in found)
    assert len(set(found[0])) == 8


def test_a_choice_by_stopwatch_would_be_seen():
    """One of ten processes that took another tile would do, so noise in each is enough."""
    noisy = SCRIPT.replace("rng.normal", "__import__('time').time_ns() % 97 * rng.normal")
    assert bits(noisy, 0) != bits(noisy, 1)
