"""The series are the equation's and the book's."""

from __future__ import annotations

import numpy as np

from rnn.data.series import AIRLINE, mackey_glass, repeated


def test_the_airline_passengers_are_those_of_the_book() -> None:
    """Sums of years, printed in Brown (1963) and in R's `AirPassengers`."""
    yearly = AIRLINE.reshape(12, 12).sum(1)
    assert yearly.tolist() == [
        1520, 1676, 2042, 2364, 2700, 2867, 3408, 3939, 4421, 4572, 5140, 5714,
    ]  # fmt: skip


def test_without_delay_the_series_goes_to_the_fixed_point_of_its_equation() -> None:
    """x = 1 where 0.2 / (1 + x¹⁰) = 0.1; stable up to a delay of 4.53 units."""
    np.testing.assert_allclose(mackey_glass(50, tau=2.0), 1.0, atol=1e-9)


def test_the_steps_of_the_method_are_small_enough(monkeypatch: object) -> None:
    """The slope by central differences is the equation's, at the delay asked for."""
    x = mackey_glass(3000, every=0.1)
    k = np.arange(400, 2900)
    slope = (8 * (x[k + 1] - x[k - 1]) - (x[k + 2] - x[k - 2])) / 1.2
    late = x[k - 170]
    np.testing.assert_allclose(slope, 0.2 * late / (1 + late**10) - 0.1 * x[k], atol=2e-5)


def test_a_season_is_found() -> None:
    t = np.arange(80)
    series = np.stack([np.sin(2 * np.pi * t / period) for period in (8, 13, 25)], 1)
    assert repeated(series, 30).tolist() in ([8, 13, 25], [16, 13, 25], [24, 13, 25])
