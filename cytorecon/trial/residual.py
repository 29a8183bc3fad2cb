"""The residual-disease rule: which specimen counts, drawn when, and what its assessment says."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from cytorecon.errors import ProtocolError
from cytorecon.mrd import MrdThreshold, ThresholdAssessment, mrd_call
from cytorecon.mrd.threshold import parse_denominator
from cytorecon.trial.case import Case
from cytorecon.trial.criteria import MrdRule, walk
from cytorecon.trial.facts import Answer, Facts, MrdEvidence, Reply
from cytorecon.trial.protocol import Protocol


def mrd_threshold(protocol: Protocol, disease: str) -> MrdThreshold | None:
    """The protocol's threshold for that disease; None if it has none."""
    rule = next((rule for rule in walk(protocol.inclusion) if isinstance(rule, MrdRule)), None)
    if rule is None or disease not in rule.above:
        return None
    denominator = parse_denominator(rule.denominator)
    return MrdThreshold(protocol.id, disease, rule.above[disease], denominator, citation=rule.cites)


def residual_disease(rule: MrdRule, facts: Facts) -> Reply:
    """Met, not met or for a person, by the assessment of one specimen drawn before the reference date."""
    if facts.case.disease.name not in rule.above:
        return Reply("not_met", f"no threshold for {facts.case.disease.name}")
    evidence = facts.mrd
    if evidence is None:
        return Reply("unknown", "no residual-disease result: state [mrd] or give a study")
    start = facts.date(rule.reference)
    answer, timing = _timing(_days_before(evidence, start, facts), rule.warn_after_days)
    words = f"{_words(evidence, rule, facts)}; {timing}"
    on = _drawn(evidence, facts)
    for asked, got in ((rule.specimen, evidence.specimen), (rule.method, evidence.method)):
        if asked != got:
            return Reply("unknown", f"{got} does not answer, {asked} is asked for; {words}", on)
    if answer is not None:
        return Reply(answer, words, on)
    return Reply(_answer(evidence, rule, facts), words, on)


def case_evidence(case: Case, protocol: Protocol) -> MrdEvidence | None:
    """The case's own ``[mrd]`` counts, assessed against the protocol's threshold; None if there are none.

    Raises
    ------
    CountError
        The counts contradict each other, or their denominator cannot be compared with the protocol's.
    """
    counts, threshold = case.mrd, mrd_threshold(protocol, case.disease.name)
    if counts is None or threshold is None:
        return None
    assessment = mrd_call(
        counts.event_count,
        counts.total_count,
        threshold,
        counts.denominator,
        lob_count=counts.lob_count,
        nucleated_count=counts.nucleated_count,
        cd45_count=counts.cd45_count,
        blast_region_count=counts.blast_region_count,
    )
    return MrdEvidence(assessment, counts.specimen, None, counts.drawn, counts.method, "case file", assessment.findings)


def _assessment(evidence: MrdEvidence, rule: MrdRule, facts: Facts) -> ThresholdAssessment | None:
    """The assessment against the protocol's own fraction, whichever other thresholds were reported beside it."""
    if evidence.assessment is None:
        return None
    disease = facts.case.disease.name
    wanted: Fraction = rule.above[disease]
    for each in evidence.assessment.assessments:
        if each.threshold.fraction == wanted and each.threshold.disease == disease and each.threshold.strict:
            return each
    raise ProtocolError(
        f"rule {rule.id}",
        "the residual disease was not assessed against this protocol's threshold",
        expected=f"> {float(wanted * 100):g} % for {disease}",
        got=", ".join(each.threshold.words for each in evidence.assessment.assessments),
        remedy=f"Assess it as {disease}",
    )


def _answer(evidence: MrdEvidence, rule: MrdRule, facts: Facts) -> Answer:
    found = _assessment(evidence, rule, facts)
    if found is None or found.call == "not_evaluable":
        return "unknown"
    answers: dict[str, Answer] = {"met": "met", "not_met": "not_met"}
    return answers.get(found.protocol, "needs_adjudication")


def _words(evidence: MrdEvidence, rule: MrdRule, facts: Facts) -> str:
    found = _assessment(evidence, rule, facts)
    source = f" ({evidence.sample})" if evidence.sample else ""
    if found is None or evidence.assessment is None:
        return f"the newest {evidence.specimen}{source} is not evaluable"
    counts = f"{found.event_count} of {found.total_count} {found.threshold.denominator.words}{source}"
    others = [f"{each.source}: {each.call}" for each in evidence.assessment.assessments if each is not found]
    return "; ".join([f"{counts}: {found.call}, {found.adequacy}, protocol {found.protocol}", *others])


def _drawn(evidence: MrdEvidence, facts: Facts) -> date | None:
    """The date of the draw; from its day where the case tells day 0."""
    if evidence.drawn is None and evidence.day is not None and facts.case.dates.transplant:
        return facts.case.dates.transplant + timedelta(days=evidence.day)
    return evidence.drawn


def _days_before(evidence: MrdEvidence, start: date | None, facts: Facts) -> int | None:
    """Days from the draw to the reference: by date where both are known, else by day; None if neither."""
    if evidence.drawn and start:
        return (start - evidence.drawn).days
    return None if evidence.day is None else facts.conditioning_day - evidence.day


def _timing(days: int | None, warn_after: int | None) -> tuple[Answer | None, str]:
    """An answer where the draw's day already gives one, and the timing in words."""
    if days is None:
        return "unknown", "the day of the draw or of conditioning is not known"
    if days < 0:
        return "unknown", "drawn after conditioning began"
    if days == 0:
        return "needs_adjudication", "drawn on the first day of conditioning"
    old = f", older than {warn_after} days" if warn_after is not None and days > warn_after else ""
    return None, f"drawn {days} days before conditioning{old}"
