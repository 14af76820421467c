"""The table of colours can be read by everybody."""

import pytest

from viz.scene.style import HEAT, INK, MUTED, STYLES


def luminance(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("style", STYLES)
def test_ink_is_read_on_every_fill_and_lines_are_seen_on_white(style):
    for kind, look in STYLES[style].looks.items():
        assert contrast(INK, look.fill) > 9, kind
        if kind.partition(":")[0] not in ("panel", "constant"):
            assert contrast(look.line, "#FFFFFF") > 5, kind
    for colour in (*STYLES[style].carries, STYLES[style].recurrent, MUTED):
        assert contrast(colour, "#FFFFFF") > 4.5


def test_heat_is_one_scale_from_light_to_dark():
    lights = [luminance(fill) for fill in HEAT]
    assert lights == sorted(lights, reverse=True)
    assert min(contrast(INK, fill) for fill in HEAT) > 6
