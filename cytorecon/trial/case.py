"""One patient's facts as a person writes them (TOML): measurements with units and dates, answers with names."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, field_validator, model_validator

from cytorecon.trial.reading import Model, Number, Sequence, parse_model, read_toml
from cytorecon.trial.values import Age, age_on, parse_span

DonorType = Literal[
    "haploidentical", "matched_related", "matched_unrelated", "mismatched_unrelated", "cord_blood", "autologous"
]
Specimen = Literal["marrow", "blood", "other"]
Sign = Literal["absent", "active", "unknown"]


def _folded(value: object) -> object:
    return re.sub(r"[\s-]+", "_", value.strip().casefold()) if isinstance(value, str) else value


def _specimen(value: object) -> object:
    return "marrow" if _folded(value) == "bone_marrow" else _folded(value)


class Measured(Model):
    """A measurement: value, unit, day, and the laboratory's upper limit of normal in the same unit."""

    value: Number = Field(ge=0)
    unit: str
    on: date | None = None
    uln: Number | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _percent_is_of_100(self) -> Measured:
        if self.unit.strip() == "%" and 0 < self.value <= 1:
            raise ValueError(f"{self.value} % looks like a fraction: write {self.value * 100:f} for percent")
        return self


class Statement(Model):
    """A person's answer to a question of the protocol; a bare true or false is one without name and date."""

    answer: bool | Literal["unknown"]
    by: str = ""
    on: date | None = None
    note: str = ""


class Decision(Model):
    """A named person's decision on a criterion that no fact settles: who, when and why."""

    answer: Literal["met", "not_met"]
    by: str = Field(min_length=1)
    on: date
    reason: str = Field(min_length=1)


class Response(Model):
    """How many regimens were given, whether complete remission followed, and by which definition."""

    regimens: int = Field(ge=0)
    complete_remission: bool
    definition: str = Field(min_length=1)
    on: date | None = None


class Patient(Model):
    """Who; `born` or `age` (completed ``"11 months"``, ``"12 years"``)."""

    id: str = Field(min_length=1)
    sex: Literal["female", "male"] | None = None
    born: date | None = None
    age: str = ""

    @field_validator("age")
    @classmethod
    def _age_is_a_span(cls, value: str) -> str:
        if value and parse_span(value, "age") < 12 and value.strip().split()[-1].startswith("year"):
            raise ValueError("0 years does not tell 1 month from 11: write months")
        return value

    def age_on(self, on: date | None) -> Age | None:
        """Age by the birth date, else the stated one; None if neither (or no date) is given."""
        if self.born and on:
            return age_on(self.born, on)
        return Age(parse_span(self.age), beyond=True) if self.age else None


class Dates(Model):
    """Reference days; day 0 is only planned while the patient is screened."""

    screening: date | None = None
    conditioning: date | None = None
    transplant: date | None = None


class Disease(Model):
    """Diagnosis and response to treatment so far."""

    name: Annotated[str, BeforeValidator(_folded)]
    induction: Response | None = None
    in_relapse: bool | None = None
    salvage: Response | None = None


class MrdCounts(Model):
    """Residual disease by two numbers, for a case without a study."""

    event_count: int = Field(ge=0)
    total_count: int = Field(ge=0)
    denominator: str
    specimen: Annotated[Specimen, BeforeValidator(_specimen)]
    drawn: date
    method: Annotated[Literal["flow_cytometry", "other"], BeforeValidator(_folded)] = "flow_cytometry"
    lob_count: int | None = Field(default=None, ge=0)
    nucleated_count: int | None = Field(default=None, ge=0)
    cd45_count: int | None = Field(default=None, ge=0)
    blast_region_count: int | None = Field(default=None, ge=0)


class Donor(Model):
    """The chosen donor."""

    type: Annotated[DonorType, BeforeValidator(_folded)]


class Performance(Model):
    """Lansky or Karnofsky score, 0 to 100."""

    scale: Annotated[Literal["lansky", "karnofsky"], BeforeValidator(_folded)]
    score: Number = Field(ge=0, le=100)
    on: date | None = None


class Kidney(Model):
    """Measured clearance, or what an estimate needs."""

    clearance: Measured | None = None
    creatinine: Measured | None = None
    height_cm: Number | None = Field(default=None, gt=Decimal(30), lt=Decimal(250))
    idms: bool | None = None


class Liver(Model):
    """Serum values with their upper limits of normal."""

    bilirubin: Measured | None = None
    alt: Measured | None = None
    ast: Measured | None = None
    gilbert: bool | None = None


class Heart(Model):
    """Left-ventricular ejection fraction."""

    lvef: Measured | None = None


class Lung(Model):
    """Function test, or saturation where the patient cannot perform one."""

    can_perform: bool | None = None
    measure: Literal["FVC", "FEV1", "DLCO", "VC", "TLC"] | None = None
    percent_predicted: Measured | None = None
    saturation: Measured | None = None
    on_room_air: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _a_test_was_performed(cls, data: Any) -> Any:
        if isinstance(data, dict) and "percent_predicted" in data:
            if data.get("can_perform") is False:
                raise ValueError("percent_predicted is given although can_perform is false")
            return {"can_perform": True, **data}
        return data


class Grade(Model):
    """The highest grade of a kind of adverse sign, on a named scale and version."""

    grade: int = Field(ge=0, le=5)
    scale: str = Field(min_length=1)
    on: date | None = None
    note: str = ""


class Therapy(Model):
    """A cellular therapy given before."""

    kind: str = Field(min_length=1)
    on: date


class Infusion(Model):
    """What has to be known before one infusion, at the time stated by `on`."""

    number: int = Field(ge=1)
    on: date
    corticosteroid_mg_per_kg_day: Number | None = Field(default=None, ge=0)
    uncontrolled_infection: bool | None = None
    nonhaematological: Grade | None = None
    ventilator: bool | None = None
    oxygen_l_per_min: Number | None = Field(default=None, ge=0)


Answered = Annotated[
    Statement, BeforeValidator(lambda value: {"answer": value} if isinstance(value, bool | str) else value)
]


class Case(Model):
    """Everything known of one patient; what is left out is unknown and never passes a rule.

    ``signs``, ``statements``, ``grades`` and ``decisions`` are keyed by the protocol's own names.
    """

    patient: Patient
    disease: Disease
    dates: Dates = Dates()
    mrd: MrdCounts | None = None
    donor: Donor | None = None
    performance: Performance | None = None
    kidney: Kidney = Kidney()
    liver: Liver = Liver()
    heart: Heart = Heart()
    lung: Lung = Lung()
    cellular_therapy: Annotated[tuple[Therapy, ...] | None, Sequence] = None
    signs: dict[str, Sign] = Field(default_factory=dict)
    statements: dict[str, Answered] = Field(default_factory=dict)
    grades: dict[str, Grade] = Field(default_factory=dict)
    decisions: dict[str, Decision] = Field(default_factory=dict)
    infusion: Annotated[tuple[Infusion, ...], Sequence] = ()

    @model_validator(mode="after")
    def _infusions_differ(self) -> Case:
        numbers = [infusion.number for infusion in self.infusion]
        if len(set(numbers)) < len(numbers):
            raise ValueError("two infusions carry one number")
        return self


def read_case(path: str | Path) -> Case:
    """The case file at `path`.

    Raises
    ------
    ProtocolError
        Not TOML, an unknown or missing field, a value outside its range or without its unit.
    """
    return parse_model(Case, read_toml(path), str(path))


def is_fact(path: str) -> bool:
    """Whether a dotted path such as ``liver.alt`` names a fact a case can hold."""
    first, *rest = path.split(".")
    if first == "grades":
        return len(rest) == 1
    model: type[Model] | None = Infusion if first == "infusion" else Case
    for name in rest if first == "infusion" else (first, *rest):
        if model is None or name not in model.model_fields:
            return False
        model = _nested(model.model_fields[name].annotation)
    return True


def _nested(annotation: Any) -> type[Model] | None:
    kinds = get_args(annotation) or (annotation,)
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Model)), None)
