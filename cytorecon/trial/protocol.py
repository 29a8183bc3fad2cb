"""A trial protocol as data (TOML): rules of a few kinds, doses, schedule and what its record leaves open.

Nothing of one trial is written in Python. A rule is a table with a ``kind``; a new protocol is a new file, a new
*kind* of rule is a model here and one function in `cytorecon.trial.rules`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from cytorecon.errors import ProtocolError
from cytorecon.trial.case import is_fact
from cytorecon.trial.reading import Model, Number, Sequence, checked, parse_model, read_toml
from cytorecon.trial.values import Dose, parse_dose, parse_share, parse_span

PROTOCOLS = Path(__file__).resolve().parent.parent / "protocols"

Reference = Literal["screening", "conditioning", "transplant", "infusion"]
Months = Annotated[int, checked(parse_span)]
Share = Annotated[Fraction, checked(parse_share)]
CellDose = Annotated[Dose, checked(parse_dose)]
Days = Annotated[tuple[int, ...], Sequence]
Names = Annotated[tuple[str, ...], Sequence]


def _fact(path: str) -> str:
    if not is_fact(path):
        raise ProtocolError("fact", "is nothing a case file can state", got=repr(path), remedy="See docs/trial.md")
    return path


Fact = Annotated[str, checked(_fact)]


class Condition(Model):
    """A fact and the value it has to have."""

    fact: Fact
    equals: bool | str


class RuleBase(Model):
    """What every kind of rule carries.

    ``applies_if`` false: not_applicable; ``valid_if`` false: the fact does not answer, unknown; ``waived_if`` true
    forgives a failure; ``disputed_from_age`` and ``on_failure`` hand an answer to a person; ``needs`` names a fact
    that has to be stated beside; ``arbiter`` may decide against the facts; ``infusions`` limits a rule to these.
    """

    id: str
    title: str
    cites: str
    reference: Reference = "screening"
    applies_if: Condition | None = None
    valid_if: Condition | None = None
    waived_if: Condition | None = None
    needs: Fact | None = None
    disputed_from_age: Months | None = None
    on_failure: Literal["not_met", "needs_adjudication"] = "not_met"
    arbiter: str = ""
    infusions: Days = ()


class UnresolvedRule(RuleBase):
    """A criterion that the record has lost."""

    kind: Literal["unresolved"]


class StatementRule(RuleBase):
    """A question that a person answers with yes or no; met if yes."""

    kind: Literal["statement"]
    statement: str


class ChoiceRule(RuleBase):
    """A fact that has to be one of some values."""

    kind: Literal["choice"]
    fact: Fact
    accepts: Annotated[tuple[bool | str, ...], Sequence]


class NumberRule(RuleBase):
    """A number against one limit; unit ``ULN`` compares with that multiple of the laboratory's upper limit."""

    kind: Literal["number"]
    fact: Fact
    at_least: Number | None = None
    at_most: Number | None = None
    above: Number | None = None
    below: Number | None = None
    unit: str = ""

    @model_validator(mode="after")
    def _one_limit(self) -> NumberRule:
        if len([limit for limit in self.limits.values() if limit is not None]) != 1:
            raise ValueError("give exactly one of at_least, at_most, above, below")
        return self

    @property
    def limits(self) -> dict[str, Number | None]:
        """The four possible limits by name."""
        return {"at_least": self.at_least, "at_most": self.at_most, "above": self.above, "below": self.below}


class AgeRule(RuleBase):
    """Age between two limits, both included; between the disputed and the undisputed limit a person decides."""

    kind: Literal["age"]
    at_least: Months
    at_most: Months
    disputed_from: Months
    disputed_below: Months


class Scale(Model):
    """A performance scale and the ages it is for."""

    name: Literal["lansky", "karnofsky"]
    since: Months = Field(alias="from")
    below: Months


class PerformanceRule(RuleBase):
    """A performance score on the scale of the patient's age."""

    kind: Literal["performance"]
    at_least: Number
    scale: Annotated[tuple[Scale, ...], Sequence]


class EgfrRule(RuleBase):
    """An estimated glomerular filtration rate, mL/min/1.73 m²."""

    kind: Literal["egfr"]
    formula: str
    at_least: Number


class SinceRule(RuleBase):
    """The latest of some dated events lies within a window of calendar months; its boundary day is disputed."""

    kind: Literal["since"]
    fact: Fact
    window: Months


class SignsRule(RuleBase):
    """Any of some signs is active; an active or unknown one goes to a person."""

    kind: Literal["signs"]
    signs: Names


class MrdRule(RuleBase):
    """Residual disease strictly above a fraction of a named denominator, in a specimen drawn before the reference."""

    kind: Literal["mrd"]
    above: dict[str, Share]
    denominator: str
    specimen: str
    method: str
    warn_after_days: int | None = None


class AllRule(RuleBase):
    """Every part that applies has to be met."""

    kind: Literal["all"]
    of: Annotated[tuple[Rule, ...], Sequence]


class AnyRule(RuleBase):
    """One part has to be met; with ``of_those_given``, parts without any fact are left out if another has one."""

    kind: Literal["any"]
    of: Annotated[tuple[Rule, ...], Sequence]
    of_those_given: bool = False


Rule = Annotated[
    UnresolvedRule | StatementRule | ChoiceRule | NumberRule | AgeRule | PerformanceRule | EgfrRule | SinceRule
    | SignsRule | MrdRule | AllRule | AnyRule,
    Field(discriminator="kind"),
]  # fmt: skip
AllRule.model_rebuild()
AnyRule.model_rebuild()
Rules = Annotated[tuple[Rule, ...], Sequence]


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


def walk(rules: tuple[Rule, ...]) -> Iterator[Rule]:
    """Every rule and every part of one, parents first."""
    for rule in rules:
        yield rule
        if isinstance(rule, AllRule | AnyRule):
            yield from walk(rule.of)


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
