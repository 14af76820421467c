"""BLAS threads: one is enough for the products of a step, and waiting for a second costs more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from importlib.util import find_spec

CHOOSING = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
"""Environment variables by which a person chooses the number of threads; they are left alone."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, NumPy multiplies matrices on one thread, everywhere in the process.

    A second thread gains little at the sizes of recurrent steps; where another program needs its
    core, waiting for it makes a step several times slower. `train` and `sample` do this
    by themselves. Loops of your own are put inside; going in costs 0.1 ms, too much for one call.

    Nothing is changed where an environment variable of `CHOOSING` says how many there are, nor
    without the package `threadpoolctl` (the extra `train`): there, start Python with
    `OPENBLAS_NUM_THREADS=1`.

    >>> import numpy as np, rnn
    >>> with rnn.one_thread():
    ...     ys, state = rnn.run(rnn.RNNCell(3, 4), rnn.RNNCell(3, 4).init(0), np.ones((5, 2, 3)))
    """
    is_chosen = any(name in os.environ for name in CHOOSING)
    limited = (
        nullcontext()
        if is_chosen or not find_spec("threadpoolctl")
        else import_module("threadpoolctl").threadpool_limits(1, user_api="blas")
    )
    with limited:
        yield
