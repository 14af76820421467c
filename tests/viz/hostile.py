"""Text that a format could take for something else, and a picture with it wherever text can be."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
import viz
from viz.output.drawing import Drawing
from viz.scene.label import clean

PIECES = (
    "<b>bold</b>", "<", ">", "&", "&amp;", "&#60;", "&#x5c;", '"', "'", "\\", "\\N", "\\G", "\\\\",
    "]]>", "<!--", '<x URL="http://a.b">', "//", "{|}", "a:b", "node", "\x00", "\x1b[31m", "\n",
    "\r", "\t", "\u2028", "\u202e", "\ud800", "\udfff", "\ufffe", "\xa0", "\u3000", " ", "_", "^",
    "$", "%", "#", "~", "{", "}", "..", ".", "∂", "é", "e\u0301", "\U0001f600", "</title>",
    "</script>", "?>",
)  # fmt: skip
HOSTILE = st.lists(
    st.one_of(st.sampled_from(PIECES), st.characters()), max_size=8
).map("".join)  # fmt: skip


def everywhere(text: str) -> Drawing:
    """A picture whose title, names and notes are this text."""
    with mg.scope(text):
        w = mg.Tensor(np.ones((2, 2)), name=text)
        y = mg.named(text, mg.tanh(w @ w))
    return viz.draw(y, marked={y: text}, title=f"{text} ")


def shown(text: object) -> str:
    """A text as any format shows it, however long."""
    return clean(text, 10**9)
