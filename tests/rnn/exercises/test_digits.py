"""Digits are drawn as their font has them, and the baselines are what they say."""

from __future__ import annotations

import numpy as np

from rnn.exercises import digits


def test_a_picture_is_a_glyph_anywhere_with_few_points_turned() -> None:
    xs, classes = digits.draw(np.random.default_rng(0), 400)
    turned = []
    for picture, digit in zip(xs[0].reshape(-1, 9, 7), classes[0], strict=True):
        frames = np.zeros((3, 3, 9, 7))
        for top in range(3):
            for left in range(3):
                frames[top, left, top : top + 7, left : left + 5] = digits.GLYPHS[digit]
        turned.append(np.abs(frames - picture).sum((2, 3)).min())
    assert abs(np.mean(turned) - 63 * digits.NOISE) < 0.5
    assert set(classes[0]) == set(range(10))


def test_no_two_digits_are_drawn_alike_and_every_point_is_said() -> None:
    assert len({glyph.tobytes() for glyph in digits.GLYPHS}) == 10
    assert all(len(glyph) == 35 for glyph in digits.FONT)


def test_the_baselines_are_far_from_guessing_and_from_perfect() -> None:
    found = digits.digits().baselines
    assert all(0.4 < figures["digits right"] < 0.8 for figures in found.values())
