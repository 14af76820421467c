"""`minigrad check`: hold functions and cells to their laws.

`minigrad check pkg.module:name` checks a cell, or a function together with what it is called on:
`example_inputs`, an attribute of the function or a name in its module. A function with an attribute
`backward` is NumPy with a backward pass written by hand. Without `:name`, everything in the module
that can be checked is. A file or a folder of files may stand for the module. `--html FILE` writes
the same report as one page, with the graph at fault drawn. Exit code 1 if anything is wrong;
`minigrad check minigrad.testing.faults` shows eight things that are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viz.cli.targets import resolve
from viz.given import MANY, count
from viz.output.files import write
from viz.output.html import document, image, text

FAILED, MISTAKEN = 1, 2


@dataclass(frozen=True)
class Finding:
    """What was found about one thing.

    Attributes:
        name: of the thing; `ok`: whether it is right; `text`: the report on the terminal.
        pictures: what is drawn beside it in a page, as SVG under a caption.
        is_judged: whether there was a right answer to compare with; see `check_gradients`.
    """

    name: str
    ok: bool
    text: str
    pictures: tuple[tuple[str, str], ...] = ()
    is_judged: bool = True

    @property
    def verdict(self) -> str:
        """In one word, or in three."""
        return "WRONG" if not self.ok else "right" if self.is_judged else "cannot be judged"


def add(commands: Any) -> None:
    """Say what `minigrad check` takes."""
    p = commands.add_parser("check", help="test gradients and recurrent laws", description=__doc__)
    p.add_argument("targets", nargs="*", metavar="module:name", help="function, cell, or module")
    p.add_argument("--draws", type=int, default=3, help="random draws of each law (%(default)s)")
    p.add_argument("--artifacts", metavar="DIR", help="folder for report, program and picture")
    p.add_argument("--html", metavar="FILE", help="write the report as one page, too")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check, print, and return 1 if something is wrong."""
    if not args.targets:
        raise ValueError("check: name a function or cell, as pkg.module:name")
    count("check", "--draws", args.draws, MANY)
    findings = []
    for target in args.targets:
        found = list(resolve("check", target))
        if not found:
            raise ValueError(
                f"check: {target!r} holds nothing to check: no cell, and no function with "
                "example_inputs = (array, …)"
            )
        for name, thing in found:
            findings.append(check(name, thing, args.draws, args.artifacts))
            print(f"{name}: {findings[-1].text}", flush=True)
    code = 0 if all(finding.ok for finding in findings) else FAILED
    if args.html is not None:
        try:
            write(args.html, report(findings).encode())
        except OSError as error:  # the report above stands, and so does its exit code
            print(f"minigrad: {error}", file=sys.stderr)
            return code or MISTAKEN
        print(f"page: {args.html}")
    return code


def report(findings: Sequence[Finding]) -> str:
    """The page of what was found; it loads nothing.

    >>> report([Finding("mine:f", True, "<GradientCheck ok>")]).count("&lt;GradientCheck ok&gt;")
    1
    """
    told = (
        ", ".join(
            f"{len(names)} of {len(findings)} {word}: {', '.join(names)}"
            for word, verdict in (("wrong", "WRONG"), ("cannot be judged", "cannot be judged"))
            if (names := [finding.name for finding in findings if finding.verdict == verdict])
        )
        or "All is right"
    )
    parts = [f"<p>{text(told)}.</p>"]
    for finding in findings:
        parts.append(f"<h2>{text(finding.name)}: {finding.verdict}</h2>")
        parts.append(f"<pre>{text(finding.text)}</pre>")
        for caption, svg in finding.pictures:
            about = f"<figcaption>{text(caption)}</figcaption>"
            parts.append(f'<figure class="whole">{image(svg, caption)}{about}</figure>')
    return document("minigrad check", parts)


def check(name: str, thing: Any, draws: int, artifacts: Any = None) -> Finding:
    """Check a cell, or a function on its example inputs."""
    from minigrad.testing import GradientMismatch, check_gradients
    from minigrad.testing.artifacts import save
    from minigrad.testing.laws import raised
    from rnn import Cell
    from rnn.testing import all_laws

    if isinstance(thing, Cell):
        card = all_laws(thing, range(draws))
        drawn = [_picture(law, error) for law, error in card.errors.items()]
        wrong = [e for e in card.errors.values() if isinstance(e, GradientMismatch) and artifacts]
        told = [str(card), *(f"  {save(error, Path(artifacts))}" for error in wrong)]
        return Finding(name, card.ok, "\n".join(told), tuple(p for p in drawn if p))
    inputs = _inputs(name, thing)
    try:
        if hasattr(thing, "backward"):
            return _by_hand(name, thing, inputs, draws)
        checks = [
            check_gradients(thing, *inputs, seed=seed, order=2, artifacts=artifacts)
            for seed in range(draws)
        ]
    except AssertionError as error:
        picture = _picture("", error)
        return Finding(name, False, str(error), (picture,) if picture else ())
    except Exception as error:  # whatever code of someone else does is what was found about it
        return Finding(name, False, f"could not be checked: {raised(error)}")
    found = next((c for c in checks if c.unjudged is not None), checks[-1])
    return Finding(name, True, str(found), is_judged=found.unjudged is None)


def _by_hand(name: str, function: Any, inputs: tuple[Any, ...], draws: int) -> Finding:
    """Check a function in plain NumPy that brings its own backward pass."""
    from minigrad.testing import check_vjp

    axis = getattr(function, "time_axis", None)
    unjudged = dict.fromkeys(
        told
        for seed in range(draws)
        for told in check_vjp(function, function.backward, *inputs, time_axis=axis, seed=seed)
    )
    told = "\n  ".join(["the backward pass is right", *unjudged])
    return Finding(name, True, told, is_judged=not unjudged)


def _picture(law: str, error: Exception) -> tuple[str, str] | None:
    """The graph at fault with its caption, where there is one."""
    from minigrad.testing import GradientMismatch

    if not isinstance(error, GradientMismatch) or (svg := error.svg()) is None:
        return None
    whose = f"{error.primitive} is at fault" if error.primitive else "each operation is right alone"
    return f"{law}{': ' if law else ''}the graph that was checked; {whose}", svg


def _inputs(name: str, function: Any) -> tuple[Any, ...]:
    """What a function is checked on."""
    module = sys.modules.get(getattr(function, "__module__", ""), None)
    given = getattr(function, "example_inputs", getattr(module, "example_inputs", None))
    if given is None:
        raise ValueError(
            f"check: {name} needs inputs to be checked on: write example_inputs = (array, …) "
            "beside it, or name a cell"
        )
    return tuple(given() if callable(given) else given)
