"""Keeping: a network that was saved in between goes on as if it had not been."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from rnn import checkpoint
from rnn.cell import Cell
from rnn.testing.laws.table import Law, entry
from rnn.testing.problem import DoesNotApply, Problem, agree, problem

LAWS: dict[str, Law] = {}
law = entry(LAWS)


@law("saved and loaded")
def saved_and_loaded(cell: Cell, seed: int) -> None:
    """Run, save, load and run on: the same bits as without saving, in values and gradients."""
    q = problem(cell, 4, 2, seed)
    _, middle = Problem(cell, q.params, q.xs[:2], q.start).run()
    with TemporaryDirectory() as folder:
        path = Path(folder, "weights.safetensors")
        try:
            checkpoint.save(path, q.params, cell, state=middle)
        except ImportError as error:
            raise DoesNotApply(str(error)) from None
        params, same, metadata = checkpoint.load(path)
    agree((params, metadata["state"]), (q.params, middle), "what was saved")
    without = Problem(cell, q.params, q.xs[2:], middle)
    loaded = Problem(same, params, q.xs[2:], metadata["state"])
    agree(loaded.run(), without.run(), "run on")
    agree(loaded.gradients(), without.gradients(), "gradients of the run on")
