"""Survival and cumulative incidence with competing events, exact with ties and honest about small numbers.

Both estimators are a dozen sums, so they are written here: lifelines jitters tied times at random, scikit-survival is
right but under the GPL and caps scikit-learn. The tests compare with exact fractions and with statsmodels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytorecon.errors import CountError
from cytorecon.interval import binomial_interval

if TYPE_CHECKING:
    import pandas as pd

Numbers = NDArray[np.float64]
CENSORED = ""
_COLUMNS = ("cause", "day", "at_risk", "event", "any_event", "incidence", "standard_error", "low", "high",
            "low_after", "high_after")  # fmt: skip


@dataclass(frozen=True)
class _Risk:
    """At each distinct time: who is at risk, who has an event, who is censored."""

    time: Numbers
    at_risk: Numbers
    event: Numbers
    censored: Numbers


@dataclass(frozen=True)
class Estimate:
    """A probability at one time: fractions of 1, NaN where it cannot be estimated, and the number at risk then."""

    value: float
    low: float
    high: float
    at_risk: int


def survival(time: ArrayLike, event: ArrayLike, confidence: float = 0.95) -> pd.DataFrame:
    """Kaplan–Meier survival, with the beta-product interval of small samples.

    Parameters
    ----------
    time
        Time of the event or of the last observation (person,), all in one unit, here days.
    event
        Whether the event happened then (person,); False is censored. One censored on the day of an event was at risk.
    confidence
        Of each pointwise interval.

    Returns
    -------
    pandas.DataFrame
        One row a distinct time: ``day``, ``at_risk``, ``event``, ``survival``, ``low``, ``high`` (fractions of 1, on
        that day), and the bounds ``low_after``, ``high_after`` between it and the next row, when those censored on
        that day are no longer observed.

    Raises
    ------
    CountError
        Times that are not finite, or arguments of differing length.

    References
    ----------
    Kaplan and Meier 1958, doi 10.1080/01621459.1958.10501452. Interval: Fay, Brittain and Proschan 2013, doi
    10.1093/biostatistics/kxt016 (method of moments), which is Clopper–Pearson's where nobody is censored.
    """
    import pandas as pd

    times, happened = _checked(time, np.asarray(event, dtype=bool))
    risk = _risk(times, happened)
    curve = np.cumprod(1 - risk.event / risk.at_risk)
    low, high = _beta_product(risk, risk.at_risk - risk.event, confidence)
    low_after, high_after = _beta_product(risk, risk.at_risk - risk.event - risk.censored, confidence)
    table = pd.DataFrame(
        {"day": risk.time, "at_risk": risk.at_risk.astype(int), "event": risk.event.astype(int), "survival": curve,
         "low": low, "high": high, "low_after": low_after, "high_after": high_after}
    )  # fmt: skip
    table.attrs |= {
        "units": {"day": "d", "survival": "1"}, "confidence": confidence, "interval": "beta product",
        "person_count": len(times),
    }  # fmt: skip
    return table


def cumulative_incidence(
    time: ArrayLike, cause: Sequence[str], causes: Sequence[str] = (), confidence: float = 0.95
) -> pd.DataFrame:
    """Aalen–Johansen cumulative incidence of each of several competing events.

    Parameters
    ----------
    time
        Time of the first event or of the last observation (person,), in days.
    cause
        Name of that event (person,); empty is censored.
    causes
        Names that get a curve even if nobody had such an event.
    confidence
        Of each pointwise interval.

    Returns
    -------
    pandas.DataFrame
        One row a cause and distinct time: ``cause``, ``day``, ``at_risk``, ``event`` (of that cause), ``any_event``,
        ``incidence``, ``standard_error`` and bounds as in `survival` (fractions of 1). The incidences of all causes
        and event-free survival add up to 1.

    Raises
    ------
    CountError
        As `survival`.

    Notes
    -----
    Variance by the delta method (Gaynor et al. 1993, doi 10.1080/01621459.1993.10476289), the interval on the log-log
    scale; exact (Clopper–Pearson) as long as nobody has been censored. Without an event it is that of 0 of those
    whose state is known.
    """
    import pandas as pd

    labels = np.array(list(cause), dtype=object)
    times, happened = _checked(time, labels != CENSORED)
    risk = _risk(times, happened)
    survived = np.cumprod(1 - risk.event / risk.at_risk)
    before = np.concatenate([[1.0], survived[:-1]])
    parts = [pd.DataFrame(columns=list(_COLUMNS))]
    for name in sorted({*labels[happened], *causes}):
        own = _count(times[labels == name], risk.time)
        incidence = np.cumsum(before * own / risk.at_risk)
        error = np.sqrt(_variance(incidence, before, own, risk))
        lost = np.cumsum(risk.censored)
        low, high = _incidence_interval(len(times), lost - risk.censored, own, incidence, error, confidence)
        low_after, high_after = _incidence_interval(len(times), lost, own, incidence, error, confidence)
        parts.append(
            pd.DataFrame(
                {"cause": name, "day": risk.time, "at_risk": risk.at_risk.astype(int), "event": own.astype(int),
                 "any_event": risk.event.astype(int), "incidence": incidence, "standard_error": error, "low": low,
                 "high": high, "low_after": low_after, "high_after": high_after}
            )
        )  # fmt: skip
    table = pd.concat(parts[1:] or parts, ignore_index=True)
    table.attrs |= {
        "units": {"day": "d", "incidence": "1", "standard_error": "1"}, "confidence": confidence,
        "person_count": len(times),
    }  # fmt: skip
    return table


def value_at(curve: pd.DataFrame, day: float) -> Estimate:
    """One step curve on a day: its value, bounds and number at risk, NaN where nobody is observed that long.

    Parameters
    ----------
    curve
        Of `survival`, or one cause of `cumulative_incidence`.
    day
        Time of interest.

    Notes
    -----
    Beyond the last observation a curve goes on only where all had an event.
    """
    column = "survival" if "survival" in curve.columns else "incidence"
    known, later = curve[curve["day"] <= day], curve[curve["day"] >= day]
    at_risk = int(later["at_risk"].iloc[0]) if len(later) else 0
    if not (at_risk or _is_complete(curve)):
        return Estimate(np.nan, np.nan, np.nan, 0)
    if known.empty:
        start = 1.0 if column == "survival" else 0.0
        bounds = binomial_interval(start * at_risk, at_risk, confidence=curve.attrs.get("confidence", 0.95))
        return Estimate(start, float(bounds[0]), float(bounds[1]), at_risk)
    last = known.iloc[-1]
    when = "" if last["day"] == day else "_after"
    return Estimate(float(last[column]), float(last[f"low{when}"]), float(last[f"high{when}"]), at_risk)


def _is_complete(curve: pd.DataFrame) -> bool:
    """Whether the last row is an event of everybody left."""
    events = curve["any_event" if "any_event" in curve.columns else "event"]
    return bool(len(curve)) and int(events.iloc[-1]) == int(curve["at_risk"].iloc[-1])


def _checked(time: ArrayLike, happened: NDArray[np.bool_]) -> tuple[Numbers, NDArray[np.bool_]]:
    times = np.asarray(time, dtype=np.float64)
    if times.ndim != 1 or times.shape != happened.shape:
        raise CountError("time and event", "differ in length", got=f"{times.shape} and {happened.shape}")
    if not np.isfinite(times).all():
        raise CountError("time", "is missing or not finite", remedy="Give everyone a day of the last observation")
    return times, happened


def _risk(times: Numbers, happened: NDArray[np.bool_]) -> _Risk:
    distinct = np.unique(times)
    at_risk = np.array([(times >= each).sum() for each in distinct], dtype=np.float64)
    return _Risk(distinct, at_risk, _count(times[happened], distinct), _count(times[~happened], distinct))


def _count(times: Numbers, distinct: Numbers) -> Numbers:
    return np.array([(times == each).sum() for each in distinct], dtype=np.float64)


def _beta_product(risk: _Risk, observed: Numbers, confidence: float) -> tuple[Numbers, Numbers]:
    """Quantiles of the beta whose first two moments are those of the product of the steps' betas.

    `observed` are those still under observation after the events of each time: they carry the lower bound.
    """
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    alive, lost = risk.at_risk - risk.event + 1, risk.event
    first = np.cumprod(alive / (alive + lost))
    second = np.cumprod(alive * (alive + 1) / ((alive + lost) * (alive + lost + 1)))
    one, two = observed / (observed + 1), observed / (observed + 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        high = betaincinv(*_beta(first, second), 1 - tail)
        low = betaincinv(*_beta(first * one, second * two), tail)
    return np.where(observed > 0, low, 0.0), np.where(np.cumsum(lost) > 0, high, 1.0)


def _beta(first: NDArray[np.floating], second: NDArray[np.floating]) -> tuple[Numbers, Numbers]:
    size = (first - second) / (second - first * first)
    return np.asarray(first * size, np.float64), np.asarray((1 - first) * size, np.float64)


def _variance(incidence: Numbers, before: Numbers, own: Numbers, risk: _Risk) -> Numbers:
    """Delta-method variance at every time; the sums over earlier times are written out as running sums."""
    n, d = risk.at_risk, risk.event
    # Where everybody at risk has an event the curve is flat afterwards and the term is zero times infinity: zero.
    greenwood = np.divide(d, n * (n - d), out=np.zeros_like(n), where=n > d)
    own_part = before**2 * own * (n - own) / n**3
    mixed = before * own / n**2
    squares = incidence**2 * np.cumsum(greenwood) - 2 * incidence * np.cumsum(incidence * greenwood)
    squares += np.cumsum(incidence**2 * greenwood)
    cross = incidence * np.cumsum(mixed) - np.cumsum(incidence * mixed)
    return np.asarray(np.maximum(squares + np.cumsum(own_part) - 2 * cross, 0.0), np.float64)


def _incidence_interval(
    persons: int, lost: Numbers, own: Numbers, incidence: Numbers, error: Numbers, confidence: float
) -> tuple[Numbers, Numbers]:
    """Bounds where `lost` persons of all are censored: exact without any, else on the log-log scale."""
    known = persons - lost
    exact = binomial_interval(np.minimum(np.cumsum(own), known), known, confidence=confidence)
    exact = np.nan_to_num(exact[0], nan=0.0), np.nan_to_num(exact[1], nan=1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    inside = (incidence > 0) & (incidence < 1)
    safe = np.where(inside, incidence, 0.5)
    width = np.clip(z * error / (safe * np.log(safe)), -700, 700)  # exp of more than that is no number
    use_exact = (lost == 0) | ~inside
    low, high = (safe ** np.exp(sign * width) for sign in (-1, 1))
    return np.where(use_exact, exact[0], low), np.where(use_exact, exact[1], high)
