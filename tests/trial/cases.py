"""A case that passes every criterion, and how one changes it."""

from __future__ import annotations

import copy
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from cytorecon.trial import Case, Criterion, Eligibility, RuleResult, eligibility, infusion_check, read_protocol
from cytorecon.trial.reading import parse_model

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PROTOCOL = read_protocol()
_TEXT = (EXAMPLES / "case.toml").read_text(encoding="utf-8")
LEFT_OUT = object()


def case(changes: dict[str, Any] | None = None) -> Case:
    """The example case with dotted paths changed, or left out."""
    data = tomllib.loads(_TEXT, parse_float=Decimal)
    for path, value in (changes or {}).items():
        *above, last = path.split(".")
        table: Any = data
        for name in above:
            table = table[int(name)] if isinstance(table, list) else table.setdefault(name, {})
        if value is LEFT_OUT:
            table.pop(last, None)
        else:
            table[last] = copy.deepcopy(value)
    return parse_model(Case, data, "case")


def judge(changes: dict[str, Any] | None = None, **options: Any) -> Eligibility:
    return eligibility(case(changes), PROTOCOL, **options)


def judge_infusion(changes: dict[str, Any] | None = None, number: int = 1) -> Eligibility:
    return infusion_check(case(changes), PROTOCOL, number)


def criterion(result: Eligibility, name: str) -> Criterion:
    return next(each for each in result.criteria if each.result.id == name)


def answer(result: Eligibility, name: str) -> str:
    """Answer of a rule or of a part of one."""

    def find(results: tuple[RuleResult, ...]) -> RuleResult | None:
        for each in results:
            if found := each if each.id == name else find(each.parts):
                return found
        return None

    found = find(tuple(each.result for each in result.criteria))
    assert found is not None, name
    return found.answer
