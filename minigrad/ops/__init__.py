"""The table of primitives, by what they do, and the functions composed of them.

What is public in the table is a name of this module and of `minigrad`: there is no other list.
Type checkers and editors, which do not run it, read `__init__.pyi`, made from the table.
"""

from minigrad.core import FUNCTIONS, Tensor
from minigrad.habits import adopt
from minigrad.ops import (  # noqa: F401  # each puts its operations into the table
    composite,
    elementwise,
    indexing,
    numpy_face,
    products,
    reductions,
    shapes,
)

__all__ = sorted(name for name in FUNCTIONS if not name.startswith("_"))
globals().update({name: FUNCTIONS[name] for name in __all__})
adopt(Tensor, __all__)
