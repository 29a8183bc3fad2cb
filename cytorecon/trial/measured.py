"""Rules on numbers: one measurement against one limit, and rates estimated by a formula."""

from __future__ import annotations

import operator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from cytorecon.errors import ProtocolError
from cytorecon.trial.case import Grade, Measured
from cytorecon.trial.criteria import EgfrRule, NumberRule
from cytorecon.trial.facts import Facts, Reply
from cytorecon.trial.formulas import FORMULAS, Egfr
from cytorecon.trial.values import canonical_unit

_COMPARE = {
    "at_least": (operator.ge, "≥"),
    "at_most": (operator.le, "≤"),
    "above": (operator.gt, ">"),
    "below": (operator.lt, "<"),
}


def number(rule: NumberRule, facts: Facts) -> Reply:
    """A measurement, grade or plain number against the rule's limit; every comparison is exact.

    Raises
    ------
    ProtocolError
        The measurement's unit is not the rule's.
    """
    fact = facts.find(rule.fact)
    if fact is None:
        return Reply("unknown", f"{rule.fact} is not stated", stated=False)
    name, limit = next((name, limit) for name, limit in rule.limits.items() if limit is not None)
    compare, sign = _COMPARE[name]
    value, words, on = _read(rule, fact)
    if value is None:
        return Reply("unknown", words, on)
    passes = compare(value, Fraction(limit))
    return Reply("met" if passes else "not_met", f"{words}, limit {sign} {limit} {rule.unit}".rstrip(), on)


def _read(rule: NumberRule, fact: Any) -> tuple[Fraction | None, str, date | None]:
    """The number to compare, the fact in words, and its date."""
    if isinstance(fact, Grade):
        return Fraction(fact.grade), f"{rule.fact} grade {fact.grade} ({fact.scale}) {fact.note}".rstrip(), fact.on
    if not isinstance(fact, Measured):
        return Fraction(fact), f"{rule.fact} {fact}", None
    words = f"{rule.fact} {fact.value} {fact.unit}"
    if rule.unit == "ULN":
        if fact.uln is None:
            return None, f"{words}: its upper limit of normal (uln) is not stated", fact.on
        ratio = Fraction(fact.value) / Fraction(fact.uln)
        return ratio, f"{words}, {float(ratio):.3g} × ULN ({fact.uln})", fact.on
    if canonical_unit(fact.unit) != canonical_unit(rule.unit):
        remedy = "Convert the value and state its unit"
        raise ProtocolError(rule.fact, "has another unit", expected=rule.unit, got=fact.unit, remedy=remedy)
    return Fraction(fact.value), words, fact.on


def egfr(rule: EgfrRule, facts: Facts) -> Reply:
    """A filtration rate estimated from creatinine and height; outside its validated ages a person decides."""
    kidney, age = facts.case.kidney, facts.age(rule.reference)
    given = {"kidney.creatinine": kidney.creatinine, "kidney.height_cm": kidney.height_cm, "the age": age}
    missing = [name for name, value in given.items() if value is None]
    if kidney.creatinine is None or kidney.height_cm is None or age is None:
        return Reply("unknown", f"not stated: {', '.join(missing)}", stated=kidney.creatinine is not None)
    creatinine = kidney.creatinine
    estimate = FORMULAS[rule.formula](Fraction(kidney.height_cm), Fraction(creatinine.value), creatinine.unit, age)
    return _judged(rule, estimate, kidney.idms, age.text, creatinine.on)


def _judged(rule: EgfrRule, estimate: Egfr, idms: bool | None, age: str, on: date | None) -> Reply:
    words = f"{estimate.formula} {_shown(estimate.value, rule.at_least)} mL/min/1.73 m², limit ≥ {rule.at_least}"
    if estimate.validity == "unusable":
        return Reply("needs_adjudication", f"{estimate.formula} is not to be used at {age}: measure clearance", on)
    if idms is None:
        return Reply("unknown", f"{words}, but kidney.idms (an IDMS-traceable assay) is not stated", on)
    if not idms:
        return Reply("needs_adjudication", f"{words}, but the creatinine assay is not IDMS-traceable", on)
    if estimate.validity == "outside":
        return Reply("needs_adjudication", f"{words}, out of its validated age at {age}: measure clearance", on)
    passes = estimate.value >= Fraction(rule.at_least)
    if not passes and estimate.original >= Fraction(rule.at_least):
        words += f"; the original constant (k = 0.55) would give {float(estimate.original):.1f}"
    return Reply("met" if passes else "not_met", words, on)


def _shown(value: Fraction, limit: Decimal) -> str:
    """One decimal, more where rounding would seem to reach the limit."""
    text = f"{float(value):.1f}"
    return text if (Fraction(text) >= limit) == (value >= limit) else f"{float(value):.4f}"
