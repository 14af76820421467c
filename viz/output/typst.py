"""An SVG as PNG, PDF and EPS, by Typst.

Typst comes as one wheel for every system, with fonts in it: no letter is lost where a machine has
none, and PNG and PDF are the SVG, place by place. EPS is that PDF, by Poppler or Ghostscript.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from math import floor
from pathlib import Path

from viz.output.render import RendererMissing


def from_svg(svg: str, suffix: str, dpi: float) -> bytes:
    """An SVG as "png" or "pdf", by Typst; as "eps", by what converts that PDF.

    Raises:
        RendererMissing: one of them is not there.
    """
    if suffix == "eps" and converter() is None:
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


_TALL = re.compile("([bdfhklt])([\u0302\u0303\u0304\u0307])")
_MARKS = {"\u0302": "ˆ", "\u0303": "˜", "\u0304": "¯", "\u0307": "˙"}


def _marked(letter: re.Match[str]) -> str:
    """A tall letter and its mark above; Typst puts the mark through it, an h̃ is read as ħ."""
    mark = f'<tspan dx="-.43em" dy="-.22em">{_MARKS[letter[2]]}</tspan>'
    return f'{letter[1]}{mark}<tspan dx=".1em" dy=".22em">\u200b</tspan>'


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
