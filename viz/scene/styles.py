"""The styles that there are, by name.

Colours are never the only sign: row, label and legend say the same. In `print` and `seed` ink on
every fill has a contrast of at least 9:1, lines on white at least 5:1; inputs, states and outputs
stay apart under the common forms of colour blindness, and in `grey` without any colour. `seed` has
the colours that the text of `recurrent_neural_networks_basics.md` speaks of.
"""

from __future__ import annotations

from dataclasses import replace

from viz.scene.style import HEAT, Look, Style

_INKS = {
    "ink": "#2B2B2B", "muted": "#6B6B6B", "grey": "#9A9A9A", "wire": "#555555", "mark": "#C2185B",
    "pale": "#F4F4F2", "ground": "white",
    **dict(zip(HEAT, ("#FFFFFF", "#FEEBD3", "#FDD4A0", "#FBB76C", "#F59A45"), strict=True)),
}  # fmt: skip
# Graphviz finds metric twins of these two names; other families come out wider or as another face.
_FACES = {"word": "Arial", "name": "Times", "time": "Times"}
_COMMON = {
    "op": Look("#F2F2F2", "#555555"),
    "weight": Look("#F4E6F0", "#8F4B77"),
    "constant": Look("#FFFFFF", "#9A9A9A"),
    "panel": Look("#FAFAF7", "#C4C4BE"),
    "panel:loop": Look("#F2F2EE", "#A6A69E"),  # a panel around panels
    "invalid": Look("#FFFFFF", "#C2185B", "4 2", 2.4),  # NaN and inf
}

PRINT = Style(
    looks={
        "input": Look("#FBE3D3", "#B34700"),
        "hidden": Look("#CFEBDD", "#00684A"),
        "output": Look("#CFE3F3", "#004E80"),
        "gate": Look("#FFF3C9", "#8A6400"),
        "cell": Look("#E8E0F5", "#5B3E96"),
        **_COMMON,
    },
    inks=_INKS,
    recurrent="#B34700",
    carries=("#B34700", "#5B3E96", "#00684A", "#004E80", "#8A6400", "#8F4B77"),
    faces=_FACES,
)

SEED = Style(
    looks={
        "input": Look("#FAD4D4", "#B3261E"),
        "hidden": Look("#D3EDD0", "#2B6E2F"),
        "output": Look("#D3E2F7", "#1F4E9C"),
        "gate": Look("#EFEFEF", "#555555"),
        "gate:forget": Look("#D3E2F7", "#1F4E9C"),
        "gate:update": Look("#D3E2F7", "#1F4E9C"),  # weighs the old state too
        "gate:input": Look("#D3EDD0", "#2B6E2F"),
        "gate:candidate": Look("#FFF3C9", "#8A6400"),
        "cell": Look("#D3EDD0", "#2B6E2F"),
        **_COMMON,
    },
    inks=_INKS,
    recurrent="#2B6E2F",
    carries=("#A8326E", "#2B6E2F", "#1F4E9C", "#8A6400", "#5B3E96", "#B3261E"),
    faces=_FACES,
)

DARK = Style(
    looks={
        "input": Look("#5A2E14", "#FF9E5E"),
        "hidden": Look("#14482F", "#5FD3A0"),
        "output": Look("#123B5C", "#7CC0F5"),
        "gate": Look("#4A3A08", "#E5C04B"),
        "cell": Look("#3A2A5E", "#B9A1F0"),
        "op": Look("#333333", "#A9A9A9"),
        "weight": Look("#4A2440", "#E09BC8"),
        "constant": Look("#1E1E1E", "#9A9A9A"),
        "panel": Look("#272725", "#55554F"),
        "panel:loop": Look("#30302C", "#77776F"),
        "invalid": Look("#1E1E1E", "#FF6FA0", "4 2", 2.4),
    },
    inks={
        "ink": "#EFEFEF", "muted": "#B4B4B4", "grey": "#8E8E8E", "wire": "#B9B9B9",
        "mark": "#FF6FA0", "pale": "#2A2A28", "ground": "#1E1E1E",
        **dict(zip(HEAT, ("#1E1E1E", "#3A2A12", "#563A0E", "#724A0A", "#8A5606"), strict=True)),
    },
    recurrent="#FF9E5E",
    carries=("#FF9E5E", "#B9A1F0", "#5FD3A0", "#7CC0F5", "#E5C04B", "#E09BC8"),
    faces=_FACES,
)  # fmt: skip

GREYS = Style(
    looks={
        "input": Look("#FFFFFF", "#222222", "2 2"),
        "hidden": Look("#E2E2E2", "#222222"),
        "output": Look("#FFFFFF", "#222222", pen=3.0),
        "gate": Look("#F4F4F4", "#222222", "7 2"),
        "cell": Look("#CBCBCB", "#222222", pen=3.0),
        "op": Look("#FFFFFF", "#555555"),
        "weight": Look("#FFFFFF", "#555555", "1 3"),
        "constant": Look("#FFFFFF", "#9A9A9A"),
        "panel": Look("#FAFAFA", "#C0C0C0"),
        "panel:loop": Look("#F0F0F0", "#A0A0A0"),
        "invalid": Look("#FFFFFF", "#000000", "4 2", 2.4),
    },
    inks={
        **_INKS, "mark": "#000000",
        **dict(zip(HEAT, ("#FFFFFF", "#EDEDED", "#DADADA", "#C4C4C4", "#ABABAB"), strict=True)),
    },
    recurrent="#222222",
    carries=("#222222", "#5A5A5A"),
    faces=_FACES,
)  # fmt: skip

STYLES = {
    "print": PRINT, "seed": SEED, "dark": DARK, "grey": GREYS,
    "transparent": replace(PRINT, inks={**_INKS, "ground": "none"}),
}  # fmt: skip
