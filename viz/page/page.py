"""The file: template, style and script filled with a study."""

from __future__ import annotations

import json
import os
import platform
import sys
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.extras import needed, version
from rnn.bptt import ladder, why
from rnn.bptt.recorded import Loss
from rnn.cell import Cell
from viz.formulas.equations import equations
from viz.output.files import write as write_file
from viz.page.lesson import flow_plot, one_unit
from viz.page.live import Live, live
from viz.page.maps import SCALES, Map, heat_map
from viz.page.numbers import UNITS, Numbers, Report, study, unheard
from viz.page.pictures import SHOWN, drawings, truncation_plot
from viz.scene.label import clean

FOLDER = Path(__file__).parent

MOST = 100
"""Steps of a page; its tables grow with their square."""

PARTS = ("run", "messages", "totals", "ledger", "truncation", "ladder", "drawings", "page")
"""What is computed, in its order."""

WORDS = {
    "folded": "One step; what is carried over leaves on one side and comes back on the other.",
    "unfolded": "All steps: the same weights at each of them.",
    "backward": "The adjoint: the same network read from the loss back, which runs against time.",
}


def write(
    path: str | os.PathLike[str],
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    loss: Loss,
    *,
    text: str | None = None,
    title: str | None = None,
    state: Any = None,
    report: Report = unheard,
) -> str:
    """Write the page of a cell on a sequence as one HTML file; gives back the path.

    Args:
        path: of the file, which is written whole or not at all.
        cell: any.
        params: from `cell.init`, or trained.
        xs: the sequence `(T, B, X)`, or class indices `(T, B)`. Values and messages are those of
            the first sample; derivatives are of the loss of all. With one sample, T ≤ 12, at most
            8 units and 8 inputs the page computes, and its numbers can be changed.
        loss: a function of the outputs `(T, B, O)` that gives a number.
        text: the characters of the sequence, one a step.
        title: of the page.
        state: start values, as `rnn.run` takes them, and chooses them if None.
        report: hears each of `PARTS` before it is computed; a wide network on a long sequence
            takes its time.

    Raises:
        ImportError: jinja2 or matplotlib are not there; says how they are installed.
        ValueError: a sequence without steps or of more than 100, or a text of another length.
        OSError: the place cannot be written.
    """
    source = html(cell, params, xs, loss, text=text, title=title, state=state, report=report)
    write_file(os.fspath(path), source.encode())
    return os.fspath(path)


def html(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    loss: Loss,
    *,
    text: str | None = None,
    title: str | None = None,
    state: Any = None,
    report: Report = unheard,
) -> str:
    """The page as text; arguments are those of `write`.

    >>> import numpy as np, minigrad as mg, rnn
    >>> cell = rnn.RNNCell(1, 2)
    >>> page = html(cell, cell.init(0), np.ones((3, 1, 1)), lambda ys: mg.sum(ys[-1]))
    >>> page.startswith("<!doctype html>"), "http://" in page.replace("http://www.w3.org/", "")
    (True, False)
    """
    jinja = needed("jinja2", "study", "the page of a study")
    needed("matplotlib", "study", "the page of a study")  # for its plots, told before the work
    if len(xs) > MOST:
        raise ValueError(
            f"page: {len(xs):,} steps are more than one can look at (limit {MOST}); study a part "
            "of them, such as xs[:50]"
        )
    if text is not None and len(text) != len(xs):
        raise ValueError(f"page: the text has {len(text)} characters for {len(xs)} steps")
    found = study(cell, params, xs, loss, state, report)
    report("drawings")
    linked = drawings(found)
    report("page")
    program = live(found)
    script = _script(program)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    css = (FOLDER / "page.css").read_text("utf-8")
    style = b64encode(sha256(css.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'sha256-{style}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    environment = jinja.Environment(
        loader=jinja.FileSystemLoader(FOLDER), autoescape=True, undefined=jinja.StrictUndefined,
        finalize=lambda x: clean(x, sys.maxsize) if type(x) is str else x,
    )  # fmt: skip
    island = found.island()
    island |= {"widest": _widest(found), "direction": found.run.direction}
    return str(
        environment.get_template("page.html.j2").render(
            title=title or f"{cell.label}, step by step",
            css=jinja.utils.markupsafe.Markup(css),
            policy=policy,
            script=script,
            cell=cell.label,
            T=found.steps,
            count=f"{sum(w.size for w in found.run.inputs[: len(found.run.params)]):,}",
            loss=f"{found.run.loss:.6g}",
            drawings=[(name, svg, _told(name, found)) for name, (svg, _) in linked.items()],
            params=found.run.params,
            formulas=[(found.names.index(name), x) for name, x in found.formulas.items()],
            unit=one_unit(),
            unit_gradient=sum(s.share for s in one_unit()),
            forward=_lines(equations(cell).html),
            backward=_lines(equations(cell, adjoint=True).html),
            units=min(UNITS, max((island["sizes"]), default=0)),
            maps=_maps(found, island, text),
            text=text,
            tables=_tables(found),
            widest=island["widest"],
            state=found.state,
            sentence=_sentence(found),
            flow=flow_plot(),
            truncation=found.truncation and truncation_plot(found.truncation),
            truncation_sentence=_capital(found.truncation.sentence) if found.truncation else "",
            live=_knobs(found, program),
            inputs=program.layout["xs"] if program else [],
            environment=_environment(),
            scales={name: asdict(scale) for name, scale in SCALES.items()},
            scales_island=_json({name: asdict(scale) for name, scale in SCALES.items()}),
            numbers=_json(island),
            links=_json({name: links for name, (_, links) in linked.items()}),
            layout=_json(program.layout if program else None),
        )
    )


def _told(name: str, found: Numbers) -> str:
    """What stands below a drawing."""
    left_out = name == "unfolded" and found.steps > SHOWN
    more = f" Of {found.steps} the first and the last are drawn." if left_out else ""
    return WORDS[name] + more


def _script(program: Live | None) -> str:
    """The one script: the program of this network, and the parts of ours in their order."""
    functions = ",\n".join(program.functions) if program else ""
    ours = [path.read_text("utf-8") for path in sorted((FOLDER / "script").glob("*.js"))]
    return "\n".join(['"use strict";', f"const PROGRAM = [{functions}];", *ours])


def _json(x: Any) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(x, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _lines(equations: str) -> str:
    return "<br>".join(equations.splitlines())


def _maps(found: Numbers, island: Mapping[str, Any], text: str | None) -> dict[str, Map | None]:
    steps = range(1, found.steps + 1)
    columns = steps if text is None else [f"{c!r}"[1:-1] if c != " " else "␣" for c in text]
    share, ladder = island["ledger"][island["widest"]], island["ladder"]
    of = found.run.params[island["widest"]]
    totals = island["norms"]
    return {
        "values": heat_map("values", "Named values at every step, mean over the units", "value",
                           "", columns, found.names, island["means"]),
        "totals": heat_map("totals", "Norm of the total derivative of the loss, beside the largest",
                           "norm", "", columns, found.names, totals,
                           max((x or 0 for row in totals for x in row), default=0) or 1.0),
        "ledger": heat_map("ledger", f"Percent of dL/d{of}: loss step s down, use step t across",
                           "share", "s \\ t", steps, steps, share,
                           max((abs(x or 0) for row in share for x in row), default=0) or 1.0),
        "ladder": None if ladder is None else heat_map(
            "ladder", f"How much {found.state} at step k (across) moves {found.state} at t (down)",
            "gain", "t \\ k", steps, steps, ladder),
    }  # fmt: skip


def _tables(found: Numbers) -> dict[str, Any]:
    return {
        "totals": clean(found.totals.table().html(), sys.maxsize),
        "ledger": clean(found.ledger.table().html(), sys.maxsize),
        "truncation": found.truncation and clean(found.truncation.table().html(), sys.maxsize),
    }


def _widest(found: Numbers) -> int:
    """The parameter whose ledger has most off its diagonal: the one that reaches back."""
    accounts = found.ledger.accounts.values()
    off = [float(a.norms.sum() - np.trace(a.norms)) for a in accounts]
    return int(np.argmax(off)) if off else 0


def _sentence(found: Numbers) -> str:
    """Whether the gradient lives, or what went wrong where."""
    if found.ladder is None or found.state is None:
        return ""
    if not np.isfinite(found.ladder).all():
        return _capital(why(found.cell, found.params, found.xs, found.loss).sentence)
    return _capital(ladder(found.cell, found.params, found.xs, of=found.state).sentence)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _knobs(found: Numbers, program: Live | None) -> list[dict[str, Any]]:
    """For each parameter its entries in rows."""
    if program is None:
        return []
    knobs = []
    for k, name in enumerate(found.run.params):
        weights = np.atleast_2d(found.run.inputs[k])
        rows = weights.reshape(-1, weights.shape[-1])
        numbers = [
            [(r * rows.shape[1] + c, f"{x:.6g}") for c, x in enumerate(row)]
            for r, row in enumerate(rows)
        ]
        knobs.append({"place": k, "name": name, "rows": numbers})
    return knobs


def _environment() -> str:
    own = version() or "a checkout"
    return (
        f"minigrad-rnn {own}, Python {platform.python_version()}, NumPy {np.__version__}, "
        f"{platform.system()} {platform.machine()}"
    )
