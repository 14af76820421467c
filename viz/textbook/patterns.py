"""The modelling tasks as patterns of boxes: which steps take an input, which give an output.

Each box is a vector, each arrow a function; what is fed back runs from an output to the next state.
Source: Karpathy, The unreasonable effectiveness of recurrent neural networks (2015).
"""

from __future__ import annotations

from collections.abc import Mapping

from rnn.tasks import Task
from viz.scene.curve import Point, line
from viz.scene.label import words
from viz.scene.scene import Scene, Shape, Text, Wire
from viz.scene.style import INK, Style

WIDE, TALL = 26.0, 46.0
STEP, LEVEL = 52.0, 84.0
ROWS = {"input": 0.0, "hidden": LEVEL, "output": 2 * LEVEL}
LEGEND: Mapping[str, str] = {
    "input": "input vector", "hidden": "hidden state", "output": "output vector",
}  # fmt: skip


def pattern(task: Task, style: Style) -> Scene:
    """A task as a row of states, with inputs below and outputs above.

    >>> from rnn import many_to_one
    >>> from viz.scene.styles import PRINT
    >>> list(pattern(many_to_one(2), PRINT).shapes)
    ['hidden_t1', 'input_t1', 'hidden_t2', 'input_t2', 'output_t2']
    """
    scene = Scene(task.name, str(task).replace("\n", "; "), style)
    for t in range(1, task.steps + 1):
        x = (t - 1) * STEP
        _box(scene, "hidden", t)
        if t > 1:
            _wire(scene, "hidden", t - 1, "hidden", t, (x - STEP + WIDE / 2, LEVEL),
                  (x - WIDE / 2, LEVEL))  # fmt: skip
        if task.enters[t - 1]:
            _box(scene, "input", t)
            _wire(scene, "input", t, "hidden", t, (x, TALL / 2), (x, LEVEL - TALL / 2))
        if task.leaves[t - 1]:
            _box(scene, "output", t)
            _wire(scene, "hidden", t, "output", t, (x, LEVEL + TALL / 2),
                  (x, 2 * LEVEL - TALL / 2))  # fmt: skip
        if task.feeds[t - 1] and task.leaves[t - 2]:
            start = (x - STEP + WIDE / 2, 2 * LEVEL - TALL / 2 + 8)
            stop = (x - WIDE / 2, LEVEL + TALL / 2 - 7)
            _wire(scene, "output", t - 1, "hidden", t, start, stop)
    return scene


def legend(scene: Scene) -> None:
    """What the colours stand for, in a row below the picture."""
    left, low, right, _ = scene.bounds()
    fed = any(wire.dashed for wire in scene.wires)
    x, y = (left + right) / 2 - (265 if fed else 185), low - 34
    for kind, text in LEGEND.items():
        scene.add(Shape(f"legend_{kind}", x, y, 16, 16, "tag", kind))
        scene.texts.append(Text(x + 16, y, words(text), 12.5, INK, "start"))
        x += 130
    if fed:
        wire = Wire("", "", line((x - 10, y), (x + 14, y)), scene.style.recurrent, 1.3, True, 0.9)
        scene.wires.append(wire)
        scene.texts.append(Text(x + 22, y, words("output fed back"), 12.5, INK, "start"))


def _box(scene: Scene, kind: str, t: int) -> None:
    name = f"{kind}_t{t}"
    x = (t - 1) * STEP
    title = f"{LEGEND[kind]} at t = {t}"
    scene.add(Shape(name, x, ROWS[kind], WIDE, TALL, "tag", kind, title=title, block=name))


def _wire(
    scene: Scene, a: str, at: int, b: str, then: int, start: Point, stop: Point
) -> None:  # fmt: skip
    """An arrow; dashed and in the colour of recurrences if an output is fed back."""
    fed = a == "output"
    colour = scene.style.recurrent if fed else INK
    delay = then - at
    scene.wires.append(
        Wire(f"{a}_t{at}", f"{b}_t{then}", line(start, stop), colour, 1.3, fed, 0.9, delay=delay)
    )
