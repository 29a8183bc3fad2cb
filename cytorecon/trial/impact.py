"""Impact on reconstitution: subsets and endpoints by dose level, and by NK dose given after a landmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cytorecon.reconstitution import (
    Endpoint,
    assess_endpoint,
    concentration_series,
    incidence_by_group,
    monthly_visits,
    parse_endpoint,
    summarise_visits,
)
from cytorecon.trial.outcomes import Outcome
from cytorecon.trial.survival import event_free, first_of

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

# The record's "main lymphocyte subpopulations" (secondary objective 2) are not named there: these are ours.
MAIN_SUBSETS = ("T cells", "CD4 T cells", "CD8 T cells", "B cells", "NK cells")
MAIN_ENDPOINTS = ("cd4ir_vanroessel2020", "cd4ir_dekoning2021", "nk", "cd19", "alc_day30")
LANDMARK_ENDPOINTS = ("cd4ir_vanroessel2020", "cd4ir_dekoning2021", "nk")
LANDMARK_DAY = 100
# Both infusions have then been given or missed; a comparison by dose given may start only here.
NK_LANDMARK_DAY = 28


def levels(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Patient to assigned level, the primary grouping."""
    return {one.patient: f"level {one.level}" for one in outcomes}


def competing(outcomes: Sequence[Outcome]) -> dict[str, tuple[int, str]]:
    """Patient to the first event after which reconstitution of this graft is no longer judged."""
    found = {}
    for one in outcomes:
        rivals = {"death": one.death_day, "relapse": one.relapse_day, "second_transplant": one.second_transplant_day}
        day, name = first_of(one, rivals)
        if name:
            found[one.patient] = (int(day), name)
    return found


def nk_given_groups(outcomes: Sequence[Outcome], landmark_day: int = NK_LANDMARK_DAY) -> dict[str, str]:
    """Patients at risk on the landmark day, split at the median of the NK dose given (10⁶/kg)."""
    import statistics

    entered = [one for one in outcomes if one.transplanted and event_free(one)[0] > landmark_day]
    given = {one.patient: one.nk_given for one in entered}
    known = [dose for dose in given.values() if dose is not None]
    if not known:
        return {}
    middle = statistics.median(known)
    return {
        patient: f"NK given {'≤' if dose <= middle else '>'} {middle:g} ×10⁶/kg"
        for patient, dose in given.items()
        if dose is not None
    }


def blood_series(outcomes: Sequence[Outcome], blood: xr.Dataset) -> pd.DataFrame:
    """Concentrations of the transplanted patients of the table, at the monthly visits."""
    series = concentration_series(blood, visits=monthly_visits())
    wanted = {one.patient for one in outcomes if one.transplanted}
    attrs = series.attrs
    series = series[series["patient"].isin(wanted)].reset_index(drop=True)
    series.attrs |= attrs
    return series


def available_endpoints(
    series: pd.DataFrame, endpoints: Sequence[Endpoint | str] = MAIN_ENDPOINTS
) -> tuple[Endpoint, ...]:
    """Endpoints whose population the series has."""
    parsed = [parse_endpoint(endpoint) for endpoint in endpoints]
    return tuple(endpoint for endpoint in parsed if (series["population"] == endpoint.population).any())


def subsets_by_group(
    series: pd.DataFrame, by: Mapping[str, str], subsets: Sequence[str] = MAIN_SUBSETS, after_day: int = 0
) -> pd.DataFrame:
    """Quartiles of the main subsets by visit and group, of samples after a day; patients without a group left out."""
    own = series[series["population"].isin(subsets) & series["patient"].isin(by) & (series["day"] > after_day)]
    return summarise_visits(own, by)


def endpoint_states(
    series: pd.DataFrame, outcomes: Sequence[Outcome], endpoints: Sequence[Endpoint | str] = MAIN_ENDPOINTS
) -> pd.DataFrame:
    """State of every endpoint in every patient, see `assess_endpoint`, with the patient's level."""
    import pandas as pd

    ended = {patient: day for patient, (day, _) in competing(outcomes).items()}
    parts = [assess_endpoint(series, endpoint, ended) for endpoint in available_endpoints(series, endpoints)]
    if not parts:
        return pd.DataFrame(columns=["patient", "endpoint", "state", "day", "group"])
    table = pd.concat(parts, ignore_index=True)
    return table.assign(group=table["patient"].map(levels(outcomes)))


def endpoint_incidences(
    series: pd.DataFrame, outcomes: Sequence[Outcome], endpoints: Sequence[Endpoint | str] = MAIN_ENDPOINTS
) -> pd.DataFrame:
    """Cumulative incidence of each endpoint at its last day, by level: ``endpoint``, ``group``, ``count``, value."""
    import pandas as pd

    known = available_endpoints(series, endpoints)
    parts = [incidence_by_group(series, known, competing(outcomes), by) for by in (None, levels(outcomes))]
    return pd.concat(parts, ignore_index=True)


def recovery_groups(
    series: pd.DataFrame, outcomes: Sequence[Outcome], endpoint: Endpoint | str, landmark_day: int = LANDMARK_DAY
) -> dict[str, str]:
    """Patient to whether an endpoint was reached by the landmark day, as far as samples up to that day tell."""
    named = parse_endpoint(endpoint)
    known = parse_endpoint(named, within=min(named.within, landmark_day))
    ended = {patient: day for patient, (day, _) in competing(outcomes).items()}
    assessed = assess_endpoint(series, known, ended)
    return {
        str(patient): f"{named.name} {state.replace('_', ' ')}"
        for patient, state in zip(assessed["patient"], assessed["state"], strict=True)
    }
