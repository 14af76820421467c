"""Series of numbers in time: one of a chaotic equation, and one that was counted."""

from __future__ import annotations

import numpy as np

from minigrad.core import Array

AIRLINE = np.array(
    [
        [112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118],
        [115, 126, 141, 135, 125, 149, 170, 170, 158, 133, 114, 140],
        [145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166],
        [171, 180, 193, 181, 183, 218, 230, 242, 209, 191, 172, 194],
        [196, 196, 236, 235, 229, 243, 264, 272, 237, 211, 180, 201],
        [204, 188, 235, 227, 234, 264, 302, 293, 259, 229, 203, 229],
        [242, 233, 267, 269, 270, 315, 364, 347, 312, 274, 237, 278],
        [284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271, 306],
        [315, 301, 356, 348, 355, 422, 465, 467, 404, 347, 305, 336],
        [340, 318, 362, 348, 363, 435, 491, 505, 404, 359, 310, 337],
        [360, 342, 406, 396, 420, 472, 548, 559, 463, 407, 362, 405],
        [417, 391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432],
    ],
    float,
).ravel()
"""Passengers of international airlines, in thousands a month, January 1949 to December 1960.

Source: Box, Jenkins, Time Series Analysis: Forecasting and Control (1970), series G; Brown,
Smoothing, Forecasting and Prediction of Discrete Time Series (1963).
"""


def mackey_glass(
    length: int, every: float = 3.0, tau: float = 17.0, start: float = 1.2, settle: float = 300.0
) -> Array:
    """The chaotic series dx/dt = 0.2 x(t − τ) / (1 + x(t − τ)¹⁰) − 0.1 x(t), `(length,)`.

    By the method of Runge and Kutta (fourth order) in steps of a tenth, the delayed value halfway
    through a step as the mean of its ends. Source: Mackey, Glass, Science 197 (1977), equation 4b.

    Args:
        length: the number of values.
        every: time between them.
        tau: the delay; from 16.8 on the series is chaotic.
        start: the value at and before time 0.
        settle: time that is left out at the start.

    >>> x = mackey_glass(500)
    >>> bool(0.2 < x.min() < 0.5 < 1.2 < x.max() < 1.5)
    True
    """
    h, lag, stride = 0.1, round(tau / 0.1), round(every / 0.1)
    first = lag + round(settle / h)
    xs = np.full(first + stride * length, start)

    def slope(x: float, late: float) -> float:
        return float(0.2 * late / (1 + late**10) - 0.1 * x)

    for k in range(lag, len(xs) - 1):
        x, a, b = float(xs[k]), float(xs[k - lag]), float(xs[k - lag + 1])
        middle = (a + b) / 2
        k1 = slope(x, a)
        k2 = slope(x + h / 2 * k1, middle)
        k3 = slope(x + h / 2 * k2, middle)
        xs[k + 1] = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + slope(x + h * k3, b))
    return xs[first::stride]


def repeated(series: Array, most: int) -> Array:
    """After how many steps, from 2 to `most`, each series `(T, B)` repeats itself best: `(B,)`.

    That with the smallest mean square between a value and the one so long before.

    >>> repeated(np.tile([1.0, 2.0, 5.0], 6)[:, None], 8)
    array([3])
    """
    lags = np.arange(2, most + 1)
    misses = [np.square(series[k:] - series[:-k]).mean(0) for k in lags]
    found: Array = lags[np.argmin(misses, 0)]
    return found
