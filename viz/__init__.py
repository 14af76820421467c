"""Pictures of networks, made from their live graphs.

A view is a quotient of the graph (`quotient`: `cells` for circles, `operations` for boxes). It gets
its places (`grid`, or `layered` columns and `channels` between them), which make a `scene`, which
is written as `svg` or `dot`. `style` is the one table of looks.
"""

from viz.draw import draw
from viz.drawing import Drawing
from viz.render import RendererMissing, available

__all__ = ["Drawing", "RendererMissing", "available", "draw"]
