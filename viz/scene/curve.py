"""Curves: chains of cubic Béziers, `(start, c1, c2, end, c1, c2, end, ...)`, y pointing up.

Both renderers take exactly these points, so a picture is the same wherever it is drawn.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache

Point = tuple[float, float]
Path = tuple[Point, ...]


def line(a: Point, b: Point) -> Path:
    """A straight line."""
    return (a, _between(a, b, 1 / 3), _between(a, b, 2 / 3), b)


def rise(a: Point, b: Point) -> Path:
    """A curve from a up to b that leaves and arrives vertically."""
    if abs(a[0] - b[0]) < 0.01:
        return line(a, b)
    middle = (a[1] + b[1]) / 2
    return (a, (a[0], middle), (b[0], middle), b)


def elbow(points: Sequence[Point], radius: float = 9.0) -> Path:
    """A line through the points with rounded corners."""
    path: list[Point] = [points[0]]
    for k in range(1, len(points) - 1):
        before, corner, after = points[k - 1 : k + 2]
        r = min(radius, math.dist(before, corner) / 2, math.dist(corner, after) / 2)
        if r < 0.01:
            continue
        enter, leave = _toward(corner, before, r), _toward(corner, after, r)
        path += line(path[-1], enter)[1:]
        path += (_between(enter, corner, 0.55), _between(leave, corner, 0.55), leave)
    path += line(path[-1], points[-1])[1:]
    return tuple(path)


def bow(a: Point, b: Point, pull: Point) -> Path:
    """One cubic from a to b whose two handles are moved by `pull`."""
    return (
        a,
        (a[0] * 0.8 + b[0] * 0.2 + pull[0], a[1] * 0.8 + b[1] * 0.2 + pull[1]),
        (a[0] * 0.2 + b[0] * 0.8 + pull[0], a[1] * 0.2 + b[1] * 0.8 + pull[1]),
        b,
    )


def loop(start: Point, end: Point, apex: float) -> Path:
    """A loop on the right from `start` (above) to `end` (below) that reaches x = apex."""
    middle, half = (start[1] + end[1]) / 2, abs(start[1] - end[1]) / 2 + 12
    top, low, right = middle + half, middle - half, (apex, middle)
    reach = apex - max(start[0], end[0])
    return (
        start,
        (start[0] + reach * 0.3, top + half * 0.06),
        (apex, top + half * 0.1),
        right,
        (apex, low - half * 0.1),
        (end[0] + reach * 0.3, low - half * 0.06),
        end,
    )


def join(*paths: Path) -> Path:
    """One path of several, each starting where the one before ends."""
    whole = list(paths[0])
    for path in paths[1:]:
        whole += (
            path[1:]
            if math.dist(whole[-1], path[0]) < 0.01
            else line(whole[-1], path[0])[1:] + path[1:]
        )
    return tuple(whole)


def mirror(path: Path, x: float) -> Path:
    """The path reflected in the vertical line at x."""
    return tuple((2 * x - px, py) for px, py in path)


@lru_cache(4096)
def flat(path: Path, pieces: int = 12) -> tuple[Point, ...]:
    """Points along the path, `pieces` for each cubic."""
    points = [path[0]]
    for k in range(0, len(path) - 1, 3):
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = path[k : k + 4]
        points += [
            (wa * ax + wb * bx + wc * cx + wd * dx, wa * ay + wb * by + wc * cy + wd * dy)
            for wa, wb, wc, wd in _weights(pieces)
        ]
    return tuple(points)


def cut(path: Path, amount: float) -> tuple[Path, Path]:
    """The path in two: the first part, of about that length, and the rest."""
    for k in range(0, len(path) - 1, 3):
        piece = path[k : k + 4]
        points = flat(piece)
        for n, (a, b) in enumerate(itertools.pairwise(points)):
            step = math.dist(a, b)
            if step >= amount and step:
                first, rest = _split(piece, (n + amount / step) / (len(points) - 1))
                return (*path[:k], *first), (*rest, *path[k + 4 :])
            amount -= step
    return path, (path[-1],) * 4


def head(path: Path, amount: float) -> Path:
    """The first part of the path, of about that length."""
    return cut(path, amount)[0]


def tail(path: Path, amount: float) -> Path:
    """The last part of the path, of about that length."""
    return reverse(cut(reverse(path), amount)[0])


def reverse(path: Path) -> Path:
    """The path from its end to its start."""
    return path[::-1]


def arrow(path: Path, size: float) -> tuple[Path, Point]:
    """The path without its last `size` points of length, and the tip it pointed at."""
    return reverse(cut(reverse(path), size)[1]), path[-1]


def _split(piece: Path, s: float) -> tuple[Path, Path]:
    """One cubic in two, at parameter s (de Casteljau)."""
    a, b, c, d = piece
    ab, bc, cd = _between(a, b, s), _between(b, c, s), _between(c, d, s)
    abc, bcd = _between(ab, bc, s), _between(bc, cd, s)
    at = _between(abc, bcd, s)
    return (a, ab, abc, at), (at, bcd, cd, d)


@lru_cache
def _weights(pieces: int) -> tuple[tuple[float, float, float, float], ...]:
    """How much of its four points a cubic is, at the end of each piece."""
    found = []
    for n in range(1, pieces + 1):
        s, r = n / pieces, 1 - n / pieces
        found.append((r * r * r, 3 * r * r * s, 3 * r * s * s, s * s * s))
    return tuple(found)


def _between(a: Point, b: Point, s: float) -> Point:
    return (a[0] + (b[0] - a[0]) * s, a[1] + (b[1] - a[1]) * s)


def _toward(a: Point, b: Point, distance: float) -> Point:
    return _between(a, b, distance / (math.dist(a, b) or 1))
