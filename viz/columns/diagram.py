"""Operations as columns: a folded graph as one, its unfolding as many, a recorded graph as it ran.

From blocks and links to strips of boxes and signals between them; places are the matter of
`channels`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from minigrad.graph import Node
from viz.columns.boxes import Box, Dress, box, box_id
from viz.columns.channels import MEDIUM, Signal
from viz.columns.rows import Row, arrange, stack
from viz.columns.strips import THIN, Strip
from viz.quotients.bands import Band, bands
from viz.quotients.layers import Layers
from viz.quotients.operations import layers_of
from viz.quotients.quotient import Link, Quotient
from viz.quotients.steps import Steps, told
from viz.scene.label import Label, named_part, plain, scoped, symbol, timed, words
from viz.scene.scene import Scene
from viz.scene.style import INK, WIRE


def folded(view: Quotient, nodes: Sequence[Node], scene: Scene, tags: bool = True) -> None:
    """One step, with its recurrent edges as loops through a delay."""
    layers = bands(view, nodes)
    tints = colours(view, scene, layers)
    strips = [*_parameters(view, nodes), replace(_strip(view, nodes, "t", "", tags), title="")]
    n = len(strips) - 1
    signals = [
        Signal(k.source, k.target, n, n, tints[k.name], (), k.name, k.delay, is_loop=True)
        for k in view.links
        if k.delay
    ]
    signals += _tied(view, scene, n, "") + results(view, "t", "", n, tints)
    _layered(scene, strips, signals, layers)


def unfolded(
    view: Quotient, nodes: Sequence[Node], steps: Steps, scene: Scene, tags: bool = True,
    later: Quotient | None = None,
) -> None:  # fmt: skip
    """A column for each step that is shown, recurrent edges from column to column.

    Args:
        view: the quotient of a step.
        nodes: of the graph.
        steps: the steps that are shown.
        scene: what is added to.
        tags: draw parameters beside their readers.
        later: the quotient of all shown steps but the first, if it is another one.
    """
    layers = [_with_short(band, later, view) for band in bands(view, nodes)]
    tints = colours(view, scene, layers)
    own = dict.fromkeys(steps.shown, later or view) | {steps.shown[0]: view}
    strips = {steps.column(t): _strip(v, nodes, str(t), f"t{t}", tags) for t, v in own.items()}
    strips |= {p: Strip(told(first, last), is_gap=True) for p, first, last in steps.gaps}
    named = layers_of(nodes, [k.name for k in view.links if k.delay])
    signals: dict[Signal, None] = {}
    for t, step in own.items():
        for k in step.links:
            for reader in (t, t + k.delay) if k.delay else ():
                if own.get(reader, step) is step:  # otherwise read by other blocks
                    signals[_carried(k, reader, steps, tints[k.name], named)] = None
        signals |= dict.fromkeys(results(step, str(t), f"t{t}", steps.column(t), tints))
    before = _parameters(view, nodes)
    n = len(before)
    passed = [replace(s, start=s.start + n, stop=s.stop + n) for s in signals]
    if len(layers) > 1:
        passed = [_aside(s, n + len(strips)) for s in passed]
    for t, step in own.items():
        passed += _tied(step, scene, steps.column(t) + n, f"t{t}")
    _layered(scene, [*before, *(strips[p] for p in sorted(strips))], passed, layers)


def _with_short(band: Band, later: Quotient | None, view: Quotient) -> Band:
    """The band with the blocks that stand for some of its own in later steps."""
    if later is None:
        return band
    short = {b.id for b in later.blocks if view.of.get(b.nodes[0], b.id) in band.blocks}
    return replace(band, blocks=band.blocks | short)


def _layered(
    scene: Scene, strips: Sequence[Strip], signals: Sequence[Signal], layers: Sequence[Band]
) -> None:
    """A row for each band; what goes from one to another goes up."""
    row = {name: n for n, band in enumerate(layers) for name in band.blocks}
    rows = []
    for n, band in enumerate(layers):
        parts = []
        for strip in strips:
            inside = tuple(b for b in strip.boxes if row[b.shape.block] == n)
            names = {b.shape.id for b in inside}
            edges = tuple(e for e in strip.edges if names.issuperset(e))
            parts.append(replace(strip, boxes=inside, edges=edges))
        rows.append(Row(tuple(parts), band.title))
    of = {b.shape.id: row[b.shape.block] for strip in strips for b in strip.boxes}
    between = [
        Signal(a, b, k, k, WIRE, pen=THIN)
        for k, strip in enumerate(strips)
        for a, b in strip.edges
        if of[a] != of[b]
    ]
    stack(scene, rows, [*signals, *between])


def _aside(s: Signal, count: int) -> Signal:
    """The signal with a start value, or last value, that stands beside all columns."""
    if not (s.label and s.delay):
        return s
    outside = count if (s.delay < 0) == (not s.source) else -1
    return replace(s, start=outside) if not s.source else replace(s, stop=outside)


def _parameters(view: Quotient, nodes: Sequence[Node]) -> list[Strip]:
    """A column for what all steps share, if there is such."""
    boxes = tuple(box(block, nodes) for block in view.blocks if block.id in view.shared)
    return [Strip("parameters", boxes)] if boxes else []


def _tied(view: Quotient, scene: Scene, place: int, suffix: str) -> list[Signal]:
    """From the shared parameters to their readers in the column at a place."""
    colour = scene.style.look("weight").line
    return [
        Signal(k.source, box_id(k.target, suffix), 0, place, colour, pen=MEDIUM)
        for k in view.links
        if k.source in view.shared
    ]


def _carried(k: Link, reader: int, steps: Steps, colour: str, named: Layers) -> Signal:
    """The signal of a recurrent edge that is read at a step; its ends may not be shown."""
    writer = reader - k.delay
    source = f"{k.source}_t{writer}" if writer in steps.shown else ""
    target = f"{k.target}_t{reader}" if reader in steps.shown else ""
    inside = [1 <= t <= steps.total for t in (writer, reader)]
    start = steps.column(writer if inside[0] else reader)
    stop = steps.column(reader if inside[1] else writer)
    label = () if all(inside) else timed(_state(k, named), str(writer).replace("-", "−"))
    return Signal(source, target, start, stop, colour, label, k.name, k.delay)


def recorded(
    view: Quotient,
    nodes: Sequence[Node],
    steps: Steps | None,
    scene: Scene,
    dress: Dress,
    tags: bool = True,
) -> None:
    """A graph as it was recorded: a column for each step, and one for what came before and after.

    Args:
        view: the quotient; its blocks know their step.
        nodes: of the graph.
        steps: the steps that are shown; None for a graph without steps.
        scene: what is added to.
        dress: writes shapes and numbers on the boxes.
        tags: draw what all steps share beside its readers.
    """
    places = _when(view, steps)
    last = max(places.values(), default=0)
    boxes: dict[int, list[Box]] = {p: [] for p in range(last + 1)}
    hidden = {p + 1: told(first, end) for p, first, end in (steps.gaps if steps else ())}
    for block in view.blocks:
        p = places[block.id]
        if p not in hidden:
            time = str(block.step) if block.step is not None else ""
            boxes[p].append(box(block, nodes, time, tags=tags, dress=dress))
    edges: dict[int, list[tuple[str, str]]] = {p: [] for p in boxes}
    for k in view.links:
        p = places[k.source]
        if p == places[k.target] and p not in hidden:
            edges[p].append((k.source, k.target))
    strips = [
        Strip(
            hidden.get(p, _title(boxes[p], view)),
            tuple(boxes[p]),
            tuple(edges[p]),
            is_gap=p in hidden,
        )
        for p in range(last + 1)
    ]
    # Only what is there gets a column: often nothing came before the steps.
    kept = [p for p, strip in enumerate(strips) if strip.boxes or p in hidden]
    moved = {p: n for n, p in enumerate(kept)}
    signals = [
        replace(s, start=moved[s.start], stop=moved[s.stop])
        for s in _between(view, nodes, places, set(hidden), scene)
    ]
    arrange(scene, [strips[p] for p in kept], signals)


def _between(
    view: Quotient, nodes: Sequence[Node], places: dict[str, int], hidden: set[int], scene: Scene
) -> list[Signal]:
    """What passes between the columns of a recorded graph; states have colours of their own."""
    readers = Counter(target for _, target in {(k.source, k.target) for k in view.links})
    states: dict[str, int] = {}
    signals: dict[Signal, None] = {}
    for k in view.links:
        a, b = places[k.source], places[k.target]
        source, target = ("" if p in hidden else n for p, n in ((a, k.source), (b, k.target)))
        if a == b or not (source or target):
            continue
        block, colour, name, pen = view[k.source], WIRE, k.source, MEDIUM
        if block.step and view[k.target].step:
            name = plain(named_part(block.label) or block.label)
            number = states.setdefault(name, len(states))
            colour = scene.style.carry(number, block.kind == "cell")
            pen = Signal.pen
        bus = k.target if readers[k.target] > 2 else ""
        signals[Signal(source, target, a, b, colour, (), name, 0, bus, pen=pen)] = None
    return list(signals)


def _when(view: Quotient, steps: Steps | None) -> dict[str, int]:
    """The place of each block: 0 before all steps, then the steps, then what reads them."""
    if steps is None:
        return dict.fromkeys((b.id for b in view.blocks), 0)
    after = len(steps.places) + len(steps.gaps) + 1
    sources: dict[str, list[str]] = {}
    for k in view.links:
        sources.setdefault(k.target, []).append(k.source)
    places: dict[str, int] = {}
    for block in view.blocks:
        if block.step is not None and block.step > 0:
            places[block.id] = steps.column(block.step) + 1
        else:
            later = any(places[name] > 0 for name in sources.get(block.id, ()))
            places[block.id] = after if later else 0
    return places


def _title(boxes: Sequence[Box], view: Quotient) -> str:
    step = next((view[b.shape.block].step for b in boxes), None)
    return "" if step is None else f"t = {step}"


def results(
    view: Quotient, time: str, suffix: str, place: int, tints: dict[str, str]
) -> list[Signal]:
    """Results of every step leave at the top."""
    found = []
    for name in view.outputs:
        carried = next((k.name for k in view.links if k.delay and k.source == name), "")
        label = named_part(view[name].label)
        text = timed(label or words("y"), time)
        colour = tints.get(carried, INK)
        found.append(Signal(box_id(name, suffix), "", place, place, colour, text, carried))
    return found


def _strip(view: Quotient, nodes: Sequence[Node], time: str, suffix: str, tags: bool) -> Strip:
    own = [block for block in view.blocks if block.id not in view.shared]
    boxes = tuple(box(block, nodes, time, suffix, tags) for block in own)
    inside = [(a, b) for a, b in view.inside() if a not in view.shared]
    edges = tuple((box_id(a, suffix), box_id(b, suffix)) for a, b in inside)
    return Strip(f"t = {time}", boxes, edges)


def _state(link: Link, layers: Layers) -> Label:
    """The symbol of a recurrent value."""
    scope, name = scoped(link.name)
    return symbol(name, sub=layers.sub(name, scope))


def colours(view: Quotient, scene: Scene, layers: Sequence[Band] = ()) -> dict[str, str]:
    """A colour for each recurrent value; each layer begins with the first."""
    found: dict[str, str] = {}
    for band in layers or [Band(frozenset(b.id for b in view.blocks))]:
        names = dict.fromkeys(k.name for k in view.links if k.delay and k.source in band.blocks)
        found |= {n: scene.style.carry(k, n in view.memories) for k, n in enumerate(names)}
    return found
