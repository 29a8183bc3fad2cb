"""Every objective of the trial in one result: lines to print, tables to keep, the same as JSON. Research use only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cytorecon.reconstitution import SCHEDULE_SOURCE
from cytorecon.trial import feasibility, impact, response, survival
from cytorecon.trial.escalation import EscalationDecision, escalate
from cytorecon.trial.feasibility import by_level, proportion
from cytorecon.trial.outcomes import Outcome
from cytorecon.trial.protocol import Protocol
from cytorecon.trial.reading import RESEARCH_USE, to_mapping
from cytorecon.trial.telling import (
    estimate_line,
    log_change_line,
    quartile_line,
    rows_of,
    share_line,
    spoken,
    table_mapping,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

SINGLE_ARM = (
    "Single arm, small numbers: groups are described, not tested; differences are associations. Assigned level is the "
    "primary grouping; time counts from day 0 for transplant outcomes, from the first infusion for toxicity."
)
MRD_CAUTION = (
    "A change between the two marrows is that of NK cells, conditioning and graft together; infused NK cells in a "
    "day-28 marrow can mimic leukaemia."
)


@dataclass(frozen=True)
class Objective:
    """One objective: its lines, and the tables they are made of."""

    name: str
    title: str
    lines: tuple[str, ...]
    tables: Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class TrialResult:
    """All objectives of a trial, the 3+3 decision, and what has to be said with them."""

    protocol: str
    objectives: tuple[Objective, ...]
    escalation: EscalationDecision
    notes: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The whole result as text."""
        told = [line for one in self.objectives for line in ("", f"## {one.title}", *one.lines)]
        return (f"{self.protocol}: objectives", *told, "", *self.notes)

    def __getitem__(self, name: str) -> Objective:
        """The objective of that name."""
        return {one.name: one for one in self.objectives}[name]


def trial_result(
    outcomes: Sequence[Outcome],
    protocol: Protocol,
    blood: xr.Dataset | None = None,
    marrow: Mapping[str, xr.Dataset] | None = None,
) -> TrialResult:
    """Answer every objective of the trial.

    Parameters
    ----------
    outcomes
        Of `read_outcomes`.
    protocol
        Of `read_protocol`.
    blood
        Cube (or samples) of the blood template; without it reconstitution is said to be not evaluable.
    marrow
        Disease to the cube of its MRD template; without one its response is not evaluable.

    Raises
    ------
    ProtocolError
        A level is none of the protocol's.
    CountError
        Counts of a cube contradict each other.
    """
    decision = escalate([one.escalation_row() for one in outcomes if one.infused], protocol)
    series = None if blood is None else impact.blood_series(outcomes, blood)
    objectives = (
        _populations(outcomes),
        _feasibility(outcomes, protocol),
        _safety(outcomes, decision),
        _response(outcomes, protocol, marrow or {}),
        _reconstitution(outcomes, series),
        _main(outcomes),
        _strata(outcomes),
        _landmarks(outcomes, series),
        _follow_up(outcomes),
    )
    return TrialResult(protocol.id, objectives, decision, (SINGLE_ARM, RESEARCH_USE))


def trial_mapping(result: TrialResult) -> dict[str, Any]:
    """The result as JSON has it: tables as lists of rows, what cannot be estimated as null."""
    return {
        "protocol": result.protocol,
        "objectives": {
            one.name: {
                "title": one.title,
                "lines": list(one.lines),
                "tables": {name: table_mapping(table) for name, table in one.tables.items()},
            }
            for one in result.objectives
        },
        "escalation": to_mapping(result.escalation),
        "notes": list(result.notes),
    }


def _populations(outcomes: Sequence[Outcome]) -> Objective:
    table = feasibility.analysis_populations(outcomes)
    lines = []
    for name, rows in table.groupby("population", sort=False):
        counts = ", ".join(f"{row['group']} {row['count']}" for row in rows.to_dict("records"))
        lines.append(f"{spoken(str(name))} ({rows['meaning'].iloc[0]}): {counts}")
    return Objective("populations", "Analysis populations", tuple(lines), {"populations": table})


def _feasibility(outcomes: Sequence[Outcome], protocol: Protocol) -> Objective:
    table, given = feasibility.feasibility(outcomes, protocol), feasibility.doses(outcomes, protocol)
    lines = [share_line(row) + (f"; {row['unknown']} unknown" if row["unknown"] else "") for row in rows_of(table)]
    off = given[given["state"].isin(["reduced", "exceeded", "dose_not_stated"]) | given["day_deviates"]]
    lines += [
        f"deviation: {row['patient']}, infusion {row['infusion']} on day {row['day']}: {spoken(row['state'])}"
        f" (planned {row['planned']:.3g}, given {row['given']:.3g} ×10⁶/kg)"
        for row in rows_of(off)
    ]
    return Objective(
        "feasibility", "Feasibility: NK dose planned and given", tuple(lines), {"feasibility": table, "doses": given}
    )  # fmt: skip


def _safety(outcomes: Sequence[Outcome], decision: EscalationDecision) -> Objective:
    import pandas as pd

    rows = [
        {"measure": "dose_limiting_toxicity", "group": f"level {tally.level}",
         **proportion(tally.dlt, tally.evaluable), "pending": tally.pending, "not_evaluable": tally.replaced}
        for tally in decision.levels
    ]  # fmt: skip
    early = [
        {"measure": measure, "group": group,
         **proportion(sum(died(one) for one in members if one.infused), sum(one.infused for one in members))}
        for measure, died in _EARLY_DEATHS.items()
        for group, members in by_level(outcomes).items()
    ]  # fmt: skip
    lines = [
        f"{share_line(row)}; {row['pending']} under observation, {row['not_evaluable']} not evaluable" for row in rows
    ]
    lines += [share_line(row) for row in early]
    tables = {"toxicity": pd.DataFrame(rows), "early_deaths": pd.DataFrame(early)}
    return Objective("safety", "Safety: toxicity by level and MTD", (*lines, *decision.lines[:-1]), tables)


_EARLY_DEATHS: Mapping[str, Callable[[Outcome], bool]] = {
    "death_up_to_day_0": lambda one: one.death_day is not None and one.death_day <= 0,
    "death_up_to_day_30": lambda one: one.death_day is not None and one.death_day <= 30,
}


def _response(outcomes: Sequence[Outcome], protocol: Protocol, marrow: Mapping[str, xr.Dataset]) -> Objective:
    table = response.mrd_response(outcomes, protocol, marrow)
    conversion = response.conversion_table(table)
    morphology = response.morphological_response(outcomes)
    lines = [log_change_line(row) for row in rows_of(table)]
    lines += [
        f"{share_line(row)} of those above the threshold before; {row['not_evaluable']} not evaluable, "
        f"{row['not_above_before']} not above the threshold before"
        for row in rows_of(conversion)
    ]
    lines += [
        f"{share_line(row)} of the chemorefractory assessed; {row['not_assessed']} not" for row in rows_of(morphology)
    ]
    tables = {"mrd": table, "conversion": conversion, "morphology": morphology}
    return Objective("response", "Short-term response", (*lines, MRD_CAUTION), tables)


def _reconstitution(outcomes: Sequence[Outcome], series: pd.DataFrame | None) -> Objective:
    title = "Impact on reconstitution of lymphocyte subsets"
    if series is None or series.empty:
        return Objective("reconstitution", title, ("not evaluable: no blood of these patients in the study",), {})
    by, given = impact.levels(outcomes), impact.nk_given_groups(outcomes)
    tables = {
        "subsets_by_level": impact.subsets_by_group(series, by),
        "subsets_by_nk_given": impact.subsets_by_group(series, given, after_day=impact.NK_LANDMARK_DAY),
        "endpoints": impact.endpoint_states(series, outcomes),
        "endpoint_incidence": impact.endpoint_incidences(series, outcomes),
    }
    lines = [f"Visits: {SCHEDULE_SOURCE}; NK counts of days {series.attrs['confounded_days']} hold infused cells"]
    lines += [
        quartile_line(row) for name in ("subsets_by_level", "subsets_by_nk_given") for row in rows_of(tables[name])
    ]
    lines += [estimate_line(row, row["definition"]) for row in rows_of(tables["endpoint_incidence"])]
    without = {one.patient for one in outcomes if one.transplanted} - set(series["patient"])
    if without:
        lines.append(f"without any blood sample in the study: {', '.join(sorted(without))}")
    return Objective("reconstitution", title, tuple(lines), tables)


def _main(outcomes: Sequence[Outcome]) -> Objective:
    groups = survival.groups_of(outcomes)
    tables = {"survival": survival.survival_table(groups), "incidence": survival.incidence_table(groups)}
    lines = [estimate_line(row, spoken(row["outcome"])) for table in tables.values() for row in rows_of(table)]
    return Objective("outcomes", "Main transplant outcomes and engraftment", tuple(lines), tables)


def _strata(outcomes: Sequence[Outcome]) -> Objective:
    import pandas as pd

    counts = feasibility.strata(outcomes)
    names = ("disease_status", "donor", "conditioning")
    parts = [survival.survival_table(survival.groups_of(outcomes, name), (365,)) for name in names]
    table = pd.concat(parts, ignore_index=True)
    lines = [
        f"{spoken(row['stratum'])} {row['value']}: {row['count']} of {row['total']}"
        for row in rows_of(counts[counts["group"] == feasibility.ALL])
    ]
    lines += [estimate_line(row, spoken(row["outcome"])) for row in rows_of(table)]
    return Objective("strata", "Strata", tuple(lines), {"strata": counts, "survival": table})


def _landmarks(outcomes: Sequence[Outcome], series: pd.DataFrame | None) -> Objective:
    tables, lines = {}, []
    given = survival.landmark(outcomes, impact.nk_given_groups(outcomes), impact.NK_LANDMARK_DAY)
    tables["nk_given"] = given
    found = [(f"landmark day {impact.NK_LANDMARK_DAY}, by NK dose given", given)]
    endpoints = () if series is None else impact.available_endpoints(series, impact.LANDMARK_ENDPOINTS)
    for endpoint in endpoints:
        groups = impact.recovery_groups(series, outcomes, endpoint) if series is not None else {}
        tables[endpoint.name] = survival.landmark(outcomes, groups, impact.LANDMARK_DAY)
        found.append((f"landmark day {impact.LANDMARK_DAY}, by {endpoint.words}", tables[endpoint.name]))
    for title, table in found:
        lines.append(f"{title}:")
        lines += [f"  {estimate_line(row, spoken(row['outcome']))}" for row in rows_of(table)] or ["  nobody at risk"]
    if not endpoints:
        lines.append("by NK and CD4 recovery: not evaluable, no blood of these patients in the study")
    return Objective("landmarks", "Landmark analyses", tuple(lines), tables)


def _follow_up(outcomes: Sequence[Outcome]) -> Objective:
    table = feasibility.follow_up(outcomes)
    lines = []
    for row in rows_of(table):
        if not row["count"]:
            lines.append(f"{row['group']}: nobody was transplanted")
            continue
        median = f"median {row['median_day']:.0f} days" if row["median_day"] == row["median_day"] else "no median"
        lines.append(
            f"{row['group']}: {row['count']} transplanted, {row['dead']} died; {median} (reverse Kaplan–Meier); "
            f"{100 * row['completeness']:.0f} % of the possible follow-up observed; data cut-off stated for "
            f"{row['cut_off_known']}"
        )
    return Objective("follow_up", "Completeness of follow-up", tuple(lines), {"follow_up": table})
