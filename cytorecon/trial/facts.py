"""What a rule may look at: the case, the residual disease of one marrow, and the day a rule refers to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from cytorecon.errors import Finding
from cytorecon.mrd import MrdAssessment
from cytorecon.trial.case import Case, Infusion
from cytorecon.trial.criteria import Reference
from cytorecon.trial.protocol import Protocol
from cytorecon.trial.values import Age

Answer = Literal["met", "not_met", "not_applicable", "unknown", "needs_adjudication"]


@dataclass(frozen=True)
class Reply:
    """What one kind of rule says: the answer, its evidence in words, the date of the evidence, and its parts.

    `stated` is False where the case holds nothing at all that bears on the rule.
    """

    answer: Answer
    evidence: str
    on: date | None = None
    parts: tuple[RuleResult, ...] = ()
    stated: bool = True


@dataclass(frozen=True)
class RuleResult:
    """One rule's answer.

    Parameters
    ----------
    id, title, cites, kind
        The rule, in our words, and the item of the record it stands for.
    answer
        ``met`` means what the criterion says is true, of an exclusion as well.
    evidence
        The facts used, in words; or which are missing.
    refers_to
        Date of the evidence; None if it has none.
    reference, reference_date
        The day the rule is asked about.
    parts
        Results of the parts of an ``all`` or ``any`` rule.
    stated
        Whether the case holds anything that bears on the rule.
    """

    id: str
    title: str
    cites: str
    kind: str
    answer: Answer
    evidence: str
    refers_to: date | None
    reference: str
    reference_date: date | None
    parts: tuple[RuleResult, ...] = ()
    stated: bool = True

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for the rule, then one, indented, for each part."""
        when = f"; evidence of {self.refers_to}" if self.refers_to else ""
        asked = f"; as of {self.reference} {self.reference_date}" if self.reference_date else ""
        own = f"{self.id} {self.answer}: {self.title} [{self.cites}]. {self.evidence}{when}{asked}"
        return (own, *(f"  {line}" for part in self.parts for line in part.lines))


@dataclass(frozen=True)
class MrdEvidence:
    """Residual disease of one specimen, as a rule reads it.

    Parameters
    ----------
    assessment
        What the counts say; its thresholds have to include the protocol's. None: the specimen yielded no counts.
    specimen
        ``marrow``, ``blood``, …
    day
        Day relative to transplantation; None if only the date is known.
    drawn
        Date of the draw; None if only the day is known.
    method
        ``flow_cytometry`` or another.
    sample
        Which sample, for a person to find it again.
    findings
        What was accepted, and how.
    """

    assessment: MrdAssessment | None
    specimen: str = "marrow"
    day: int | None = None
    drawn: date | None = None
    method: str = "flow_cytometry"
    sample: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Facts:
    """A case seen through a protocol; `infusion` is the one under question, None for eligibility."""

    case: Case
    protocol: Protocol
    mrd: MrdEvidence | None = None
    infusion: Infusion | None = None

    def find(self, path: str) -> Any:
        """The fact of that dotted path; None where it, or a table above it, is not stated."""
        first, *rest = path.split(".")
        if first == "grades":
            return self.case.grades.get(rest[0])
        value: Any = self.infusion if first == "infusion" else getattr(self.case, first)
        for name in rest:
            value = None if value is None else getattr(value, name)
        return value

    def date(self, reference: Reference) -> date | None:
        """The day a rule refers to; the start of conditioning follows from day 0 where it is not stated."""
        dates = self.case.dates
        if reference == "infusion":
            return self.infusion.on if self.infusion else None
        if reference == "conditioning" and dates.conditioning is None and dates.transplant:
            return dates.transplant + timedelta(days=self.protocol.record.conditioning_day)
        return {"screening": dates.screening, "conditioning": dates.conditioning}.get(reference, dates.transplant)

    @property
    def conditioning_day(self) -> int:
        """First day of conditioning relative to transplantation: by the case's dates, else by the protocol."""
        dates = self.case.dates
        if dates.conditioning and dates.transplant:
            return (dates.conditioning - dates.transplant).days
        return self.protocol.record.conditioning_day

    def age(self, reference: Reference) -> Age | None:
        """The patient's age on that day; None where it cannot be told."""
        return self.case.patient.age_on(self.date(reference))
