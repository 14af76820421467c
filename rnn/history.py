"""What a fit went through: loss and gradient of every step, and what was judged now and then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from minigrad.core import Array
from rnn.bptt.table import Result, Table


def _none() -> Array:
    return np.zeros(0)


@dataclass(frozen=True, eq=False, repr=False)
class History(Result):
    """The course of a fit; it prints, shows in notebooks, and `.plot()` draws it.

    Attributes:
        loss: of every step from the first, `(n,)`, before that step was made.
        norm: of its gradient, before clipping, `(n,)`.
        at: the steps after which the fit was judged, `(m,)`.
        judged: what was found there by name, each `(m,)`.

    >>> import numpy as np
    >>> history = History().stepped(2.0, 1.5).stepped(1.0, 0.5).found({"error": 0.25})
    >>> history
    after 2 steps the loss is 1
    step  loss  |gradient|  error
       2     1         0.5   0.25
    """

    loss: Array = field(default_factory=_none)
    norm: Array = field(default_factory=_none)
    at: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    judged: Mapping[str, Array] = field(default_factory=dict)
    axes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "loss": ("step",),
        "norm": ("step",),
        "at": ("place",),
        "judged": ("place",),
    }

    def stepped(self, loss: float, norm: float) -> History:
        """One step longer."""
        return replace(self, loss=np.append(self.loss, loss), norm=np.append(self.norm, norm))

    def found(self, figures: Mapping[str, float]) -> History:
        """With what was found out after the last step."""
        if len(self.at) and figures.keys() != self.judged.keys():
            raise ValueError(
                f"fit: judge gave {', '.join(figures) or 'nothing'}, before it gave "
                f"{', '.join(self.judged) or 'nothing'}; the names must stay the same"
            )
        before = self.judged or dict.fromkeys(figures, _none())
        judged = {name: np.append(before[name], float(value)) for name, value in figures.items()}
        return replace(self, at=np.append(self.at, len(self.loss)), judged=judged)

    def table(self) -> Table:
        """Loss, gradient and what was judged, wherever the fit was judged."""
        steps = [int(k) for k in self.at] or ([len(self.loss)] if len(self.loss) else [])
        rows = tuple(
            (k, self.loss[k - 1], self.norm[k - 1], *(v[j] for v in self.judged.values()))
            if k
            else (0, None, None, *(v[j] for v in self.judged.values()))
            for j, k in enumerate(steps)
        )
        last = f"the loss is {self.loss[-1]:.3g}" if len(self.loss) else "nothing is known"
        title = f"after {len(self.loss)} step{'s' * (len(self.loss) != 1)} {last}"
        return Table(title, ("step", "loss", "|gradient|", *self.judged), rows)

    def drawn(self, axes: Any) -> None:
        """The loss of every step, and what was judged."""
        axes.plot(np.arange(1, len(self.loss) + 1), self.loss, lw=0.6, alpha=0.6, label="loss")
        for name, values in self.judged.items():
            axes.plot(self.at, values, ".-", label=name)
        axes.set(xlabel="step", title=self.table().title)
        axes.legend()
