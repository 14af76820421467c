"""The seed's figures, each made from a live cell or task of any sizes and names.

Every function gives a `Drawing`; none holds a picture of its own.
"""

from viz.figures.cells import memory_cell, stages
from viz.figures.networks import activation, encoder_decoder, feedforward, recurrences, unfolding
from viz.figures.tasks import modelling_tasks
from viz.figures.through_time import backward, forward_and_backward, schedule

__all__ = [
    "activation", "backward", "encoder_decoder", "feedforward", "forward_and_backward",
    "memory_cell", "modelling_tasks", "recurrences", "schedule", "stages", "unfolding",
]  # fmt: skip
