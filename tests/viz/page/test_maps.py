"""A heat map is a table whose colours are the levels of its scale."""

import pytest

from viz.page.maps import SCALES, heat_map


@pytest.mark.parametrize("name", SCALES)
def test_a_scale_has_nine_levels_in_order(name):
    scale = SCALES[name]
    assert list(scale.breaks) == sorted({*scale.breaks})
    assert len(scale.breaks) + 1 == len(scale.labels) == 9


def test_nothing_is_no_level_and_what_is_no_number_is_empty():
    made = heat_map("a", "b", "norm", "", "xyz", ["row"], [[0.0, None, 2.0]], 2.0)
    assert made.rows == (("row", (("none", "0"), ("none", ""), ("s8", "2"))),)


def test_shares_are_percent():
    made = heat_map("a", "b", "share", "", "x", ["row"], [[-0.25]])
    assert made.rows[0][1] == (("d1", "−25 %"),)
