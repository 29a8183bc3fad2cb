"""Reconstitution of a study in one result: lines to print, tables to keep, the same as JSON. Research use only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cytorecon.counts.inputs import Platform
from cytorecon.cube import Visit
from cytorecon.errors import CubeError
from cytorecon.reconstitution.cohort import incidence_by_group, quantile_words, summarise_visits
from cytorecon.reconstitution.endpoint import ENDPOINTS, Endpoint, assess_endpoint, parse_endpoint
from cytorecon.reconstitution.reference import ReferenceTable, compare_with_reference, full_definitions
from cytorecon.reconstitution.series import LLOQ_EVENTS, concentration_series
from cytorecon.reconstitution.visit import CONFOUNDED, SCHEDULE_SOURCE, DayWindow, default_visits

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

RESEARCH_USE = "Research use only. Not a medical device; a clinician decides."


@dataclass(frozen=True)
class ReconstitutionResult:
    """What a study says about reconstitution.

    Parameters
    ----------
    tables
        ``series``, ``endpoints``, and for a cohort ``visits`` and ``incidence``.
    lines
        The same as text.
    """

    tables: Mapping[str, pd.DataFrame]
    lines: tuple[str, ...]


def reconstitution_result(
    cube: xr.Dataset,
    patient: str | None = None,
    *,
    populations: Sequence[str] | None = None,
    endpoints: Sequence[Endpoint | str] = tuple(ENDPOINTS),
    visits: Sequence[Visit] | None = None,
    confounded: Sequence[DayWindow] = CONFOUNDED,
    lloq_events: int = LLOQ_EVENTS,
    platform: Platform | None = None,
    references: Sequence[ReferenceTable] = (),
    age_years: Mapping[str, float] | None = None,
    competing: Mapping[str, tuple[int, str]] | None = None,
    by: Mapping[str, str] | None = None,
) -> ReconstitutionResult:
    """Series, endpoints and, for more than one patient, quartiles by visit and cumulative incidence.

    Parameters
    ----------
    cube
        As in `concentration_series`; samples rather than the cube keep every sample.
    patient
        Only this one; None: all.
    populations, visits, confounded, lloq_events, platform
        As in `concentration_series`; `visits` None: `default_visits`.
    endpoints
        Those whose population the cube lacks are named in a line and left out.
    references, age_years
        As in `compare_with_reference`.
    competing, by
        As in `endpoint_incidence`.

    Raises
    ------
    CubeError
        The patient is not in the cube.
    """
    windows = default_visits() if visits is None else visits
    series = concentration_series(
        cube, populations, visits=windows, lloq_events=lloq_events, confounded=confounded, platform=platform
    )
    if patient is not None:
        series = _of_patient(series, patient)
    if references:
        series = compare_with_reference(series, full_definitions(cube), age_years or {}, references)
    have = set(series["population"])
    known = [one for one in map(parse_endpoint, endpoints) if one.population in have]
    tables = {"series": series, "endpoints": _endpoints(series, known, competing)}
    lines = [f"Visits: {SCHEDULE_SOURCE}", f"Infused cells are counted with the patient's own on days {_days(series)}"]
    lines += [f"{finding['severity']}: {finding['message']}" for finding in series.attrs["findings"]]
    lines += _told_of_patient(series) if patient is not None else []
    lines += [f"{row['patient']}: {row['definition']}: {row['text']}" for row in tables["endpoints"].to_dict("records")]
    if patient is None:
        tables |= {
            "visits": summarise_visits(series, by),
            "incidence": incidence_by_group(series, known, competing, by),
        }
        lines += [_visit_line(row) for row in tables["visits"].to_dict("records")]
        lines += [_incidence_line(row) for row in tables["incidence"].to_dict("records")]
    left_out = [one.words for one in map(parse_endpoint, endpoints) if one.population not in have]
    lines += [f"not evaluable, not in the template: {words}" for words in left_out]
    return ReconstitutionResult(tables, (*lines, RESEARCH_USE))


def reconstitution_mapping(result: ReconstitutionResult) -> dict[str, Any]:
    """The result as JSON has it: rows as mappings, missing numbers null, with units and sources."""
    return {
        "tables": {
            name: {"about": {key: value for key, value in table.attrs.items() if value}, "rows": _records(table)}
            for name, table in result.tables.items()
        },
        "lines": list(result.lines),
    }


def _of_patient(series: pd.DataFrame, patient: str) -> pd.DataFrame:
    own = series[(series["patient"] == patient) | series["patient"].str.startswith(f"{patient} (transplant ")]
    if own.empty:
        raise CubeError("patient", "has no blood sample in the study", remedy="Use the name of the sample sheet")
    own = own.reset_index(drop=True)
    own.attrs |= series.attrs
    return own


def _endpoints(
    series: pd.DataFrame, endpoints: Sequence[Endpoint], competing: Mapping[str, tuple[int, str]] | None
) -> pd.DataFrame:
    import pandas as pd

    ended = {patient: day for patient, (day, _) in (competing or {}).items()}
    parts = [assess_endpoint(series, one, ended).assign(definition=one.words) for one in endpoints]
    columns = ["patient", "endpoint", "state", "day", "text", "definition"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _days(series: pd.DataFrame) -> str:
    return str(series.attrs["confounded_days"]) or "(none stated)"


def _told_of_patient(series: pd.DataFrame) -> list[str]:
    """A line a value; beads and whatever a tube cannot measure are one line together."""
    unmeasured = series["reason"].isin(["outside_denominator", "not_measured"])
    never = sorted(set(series["population"]) - set(series.loc[~unmeasured, "population"]))
    lines = [_told(row) for row in series[~unmeasured].to_dict("records")]
    return [*lines, f"without a concentration in any sample: {', '.join(never)}"] if never else lines


def _told(row: Mapping[Any, Any]) -> str:
    if row["censor"] == "none":
        value = f"{row['cells_per_ul']:.3g}/µL ({row['low']:.3g} to {row['high']:.3g})"
    else:
        value = f"< {row['lloq']:.3g}/µL (LLOQ)" if row["censor"] == "left" else row["reason"].replace("_", " ")
    tag = "; infused cells counted as well" if row["confounded"] else ""
    reference = row.get("reference_position", "")
    place = f"; {reference.replace('_', ' ')}" if reference else ""
    return f"{row['patient']}, day {row['day']:+d}, {row['population']} [{row['definition']}]: {value}{place}{tag}"


def _visit_line(row: Mapping[Any, Any]) -> str:
    lower, median, upper = quantile_words(row)
    return (
        f"{row['population']}, {row['group']}, day {row['timepoint']}: median {median}/µL (quartiles {lower}, {upper});"
        f" {row['measured_count']} measured, {row['censored_count']} below LLOQ, {row['missing_count']} missing"
    )


def _incidence_line(row: Mapping[Any, Any]) -> str:
    head = f"{row['definition']}, {row['group']} (n = {row['count']}): cumulative incidence"
    if row["value"] != row["value"]:
        return f"{head} not estimable: nobody is observed that long"
    note = f"; {row['note']}" if row["note"] else ""
    return (
        f"{head} {100 * row['value']:.1f} % (95 % interval {100 * row['low']:.0f} to {100 * row['high']:.0f} %){note}"
    )


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): plain(value) for key, value in row.items()} for row in table.to_dict("records")]


def plain(value: Any) -> Any:
    """A cell as JSON has it: missing and infinite numbers as null, numpy scalars as Python's."""
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    value = value.item() if hasattr(value, "item") else value
    if value is None or type(value).__name__ == "NAType" or value != value:
        return None
    return None if value in (float("inf"), float("-inf")) else value
