"""The outcome table of a trial: one validated row a patient, every event with its day relative to transplant."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from cytorecon.errors import ProtocolError
from cytorecon.trial.cohort import CohortRow
from cytorecon.trial.values import parse_number

# Columns of this beginning are kept as text, to group by; any other unknown column is an error, as it may be a
# misspelt event whose absence would be taken for "did not happen".
FURTHER = "x_"
_WORDS = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}


def _empty(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _day(value: object) -> object:
    text = str(value).strip().translate(str.maketrans("−–", "--"))
    if _empty(value) is None:
        return None
    if not text.lstrip("+-").isdecimal() or len(text) > 7:
        raise ValueError("is no day: write a whole number relative to transplant, such as -12 or 100")
    return int(text)


def _flag(value: object) -> object:
    if _empty(value) is None or isinstance(value, bool):
        return _empty(value)
    if str(value).strip().casefold() not in _WORDS:
        raise ValueError("is neither yes nor no")
    return _WORDS[str(value).strip().casefold()]


def _number(value: object) -> object:
    if _empty(value) is None:
        return None
    try:
        return float(parse_number(value))
    except ProtocolError as error:
        raise ValueError(error.problem) from None


def _word(value: object) -> object:
    return "_".join(value.casefold().replace("-", " ").split()) if isinstance(value, str) and value.strip() else None


Day = Annotated[int | None, BeforeValidator(_day)]
Flag = Annotated[bool | None, BeforeValidator(_flag)]
# A dose of 10⁶/kg written in cells/kg would be a million times too high.
Dose = Annotated[Annotated[float, Field(ge=0, le=1000)] | None, BeforeValidator(_number)]
Age = Annotated[Annotated[float, Field(ge=0, le=120)] | None, BeforeValidator(_number)]
Grade = Annotated[Annotated[int, Field(ge=0, le=4)] | None, BeforeValidator(_empty)]
Morphology = Annotated[Literal["cr", "cri", "pr", "no_response", "not_assessed"] | None, BeforeValidator(_word)]


class Outcome(BaseModel):
    """What became of one patient. Days are relative to transplant (day 0), signed; an empty event has not happened.

    Parameters
    ----------
    patient, level, disease, disease_status, donor, conditioning
        As in the sample sheet; assigned dose level; strata.
    age_years
        At transplant; None if not stated.
    infusion_1_day, infusion_2_day
        None: not given.
    nk_planned_1_e6_per_kg, …, nk_given_1_e6_per_kg, …
        NK cells, 10⁶/kg; planned ones None: the protocol's.
    dlt, dlt_day, dlt_evaluable, dlt_window_open
        Dose-limiting toxicity; the window is the site's.
    transplanted
        Whether day 0 took place; if not, days count from the planned day 0.
    neutrophil_engraftment_day, platelet_engraftment_day, graft_failure_day, second_transplant_day
        Of the transplant.
    acute_gvhd_grade, acute_gvhd_day
        Highest grade, 0 to 4 (None: not assessed), and onset of grade II.
    chronic_gvhd_day, relapse_day, death_day
        Onset, relapse or progression, death of any cause.
    morphology_before, morphology_after, morphology_after_day
        ``cr``, ``cri``, ``pr``, ``no_response`` or ``not_assessed``.
    last_follow_up_day
        Last day the patient's state is known; the day of death where there is one.
    potential_follow_up_day
        Day the follow-up could have reached at the data cut-off; None: not stated.
    extra
        Columns beginning with ``x_``, as text, to group by.
    row
        Row of the file as a spreadsheet shows it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    patient: Annotated[str, Field(min_length=1, max_length=500)]
    level: Annotated[int, Field(ge=0)]
    disease: Annotated[Literal["aml", "t_all", "mpal"], BeforeValidator(_word)]
    disease_status: Annotated[
        Literal["primary_refractory", "refractory_relapse", "mrd_persistence"], BeforeValidator(_word)
    ]
    donor: Annotated[Literal["haploidentical", "matched_related"], BeforeValidator(_word)]
    conditioning: Annotated[Literal["treosulfan", "busulfan", "tbi"], BeforeValidator(_word)]
    age_years: Age = None
    infusion_1_day: Day
    infusion_2_day: Day
    nk_planned_1_e6_per_kg: Dose = None
    nk_planned_2_e6_per_kg: Dose = None
    nk_given_1_e6_per_kg: Dose
    nk_given_2_e6_per_kg: Dose
    dlt: Flag
    dlt_day: Day
    dlt_evaluable: Flag
    dlt_window_open: Annotated[bool, BeforeValidator(_flag)]
    transplanted: Annotated[bool, BeforeValidator(_flag)]
    neutrophil_engraftment_day: Day
    platelet_engraftment_day: Day
    graft_failure_day: Day
    second_transplant_day: Day
    acute_gvhd_grade: Grade
    acute_gvhd_day: Day
    chronic_gvhd_day: Day
    relapse_day: Day
    death_day: Day
    morphology_before: Morphology
    morphology_after: Morphology
    morphology_after_day: Day = None
    last_follow_up_day: Annotated[int, BeforeValidator(_day)]
    potential_follow_up_day: Day = None
    extra: Mapping[str, str] = Field(default_factory=dict)
    row: int = 0

    @property
    def infused(self) -> bool:
        """Whether any NK cells were infused."""
        return self.infusion_1_day is not None or self.infusion_2_day is not None

    @property
    def nk_given(self) -> float | None:
        """NK cells given over both infusions, 10⁶/kg; None where a given dose is not stated."""
        days = (self.infusion_1_day, self.infusion_2_day)
        doses = (self.nk_given_1_e6_per_kg, self.nk_given_2_e6_per_kg)
        given = [dose for day, dose in zip(days, doses, strict=True) if day is not None]
        return None if None in given else float(sum(dose or 0.0 for dose in given))

    @property
    def chemorefractory(self) -> bool:
        """Whether the disease was refractory by morphology rather than residual."""
        return self.disease_status != "mrd_persistence"

    def escalation_row(self) -> CohortRow:
        """The patient as the 3+3 rules see it."""
        return CohortRow(self.level, self.patient, self.dlt_evaluable, self.dlt, self.dlt_window_open, self.row)


COLUMNS = tuple(name for name in Outcome.model_fields if name not in ("extra", "row"))
REQUIRED_COLUMNS = tuple(name for name in COLUMNS if Outcome.model_fields[name].is_required())
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
