"""The kinds of rule a protocol file may use: one function a kind, each giving one of five answers with its evidence.

What is not stated is ``unknown``; an unknown never becomes a yes or a no on its way up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from cytorecon.trial import measured
from cytorecon.trial.criteria import (
    AgeRule,
    AllRule,
    AnyRule,
    ChoiceRule,
    Condition,
    PerformanceRule,
    Rule,
    SignsRule,
    SinceRule,
    StatementRule,
    UnresolvedRule,
)
from cytorecon.trial.facts import Answer, Facts, Reply, RuleResult
from cytorecon.trial.residual import residual_disease
from cytorecon.trial.values import add_months


def evaluate(rule: Rule, facts: Facts) -> RuleResult:
    """The answer of one rule, its conditions and exceptions included."""
    reply = _excused(rule, facts) or _with_exceptions(rule, facts, KINDS[rule.kind](rule, facts))
    reference = "" if rule.kind in {"unresolved", "all", "any"} else rule.reference
    return RuleResult(
        id=rule.id,
        title=rule.title,
        cites=rule.cites,
        kind=rule.kind,
        answer=reply.answer,
        evidence=reply.evidence,
        refers_to=reply.on,
        reference=reference,
        reference_date=facts.date(rule.reference) if reference else None,
        parts=reply.parts,
        stated=reply.stated,
    )


def _excused(rule: Rule, facts: Facts) -> Reply | None:
    """A reply that spares looking at the fact itself: the rule does not apply, or the fact would not answer it."""
    if rule.infusions and facts.infusion and facts.infusion.number not in rule.infusions:
        return Reply("not_applicable", f"does not concern infusion {facts.infusion.number}")
    for condition, otherwise in ((rule.applies_if, "not_applicable"), (rule.valid_if, "unknown")):
        holds = _holds(condition, facts)
        if condition is not None and not holds:
            answer: Answer = "not_applicable" if holds is False and otherwise == "not_applicable" else "unknown"
            why = f"{condition.fact} is not stated" if holds is None else f"{condition.fact} is not {condition.equals}"
            return Reply(answer, why if answer == "not_applicable" or holds is None else f"does not answer: {why}")
    if rule.needs and not facts.find(rule.needs):
        return Reply("unknown", f"{rule.needs} is not stated")
    return None


def _with_exceptions(rule: Rule, facts: Facts, reply: Reply) -> Reply:
    """Waivers, disputed ages and failures that the protocol hands to a person."""
    answer, evidence = reply.answer, reply.evidence
    if rule.needs and answer in {"met", "not_met"}:
        evidence = f"{evidence} ({facts.find(rule.needs)})"
    if rule.waived_if and answer != "met":
        waived = _holds(rule.waived_if, facts)
        if waived:
            answer, evidence = "not_applicable", f"waived, {rule.waived_if.fact}; {evidence}"
        elif waived is None and answer == "not_met":
            answer, evidence = "unknown", f"{evidence}, but {rule.waived_if.fact} is not stated"
    if rule.disputed_from_age and answer in {"met", "not_met"}:
        age = facts.age(rule.reference)
        if age is None:
            answer, evidence = "unknown", f"{evidence}, but the age is not known"
        elif age.months >= rule.disputed_from_age:
            answer, evidence = "needs_adjudication", f"{evidence}, at {age.text}"
    if answer == "not_met":
        answer = rule.on_failure
    return replace(reply, answer=answer, evidence=evidence)


def _holds(condition: Condition | None, facts: Facts) -> bool | None:
    value = None if condition is None else facts.find(condition.fact)
    return None if condition is None or value is None else bool(value == condition.equals)


def _unresolved(rule: UnresolvedRule, facts: Facts) -> Reply:
    return Reply("unknown", "unresolved: the record has lost this criterion; a named person has to confirm it")


def _statement(rule: StatementRule, facts: Facts) -> Reply:
    said = facts.case.statements.get(rule.statement)
    if said is None:
        return Reply("unknown", f"statements.{rule.statement} is not stated")
    if said.answer == "unknown":
        return Reply("unknown", f"{rule.statement}: stated as unknown", said.on)
    words = f"{rule.statement}: {'yes' if said.answer else 'no'}" + (f", {said.by}" if said.by else "")
    return Reply("met" if said.answer else "not_met", f"{words}, {said.note}" if said.note else words, said.on)


def _choice(rule: ChoiceRule, facts: Facts) -> Reply:
    value = facts.find(rule.fact)
    if value is None:
        return Reply("unknown", f"{rule.fact} is not stated")
    parent = facts.find(rule.fact.rpartition(".")[0]) if "." in rule.fact else None
    accepted = any(value is choice or value == choice for choice in rule.accepts)
    return Reply("met" if accepted else "not_met", f"{rule.fact} = {_word(value)}", getattr(parent, "on", None))


def _word(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _age(rule: AgeRule, facts: Facts) -> Reply:
    age = facts.age(rule.reference)
    if age is None:
        return Reply("unknown", f"the age is not known: state patient.born and dates.{rule.reference}, or patient.age")
    too_old = age.months > rule.at_most or (age.months == rule.at_most and age.beyond)
    if age.months < rule.disputed_from or age.months >= rule.disputed_below:
        return Reply("not_met", age.text)
    if age.months < rule.at_least or too_old:
        return Reply("needs_adjudication", f"{age.text}: between the limits the record's parts give")
    return Reply("met", age.text)


def _performance(rule: PerformanceRule, facts: Facts) -> Reply:
    age, stated = facts.age(rule.reference), facts.case.performance
    if age is None or stated is None:
        return Reply("unknown", "the age is not known" if age is None else "performance is not stated")
    scale = next((scale for scale in rule.scale if scale.since <= age.months < scale.below), None)
    words = f"{stated.scale} {stated.score} at {age.text}"
    if scale is None:
        return Reply("needs_adjudication", f"{words}: no scale is meant for this age", stated.on)
    if scale.name != stated.scale:
        return Reply("needs_adjudication", f"{words}: {scale.name} is the scale of this age", stated.on)
    return Reply("met" if stated.score >= rule.at_least else "not_met", f"{words}, limit {rule.at_least}", stated.on)


def _since(rule: SinceRule, facts: Facts) -> Reply:
    events, reference = facts.find(rule.fact), facts.date(rule.reference)
    if events is None:
        return Reply("unknown", f"{rule.fact} is not stated (write an empty list for none)")
    if not events:
        return Reply("not_met", "none was given")
    if reference is None:
        return Reply("unknown", f"dates.{rule.reference} is not stated")
    last = max(events, key=lambda event: event.on)
    end = add_months(last.on, rule.window)
    words = f"{last.kind} on {last.on}; the window ends on {end}"
    if last.on > reference:
        return Reply("needs_adjudication", f"{words}; it lies after the reference date", last.on)
    if end == reference:
        return Reply("needs_adjudication", f"{words}, the boundary day itself", last.on)
    return Reply("met" if reference < end else "not_met", words, last.on)


def _signs(rule: SignsRule, facts: Facts) -> Reply:
    states = {sign: facts.case.signs.get(sign) for sign in rule.signs}
    words = ", ".join(f"{sign.upper()} {state or 'not stated'}" for sign, state in states.items())
    if None in states.values() and "active" not in states.values():
        return Reply("unknown", words)
    if {"active", "unknown"} & set(states.values()):
        return Reply("needs_adjudication", words)
    return Reply("not_met", words)


def _all(rule: AllRule, facts: Facts) -> Reply:
    parts = tuple(evaluate(part, facts) for part in rule.of)
    return _combined(parts, ("not_met", "unknown", "needs_adjudication", "met"))


def _any(rule: AnyRule, facts: Facts) -> Reply:
    parts = tuple(evaluate(part, facts) for part in rule.of)
    given = tuple(part for part in parts if part.stated)
    counted = given if rule.of_those_given and given else parts
    reply = _combined(counted, ("met", "needs_adjudication", "unknown", "not_met"))
    return replace(reply, parts=parts)


def _combined(parts: tuple[RuleResult, ...], order: tuple[Answer, ...]) -> Reply:
    """The first answer of `order` that a part gives decides; parts that do not apply have no say."""
    answers = {part.answer for part in parts}
    answer: Answer = next((each for each in order if each in answers), "not_applicable")
    deciding = tuple(part for part in parts if part.answer == answer)
    dates: set[date | None] = {part.refers_to for part in deciding}
    on = dates.pop() if len(dates) == 1 else None
    return Reply(answer, "; ".join(part.evidence for part in deciding), on, parts)


KINDS: dict[str, Callable[[Any, Facts], Reply]] = {
    "unresolved": _unresolved,
    "statement": _statement,
    "choice": _choice,
    "number": measured.number,
    "age": _age,
    "performance": _performance,
    "egfr": measured.egfr,
    "since": _since,
    "signs": _signs,
    "mrd": residual_disease,
    "all": _all,
    "any": _any,
}
