"""Binomial intervals and the exact question they answer: does a proportion lie above or below a threshold?

Clopper–Pearson is the default because its coverage is never less than nominal; Wilson is the general
recommendation of Brown, Cai and DasGupta (doi 10.1214/ss/1009213286).
"""

from __future__ import annotations

from fractions import Fraction
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytorecon.errors import CountError

# Method -> its name in a report. One-sided: each bound alone has the stated confidence, so the pair is wider open.
INTERVAL_METHODS = {
    "clopper-pearson": "Clopper–Pearson (exact)",
    "wilson": "Wilson score",
    "clopper-pearson-one-sided": "Clopper–Pearson (exact), one-sided bounds",
    "wilson-one-sided": "Wilson score, one-sided bounds",
}

# Tails closer than this to the nominal level are ties: the bound is then taken to lie on the threshold itself.
_TIE = 1e-9


def binomial_interval(
    event_count: ArrayLike, total_count: ArrayLike, method: str = "clopper-pearson", confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interval of the proportion behind `event_count` of `total_count`.

    Parameters
    ----------
    event_count, total_count
        Counts, any matching shape; 0 ≤ `event_count` ≤ `total_count`.
    method
        One of `INTERVAL_METHODS`. One-sided methods give two bounds, each of which alone holds with `confidence`.
    confidence
        Between 0.5 and 1.

    Returns
    -------
    low, high
        Fractions of 1; NaN where `total_count` is 0.

    Raises
    ------
    CountError
        Unknown method, or a confidence outside its range.

    References
    ----------
    Clopper and Pearson 1934, doi 10.1093/biomet/26.4.404; Brown, Cai and DasGupta 2001, doi 10.1214/ss/1009213286.
    """
    tail = _tail(method, confidence)
    k, n = np.broadcast_arrays(np.asarray(event_count, np.float64), np.asarray(total_count, np.float64))
    bounds = _wilson(k, n, tail) if method.startswith("wilson") else _clopper_pearson(k, n, tail)
    empty = n <= 0
    return np.where(empty, np.nan, bounds[0]), np.where(empty, np.nan, bounds[1])


def position(
    event_count: ArrayLike,
    total_count: ArrayLike,
    threshold: Fraction,
    method: str = "clopper-pearson",
    confidence: float = 0.95,
    *,
    inclusive: bool = False,
) -> NDArray[np.str_]:
    """Where the interval lies: ``above``, ``below`` or ``straddles`` the threshold; ``not_evaluable`` for 0 of 0.

    Decided by the probability of the observed tail at the threshold itself, not by comparing a rounded bound: the
    lower bound exceeds T exactly when P(X ≥ k | T) is less than the nominal tail.

    Parameters
    ----------
    event_count, total_count, method, confidence
        As in `binomial_interval`.
    threshold
        Fraction of 1.
    inclusive
        False: above means lower bound > T, below means upper bound ≤ T. True (a rule that reads "≥ T"): above means
        lower bound ≥ T, below means upper bound < T.
    """
    tail = _tail(method, confidence)
    k, n = np.broadcast_arrays(np.asarray(event_count, np.int64), np.asarray(total_count, np.int64))
    score = _wilson_margin if method.startswith("wilson") else _exact_margin
    over, under = score(k, n, threshold, tail)
    above = over > -_TIE if inclusive else over > _TIE
    below = under > _TIE if inclusive else under > -_TIE
    return np.select([n <= 0, above, below], ["not_evaluable", "above", "below"], "straddles")


def _tail(method: str, confidence: float) -> float:
    if method not in INTERVAL_METHODS:
        expected = ", ".join(INTERVAL_METHODS)
        raise CountError("interval_method", "unknown interval", expected=expected, got=repr(method))
    if not 0.5 < confidence < 1:
        raise CountError("confidence", "is outside its range", expected="0.5 to 1", got=str(confidence))
    return (1 - confidence) / (1 if method.endswith("one-sided") else 2)


def _clopper_pearson(
    k: NDArray[np.float64], n: NDArray[np.float64], tail: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from scipy.special import betaincinv  # scipy.stats would cost a second of import

    low = np.where(k > 0, betaincinv(np.maximum(k, 1), n - k + 1, tail), 0.0)
    high = np.where(k < n, betaincinv(k + 1, np.maximum(n - k, 1), 1 - tail), 1.0)
    return low, high


def _wilson(
    k: NDArray[np.float64], n: NDArray[np.float64], tail: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    z = NormalDist().inv_cdf(1 - tail)
    n = np.maximum(n, 1)
    centre = (k + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * np.sqrt(k * (n - k) / n + z * z / 4)
    # At k = 0 and k = n the bounds are 0 and 1 exactly; rounding must not leave 1e-20.
    return np.where(k > 0, centre - half, 0.0), np.where(k < n, centre + half, 1.0)


def _exact_margin(
    k: NDArray[np.int64], n: NDArray[np.int64], threshold: Fraction, tail: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far, relative to `tail`, each tail probability at the threshold falls short of it."""
    from scipy.special import betainc

    t = float(threshold)
    at_least = np.where(k > 0, betainc(np.maximum(k, 1), n - k + 1, t), 1.0)
    at_most = np.where(k < n, betainc(np.maximum(n - k, 1), k + 1, 1 - t), 1.0)
    return 1 - at_least / tail, 1 - at_most / tail


def _wilson_margin(
    k: NDArray[np.int64], n: NDArray[np.int64], threshold: Fraction, tail: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The score test at the threshold, of which the Wilson interval is the inversion."""
    z, t = NormalDist().inv_cdf(1 - tail), float(threshold)
    distance = (k * threshold.denominator - n * threshold.numerator) / threshold.denominator
    scale = z * np.sqrt(np.maximum(n, 1) * t * (1 - t))
    return distance / scale - 1, -distance / scale - 1
