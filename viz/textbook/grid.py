"""The geometry of textbook figures: circles on a grid, one row each, one column a time step.

Rows are those of the folded figure and of every step, so the two can stand side by side. An edge
is the simplest of a few curves that stays clear of every circle it does not end at.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from viz.quotients.quotient import Link, Quotient
from viz.scene.curve import Path, Point, bow, flat, head, line, loop, mirror, tail
from viz.scene.delay import delay_mark
from viz.scene.label import plain, timed
from viz.scene.room import is_clear
from viz.scene.scene import Scene, Shape, Text, Wire, identifier
from viz.scene.style import ARROW, CIRCLE, INK, MUTED, PITCH
from viz.textbook.inscribed import inscribed
from viz.textbook.spots import FRAME, kind, shown_state, spots

CLEAR = 5.0  # how far an edge stays away from foreign circles
STUB = 36.0  # length of a dashed edge that comes from or goes to steps that are not shown


class Grid:
    """Columns of circles put into a scene.

    Args:
        view: what is drawn; its blocks are circles, or boxes with a circle for each state.
        scene: what is added to.
    """

    def __init__(self, view: Quotient, scene: Scene) -> None:
        self.view = view
        self.scene = scene
        self.spots = spots(view)
        self.top = max(s.y for s in self.spots) + CIRCLE / 2
        self.reach = max(abs(s.x) for s in self.spots) + CIRCLE / 2
        self.pitch = max(PITCH, 2 * self.reach + 54)
        if any(s.state for s in self.spots):
            self.pitch += FRAME
        self.shapes: dict[tuple[str, str, int], Shape] = {}
        self.drawn: list[tuple[Wire, Link]] = []
        self.bows: list[list[Text]] = []

    def column(self, x: float, time: str, step: int, shown: bool = True) -> None:
        """Circles of one time step; a column that is not shown only lends its places to stubs."""
        suffix = f"t{step}" if step else ""
        if shown:  # places lent before do not count any more
            self.shapes = {k: s for k, s in self.shapes.items() if s.id or k[2] != step}

        def put(key: tuple[str, str, int], shape: Shape) -> None:
            self.shapes[key] = self.scene.add(shape) if shown else replace(shape, id="")

        for block in dict.fromkeys(s.block for s in self.spots):
            own = [s for s in self.spots if s.block == block]
            frame = ""
            if own[0].state:
                low, high = own[0].y, own[-1].y
                put((block.id, "", step), Shape(
                    identifier(block.id, "unit", suffix), x + own[0].x, (low + high) / 2,
                    CIRCLE + FRAME, high - low + CIRCLE + FRAME, "panel", "panel",
                    title=f"unit of {' and '.join(plain(s.label) for s in own)}", block=block.id,
                ))  # fmt: skip
                frame = self.shapes[block.id, "", step].id
            for s in own:
                text = inscribed(s.label, time)
                name = (
                    identifier(plain(s.label), suffix) if s.state else identifier(block.id, suffix)
                )
                put((block.id, s.state, step), Shape(
                    name, x + s.x, s.y, CIRCLE, CIRCLE, "circle",
                    kind(s, self.view.memories), text.lines, text.size,
                    is_fraction=text.is_fraction, further=text.further,
                    title=f"{plain(s.label)} at t = {time}",
                    block="" if s.state else block.id, inside=frame,
                ))  # fmt: skip

    def source(self, link: Link, step: int) -> Shape:
        """The circle a link starts from; of a unit the state it carries, or the one it shows."""
        return self.shapes[link.source, self.state(link), step]

    def state(self, link: Link) -> str:
        """The state of a unit that a link carries, or the one that the unit shows."""
        block = self.view[link.source]
        return link.name if link.name in block.states else shown_state(block)

    def target(self, link: Link, step: int) -> Shape:
        """The circle or unit a link ends at."""
        return self.shapes[link.target, "", step]

    def up(self, link: Link, step: int) -> None:
        """The edge of a link within a step."""
        a, b = self.source(link, step), self.target(link, step)
        candidates = [line(a.border((b.x, b.y)), b.border((a.x, a.y)))]
        for pull in (28, 44, 62, 82, 106, 134, 166):
            for side in (-1, 1):
                start, end = edge(a, 90 - side * 55), edge(b, -90 + side * 55)
                candidates.append(bow(start, end, (side * pull, 0)))
        self._wire(link, a, b, clear(candidates, self._others(a, b)))

    def across(
        self, link: Link, step: int, shown: tuple[bool, bool], colour: str, given: bool = False
    ) -> None:
        """The edge of a delayed link that arrives at a step.

        Dashed where its source or target is not shown; with its name where it brings a start value.
        """
        a, b = self.source(link, step - link.delay), self.target(link, step)
        side = math.copysign(1.0, b.x - a.x)
        level = abs(a.y - b.y) < (b.h if b.form == "panel" else CIRCLE) / 2
        goal = (b.x - side * b.w / 2, a.y) if level else b.border((a.x, a.y))
        start = (a.x + side * a.w / 2, a.y) if level else a.border((b.x, b.y))
        candidates = [line(start, goal)]
        over = (self.top + 40 - min(a.y, b.y)) / 0.7  # over everything, and under it
        under = (max(a.y, b.y) + 70) / 0.7
        for lift in (34, 48, 64, 84, -34, -48, -64, 110, -84, 140, -110, over, -under):
            angle = math.copysign(48, lift)
            start = edge(a, angle if side > 0 else 180 - angle)
            goal = edge(b, 180 - angle if side > 0 else angle)
            candidates.append(bow(start, goal, (0, lift)))
        path = clear(candidates, self._others(a, b))
        reach = STUB if path is candidates[0] else STUB * 0.6
        if not shown[0]:
            path = tail(path, reach)
            if given:
                self._start(link, path, side, step - link.delay)
        elif not shown[1]:
            path = self._tip(path, reach)
        self._wire(link, a, b, path, colour, shown)

    def back(self, link: Link, colour: str) -> None:
        """The recurrent edge of the folded figure, with the mark of its delay at the apex."""
        a, b = self.source(link, 0), self.target(link, 0)
        right = b.x + b.w / 2
        if a.inside == b.id:
            reaches = [30, 74, 118]
            candidates = [loop(edge(a, 28), (right, a.y - 18), right + more) for more in reaches]
        elif a is b:
            candidates = [loop(edge(a, 38), edge(b, -38), right + more) for more in (30, 74, 118)]
        else:
            low = -14.0 if a.y > b.y else 14.0
            reaches = [46, 60, 76, 94, 114, 138, 166, 198]
            candidates = [bow(edge(a, low), edge(b, -low), (reach, 0)) for reach in reaches]
        mirrored = [mirror(path, a.x) for path in candidates]
        if a.x != b.x:  # a mirror image would end beside its node
            low = 180 - low
            mirrored = [bow(edge(a, low), edge(b, -low), (-reach, 0)) for reach in reaches]
        looped = {k.source for k in self.view.links if k.delay and k.source == k.target}
        # Left of the middle a loop opens to the left; other edges leave the side to loops.
        if a.x < 0 or (link.source != link.target and {link.source, link.target} & looped):
            candidates, mirrored = mirrored, candidates
        choices = [path for pair in zip(candidates, mirrored, strict=True) for path in pair]
        others = self._others(a, b)
        path = next((p for p in candidates + mirrored if self._is_free(p, a, b, others)), None)
        path = path or clear(choices, others)
        self._wire(link, a, b, path, colour)
        (x, y), side = apex(path, a)
        ends = (link.source, link.target, link.name)
        delay_mark(self.scene, ends, link.delay, (x, y), colour, side)

    def _is_free(self, path: Path, a: Shape, b: Shape, others: Sequence[Shape]) -> bool:
        """Whether a recurrent edge and the label at its apex lie upon nothing."""
        points = flat(path)
        if any(s.distance(p) < CLEAR for s in others for p in points):
            return False
        (x, y), side = apex(path, a)
        label = Shape("", x + side * 20, y, 32, 17, "box", "op")
        texts = [Shape("", (l + r) / 2, (low + high) / 2, r - l, high - low, "box", "op")
                 for l, low, r, high in (text.box() for text in self.scene.texts)]  # fmt: skip
        solid = [s for s in (*others, *texts, a, b) if s.form != "panel"]
        if any(
            abs(s.x - label.x) < (s.w + 32) / 2 and abs(s.y - y) < (s.h + 17) / 2 for s in solid
        ):
            return False
        drawn = [p for wire, _ in self.drawn for p in flat(wire.path)]
        return not any(s.distance(p) < 2 for s in texts for p in points) and not any(
            label.distance(p) < 2 or math.dist(p, (x, y)) < CLEAR for p in drawn
        )

    def leave(self, name: str, step: int) -> None:
        """An arrow out of the picture: up, or aside if something stands above."""
        shape = self.source(Link(name, ""), step)
        top = (shape.x, shape.y + shape.h / 2)
        candidates = [line(top, (top[0], top[1] + 40))]
        for dx, dy in ((20, 34), (-20, 34), (28, 28), (-28, 28)):
            x, y = shape.border((shape.x + dx, shape.y + dy))
            candidates.append(line((x, y), (x + dx, y + dy)))
        path = clear(candidates, self._others(shape, shape))
        self.scene.wires.append(Wire(shape.id, "", path, width=1.5))

    def _wire(
        self, link: Link, a: Shape, b: Shape, path: Path, colour: str = INK,
        shown: tuple[bool, bool] = (True, True),
    ) -> None:  # fmt: skip
        ends = (a.id if shown[0] else "", b.id if shown[1] else "")
        pen = 2.0 if link.delay else 1.5
        wire = Wire(*ends, path, colour, pen, not all(shown), name=link.name, delay=link.delay)
        self.scene.wires.append(wire)
        self.drawn.append((wire, link))

    def _tip(self, path: Path, reach: float) -> Path:
        """The beginning of a path, its end not upon another edge."""
        others = [p for wire, _ in self.drawn for p in flat(wire.path)]

        def room(short: Path) -> float:
            return min((math.dist(short[-1], p) for p in others), default=math.inf)

        choices = [head(path, reach + more) for more in (0, 12, -10)]
        return next((c for c in choices if room(c) >= ARROW + CLEAR), choices[0])

    def _start(self, link: Link, path: Path, side: float, step: int) -> None:
        """The name of a start value, before its dashed edge."""
        block, state = self.view[link.source], self.state(link)
        spot = next(s for s in self.spots if s.block == block and s.state == state)
        x, y = path[0]
        anchor = "end" if side > 0 else "start"
        label = timed(spot.label, str(step).replace("-", "−"))
        places = [(4, 0), (4, 13), (4, -13), (14, 22), (14, -22), (26, 0), (44, 0), (26, 30)]
        choices = [Text(x - side * dx, y + dy, label, 13, MUTED, anchor) for dx, dy in places]
        if path[0][1] != path[-1][1]:  # beside a bow only what is drawn at last is known to be free
            self.bows.append(choices[:3])  # farther off it would be taken for another's
        elif not set(choices) & {*self.scene.texts}:  # two readers of one start value
            self.scene.texts.append(next(self._free(choices), choices[0]))

    def name_bows(self) -> None:
        """The names of start values that bows bring, where nothing else lies; drawn at last."""
        for choices in self.bows:
            if not set(choices) & {*self.scene.texts}:
                self.scene.texts += itertools.islice(self._free(choices), 1)

    def _free(self, choices: Sequence[Text]) -> Iterator[Text]:
        shapes = [s for s in self.shapes.values() if s.id]
        paths = [wire.path for wire in self.scene.wires]
        return (t for t in choices if is_clear(t, shapes, self.scene.texts, paths))

    def _others(self, a: Shape, b: Shape) -> list[Shape]:
        """What an edge from a to b must stay clear of."""
        ends = {name for s in (a, b) for name in (s.id, s.inside) if name}
        left, right = sorted((a.x, b.x))
        return [
            s
            for s in self.shapes.values()
            if s not in (a, b)
            and not ends & {s.id, s.inside}
            and left - self.pitch < s.x < right + self.pitch
        ]


def clear(candidates: Sequence[Path], others: Sequence[Shape], pieces: int = 12) -> Path:
    """The first curve that stays clear of other shapes, or the one that stays clearest.

    It is looked at in as many points of each piece.
    """

    def room(path: Path) -> float:
        points = flat(path, pieces)
        return min((s.distance(p) for s in others for p in points), default=math.inf)

    def is_free(path: Path) -> bool:
        xs, ys = zip(*path, strict=True)  # a curve lies between its points
        left, right, low, high = min(xs) - CLEAR, max(xs) + CLEAR, min(ys) - CLEAR, max(ys) + CLEAR
        near = [
            s for s in others
            if s.x - s.w / 2 < right and left < s.x + s.w / 2
            and s.y - s.h / 2 < high and low < s.y + s.h / 2
        ]  # fmt: skip
        return not any(s.distance(p) < CLEAR for s in near for p in flat(path, pieces))

    free = next(filter(is_free, candidates), None)
    return free or max(candidates, key=room)


def apex(path: Path, a: Shape) -> tuple[Point, int]:
    """The point of a recurrent edge that is farthest to a side of its source, and the side."""
    x, y = max(flat(path), key=lambda p: abs(p[0] - a.x))
    return (x, y), 1 if x > a.x else -1


def edge(s: Shape, degrees: float) -> Point:
    """The point of a shape's border in a direction, counted from the right against the clock."""
    angle = math.radians(degrees)
    return s.border((s.x + math.cos(angle), s.y + math.sin(angle)))
