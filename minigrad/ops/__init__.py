"""The table of primitives, by what they do, and the functions composed of them.

What is public in the table is a name of this module and of `minigrad`: there is no other list.
Type checkers and editors, which do not run it, read `__init__.pyi`, made from the table.
"""

from minigrad.core import FUNCTIONS, Tensor
from minigrad.habits import adopt

# Each puts its operations into the table, in this order.
# isort: off
from minigrad.ops import elementwise, kinks, shapes, indexing, products  # noqa: F401  # for the table
from minigrad.ops import reductions, composite, running  # noqa: F401  # for the table
from minigrad.ops import trigonometric, exponents, whole, special, activations  # noqa: F401  # for the table
from minigrad.ops import questions, signs, rearranging, joining, matrices, sorting, statistics  # noqa: F401  # for the table
from minigrad.ops import contraction, linalg, spectra, norms, numpy_face  # noqa: F401  # for the table
# isort: on

__all__ = sorted(name for name in FUNCTIONS if not name.startswith("_"))
globals().update({name: FUNCTIONS[name] for name in __all__})
adopt(Tensor, __all__)
