"""The verdict on one patient: every rule's answer, what a person decided, and what the record leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from cytorecon.errors import Finding, ProtocolError
from cytorecon.trial.case import Case, Decision
from cytorecon.trial.criteria import Rule, SignsRule, StatementRule, walk
from cytorecon.trial.facts import Facts, MrdEvidence, RuleResult
from cytorecon.trial.protocol import Ambiguity, Protocol
from cytorecon.trial.reading import RESEARCH_USE
from cytorecon.trial.residual import case_evidence
from cytorecon.trial.rules import evaluate
from cytorecon.trial.values import add_months

Verdict = Literal["eligible", "not_eligible", "undecided"]
Effect = Literal["allows", "bars", "open"]
Role = Literal["inclusion", "exclusion", "infusion_criterion"]


@dataclass(frozen=True)
class Criterion:
    """One rule's result in its role.

    Parameters
    ----------
    role
        ``inclusion``, ``exclusion`` or ``infusion_criterion``.
    effect
        ``allows``, ``bars`` or ``open`` (unknown, or for a person): an exclusion that is met bars.
    result
        The rule's answer and evidence; its `answer` is the decision's where one was taken.
    decision
        Who decided, when and why; empty if the facts did.
    ambiguities
        Numbers of the protocol's ambiguities that touch this answer.
    """

    role: Role
    effect: Effect
    result: RuleResult
    decision: str = ""
    ambiguities: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The rule's lines, with its effect and its ambiguities."""
        first, *rest = self.result.lines
        open_points = f" (ambiguity {', '.join(self.ambiguities)})" if self.ambiguities else ""
        decided = f". {self.decision}" if self.decision else ""
        return (f"[{self.effect}] {first}{decided}{open_points}", *rest)


@dataclass(frozen=True)
class Eligibility:
    """A verdict with every criterion behind it.

    Parameters
    ----------
    patient, protocol
        Their identifiers.
    verdict
        ``eligible`` only if every inclusion and every exclusion allows; ``not_eligible`` if any bars; else
        ``undecided``. For an infusion: whether it may be given.
    criteria
        In the protocol's order.
    ambiguities
        What the record leaves open where it matters here, with its treatment.
    findings
        What was accepted, and how.
    text
        One paragraph for a report.
    """

    patient: str
    protocol: str
    verdict: Verdict
    criteria: tuple[Criterion, ...]
    ambiguities: tuple[Ambiguity, ...]
    findings: tuple[Finding, ...]
    text: str
    note: str = RESEARCH_USE

    @property
    def lines(self) -> tuple[str, ...]:
        """Verdict, every rule's line, ambiguities, findings, and the note on use."""
        return (
            self.text,
            *(line for criterion in self.criteria for line in criterion.lines),
            *(f"Ambiguity {each.number}: {each.record} Treatment: {each.treatment}" for each in self.ambiguities),
            *(f"{finding.severity}: {finding.message}" for finding in self.findings),
            self.note,
        )


def eligibility(case: Case, protocol: Protocol, mrd: MrdEvidence | None = None) -> Eligibility:
    """Judge a case by a protocol's inclusion and exclusion criteria.

    Parameters
    ----------
    case
        Facts, from `read_case`; what is not stated is unknown and never passes.
    protocol
        From `read_protocol`.
    mrd
        Residual disease from a study (see `marrow_evidence`); it stands before the case's own ``[mrd]`` counts.

    Raises
    ------
    ProtocolError
        The case answers a question, sign, grade or decision that the protocol does not have, or a unit is wrong.
    CountError
        The residual-disease counts contradict each other.
    """
    _check_names(case, protocol)
    evidence = mrd or case_evidence(case, protocol)
    facts = Facts(case, protocol, evidence)
    criteria = (*_judge("inclusion", protocol.inclusion, facts), *_judge("exclusion", protocol.exclusion, facts))
    findings = (*_follow_up(case, protocol), *(evidence.findings if evidence else ()))
    if mrd and case.mrd:
        findings += (Finding("mrd-from-study", "the study's marrow stands; the case's [mrd] counts are not used"),)
    return _verdict(case, protocol, criteria, findings, protocol.id)


def infusion_check(case: Case, protocol: Protocol, number: int) -> Eligibility:
    """Judge whether one infusion may be given; the verdict's words are the same.

    Parameters
    ----------
    case, protocol
        As for `eligibility`.
    number
        The infusion; the case has to hold an ``[[infusion]]`` table of that number.

    Raises
    ------
    ProtocolError
        The case says nothing of that infusion, or the protocol plans none of that number.
    """
    _check_names(case, protocol)
    planned = protocol.infusion(number)
    stated = next((each for each in case.infusion if each.number == number), None)
    if stated is None:
        remedy = f"Add [[infusion]] with number = {number} and on = its date"
        raise ProtocolError("infusion", f"the case says nothing of infusion {number}", remedy=remedy)
    facts = Facts(case, protocol, infusion=stated)
    findings: tuple[Finding, ...] = ()
    if case.dates.transplant is not None:
        day = (stated.on - case.dates.transplant).days
        if not planned.earliest <= day <= planned.latest:
            allowed = f"{planned.earliest:+d} to {planned.latest:+d}"
            message = f"infusion {number} on day {day:+d}: a deviation, days {allowed} are allowed"
            findings = (Finding("infusion-day-deviation", message, "review"),)
    criteria = _judge("infusion_criterion", protocol.infusion_criterion, facts)
    return _verdict(case, protocol, criteria, findings, f"{protocol.id}, infusion {number}", "infusion")


def _judge(role: Role, rules: tuple[Rule, ...], facts: Facts) -> tuple[Criterion, ...]:
    return tuple(_criterion(role, rule, facts) for rule in rules)


def _criterion(role: Role, rule: Rule, facts: Facts) -> Criterion:
    result = evaluate(rule, facts)
    result, decision = _decided(role, rule, result, facts.case.decisions.get(rule.id))
    ambiguities = tuple(
        entry.number
        for entry in facts.protocol.ambiguities(*_deciding(result))
        if not entry.only_if_open or result.answer in {"unknown", "needs_adjudication"} or decision
    )
    return Criterion(role, _effect(role, result), result, decision, ambiguities)


def _decided(role: Role, rule: Rule, result: RuleResult, decision: Decision | None) -> tuple[RuleResult, str]:
    """A person's decision stands where the facts leave it to a person, where an arbiter may overrule, and for a lost
    criterion; never in the place of a fact that is merely missing.
    """
    if decision is None:
        return result, ""
    words = f"{decision.by}, {decision.on}: {decision.answer} ({decision.reason})"
    missing = any(part.answer == "unknown" for part in _leaves(result))
    open_to_it = rule.kind == "unresolved" or bool(rule.arbiter) or result.answer == "needs_adjudication"
    if not open_to_it or (role == "exclusion" and missing and rule.kind != "unresolved" and not rule.arbiter):
        why = "facts are missing" if missing else f"the facts say {result.answer}"
        return result, f"Decision not used, {why}: {words}"
    return replace(result, answer=decision.answer), f"Decided by {words}; the facts alone said {result.answer}"


def _leaves(result: RuleResult) -> Iterator[RuleResult]:
    if not result.parts:
        yield result
    for part in result.parts:
        yield from _leaves(part)


def _deciding(result: RuleResult) -> Iterator[str]:
    """Ids of the rule and of those parts that gave it its answer."""
    if result.answer == "not_applicable":
        return
    yield result.id
    for part in result.parts:
        if part.answer == result.answer:
            yield from _deciding(part)


def _effect(role: Role, result: RuleResult) -> Effect:
    if result.answer == "not_applicable":
        return "allows"
    if result.answer in {"unknown", "needs_adjudication"}:
        return "open"
    return "allows" if (result.answer == "met") == (role != "exclusion") else "bars"


def _check_names(case: Case, protocol: Protocol) -> None:
    rules = tuple(walk(protocol.inclusion + protocol.exclusion + protocol.infusion_criterion))
    known = {
        "statements": {rule.statement for rule in rules if isinstance(rule, StatementRule)},
        "signs": {sign for rule in rules if isinstance(rule, SignsRule) for sign in rule.signs},
        "grades": {
            rule.fact.removeprefix("grades.")
            for rule in rules
            if rule.kind == "number" and rule.fact.startswith("grades.")
        },
        "decisions": {rule.id for rule in protocol.inclusion + protocol.exclusion + protocol.infusion_criterion},
    }
    for table, names in known.items():
        strange = sorted(set(getattr(case, table)) - names)
        if strange:
            expected = ", ".join(sorted(names)) or "none"
            raise ProtocolError(
                f"case: {table}.{strange[0]}", f"is not a name of protocol {protocol.id}", expected=expected
            )


def _follow_up(case: Case, protocol: Protocol) -> tuple[Finding, ...]:
    day: date | None = case.dates.transplant
    record = protocol.record
    if day is None or add_months(day, record.follow_up) <= record.completion:
        return ()
    message = f"transplantation on {day}: follow-up of {record.follow_up} months ends after {record.completion}"
    return (Finding("follow-up-after-completion", f"{message}, the record's completion date", "info"),)


def _verdict(
    case: Case,
    protocol: Protocol,
    criteria: tuple[Criterion, ...],
    findings: tuple[Finding, ...],
    about: str,
    *topics: str,
) -> Eligibility:
    effects = {criterion.effect for criterion in criteria}
    verdict: Verdict = "not_eligible" if "bars" in effects else "undecided" if "open" in effects else "eligible"
    numbers = {number for criterion in criteria for number in criterion.ambiguities}
    numbers |= {entry.number for entry in protocol.ambiguities(*topics)} if findings else set()
    if any(finding.code == "follow-up-after-completion" for finding in findings):
        numbers |= {entry.number for entry in protocol.ambiguities("follow_up")}
    shown = tuple(entry for entry in protocol.ambiguity if entry.number in numbers)
    text = _paragraph(case.patient.id, about, verdict, criteria)
    return Eligibility(case.patient.id, protocol.id, verdict, criteria, shown, findings, text)


def _paragraph(patient: str, about: str, verdict: Verdict, criteria: tuple[Criterion, ...]) -> str:
    words = {"eligible": "eligible", "not_eligible": "not eligible", "undecided": "undecided"}[verdict]
    parts = [f"Patient {patient}, {about}: {words}."]
    for effect, title in (("bars", "Against"), ("open", "Open")):
        those = [f"{each.result.id} ({each.result.answer})" for each in criteria if each.effect == effect]
        parts += [f"{title}: {', '.join(those)}."] if those else []
    allowed = sum(criterion.effect == "allows" for criterion in criteria)
    return " ".join([*parts, f"{allowed} of {len(criteria)} criteria allow.", RESEARCH_USE])
