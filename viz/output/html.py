"""A page: one HTML file with texts and pictures in it, which loads nothing and runs nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape
from sys import maxsize

from viz.output.drawing import Drawing
from viz.scene.label import clean


def document(title: str, body: Iterable[str]) -> str:
    """The whole file; the title is text, the body is HTML.

    >>> document("1 < 2", ["<p>so it is</p>"]).startswith("<!doctype html>")
    True
    """
    return "\n".join([_HEAD.format(title=text(title)), *body, "</body></html>", ""])


def image(svg: str, about: str) -> str:
    """A picture as an image, so that names and scripts in it reach nothing outside of it."""
    data = base64.b64encode(svg.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{text(about)}">'


def text(given: object) -> str:
    r"""Text for a page, lines as they are.

    >>> text("a < b\n\x00")
    'a &lt; b\n\\x00'
    """
    return "\n".join(escape(clean(line, maxsize)) for line in str(given).split("\n"))


def told(drawing: Drawing) -> str:
    """A drawing in words, for those who cannot see it."""
    return f"{drawing.scene.title}. {drawing.scene.description[:600]}"


_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 16px/1.5 Arial, "Liberation Sans", sans-serif; color: #2B2B2B; background: white;
  max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }}
nav {{ color: #6B6B6B; font-size: 0.9rem; }} nav a {{ color: #004E80; }}
figure {{ margin: 1rem 0 3rem; }} img {{ max-width: 100%; max-height: 84rem; }}
figure.whole {{ overflow-x: auto; }} figure.whole img {{ max-width: none; max-height: none; }}
figcaption {{ color: #6B6B6B; max-width: 45rem; margin-top: 0.5rem; position: sticky; left: 0; }}
sub, sup {{ line-height: 0; font-size: 0.7em; }}
pre {{ overflow-x: auto; font: 0.85rem/1.5 "DejaVu Sans Mono", Menlo, Consolas, monospace;
  background: #F6F6F6; padding: 0.8rem 1rem; }}
pre.formulas {{ font: 1.15rem/1.8 Times, "Liberation Serif", "DejaVu Serif", serif;
  background: none; padding: 0; }}
</style></head><body><h1>{title}</h1>"""
