"""A cohort over time: quantiles by visit that respect censoring, and how many reach an endpoint beside its rivals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from cytorecon.errors import CountError
from cytorecon.reconstitution.endpoint import Endpoint, assess_endpoint, parse_endpoint
from cytorecon.reconstitution.incidence import CENSORED, cumulative_incidence, survival, value_at

if TYPE_CHECKING:
    import pandas as pd

ALL, NOT_STATED = "all", "not stated"
# Below so many patients a summary says that it rests on few (a design decision).
SMALL = 10
QUARTILES = {"lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75}


def small_number(count: int) -> str:
    """A remark on a small number of patients; empty if it is not small."""
    return f"only {count} patient{'' if count == 1 else 's'}: a small number" if count < SMALL else ""


def censored_quantile(
    value: ArrayLike, lloq: ArrayLike, is_censored: ArrayLike, probability: float
) -> tuple[float, float]:
    """Quantile of values some of which are known only to lie below a limit, each below its own.

    Parameters
    ----------
    value, lloq, is_censored
        The measured value, or where `is_censored` the limit it lies below (sample,).
    probability
        0.5 for the median.

    Returns
    -------
    quantile, below
        The quantile and NaN; or NaN and a bound that it lies below, where it falls among the censored. Both NaN
        without values.

    Notes
    -----
    The distribution is Turnbull's (1976, doi 10.1111/j.2517-6161.1976.tb01597.x), which for left-censored values is
    Kaplan–Meier's on the reversed axis. Where a step meets the probability exactly the two neighbours are averaged,
    so that without censoring the median is the ordinary one.
    """
    hidden = np.asarray(is_censored, dtype=bool)
    known = np.where(hidden, np.asarray(lloq, np.float64), np.asarray(value, np.float64))
    if not len(known):
        return np.nan, np.nan
    if not np.isfinite(known).all():
        raise CountError("censored_quantile", "a value or its limit is missing", remedy="Leave missing values out")
    steps = survival(-known, ~hidden)
    steps = steps[steps["event"] > 0].iloc[::-1]
    values, below = -steps["day"].to_numpy(), steps["survival"].to_numpy()
    if not len(values):
        return np.nan, float(known.max())
    # Share of values up to and including each: what lies below the next one.
    up_to = np.append(below[1:], 1.0)
    if probability <= below[0] + 1e-12:
        limits = known[hidden & (known <= values[0])]
        return np.nan, float(values[0] if probability > below[0] - 1e-12 or not len(limits) else limits.max())
    place = int(np.argmax(up_to >= probability - 1e-12))
    meets = abs(up_to[place] - probability) <= 1e-12 and place + 1 < len(values)
    return float((values[place] + values[place + 1]) / 2 if meets else values[place]), np.nan


def summarise_visits(series: pd.DataFrame, by: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Median and quartiles of every population at every visit, on what was measured.

    Parameters
    ----------
    series
        Of `concentration_series`; samples without a nominal day are left out. Of several samples of one patient at one
        visit the nearest to the nominal day counts (a tie: the later).
    by
        Patient to group (dose level, a sheet column); None: one group of all.

    Returns
    -------
    pandas.DataFrame
        One row a group, population and visit: ``patient_count``, ``measured_count``, ``censored_count``,
        ``missing_count``, ``confounded_count``, ``first_day``, ``last_day`` (actual days), ``lower_quartile``,
        ``median``, ``upper_quartile`` (cells/µL) and for each ``…_below``: the bound it lies below where it falls
        among censored values, NaN otherwise; ``note`` on small numbers.
    """
    import pandas as pd

    chosen = _one_a_visit(series)
    chosen = chosen.assign(group=[_group(patient, by) for patient in chosen["patient"]])
    keys = ["group", "population", "timepoint"]
    rows = [dict(zip(keys, key, strict=True)) | _summary(own) for key, own in chosen.groupby(keys, sort=True)]
    table = pd.DataFrame(rows).astype({"timepoint": int} if rows else {})
    units = {name: "/uL" for quartile in QUARTILES for name in (quartile, f"{quartile}_below")}
    table.attrs |= {
        "units": {**units, "timepoint": "d", "first_day": "d", "last_day": "d"},
        "method": "Turnbull's estimate for left-censored values",
    }  # fmt: skip
    return table


def endpoint_incidence(
    series: pd.DataFrame,
    endpoint: Endpoint | str,
    competing: Mapping[str, tuple[int, str]] | None = None,
    by: Mapping[str, str] | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Cumulative incidence of reaching an endpoint, with death, relapse and second graft competing.

    Parameters
    ----------
    series
        Of `concentration_series`.
    endpoint
        An `Endpoint`, or the name of one.
    competing
        Patient to the day and name of the first event after which the endpoint can no longer be reached. On the same
        day a measurement comes first.
    by
        Patient to group; None: one group of all.
    confidence
        Of the pointwise intervals.

    Returns
    -------
    pandas.DataFrame
        As `cumulative_incidence`, with ``group``; the endpoint's own curve has its name as ``cause``. Who has neither
        is censored: at the last day of the endpoint where it was not reached, at the last measurement that decides
        where it is undetermined (day 0 without any). ``attrs["patients"]`` holds the number in each group.
    """
    import pandas as pd

    wanted, rivals = parse_endpoint(endpoint), competing or {}
    assessed = assess_endpoint(series, wanted, {patient: day for patient, (day, _) in rivals.items()})
    times = [_time(row, wanted, rivals.get(str(row["patient"]))) for row in assessed.to_dict("records")]
    causes = sorted({wanted.name, *(name for _, name in rivals.values())})
    groups = np.array([_group(patient, by) for patient in assessed["patient"]], dtype=object)
    parts, counts = [], {}
    for group in sorted(set(groups)):
        own = [time for time, member in zip(times, groups == group, strict=True) if member]
        counts[group] = len(own)
        days, names = [day for day, _ in own], [name for _, name in own]
        parts.append(cumulative_incidence(days, names, causes, confidence).assign(group=group))
    table = pd.concat(parts, ignore_index=True)
    table.attrs |= {
        "endpoint": wanted.words, "patients": counts, "confidence": confidence,
        "notes": {group: note for group, count in counts.items() if (note := small_number(count))},
        "units": {"day": "d", "incidence": "1", "standard_error": "1"},
    }  # fmt: skip
    return table


def incidence_by_group(
    series: pd.DataFrame,
    endpoints: Sequence[Endpoint],
    competing: Mapping[str, tuple[int, str]] | None,
    by: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Incidence of each endpoint at its last day, one row a group; parameters as in `endpoint_incidence`."""
    import pandas as pd

    rows = []
    for endpoint in endpoints:
        curves = endpoint_incidence(series, endpoint, competing, by)
        for group, count in curves.attrs["patients"].items():
            own = curves[(curves["group"] == group) & (curves["cause"] == endpoint.name)]
            found = value_at(own, endpoint.within)
            rows.append(
                {"endpoint": endpoint.name, "definition": endpoint.words, "group": group, "count": count,
                 "day": endpoint.within, "at_risk": found.at_risk, "value": found.value, "low": found.low,
                 "high": found.high, "note": curves.attrs["notes"].get(group, "")}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _time(row: Mapping[Any, Any], endpoint: Endpoint, rival: tuple[int, str] | None) -> tuple[int, str]:
    if row["state"] == "reached":
        return int(row["day"]), endpoint.name
    if rival is not None and rival[0] <= endpoint.within:
        return max(rival[0], 0), rival[1]
    if row["state"] == "not_reached":
        return int(row["day"]), CENSORED
    measured = row["last_measured"]
    return (0 if measured is None or measured != measured else int(measured)), CENSORED


def _group(patient: str, by: Mapping[str, str] | None) -> str:
    return ALL if by is None else by.get(patient, NOT_STATED)


def _one_a_visit(series: pd.DataFrame) -> pd.DataFrame:
    placed = series[series["timepoint"].notna()]
    placed = placed.assign(distance=(placed["day"] - placed["timepoint"]).abs(), failed=placed["censor"] == "missing")
    ordered = placed.sort_values(["failed", "distance", "day"], ascending=[True, True, False], kind="stable")
    return ordered.drop_duplicates(["patient", "population", "timepoint"])


def _summary(rows: pd.DataFrame) -> dict[str, Any]:
    known = rows[rows["censor"] != "missing"]
    censored = known["censor"] == "left"
    limits = known["lloq"].where(censored, known["cells_per_ul"])
    found: dict[str, Any] = {
        "patient_count": len(rows), "measured_count": len(known), "censored_count": int(censored.sum()),
        "missing_count": len(rows) - len(known), "confounded_count": int(known["confounded"].sum()),
        "first_day": int(rows["day"].min()), "last_day": int(rows["day"].max()),
    }  # fmt: skip
    for name, probability in QUARTILES.items():
        pair = censored_quantile(known["cells_per_ul"], limits, censored, probability)
        found[name], found[f"{name}_below"] = pair
    return found | {"note": small_number(len(known))}


def quantile_words(row: Mapping[Any, Any], digits: int = 3) -> Sequence[str]:
    """Lower quartile, median and upper quartile of a row as text: ``120``, or ``< 10`` where censored."""
    shown = []
    for name in QUARTILES:
        value, below = row[name], row[f"{name}_below"]
        shown.append(f"{value:.{digits}g}" if value == value else f"< {below:.{digits}g}" if below == below else "–")
    return shown
