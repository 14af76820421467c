"""How Sphinx makes the site: `make docs`. What it shows of the code is written anew each time.

Sphinx with MyST has pages and reference in one: a lost link is a warning, the search works from
file://, nothing is loaded. pdoc makes a reference, but no pages beside it; mkdocs-material needs
plugins for docstrings, for file:// and for the fonts that it loads.
"""

import re
from pathlib import Path

from docs import generated

project = "minigrad"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "minigrad"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_copy_source = html_show_sourcelink = html_show_sphinx = html_show_copyright = False

autodoc_default_options = {"members": True, "imported-members": True}
autodoc_member_order = "groupwise"
autodoc_typehints = "none"  # docstrings tell shapes, which types do not
napoleon_attr_annotations = False
default_role = "py:obj"  # `name` in a docstring is code, and a link where there is such a name
add_module_names = False


def setup(app):
    """Write the pages made from the code before any page is read; read texts as they are meant."""
    app.connect("builder-inited", lambda app: generated.write(Path(app.srcdir) / "generated"))
    app.connect("source-read", without_last_line)
    app.connect("autodoc-process-docstring", as_written, priority=400)  # before napoleon, at 500


def without_last_line(app, name, text):
    """The empty line that ends the output of an example is not shown."""
    text[0] = text[0].replace("\n\n```\n", "\n```\n")


def as_written(app, what, name, obj, options, lines):
    """Docstrings are plain text with code in backticks: other signs of reST mean themselves."""
    paragraphs = re.split(r"(\n\s*\n)", "\n".join(lines))
    for k, text in enumerate(paragraphs):
        if not text.lstrip().startswith(">>>"):
            parts = re.split(r"(`[^`]*`)", text)
            parts[::2] = [re.sub(r"\||\*(?=\S)|_(?!\w)", r"\\\g<0>", part) for part in parts[::2]]
            parts[1::2] = [" ".join(code.split()) for code in parts[1::2]]
            paragraphs[k] = re.sub(r"(`[^`]*`)(?=\w)", r"\1\\ ", "".join(parts))  # `Edge`s
    lines[:] = "".join(paragraphs).split("\n")
    if what in ("property", "attribute"):  # or napoleon takes words before a colon for a type
        lines[:0] = ["..", ""]
