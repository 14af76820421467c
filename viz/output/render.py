"""Renderers: SVG, DOT and TikZ are always there; PNG and PDF are made from the SVG by Typst.

Typst comes as one wheel for every system, with fonts in it: no letter is lost where a machine has
none, and PNG and PDF are the SVG, place by place. EPS is that PDF, by Poppler or Ghostscript.
Without Typst Graphviz draws PNG and PDF from the DOT, as a program or inside pygraphviz, and
measures with what fonts it finds.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from importlib import metadata, util
from math import floor
from pathlib import Path

import graphviz

from minigrad import files
from minigrad.extras import installing


class RendererMissing(RuntimeError):
    """No program for a format; `written` is the SVG that was written instead, if any."""

    def __init__(self, suffix: str, written: str | None = None) -> None:
        instead = f" The same picture is in {written}." if written else ""
        super().__init__(f"drawing {suffix} needs {_needs(suffix)}.{instead}")
        self.written = written


def _needs(suffix: str) -> str:
    """What a format is drawn by, and how to install it."""
    graphviz_ = f"Graphviz: install the program ({_command('graphviz')})"
    if suffix == "eps":
        return (
            f"the Python package typst ({installing('render')}) and pdftops or gs to convert its "
            f"PDF ({_command('poppler')}); where a PDF will do, as in LaTeX, save .pdf"
        )
    return f"the Python package typst ({installing('render')}) or {graphviz_}"


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


_TALL = re.compile("([bdfhklt])([\u0302\u0303\u0304\u0307])")
_MARKS = {"\u0302": "ˆ", "\u0303": "˜", "\u0304": "¯", "\u0307": "˙"}


def _marked(letter: re.Match[str]) -> str:
    """A tall letter and its mark above; Typst puts the mark through it, an h̃ is read as ħ."""
    mark = f'<tspan dx="-.43em" dy="-.22em">{_MARKS[letter[2]]}</tspan>'
    return f'{letter[1]}{mark}<tspan dx=".1em" dy=".22em">\u200b</tspan>'


def from_svg(svg: str, suffix: str, dpi: float) -> bytes:
    """An SVG as "png" or "pdf", by Typst; as "eps", by what converts that PDF.

    Raises:
        RendererMissing: one of them is not there.
    """
    if not _package("typst") or (suffix == "eps" and converter() is None):
        raise RendererMissing(suffix)
    try:
        import typst
    except ImportError:
        raise RendererMissing(suffix) from None
    wide, high = _size(svg)
    svg = _TALL.sub(_marked, svg)
    more = 0.0
    if suffix == "png":  # a part of a pixel would be a pixel that one can see through
        wide, high = (floor(x * dpi / 72) * 72 / dpi for x in (wide, high))
        more = 0.9 * 72 / dpi  # a part of a pixel beyond the page
        svg = _SIZE.sub(_in_pixels(wide + 72 / dpi, high + 72 / dpi), svg, count=1)
    page = f"#set page(width: {wide}pt, height: {high}pt, margin: 0pt, fill: none)"
    size = f"width: {wide + more}pt, height: {high + more}pt"
    page += f'\n#place(image("a.svg", {size}, fit: "stretch"))'
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.svg").write_text(svg, "utf-8")
        main = Path(folder) / "a.typ"
        main.write_text(page, "utf-8")
        if suffix == "png":
            return bytes(typst.compile(str(main), format="png", ppi=dpi))
        # The same picture has the same bytes, whenever it is written.
        pdf = bytes(typst.compile(str(main), format="pdf", timestamp=0))
        return pdf if suffix == "pdf" else _eps(pdf, Path(folder))


_CONVERTERS = {
    "pdftops": ["-eps", "a.pdf", "a.eps"],
    "gs": ["-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=eps2write", "-sOutputFile=a.eps", "a.pdf"],
}


def converter() -> str | None:
    """The program that makes an EPS of a PDF; None if there is none."""
    return next(filter(shutil.which, _CONVERTERS), None)


def _eps(pdf: bytes, folder: Path) -> bytes:
    """A PDF as EPS, its letters as letters."""
    (folder / "a.pdf").write_bytes(pdf)
    name = str(converter())
    done = subprocess.run([name, *_CONVERTERS[name]], cwd=folder, capture_output=True, check=False)
    if done.returncode or not (folder / "a.eps").exists():
        told = done.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"{name} failed: {told[:300]}")
    return (folder / "a.eps").read_bytes()


def _in_pixels(wide: float, high: float) -> str:
    """The size of an SVG, whole pixels in points, that Typst draws with exactly as many.

    It draws a picture by itself, its width in pixels rounded up, its height that width over the
    ratio of both, rounded up. One row more, and it leaves one out where it puts it on the page.
    """
    return f'preserveAspectRatio="none" width="{wide}pt" height="{high * (1 - 1e-6)}pt"'


_SIZE = re.compile(r'width="([\d.]+)pt" height="([\d.]+)pt"')


def _size(svg: str) -> tuple[float, float]:
    """Width and height of an SVG in points."""
    found = _SIZE.search(svg)
    assert found is not None  # our own writer's
    return float(found[1]), float(found[2])


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


def render(source: str, suffix: str, engine: str | None = None) -> bytes:
    """DOT as "png", "pdf" or "svg", by the `dot` program, else by pygraphviz.

    Args:
        source: DOT with its layout inside.
        suffix: "png", "pdf", "svg" or "eps".
        engine: "dot" or "pygraphviz" to insist on one.

    Raises:
        RendererMissing: neither is there, or not the one that was asked for.
    """
    if engine in (None, "dot") and shutil.which("dot"):
        return _run_dot(source, suffix)
    if engine in (None, "pygraphviz") and _package("pygraphviz"):
        try:
            return _run_pygraphviz(source, suffix)
        except ImportError:  # installed without the libraries it needs
            pass
    raise RendererMissing(suffix)


def _run_dot(source: str, suffix: str) -> bytes:
    try:
        cairo = "cairo" if suffix == "eps" else None  # the other one has no letters but Latin
        return bytes(graphviz.pipe("dot", suffix, source.encode(), cairo, quiet=True))
    except graphviz.CalledProcessError as error:
        told = (error.stderr or b"").decode(errors="replace").strip()
        raise RuntimeError(f"dot failed: {told[:300]}") from None


def _run_pygraphviz(source: str, suffix: str) -> bytes:
    import pygraphviz

    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")  # it warns of more than a thousand nodes
        graph = pygraphviz.AGraph(string=source)
        format_ = "eps:cairo" if suffix == "eps" else suffix
        return bytes(graph.draw(format=format_, prog="dot"))


def write(path: str, data: bytes) -> None:
    """Write a file whole or not at all."""
    try:
        files.write(path, data)
    except (OSError, ValueError) as error:  # a name may hold what no file's name can
        why = getattr(error, "strerror", None) or error
        raise OSError(f"cannot write {path}: {why}") from None
