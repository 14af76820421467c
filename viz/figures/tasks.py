"""The modelling tasks, side by side."""

from __future__ import annotations

from collections.abc import Mapping

from rnn import tasks
from rnn.tasks import Task
from viz.given import Styled, refused, styled
from viz.output.drawing import Drawing
from viz.scene.plates import Plate, beside
from viz.textbook import patterns

EXAMPLES: Mapping[str, str] = {
    "one-to-one": "image classification",
    "one-to-many": "image captioning",
    "many-to-one": "sentiment analysis",
    "many-to-many, delayed": "delayed: translation",
    "many-to-many, synchronised": "synchronised: labels of video frames",
}
"""What the seed's text names as an example of each task."""


def modelling_tasks(*given: Task, style: Styled = "print") -> Drawing:
    """The modelling tasks side by side; the five of the seed's text if none is given.

    >>> from rnn import many_to_one
    >>> modelling_tasks(many_to_one(steps=5))
    <Drawing: Modelling tasks: many-to-one>
    """
    chosen = given or (
        tasks.one_to_one(),
        tasks.one_to_many(3),
        tasks.many_to_one(3),
        tasks.many_to_many_delayed(3, 3),
        tasks.many_to_many_synchronised(3),
    )
    look, panels = styled("modelling_tasks", style), []
    for task in chosen:
        if not isinstance(task, Task):
            raise refused("modelling_tasks", "tasks, such as rnn.many_to_one(3)", task)
        kind, _, _ = task.name.partition(", ")
        scene = patterns.pattern(task, look)
        panels.append(Plate(scene, kind.replace("-", " "), EXAMPLES.get(task.name, "")))
    names = dict.fromkeys(task.name for task in chosen)
    scene = beside(panels, f"Modelling tasks: {'; '.join(names)}", 44)
    patterns.legend(scene)
    return Drawing(scene)
