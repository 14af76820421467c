"""`minigrad study`: backpropagation through time in numbers, for any cell.

By itself it writes all of it as a page, or as a workbook of live formulas. Each study by its name
is a function of `rnn.bptt` on the same network (`setup`), printed as a table; the one with the most
to see first: `minigrad study flow`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from minigrad.tree import leaf_paths
from rnn import bptt
from rnn.bptt.table import Result
from viz.cli.study.beside import beside
from viz.cli.study.printed import as_json, as_text
from viz.cli.study.progress import progress
from viz.cli.study.setup import Setup, options, setup
from viz.page import PARTS
from viz.page import write as write_page
from viz.workbook import write as write_workbook

Where = tuple[str, int | None]


@dataclass(frozen=True)
class Study:
    """One subcommand.

    Attributes:
        about: what it shows, in a line.
        made: the function that makes the result, from the setup and the options.
        example: the options of a call that shows much.
        wishes: sizes in place of the usual ones where none are asked for; see `setup`.
        more: options of its own, by name, as `add_argument` takes them.
    """

    about: str
    made: Callable[[Setup, argparse.Namespace], Result]
    example: str
    wishes: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def place(text: str) -> Where:
    """A value and its step, `h@3`; of a parameter the name alone.

    >>> place("C̃@12"), place("W_hh")
    (('C̃', 12), ('W_hh', None))
    """
    name, at, step = text.partition("@")
    if not name or (at and not (step.isdecimal() and step.isascii())):
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME@t, such as h@3, and no NAME")
    return name, int(step) if at else None


def first_weight(s: Setup) -> Where:
    """What paths start from if nothing is asked for: the first parameter."""
    weights = leaf_paths(s.params)
    if not weights:
        raise ValueError(f"study: {s.cell.label} has no parameter; name a value with --from")
    return weights[0], None


AT = {"type": int, "metavar": "t", "help": "the step t (the last)"}
VALUE = {"metavar": "NAME", "help": "of a state, gate or pre-activation (the last state)"}

PAGE = "study.html"
"""Where the page is written if nothing else is said."""

WHOLE = (
    "--cell lstm --text 'hello hello' --hidden 4 --loss every",
    "--cell gru --steps 3 --spreadsheet gru.xlsx",
)
"""The options of calls that write all studies of a network."""

STUDIES: dict[str, Study] = {
    "walk": Study(
        "the backward pass edge by edge: cotangent × local derivative = message",
        lambda s, a: s.study(bptt.walk, stop=a.stop),
        "--cell rnn --hidden 1 --inputs 1 --steps 2",
        {"inputs": 1, "hidden": 1, "steps": 2},
        {"stop": {"type": place, "metavar": "NAME@t", "help": "where to stop, such as h@1"}},
    ),
    "stages": Study(
        "gates, memories and other named values at every step, with what they stand for",
        lambda s, a: bptt.stages(s.cell, s.params, s.xs),
        "--cell lstm --hidden 3 --text 'to be or not'",
        {"cell": "lstm", "steps": 4},
    ),
    "totals": Study(
        "dL/dh⁽ᵗ⁾ (total) beside ∂L/∂h⁽ᵗ⁾ (immediate) and what comes from later steps",
        lambda s, a: s.study(bptt.totals),
        "--cell gru --loss every",
    ),
    "ledger": Study(
        "dL/dW split by loss step s and use step t",
        lambda s, a: s.study(bptt.ledger, of=a.of),
        "--cell rnn --of W_hh --steps 8",
        {"loss": "every"},
        {"of": {"metavar": "W", "help": "one parameter, step by step (all, by steps back)"}},
    ),
    "ladder": Study(
        "∂h⁽ᵗ⁾/∂h⁽ᵏ⁾ for every k: singular values, what survives, Lyapunov exponents",
        lambda s, a: bptt.ladder(s.cell, s.params, s.xs, of=a.of, by=a.by, to=a.at),
        "--cell lstm --hidden 32 --steps 50",
        {"hidden": 16, "steps": 20},
        {"of": VALUE, "by": {**VALUE, "help": "differentiated by (that of --of)"}, "at": AT},
    ),
    "split": Study(
        "∂C⁽ᵗ⁾/∂C⁽ᵏ⁾: what came along the line of C, and what went round through h",
        lambda s, a: bptt.split(s.cell, s.params, s.xs, of=a.of, to=a.at),
        "--cell lstm --hidden 32 --steps 50",
        {"cell": "lstm", "hidden": 16, "steps": 20},
        {"of": {**VALUE, "help": "the state that is the line (the last)"}, "at": AT},
    ),
    "flow": Study(
        "‖dL/dh⁽ᵗ⁾‖ over t, beside RNN, GRU and LSTM with forget bias 0, 1 and 3",
        lambda s, a: s.study(bptt.flow, of=a.of, beside=beside(s, a.seed or 0)),
        "--cell gru --hidden 32 --steps 50",
        {"hidden": 32, "steps": 50},
        {"of": {**VALUE, "help": "of the value h (the first state)"}},
    ),
    "truncation": Study(
        "truncated against full gradient as k grows: windows, and spans that slide",
        lambda s, a: s.study(bptt.truncation, ks=a.k),
        "--cell lstm --hidden 16 --steps 50 -k 1 5 10 25 50",
        {"hidden": 16, "steps": 50, "loss": "every"},
        {"k": {"type": int, "nargs": "+", "metavar": "k", "help": "steps (1, 2, 5, 10, …, T)"}},
    ),
    "paths": Study(
        "all chain-rule paths between two values, by the steps they cross",
        lambda s, a: s.study(bptt.paths, a.source or first_weight(s), a.target),
        "--cell lstm --hidden 1 --steps 4 --from C@1 --to C@4",
        {"inputs": 1, "hidden": 1, "steps": 4},
        {
            "from": {"dest": "source", "type": place, "metavar": "NAME@t",
                     "help": "differentiated by, such as h@1 or W_hh (the first parameter)"},
            "to": {"dest": "target", "type": place, "metavar": "NAME@t",
                   "help": "differentiated (the loss)"},
        },
    ),
    "why": Study(
        "where numbers first saturate, underflow, overflow or become NaN",
        lambda s, a: s.study(bptt.why),
        "--cell rnn --hidden 32 --steps 200",
        {"hidden": 16, "steps": 50},
    ),
    "rtrl": Study(
        "the same gradient in forward mode, and what each way costs",
        lambda s, a: s.study(bptt.rtrl),
        "--cell gru --hidden 4 --steps 20",
        {"hidden": 4, "steps": 20},
    ),
}  # fmt: skip
"""The studies by name."""


def add(commands: Any) -> None:
    """Say what `minigrad study` takes."""
    plain = argparse.RawDescriptionHelpFormatter  # examples keep their lines
    calls = [*WHOLE, *(f"{name} {study.example}" for name, study in STUDIES.items())]
    examples = [f"  minigrad study {call}" for call in calls]
    p = commands.add_parser(
        "study", help="gradients over time in numbers", description=__doc__,
        epilog="examples:\n" + "\n".join(examples), formatter_class=plain,
    )  # fmt: skip
    options(p, {})
    whole = p.add_argument_group("without a study").add_mutually_exclusive_group()
    whole.add_argument(
        "--out", metavar="FILE", default=PAGE, help="where the page is written (%(default)s)"
    )
    whole.add_argument(
        "--spreadsheet", metavar="FILE", help="write a workbook (.xlsx) in place of the page"
    )
    p.set_defaults(run=page)
    studies = p.add_subparsers(metavar="study")
    for name, study in STUDIES.items():
        one = studies.add_parser(
            name, help=study.about, description=f"{study.about}.",
            epilog=f"example:\n  minigrad study {name} {study.example}", formatter_class=plain,
        )  # fmt: skip
        options(one, study.wishes, is_inner=True)
        for option, how in study.more.items():
            one.add_argument(f"-{option}" if len(option) == 1 else f"--{option}", **how)
        one.add_argument("--json", action="store_true", help="print all numbers as JSON")
        one.add_argument("--all", action="store_true", help="print every row of the table")
        one.set_defaults(run=run, study=study)


def page(args: argparse.Namespace) -> int:
    """Write the page, or the workbook, and say where it is; what was there is written over."""
    made = setup(args, {})
    if args.spreadsheet is None:
        with progress(len(PARTS)) as report:
            write = partial(write_page, args.out, text=made.text, title=made.title, report=report)
            written = made.study(write)
        print(written)
    else:
        print(made.study(partial(write_workbook, args.spreadsheet)))
    return 0


def run(args: argparse.Namespace) -> int:
    """Print the table, or the numbers."""
    if args.spreadsheet is not None or args.out != PAGE:
        raise ValueError(
            "study: --out and --spreadsheet are of all studies together; leave them out, or the "
            "name of the study"
        )
    made = setup(args, args.study.wishes)
    try:
        result = args.study.made(made, args)
    except LookupError as error:  # a name that is not there; the message lists what is
        raise ValueError(error.args[0]) from None
    print(as_json(made, result) if args.json else as_text(made, result, args.all))
    return 0
