"""The core: what is needed to follow a gradient, to be read in one sitting.

`tensor` remembers how it was made, `primitive` is one operation, `kinds` what follows from what
sort of operation it is, `walks` the two loops over what was recorded: back and forward. The
tables of `minigrad.ops.elementwise` and `products` are the other half of the room.
"""

from minigrad.core.primitive import PRIMITIVES, Outputs, Primitive, Rule
from minigrad.core.tensor import (
    FROZEN,
    FUNCTIONS,
    SERIALS,
    Array,
    Tensor,
    ancestors,
    named,
    record,
    to_array,
)
from minigrad.core.walks import pull_back, push_forward
from minigrad.scopes import TAG, Tag, scope

__all__ = [
    "FROZEN", "FUNCTIONS", "PRIMITIVES", "SERIALS", "TAG", "Array", "Outputs", "Primitive", "Rule",
    "Tag", "Tensor", "ancestors", "named", "pull_back", "push_forward", "record", "scope",
    "to_array",
]  # fmt: skip
