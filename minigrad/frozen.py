"""What a trace refuses: to give the values of this run to Python, which would decide on them."""

from __future__ import annotations

from typing import NamedTuple

from minigrad.core import Tensor, ancestors
from minigrad.errors import at
from minigrad.habits import title


class Frozen(NamedTuple):
    """A trace that stands for other values too, so that nothing is to be decided on these.

    Attributes:
        what: who is traced, for messages.
        inputs: serial numbers of the tensors that stand for values to come.
        is_step: whether it is one step of a loop, in which other loops are unrolled.
    """

    what: str
    inputs: frozenset[int]
    is_step: bool = False

    def refuse(self, tensor: Tensor, what: str) -> None:
        """An error if a value that Python asks for depends on the inputs."""
        if tensor.serial < min(self.inputs, default=0):
            return
        if self.inputs.isdisjoint(x.serial for x in ancestors(tensor)):
            return  # the same whatever is given
        instead = "choose between values with minigrad.where"
        if what == "an index" and tensor.dtype.kind in "iu":
            instead = (
                "read whole rows with minigrad.take(x, indices), one entry of each row with "
                "minigrad.take_along_axis(x, indices[..., None], axis=-1)"
            )
        raise TypeError(
            f"{self.what}: {what} of {title(tensor)}{at(tensor.tag)} would be answered once and "
            f"for all; {instead}, and let the function close over what is decided in Python"
        )
