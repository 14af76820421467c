"""The `minigrad` command: its parser, and what becomes of errors and of Ctrl-C.

Every subcommand is a module with `add(subparsers)`, which says what it takes, and a function that
does it and returns the exit code. Mistakes of the user are told in one line on stderr, exit code 2.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from minigrad import extras
from viz.cli import check, demo, doctor, draw, explain, figures, ops, order, sample, study, train
from viz.output.render import RendererMissing

COMMANDS = (train, order, sample, study, draw, figures, explain, check, ops, doctor, demo)
MISTAKES = (
    OSError, ValueError, ImportError, FloatingPointError, RendererMissing,
    MemoryError, OverflowError,  # numbers too large for this machine
)  # fmt: skip
MISTAKEN, INTERRUPTED = 2, 130


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="minigrad",
        description="Recurrent networks as graphs: train on text, sample, draw.",
    )
    version = extras.version() or "not installed, run from its folder"
    top.add_argument("--version", action="version", version=f"minigrad {version}")
    commands = top.add_subparsers(metavar="command", required=True)
    for command in COMMANDS:
        command.add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    >>> main(["draw", "--cell", "lstm", "--hidden", "0"])
    2
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # where a console has no Σ
    args = parser().parse_args(argv)
    try:
        return int(args.run(args))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError as error:
        print(f"minigrad: these sizes are too large for this machine: {error}", file=sys.stderr)
        return MISTAKEN
    except MISTAKES as error:
        print(f"minigrad: {error}", file=sys.stderr)
        return MISTAKEN
