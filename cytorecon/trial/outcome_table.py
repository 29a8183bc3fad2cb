"""Reading an outcome table: every fault named by row and column, also where a row contradicts itself."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cytorecon.errors import ProtocolError
from cytorecon.trial.outcomes import COLUMNS, REQUIRED_COLUMNS, Outcome

# Columns of this beginning are kept as text, to group by; any other unknown column is an error, as it may be a
# misspelt event whose absence would be taken for "did not happen".
FURTHER = "x_"
_EVENTS = tuple(name for name in COLUMNS if name.endswith("_day") and "follow_up" not in name)
_OF_TRANSPLANT = ("neutrophil_engraftment_day", "platelet_engraftment_day", "graft_failure_day",
                  "second_transplant_day", "acute_gvhd_day", "chronic_gvhd_day")  # fmt: skip


def read_outcomes(path: str | Path) -> tuple[Outcome, ...]:
    """Read an outcome table: CSV, comma or semicolon, all of `REQUIRED_COLUMNS` in its header.

    Raises
    ------
    ProtocolError
        Naming row and column: a column is missing or unknown, a cell is wrong, the row contradicts itself, or a
        patient occurs twice.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ProtocolError(str(path), "cannot be read as UTF-8 text", got=type(error).__name__) from None
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    lines = list(csv.reader(text.splitlines(), delimiter=delimiter))
    header = [cell.strip().casefold() for cell in lines[0]] if lines else []
    _check_header(header, str(path))
    outcomes = tuple(
        _outcome(header, cells, f"{path}, row {row}", row)
        for row, cells in enumerate(lines[1:], start=2)
        if any(cell.strip() for cell in cells)
    )
    if not outcomes:
        raise ProtocolError(str(path), "holds no patient", remedy="Write one row a patient")
    seen: dict[str, int] = {}
    for outcome in outcomes:
        if seen.setdefault(outcome.patient, outcome.row) != outcome.row:
            where, first = f"{path}, row {outcome.row}, column patient", seen[outcome.patient]
            raise ProtocolError(where, f"is the patient of row {first} again", remedy="Give each patient one row")
    return outcomes


def _check_header(header: list[str], path: str) -> None:
    where = f"{path}, row 1"
    missing = [name for name in REQUIRED_COLUMNS if name not in header]
    if missing:
        remedy = "Add it, with empty cells where it did not happen: a missing column is not a missing event"
        raise ProtocolError(where, f"lacks the column {missing[0]}", expected=", ".join(COLUMNS), remedy=remedy)
    unknown = [name for name in header if name not in COLUMNS and not name.startswith(FURTHER)]
    if unknown:
        remedy = f"Correct it, or begin its name with {FURTHER} if it is only to group by"
        raise ProtocolError(where, f"has the unknown column {unknown[0]!r}", expected=", ".join(COLUMNS), remedy=remedy)
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise ProtocolError(where, f"has the column {twice} twice")


def _outcome(header: list[str], cells: list[str], where: str, row: int) -> Outcome:
    if len(cells) != len(header):
        raise ProtocolError(where, "has another number of cells", expected=str(len(header)), got=str(len(cells)))
    given = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    extra = {name.removeprefix(FURTHER): cell for name, cell in given.items() if name.startswith(FURTHER) and cell}
    try:
        known: dict[str, object] = {name: cell for name, cell in given.items() if name in COLUMNS}
        outcome = Outcome.model_validate(known | {"extra": extra, "row": row})
    except ValidationError as error:
        raise _cell_error(error, where) from None
    for column, problem in _contradictions(outcome):
        raise ProtocolError(f"{where}, column {column}", problem)
    return outcome


def _cell_error(error: ValidationError, where: str) -> ProtocolError:
    first: Mapping[str, Any] = error.errors()[0]
    column, more = str(first["loc"][0]), f" ({error.error_count() - 1} more faults)" * (error.error_count() > 1)
    problem = str(first["msg"]).removeprefix("Value error, ")
    expected, remedy = "", ""
    if first["type"] == "literal_error":
        problem, expected = "is none of the accepted values", str(first["ctx"]["expected"])
    elif column.endswith("e6_per_kg"):
        remedy = "NK doses are in 10⁶ cells/kg"
    got = "" if column == "patient" else repr(first["input"])[:60]
    return ProtocolError(f"{where}, column {column}", problem + more, expected=expected, got=got, remedy=remedy)


def _contradictions(one: Outcome) -> Iterator[tuple[str, str]]:
    """Columns that contradict others, and why."""
    days = {name: getattr(one, name) for name in _EVENTS}
    for name, day in days.items():
        if day is not None and day > one.last_follow_up_day:
            yield name, f"lies after the last follow-up on day {one.last_follow_up_day}"
    if one.death_day is not None and one.death_day != one.last_follow_up_day:
        yield "last_follow_up_day", f"is not the day of death, {one.death_day}"
    if one.transplanted and one.last_follow_up_day < 0:
        yield "transplanted", "is yes, but follow-up ended before day 0"
    for name in _OF_TRANSPLANT:
        if days[name] is not None and (not one.transplanted or days[name] < 0):
            yield name, "is before day 0, or the patient was not transplanted"
    if one.transplanted and one.relapse_day is not None and one.relapse_day < 0:
        yield "relapse_day", "is before day 0: disease before transplant is a disease_status"
    yield from _infusion_contradictions(one)
    yield from _toxicity_contradictions(one)
    if (one.acute_gvhd_grade is not None and one.acute_gvhd_grade >= 2) != (one.acute_gvhd_day is not None):
        yield "acute_gvhd_day", "is the onset of grade II: it goes with a highest grade of 2 or more, and only with it"


def _infusion_contradictions(one: Outcome) -> Iterator[tuple[str, str]]:
    for number in (1, 2):
        dose, day = getattr(one, f"nk_given_{number}_e6_per_kg"), getattr(one, f"infusion_{number}_day")
        if day is None and dose:
            yield f"infusion_{number}_day", "is empty, but a dose was given"
    first, second = one.infusion_1_day, one.infusion_2_day
    if first is not None and second is not None and second <= first:
        yield "infusion_2_day", f"is not after the first infusion on day {first}"


def _toxicity_contradictions(one: Outcome) -> Iterator[tuple[str, str]]:
    if bool(one.dlt) != (one.dlt_day is not None):
        yield "dlt_day", "goes with dlt = yes, and only with it"
    if one.dlt and one.dlt_evaluable is False:
        yield "dlt_evaluable", "is no, but a dose-limiting toxicity occurred"
    if one.dlt and not one.infused:
        yield "dlt", "is yes, but nothing was infused"
    unknown = one.dlt_evaluable is None or (one.dlt is None and one.dlt_evaluable)
    if not one.dlt_window_open and unknown and one.infused:
        yield "dlt", "or dlt_evaluable is empty although the observation window has passed"
