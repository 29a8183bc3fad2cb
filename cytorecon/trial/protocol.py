"""A trial protocol as data (TOML): rules of a few kinds, doses, schedule and what its record leaves open.

Nothing of one trial is written in Python. A rule is a table with a ``kind``; a new protocol is a new file, a new
*kind* of rule is a model in `cytorecon.trial.criteria` and one function in `cytorecon.trial.rules`.
"""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from pydantic import field_validator, model_validator

from cytorecon.errors import ProtocolError
from cytorecon.trial.criteria import Days, Months, Names, Rule, Rules, Share, walk
from cytorecon.trial.reading import Model, Sequence, checked, parse_model, read_toml
from cytorecon.trial.values import Dose, parse_dose

PROTOCOLS = Path(__file__).resolve().parent.parent / "protocols"

CellDose = Annotated[Dose, checked(parse_dose)]


class Record(Model):
    """The registry record a protocol file was written from."""

    organisation_id: str = ""
    sponsor: str = ""
    url: str = ""
    updated: date
    phase: str = ""
    enrolment: int
    start: date
    completion: date
    follow_up: Months
    conditioning_day: int


class DoseLevel(Model):
    """Total cells per kg over all infusions; `record` is the same dose as the record writes it."""

    level: int
    total: CellDose
    record: CellDose
    rescue: bool = False

    @model_validator(mode="after")
    def _record_agrees(self) -> DoseLevel:
        if self.total.per_kg != self.record.per_kg:
            raise ValueError(f"total is {self.total.text} but the record's text reads {self.record.text}")
        return self


class PlannedInfusion(Model):
    """One infusion: its share of the level, its nominal day and the days allowed."""

    number: int
    day: int
    share: Share
    earliest: int
    latest: int


class DosePlan(Model):
    """Dose levels and how each is split."""

    cells: str
    start_level: int
    level: Annotated[tuple[DoseLevel, ...], Sequence]
    infusion: Annotated[tuple[PlannedInfusion, ...], Sequence]

    @model_validator(mode="after")
    def _shares_add_up(self) -> DosePlan:
        if sum(infusion.share for infusion in self.infusion) != 1:
            raise ValueError("the shares of the infusions do not add up to 1")
        return self


class Dlt(Model):
    """What counts as dose-limiting: events of a scale from a grade on, if related where asked."""

    scale: str
    events: Names
    grade: int
    related: bool


class Escalation(Model):
    """Rule-based escalation: a cohort, its expansion, and how many toxicities are tolerated in the expansion."""

    design: Literal["3+3"]
    cohort: int
    expanded: int
    tolerated: int


class Stopping(Model):
    """The study stops at this many dose-limiting toxicities of the expanded cohort of this level."""

    level: int
    dlt: int


class DonorPlan(Model):
    """How KIR ligands enter the choice of a donor."""

    kir_not_applicable: Names = ()
    kir_direction: Literal["gvh", "hvg"] = "gvh"


class ScheduleItem(Model):
    """A treatment and its days relative to transplantation (day 0); limited to some donor types where named."""

    days: Days
    what: str
    dose: str
    donors: Names = ()


class Ambiguity(Model):
    """What the record leaves open and how it is treated; `concerns` names rules or topics."""

    number: str
    record: str
    treatment: str
    concerns: Names
    only_if_open: bool = False


class Protocol(Model):
    """A trial: its criteria, doses, schedule and ambiguities."""

    id: str
    title: str
    record: Record
    inclusion: Rules
    exclusion: Rules
    infusion_criterion: Rules = ()
    dose: DosePlan
    dlt: Dlt
    escalation: Escalation
    stopping: Stopping
    donor: DonorPlan = DonorPlan()
    schedule: Annotated[tuple[ScheduleItem, ...], Sequence] = ()
    ambiguity: Annotated[tuple[Ambiguity, ...], Sequence] = ()

    @field_validator("inclusion", "exclusion", "infusion_criterion")
    @classmethod
    def _not_empty_ids(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        ids = [rule.id for rule in walk(rules)]
        if repeated := {name for name in ids if ids.count(name) > 1}:
            raise ValueError(f"rule ids occur twice: {', '.join(sorted(repeated))}")
        return rules

    def level(self, number: int) -> DoseLevel:
        """The dose level of that number.

        Raises
        ------
        ProtocolError
            There is none.
        """
        found = next((level for level in self.dose.level if level.level == number), None)
        if found is None:
            expected = ", ".join(str(level.level) for level in self.dose.level)
            raise ProtocolError(f"protocol {self.id}", "has no such dose level", expected=expected, got=str(number))
        return found

    def infusion(self, number: int) -> PlannedInfusion:
        """The planned infusion of that number.

        Raises
        ------
        ProtocolError
            There is none.
        """
        found = next((infusion for infusion in self.dose.infusion if infusion.number == number), None)
        if found is None:
            expected = ", ".join(str(infusion.number) for infusion in self.dose.infusion)
            raise ProtocolError(f"protocol {self.id}", "plans no such infusion", expected=expected, got=str(number))
        return found

    def infusion_dose(self, level: int, number: int) -> Fraction:
        """Cells per kg of one infusion of one level, exact."""
        return self.level(level).total.per_kg * self.infusion(number).share

    def ambiguities(self, *topics: str) -> tuple[Ambiguity, ...]:
        """What the record leaves open about any of these rules or topics."""
        return tuple(entry for entry in self.ambiguity if set(topics) & set(entry.concerns))


def read_protocol(name_or_path: str | Path = "nct07256210") -> Protocol:
    """A shipped protocol by its name, or a protocol file by its path.

    Raises
    ------
    ProtocolError
        There is no such protocol, or its file is not sound.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        shipped = {file.stem: file for file in sorted(PROTOCOLS.glob("*.toml"))}
        if str(name_or_path).casefold() not in shipped:
            remedy = "Name one of them or give the path of a .toml file"
            raise ProtocolError(str(name_or_path), "is no shipped protocol", expected=", ".join(shipped), remedy=remedy)
        path = shipped[str(name_or_path).casefold()]
    return parse_model(Protocol, read_toml(path), str(name_or_path))


def calendar(protocol: Protocol, transplant: date, donor_type: str) -> tuple[tuple[date, int, ScheduleItem], ...]:
    """The schedule as dates: (date, day, item) in order of day, for one type of donor."""
    days = [
        (day, item) for item in protocol.schedule if not item.donors or donor_type in item.donors for day in item.days
    ]
    return tuple((transplant + timedelta(days=day), day, item) for day, item in sorted(days, key=lambda pair: pair[0]))
