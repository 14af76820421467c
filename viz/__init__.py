"""Pictures of networks, made from their live graphs.

A view is a quotient of the graph (`quotient`: `cells` for circles, `operations` for boxes, `stages`
for a schedule). It gets its places (`places` on a `grid`, or `layered` `columns`) and its edges
(`curve`, or a `router` between columns), which make a `scene`, which is written as `svg` or `dot`.
`style` is the one table of looks. `figures` has those of the seed's text, `equations` its formulas,
`testing` what a picture promises.
"""

from viz import figures
from viz.draw import draw
from viz.drawing import Drawing
from viz.equations import Equations, equations
from viz.render import RendererMissing, available

__all__ = [
    "Drawing", "Equations", "RendererMissing", "available", "draw", "equations", "figures",
]  # fmt: skip
