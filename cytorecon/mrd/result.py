"""The values an assessment of residual disease consists of."""

from __future__ import annotations

from dataclasses import dataclass, field

from cytorecon.errors import Finding
from cytorecon.mrd.decision import Sensitivity
from cytorecon.mrd.hemodilution import NOT_ASSESSED, Hemodilution
from cytorecon.mrd.threshold import Denominator, MrdThreshold


@dataclass(frozen=True)
class ThresholdAssessment:
    """What one threshold says, each statement apart.

    Parameters
    ----------
    threshold
        The threshold, with its source, denominator and strictness.
    event_count, total_count
        The counts compared with it; `total_count` is None where its own denominator was not counted.
    adequacy
        ``adequate``, ``detection_only``, ``insufficient`` or ``not_evaluable``.
    events_needed
        Further cells of the denominator to acquire for ``adequate``; None if no number would do, or not evaluable.
    events_needed_detection
        The same for ``detection_only``.
    position
        ``above``, ``below``, ``straddles`` or ``not_evaluable``: where the interval lies, a counting statement.
    rule_met
        The literal integer rule; None where its denominator is unknown.
    call
        ``above``, ``below``, ``indeterminate`` or ``not_evaluable``.
    protocol
        ``met``, ``not_met`` or ``needs_adjudication``.
    note
        Why something could not be said, or how a denominator was converted; may be empty.
    """

    threshold: MrdThreshold
    event_count: int
    total_count: int | None
    adequacy: str
    events_needed: int | None
    events_needed_detection: int | None
    position: str
    rule_met: bool | None
    call: str
    protocol: str
    note: str = ""

    @property
    def source(self) -> str:
        """Trial or guideline of the threshold."""
        return self.threshold.source


@dataclass(frozen=True)
class MrdAssessment:
    """One MRD result: counts, uncertainty, limits, and what each threshold says. Evidence, not a boolean.

    Parameters
    ----------
    event_count, total_count, denominator
        As counted.
    fraction, interval
        Fractions of 1 of `denominator`; None for 0 of 0.
    interval_method, confidence
        How the interval was made.
    lod, lloq
        Effective limits of this acquisition, fractions of 1; None for 0 of 0.
    quantification
        ``below_lod``, ``detected_not_quantifiable``, ``quantifiable`` or ``not_evaluable``.
    assessments
        The threshold asked about first; for AML, ELN 2021 second.
    sensitivity
        The event rules and controls the limits come from.
    hemodilution
        A statement, by default "not assessed".
    laip_coverage
        Share of the diagnostic blasts that the phenotype covers, fraction of 1; None if not recorded.
    findings
        What a reader has to know; one of severity ``review`` asks for a person.
    text
        One paragraph for a report.
    """

    event_count: int
    total_count: int
    denominator: Denominator
    fraction: float | None
    interval: tuple[float, float] | None
    interval_method: str
    confidence: float
    lod: float | None
    lloq: float | None
    quantification: str
    assessments: tuple[ThresholdAssessment, ...]
    sensitivity: Sensitivity = field(default_factory=Sensitivity)
    hemodilution: Hemodilution = NOT_ASSESSED
    laip_coverage: float | None = None
    findings: tuple[Finding, ...] = ()
    text: str = ""

    @property
    def adequacy(self) -> str:
        """Adequacy for the threshold asked about."""
        return self.assessments[0].adequacy

    @property
    def events_needed(self) -> int | None:
        """Further cells to acquire for the threshold asked about."""
        return self.assessments[0].events_needed

    @property
    def position(self) -> str:
        """Position relative to the threshold asked about."""
        return self.assessments[0].position

    @property
    def rule_met(self) -> bool | None:
        """The literal rule of the threshold asked about."""
        return self.assessments[0].rule_met

    @property
    def call(self) -> str:
        """The call for the threshold asked about."""
        return self.assessments[0].call

    @property
    def protocol(self) -> str:
        """The protocol's answer for the threshold asked about."""
        return self.assessments[0].protocol

    @property
    def needs_review(self) -> bool:
        """Whether a person has to look before the result is used."""
        return any(finding.severity == "review" for finding in self.findings)


def mrd_json(assessment: MrdAssessment) -> dict[str, object]:
    """The result as JSON values: what ``cytorecon mrd --json`` prints. Fractions are of 1; null is "cannot be said"."""
    return {
        "event_count": assessment.event_count,
        "total_count": assessment.total_count,
        "denominator": str(assessment.denominator),
        "fraction": assessment.fraction,
        "interval": None if assessment.interval is None else list(assessment.interval),
        "interval_method": assessment.interval_method,
        "lod": assessment.lod,
        "lloq": assessment.lloq,
        "quantification": assessment.quantification,
        "assessments": [
            {
                "source": each.source,
                "threshold": float(each.threshold.fraction),
                "denominator": str(each.threshold.denominator),
                "adequacy": each.adequacy,
                "events_needed": each.events_needed,
                "position": each.position,
                "rule_met": each.rule_met,
                "call": each.call,
                "protocol": each.protocol,
            }
            for each in assessment.assessments
        ],
        "text": assessment.text,
    }
