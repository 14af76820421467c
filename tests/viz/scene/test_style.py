"""The tables of colours can be read by everybody."""

from itertools import combinations

import pytest

from viz.scene.style import HEAT, INK, MUTED
from viz.scene.styles import STYLES

WHITE = "#FFFFFF"


def luminance(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", STYLES)
def test_ink_is_read_on_every_fill_and_lines_are_seen_on_the_ground(name):
    style = STYLES[name]
    ink, ground = style.paint(INK), "#1E1E1E" if name == "dark" else WHITE
    for kind, look in style.looks.items():
        assert contrast(ink, look.fill) > (6 if name == "dark" else 8.5), kind
        if kind.partition(":")[0] not in ("panel", "constant"):
            assert contrast(look.line, ground) > 5, kind
    for colour in (*style.carries, style.recurrent, style.paint(MUTED)):
        assert contrast(colour, ground) > 4.5


@pytest.mark.parametrize("name", STYLES)
def test_heat_is_one_scale_away_from_the_ground(name):
    style = STYLES[name]
    lights = [luminance(style.paint(fill)) for fill in HEAT]
    assert lights == sorted(lights, reverse=name != "dark")
    assert min(contrast(style.paint(INK), style.paint(fill)) for fill in HEAT) > 5


def test_kinds_are_told_apart_without_colour_in_grey():
    looks = STYLES["grey"].looks
    assert all(c[1:3] == c[3:5] == c[5:7] for x in looks.values() for c in (x.fill, x.line))
    kinds = ("input", "hidden", "output", "gate", "cell", "op", "weight")
    for a, b in combinations(kinds, 2):
        one, other = looks[a], looks[b]
        far = abs(luminance(one.fill) - luminance(other.fill)) > 0.15
        assert far or (one.dash, one.pen) != (other.dash, other.pen), (a, b)


def test_every_style_has_every_kind_and_ink():
    for style in STYLES.values():
        assert style.inks.keys() == STYLES["print"].inks.keys()
        assert {kind.partition(":")[0] for kind in style.looks} == {
            kind.partition(":")[0] for kind in STYLES["print"].looks
        }
