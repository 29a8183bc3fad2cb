"""The outcome table of a trial: one validated row a patient, every event with its day relative to transplant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cytorecon.errors import ProtocolError
from cytorecon.trial.cohort import CohortRow
from cytorecon.trial.values import parse_number

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
