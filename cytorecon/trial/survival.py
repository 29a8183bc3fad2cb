"""Main transplant outcomes: survival, relapse and non-relapse mortality, GVHD, engraftment, and landmarks.

Time runs from day 0 among those transplanted; deaths before it belong to safety. A single arm: groups are described,
never tested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cytorecon.reconstitution import Estimate, cumulative_incidence, small_number, survival, value_at
from cytorecon.trial.feasibility import by_level
from cytorecon.trial.outcomes import Outcome

if TYPE_CHECKING:
    import pandas as pd

DAYS = (100, 365, 730)
Groups = Mapping[str, Sequence[Outcome]]
FirstEvent = tuple[float, str]


def overall(one: Outcome) -> FirstEvent:
    """Death of any cause."""
    return one.last_follow_up_day, "death" if one.death_day is not None else ""


def event_free(one: Outcome) -> FirstEvent:
    """Relapse or death, whichever comes first."""
    return first_of(one, {"relapse": one.relapse_day, "death": one.death_day})


def first_of(one: Outcome, events: Mapping[str, int | None]) -> FirstEvent:
    """Day and name of the first event, or the last follow-up and nothing; of one day the first named."""
    happened = [(day, place, name) for place, (name, day) in enumerate(events.items()) if day is not None]
    return min(happened)[::2] if happened else (one.last_follow_up_day, "")


def _relapse_or_mortality(one: Outcome) -> FirstEvent:
    return first_of(one, {"relapse": one.relapse_day, "non_relapse_mortality": one.death_day})


def _gvhd(one: Outcome, name: str, day: int | None) -> FirstEvent:
    return first_of(one, {name: day, "relapse": one.relapse_day, "death": one.death_day})


def _engraftment(one: Outcome, name: str) -> FirstEvent:
    rivals = {"graft_failure": one.graft_failure_day, "second_transplant": one.second_transplant_day}
    return first_of(one, {name: getattr(one, f"{name}_day"), **rivals, "death": one.death_day})


# Outcome -> the first event of a patient, that outcome or a competing one.
INCIDENCES: Mapping[str, Callable[[Outcome], FirstEvent]] = {
    "relapse": _relapse_or_mortality,
    "non_relapse_mortality": _relapse_or_mortality,
    "acute_gvhd_2_4": lambda one: _gvhd(one, "acute_gvhd_2_4", one.acute_gvhd_day),
    "chronic_gvhd": lambda one: _gvhd(one, "chronic_gvhd", one.chronic_gvhd_day),
    "neutrophil_engraftment": lambda one: _engraftment(one, "neutrophil_engraftment"),
    "platelet_engraftment": lambda one: _engraftment(one, "platelet_engraftment"),
}
_ENGRAFTMENT_DAYS = (28, 60, 100)


def groups_of(outcomes: Sequence[Outcome], column: str | None = None) -> dict[str, tuple[Outcome, ...]]:
    """Transplanted patients: all, then by assigned level, or by another column (also of the ``x_`` ones)."""
    transplanted = [one for one in outcomes if one.transplanted]
    if column is None:
        return by_level(transplanted)
    own = {
        one.patient: str(one.extra.get(column, "")) or str(getattr(one, column, None) or "not stated")
        for one in transplanted
    }
    return {
        f"{column} {value}": tuple(one for one in transplanted if own[one.patient] == value)
        for value in sorted(set(own.values()))
    }


def survival_table(groups: Groups, days: Sequence[int] = DAYS, confidence: float = 0.95) -> pd.DataFrame:
    """Overall and event-free survival of each group on the given days.

    Returns
    -------
    pandas.DataFrame
        ``outcome`` (``overall_survival``, ``event_free_survival``), ``group``, ``day``, ``count``, ``events`` (up to
        that day), ``at_risk``, ``value``, ``low``, ``high`` (NaN where nobody is observed that long), ``note``.
    """
    import pandas as pd

    definitions = {"overall_survival": overall, "event_free_survival": event_free}
    rows = []
    for name, first_event in definitions.items():
        for group, members in groups.items():
            found = [first_event(one) for one in members]
            curve = survival([day for day, _ in found], [event != "" for _, event in found], confidence)
            for day in days:
                events = sum(event != "" and when <= day for when, event in found)
                rows.append(_row(name, group, day, len(members), events, value_at(curve, day)))
    return _with_units(pd.DataFrame(rows))


def incidence_table(
    groups: Groups, names: Sequence[str] = tuple(INCIDENCES), days: Sequence[int] = DAYS, confidence: float = 0.95
) -> pd.DataFrame:
    """Cumulative incidence of each outcome, competing events taken into account; columns as `survival_table`.

    Engraftment is told on days 28, 60 and 100 instead of `days`.
    """
    import pandas as pd

    rows = []
    for name in names:
        first_event = INCIDENCES[name]
        for group, members in groups.items():
            found = [first_event(one) for one in members]
            curves = cumulative_incidence(
                [day for day, _ in found], [event for _, event in found], [name], confidence
            )  # fmt: skip
            curve = curves[curves["cause"] == name]
            for day in _ENGRAFTMENT_DAYS if name.endswith("engraftment") else days:
                events = sum(event == name and when <= day for when, event in found)
                rows.append(_row(name, group, day, len(members), events, value_at(curve, day)))
    return _with_units(pd.DataFrame(rows))


def landmark(
    outcomes: Sequence[Outcome], by: Mapping[str, str], landmark_day: int, days: Sequence[int] = DAYS,
    confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Overall survival and relapse after a landmark, by what was known of each patient on that day.

    Only those alive, without relapse and observed on the landmark day enter; time still counts from day 0. A group by
    something that happens after day 0 would otherwise credit it with the time survived to get there.

    Parameters
    ----------
    outcomes
        Of `read_outcomes`.
    by
        Patient to group, as known on the landmark day; patients without one are ``not stated``.
    landmark_day
        Day relative to transplant.
    days
        Days of interest; those up to the landmark are left out.
    confidence
        Of the pointwise intervals.
    """
    import pandas as pd

    entered = [
        one for one in outcomes
        if one.transplanted and event_free(one)[0] > landmark_day and one.last_follow_up_day > landmark_day
    ]  # fmt: skip
    groups: dict[str, list[Outcome]] = {}
    for one in entered:
        groups.setdefault(by.get(one.patient, "not stated"), []).append(one)
    later = [day for day in days if day > landmark_day]
    tables = [survival_table(groups, later, confidence), incidence_table(groups, ["relapse"], later, confidence)]
    tables = [table for table in tables if len(table)]
    if not tables:
        return _with_units(pd.DataFrame(columns=list(_COLUMNS)))
    table = pd.concat(tables, ignore_index=True).sort_values(["outcome", "group", "day"], kind="stable")
    table.attrs |= {"landmark_day": landmark_day, "entered": len(entered)}
    return _with_units(table[table["outcome"] != "event_free_survival"].reset_index(drop=True))


_COLUMNS = ("outcome", "group", "day", "count", "events", "at_risk", "value", "low", "high", "note")


def _row(name: str, group: str, day: int, count: int, events: int, found: Estimate) -> dict[str, Any]:
    note = "" if np.isfinite(found.value) else "not estimable: nobody is observed that long"
    return dict(
        zip(_COLUMNS, (name, group, day, count, events, found.at_risk, found.value, found.low, found.high,
                       note or small_number(count)), strict=True)
    )  # fmt: skip


def _with_units(table: pd.DataFrame) -> pd.DataFrame:
    table.attrs |= {"units": {"day": "d", "value": "1", "low": "1", "high": "1"}, "time_zero": "day 0 (transplant)"}
    return table
