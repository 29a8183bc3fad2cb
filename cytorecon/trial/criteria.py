"""The kinds of rule as a protocol file writes them; what each one answers is in `cytorecon.trial.rules`."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cytorecon.errors import ProtocolError
from cytorecon.trial.case import is_fact
from cytorecon.trial.formulas import FORMULAS
from cytorecon.trial.reading import Model, Number, Sequence, checked
from cytorecon.trial.values import parse_share, parse_span

Reference = Literal["screening", "conditioning", "transplant", "infusion"]
Months = Annotated[int, checked(parse_span)]
Share = Annotated[Fraction, checked(parse_share)]
Days = Annotated[tuple[int, ...], Sequence]
Names = Annotated[tuple[str, ...], Sequence]


def _fact(path: object) -> str:
    if not isinstance(path, str) or not is_fact(path):
        raise ProtocolError("fact", "is nothing a case file can state", got=repr(path), remedy="See docs/trial.md")
    return path


def _formula(name: object) -> str:
    if name not in FORMULAS:
        raise ProtocolError("formula", "is unknown", expected=", ".join(FORMULAS), got=repr(name))
    return str(name)


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
    formula: Annotated[str, checked(_formula)]
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


def walk(rules: tuple[Rule, ...]) -> Iterator[Rule]:
    """Every rule and every part of one, parents first."""
    for rule in rules:
        yield rule
        if isinstance(rule, AllRule | AnyRule):
            yield from walk(rule.of)
