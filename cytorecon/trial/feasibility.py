"""Who counts for what, whether the NK doses could be given, and how complete the follow-up is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cytorecon.interval import binomial_interval
from cytorecon.reconstitution import survival
from cytorecon.trial.outcomes import Outcome
from cytorecon.trial.protocol import Protocol

if TYPE_CHECKING:
    import pandas as pd

# A given dose may fall so far short of the planned one and still count as given (a design decision).
DOSE_TOLERANCE = 0.1
FOLLOW_UP_DAYS = 730
ALL = "all levels"

POPULATIONS: Mapping[str, tuple[str, Callable[[Outcome], bool]]] = {
    "enrolled": ("every row", lambda one: True),
    "infused": ("at least one NK infusion: safety", lambda one: one.infused),
    "both_infusions": (
        "both NK infusions", lambda one: one.infusion_1_day is not None and one.infusion_2_day is not None
    ),
    "transplanted": ("day 0 took place: transplant outcomes", lambda one: one.transplanted),
    "dlt_evaluable": ("counts for 3+3 now", lambda one: one.infused and one.escalation_row().counts),
}  # fmt: skip


def proportion(count: int, total: int, confidence: float = 0.95) -> dict[str, float | int]:
    """``count`` of ``total`` with its exact (Clopper–Pearson) interval; NaN for 0 of 0."""
    low, high = binomial_interval(count, total, confidence=confidence)
    share = count / total if total else np.nan
    return {"count": count, "total": total, "proportion": share, "low": float(low), "high": float(high)}


def by_level(outcomes: Sequence[Outcome]) -> dict[str, tuple[Outcome, ...]]:
    """All patients, then those of each assigned level, lowest first."""
    levels = sorted({one.level for one in outcomes})
    groups = {f"level {level}": tuple(one for one in outcomes if one.level == level) for level in levels}
    return {ALL: tuple(outcomes), **groups}


def analysis_populations(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Size of each analysis population, by assigned level: ``population``, ``meaning``, ``group``, ``count``."""
    import pandas as pd

    return pd.DataFrame(
        [
            {"population": name, "meaning": meaning, "group": group, "count": sum(map(belongs, members))}
            for name, (meaning, belongs) in POPULATIONS.items()
            for group, members in by_level(outcomes).items()
        ]
    )


def strata(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Patients by disease, disease status, donor and conditioning within each level."""
    import pandas as pd

    names = ("disease", "disease_status", "donor", "conditioning")
    rows = []
    for group, members in by_level(outcomes).items():
        for name in names:
            for value in sorted({str(getattr(one, name)) for one in outcomes}):
                count = sum(str(getattr(one, name)) == value for one in members)
                rows.append({"stratum": name, "value": value, "group": group, "count": count, "total": len(members)})
    return pd.DataFrame(rows)


def doses(outcomes: Sequence[Outcome], protocol: Protocol, tolerance: float = DOSE_TOLERANCE) -> pd.DataFrame:
    """Planned and given NK dose of every patient and infusion.

    Returns
    -------
    pandas.DataFrame
        ``patient``, ``level``, ``infusion``, ``day``, ``planned``, ``given`` (10⁶/kg), ``ratio`` (NaN where the dose
        given is not stated), ``state``: ``as_planned``, ``reduced``, ``exceeded``, ``dose_not_stated`` or
        ``not_given``; ``day_deviates`` from the days the protocol file allows.

    Raises
    ------
    ProtocolError
        A level is none of the protocol's.
    """
    import pandas as pd

    rows = [
        _dose(one, planned.number, protocol, tolerance) for one in outcomes for planned in protocol.dose.infusion
    ]  # fmt: skip
    table = pd.DataFrame(rows).astype({"day": "Int64"})
    table.attrs |= {"units": {"planned": "10*6/kg", "given": "10*6/kg", "ratio": "1"}, "tolerance": tolerance}
    return table


def _dose(one: Outcome, number: int, protocol: Protocol, tolerance: float) -> dict[str, Any]:
    infusion = protocol.infusion(number)
    stated = getattr(one, f"nk_planned_{number}_e6_per_kg")
    planned = float(protocol.infusion_dose(one.level, number) / 10**6) if stated is None else stated
    day, given = getattr(one, f"infusion_{number}_day"), getattr(one, f"nk_given_{number}_e6_per_kg")
    ratio = given / planned if given is not None and day is not None and planned > 0 else np.nan
    if day is None:
        state = "not_given"
    elif given is None:
        state = "dose_not_stated"
    else:
        state = "reduced" if ratio < 1 - tolerance else "exceeded" if ratio > 1 + tolerance else "as_planned"
    deviates = day is not None and not infusion.earliest <= day <= infusion.latest
    return {
        "patient": one.patient, "level": one.level, "infusion": number, "day": day, "planned": planned,
        "given": np.nan if given is None else given, "ratio": ratio, "state": state, "day_deviates": deviates,
    }  # fmt: skip


def feasibility(
    outcomes: Sequence[Outcome], protocol: Protocol, tolerance: float = DOSE_TOLERANCE, confidence: float = 0.95
) -> pd.DataFrame:
    """How many of those enrolled got each infusion, both, and both as planned, with exact intervals.

    Returns
    -------
    pandas.DataFrame
        ``measure``, ``group``, ``count``, ``total`` (of all enrolled), ``proportion``, ``low``, ``high``,
        ``unknown`` (a dose is not stated: not counted as planned).
    """
    import pandas as pd

    states: dict[str, dict[int, str]] = {}
    for row in doses(outcomes, protocol, tolerance).to_dict("records"):
        states.setdefault(row["patient"], {})[row["infusion"]] = row["state"]
    numbers = [infusion.number for infusion in protocol.dose.infusion]
    measures: dict[str, Callable[[dict[int, str]], bool]] = {
        **{f"infusion_{number}_given": _was_given(number) for number in numbers},
        "all_infusions_given": lambda found: all(state != "not_given" for state in found.values()),
        "all_as_planned": lambda found: all(state == "as_planned" for state in found.values()),
    }
    rows = []
    for measure, holds in measures.items():
        for group, members in by_level(outcomes).items():
            own = [states[one.patient] for one in members]
            unknown = sum("dose_not_stated" in found.values() for found in own) if measure == "all_as_planned" else 0
            counted = proportion(sum(holds(found) for found in own), len(own), confidence)
            rows.append({"measure": measure, "group": group, **counted, "unknown": unknown})
    return pd.DataFrame(rows)


def _was_given(number: int) -> Callable[[dict[int, str]], bool]:
    return lambda found: found[number] != "not_given"


def follow_up(outcomes: Sequence[Outcome], planned_days: int = FOLLOW_UP_DAYS) -> pd.DataFrame:
    """Follow-up of the transplanted: by reverse Kaplan–Meier, and how much of what was possible was observed.

    Returns
    -------
    pandas.DataFrame
        By group: ``count``, ``dead``, ``median_day`` (of the follow-up, death censoring it; NaN if not reached),
        ``completeness`` (observed person-time of the possible, doi 10.1016/S0140-6736(02)08272-7: until death,
        `planned_days` or ``potential_follow_up_day``), ``cut_off_known`` (patients with a stated potential
        follow-up; the others are measured against `planned_days`).
    """
    import pandas as pd

    rows = []
    for group, members in by_level([one for one in outcomes if one.transplanted]).items():
        days = np.array([one.last_follow_up_day for one in members], dtype=float)
        dead = np.array([one.death_day is not None for one in members], dtype=bool)
        potential = [
            planned_days if one.potential_follow_up_day is None else min(planned_days, one.potential_follow_up_day)
            for one in members
        ]
        possible = np.where(dead, np.minimum(days, potential), potential)
        observed = np.minimum(days, possible)
        reached = survival(days, ~dead)
        below = reached[reached["survival"] <= 0.5]
        rows.append(
            {"group": group, "count": len(members), "dead": int(dead.sum()),
             "median_day": float(below["day"].iloc[0]) if len(below) else np.nan,
             "completeness": float(observed.sum() / possible.sum()) if possible.sum() else np.nan,
             "cut_off_known": sum(one.potential_follow_up_day is not None for one in members)}
        )  # fmt: skip
    table = pd.DataFrame(rows)
    table.attrs |= {"units": {"median_day": "d", "completeness": "1"}, "planned_days": planned_days}
    return table
