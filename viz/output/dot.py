r"""Scene to `graphviz.Digraph`: every place is in the DOT, and `layout=nop2` keeps it.

So `dot -Tpng file.gv`, the `graphviz` package, notebooks and pygraphviz draw the same picture.
Text has character references wherever DOT would read a meaning into a character, so `\N` or `<B>`
in a name stays text: labels are HTML-like, tips never begin with `<`. Names of nodes are our own.
"""

from __future__ import annotations

import re
from html import escape

import graphviz

from viz.output.svg import stroke_width
from viz.scene.curve import arrow
from viz.scene.label import Label, Run, clean, plain
from viz.scene.scene import Scene, Shape, Text, Wire
from viz.scene.style import ARROW, GROUND, INK, MARK, MITRE, SCRIPT, SLANTED, Style


def digraph(
    scene: Scene, layout: str = "nop2", dpi: int | None = None, scale: float = 1.0
) -> graphviz.Digraph:
    """The scene as a Digraph; another layout than "nop2" lets Graphviz place the nodes.

    Every block of the picture is a node with its own name and label and every link an edge between
    two such nodes; helper points of wires that end in the open are called `_1`, `_2` and so on.
    So that a program can read the graph back, nodes have the attribute `block`, and edges `delay`
    or, where they come from a bus, what it `carries`: `x:0 h:1`. `dpi` is that of pixels.
    """
    pinned, style = layout == "nop2", scene.style
    ground = style.paint(GROUND)
    ground = "transparent" if ground == "none" else ground
    word = style.faces["word"]
    graph = graphviz.Digraph(
        comment=None,
        graph_attr={
            "layout": layout, "splines": "true", "bgcolor": ground, "pad": "0.18",
            "outputorder": "nodesfirst", "fontname": word, "id": "picture",
            "tooltip": _tip(scene.title), "label": "",
            **({} if pinned else {"rankdir": "BT"}),
            **({"dpi": str(dpi)} if dpi else {}),
            **({"size": _size(scene, scale)} if scale != 1 else {}),
        },
        node_attr={"fontname": word, "label": ""},
        edge_attr={"fontname": word},
    )  # fmt: skip
    for s in scene.shapes.values():
        if pinned or s.form not in ("panel", "square"):
            _node(graph, scene, s, pinned)
    count = 0
    for wire in scene.wires:
        ends = []
        for name, point in ((wire.source, wire.path[0]), (wire.target, wire.path[-1])):
            if not name:
                count += 1
                name = f"_{count}"
                place = {"pos": _at(point)} if pinned else {}
                graph.node(name, label="", shape="point", style="invis", width="0.01", **place)
            ends.append(name)
        _edge(graph, wire, style.paint(wire.colour), ends, pinned)
    if pinned:
        for k, text in enumerate(scene.texts, 1):
            _note(graph, style, text, f"_text{k}")
    return graph


def _size(scene: Scene, scale: float) -> str:
    """How wide and high Graphviz is to make the whole, in inches."""
    left, low, right, high = scene.bounds()
    sides = ((side + 2 * 0.18 * 72) * scale / 72 for side in (right - left, high - low))
    return "{:.4f},{:.4f}!".format(*sides)


def _node(graph: graphviz.Digraph, scene: Scene, s: Shape, pinned: bool) -> None:
    look, paint = scene.style.look(s.kind), scene.style.paint
    shape = {"circle": "circle"}.get(s.form, "box")
    style = "rounded,filled" if s.form in ("box", "panel") else "filled"
    if look.dash:
        style += ",dotted" if float(look.dash.split()[0]) <= 2 else ",dashed"
    ring = {"peripheries": "2"} if s.is_marked else {}
    block = s.block or (scene.shapes[s.inside].block if s.inside else "")
    shows = {"block": block} if block else {}
    place = {"pos": _at((s.x, s.y))} if pinned else {}
    graph.node(
        s.id,
        label=_lines(scene.style, s.lines, s.sizes(), s.bold, s.is_fraction),
        shape=shape,
        style=style,
        fillcolor=paint(s.fill or look.fill),
        color=paint(MARK if s.is_marked else s.line or look.line),
        fontcolor=paint(INK),
        penwidth=f"{stroke_width(s, look):g}",
        fixedsize="true",
        width=f"{s.w / 72:.4f}",
        height=f"{s.h / 72:.4f}",
        fontsize=f"{s.size:g}",
        id=s.id,
        tooltip=_tip(s.title or plain(s.lines[0] if s.lines else ())),
        **ring,
        **shows,
        **place,
    )


def _tip(text: str) -> str:
    # Tips know escapes such as `\G`, and not every Graphviz takes `\\\\` for a backslash.
    return escape(clean(text, 400)).replace("\\", "∖")


def _edge(
    graph: graphviz.Digraph, wire: Wire, colour: str, ends: list[str], pinned: bool
) -> None:
    pos = {}
    if pinned:
        path, start = wire.path, ""
        if wire.head:
            # Graphviz 2 draws the outline of an arrowhead beyond its tip, newer ones do not: with
            # half of it kept back, neither runs into the node or ends far from it.
            path, _ = arrow(path, MITRE * wire.width / 2)
            path, tip = arrow(path, ARROW * wire.head)
            start = f"e,{_at(tip)} "
        pos = {"pos": start + " ".join(_at(p) for p in path)}
    graph.edge(
        *ends,
        color=colour,
        penwidth=f"{wire.width:g}",
        style="dashed" if wire.dashed else "solid",
        arrowsize=f"{wire.head * ARROW / 10:g}",
        arrowhead="normal" if wire.head else "none",
        **({"delay": str(wire.delay)} if wire.delay else {}),
        **({"carries": " ".join(f"{a}:{d}" for a, d in wire.carries)} if wire.carries else {}),
        **({} if pinned or wire.delay == 0 else {"constraint": "false"}),
        **pos,
    )


def _note(graph: graphviz.Digraph, style: Style, text: Text, name: str) -> None:
    left, low, right, top = text.box()
    label = _lines(style, (text.label,), [text.size], text.bold)
    if text.anchor != "middle" and label:
        # Aligned in more room than it takes, text begins or ends at its place in any font.
        room = round((right - left) * 0.25)
        left, right = (left, right + room) if text.anchor == "start" else (left - room, right)
        side = "LEFT" if text.anchor == "start" else "RIGHT"
        cell = f'<TD ALIGN="{side}" WIDTH="{right - left:.0f}">{label[1:-1]}</TD>'
        frame = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'
        label = f"<<TABLE {frame}><TR>{cell}</TR></TABLE>>"
    graph.node(
        name,
        label=label,
        shape="plaintext",
        margin="0",
        width="0.01",
        height="0.01",
        fontcolor=style.paint(text.colour),
        pos=_at(((left + right) / 2, (low + top) / 2)),
    )


def _lines(
    style: Style, lines: tuple[Label, ...], sizes: list[float], bold: bool,
    is_fraction: bool = False,
) -> str:  # fmt: skip
    """An HTML-like label; an empty one for no lines."""
    rows = [
        "".join(_run(style, run, size, bold) for run in label if run.text)
        for label, size in zip(lines, sizes, strict=True)
    ]
    rows = [row for row in rows if row]
    if is_fraction:
        rows[0] = f"<U>{rows[0]}</U>"
    if len(rows) > 1:  # thin lines: room for a subscript, and as much above it
        thin = '<FONT POINT-SIZE="3">&#160;</FONT>'
        rows = [thin, rows[0], thin, *rows[1:]]
    return f"<{'<BR/>'.join(rows)}>" if rows else ""


def _run(style: Style, run: Run, size: float, bold: bool) -> str:
    # Graphviz replaces `\N` even in HTML-like labels, unless the backslash is in tags of its own.
    parts = re.split(r"(\\)", run.text)
    return "".join(_plain_run(style, run._replace(text=part), size, bold) for part in parts if part)


def _plain_run(style: Style, run: Run, size: float, bold: bool) -> str:
    # An HTML-like label drops spaces at the ends of a run.
    text = escape(run.text).replace(" ", "&#160;")
    if run.role == SLANTED:
        text = f"<I>{text}</I>"
    if bold:
        text = f"<B>{text}</B>"
    # Pango makes scripts smaller by 1.2 once more.
    points = size * (SCRIPT * 1.2 if run.script else 1.0)
    text = f'<FONT FACE="{style.faces[run.role]}" POINT-SIZE="{points:.1f}">{text}</FONT>'
    if run.script:
        tag = "SUP" if run.script > 0 else "SUB"
        text = f"<{tag}>{text}</{tag}>"
    return text


def _at(point: tuple[float, float]) -> str:
    return f"{point[0]:.2f},{point[1]:.2f}"
