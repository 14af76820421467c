"""Pictures of networks, made from their live graphs.

Rooms, from the ground up: `scene` has shapes and labels with their places, and the table of looks;
`output` writes a scene down. `quotients` make circles or boxes of a graph; `textbook`, `columns`,
`memory` and `formulas` lay them out, as circles in time, operations by step, block diagrams and
equations. `views` has the doors, such as `draw`; `figures` those of the seed's text; `workbook`
writes a network as live formulas; `cli` is the command.
"""

from viz import figures, workbook
from viz.formulas.equations import Equations, equations
from viz.output.drawing import Drawing
from viz.output.render import RendererMissing, available
from viz.views.draw import draw, network, record, schedule

__all__ = [
    "Drawing", "Equations", "RendererMissing", "available", "draw", "equations", "figures",
    "network", "record", "schedule", "workbook",
]  # fmt: skip
