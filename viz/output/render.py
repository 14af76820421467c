"""Who renders pictures: what is there, and how to install what is not.

SVG, DOT and TikZ are always there; PNG, PDF and EPS are the SVG by Typst (`viz.output.typst`).
Without Typst Graphviz draws PNG and PDF from the DOT (`viz.output.graphviz`).
"""

from __future__ import annotations

import sys
from importlib import metadata, util

import graphviz

from minigrad.extras import installing


class RendererMissing(RuntimeError):
    """No program for a format; `written` is the SVG that was written instead, if any."""

    def __init__(self, suffix: str, written: str | None = None) -> None:
        instead = f" The same picture is in {written}." if written else ""
        super().__init__(f"drawing {suffix} needs {_needs(suffix)}.{instead}")
        self.written = written


def _needs(suffix: str) -> str:
    """What a format is drawn by, and how to install it."""
    if suffix == "eps":
        return (
            f"the Python package typst ({installing('render')}) and pdftops or gs to convert its "
            f"PDF ({_command('poppler')}); where a PDF will do, as in LaTeX, save .pdf"
        )
    return (
        f"the Python package typst ({installing('render')}) or Graphviz: install the program "
        f"({_command('graphviz')})"
    )


_INSTALLED_BY = {
    "darwin": {"graphviz": "brew install graphviz", "poppler": "brew install poppler"},
    "win32": {"graphviz": "winget install Graphviz.Graphviz",
              "poppler": "winget install oschwartz10612.Poppler"},
    "linux": {"graphviz": "sudo apt install graphviz", "poppler": "sudo apt install poppler-utils"},
}  # fmt: skip


def _command(program: str) -> str:
    """How a program is installed here."""
    return _INSTALLED_BY.get(sys.platform, _INSTALLED_BY["linux"])[program]


def available() -> dict[str, str | None]:
    """The renderers by name with their versions; None for those that are not there.

    >>> from viz import available
    >>> available()["svg"]
    'built in'
    """
    return {
        "svg": "built in", "typst": _package("typst"),
        "dot": _dot_version(), "pygraphviz": _package("pygraphviz"),
    }  # fmt: skip


def _dot_version() -> str | None:
    try:
        return ".".join(map(str, graphviz.version()))
    except (graphviz.ExecutableNotFound, OSError):
        return None
    except (graphviz.CalledProcessError, RuntimeError, UnicodeError):
        return "unknown"


def _package(name: str) -> str | None:
    if util.find_spec(name) is None:
        return None
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"
