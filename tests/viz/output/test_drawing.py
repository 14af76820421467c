"""At which widths and resolutions a picture is of use."""

import re

import pytest

import rnn
import viz


@pytest.mark.parametrize("dpi", [0, -1, True, "96", float("nan"), 1e9])
def test_a_resolution_that_cannot_be_is_told(dpi, tmp_path):
    with pytest.raises(ValueError, match="dpi must be a number from 10 to 2400"):
        viz.draw(rnn.Dense(2, 2)).save(tmp_path / "a.png", dpi=dpi)


def test_a_width_at_which_nobody_reads_is_refused():
    drawing = viz.draw(rnn.RNNCell(3, 5, 2), steps="t")
    with pytest.raises(ValueError, match=r"at 3cm the text .* would be .* from [\d.]+ cm on it is"):
        drawing.sized("3cm")
    least = re.search(r"from (\d+\.\d) cm", str(told_by(lambda: drawing.sized("3cm"))))[1]
    assert f'width="{float(least) / 2.54 * 72:.2f}'.rstrip("0") in drawing.sized(f"{least}cm").svg()
    for width in ("", "wide", "0cm", "-3cm", "8 parsec", 8):
        with pytest.raises(ValueError, match="a width is '8cm'"):
            drawing.sized(width)


def told_by(call):
    with pytest.raises(ValueError) as told:  # noqa: PT011  # its text is what is wanted
        call()
    return told.value
