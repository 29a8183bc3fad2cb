"""The criteria before each infusion, at their limits."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cytorecon.errors import ProtocolError

from .cases import LEFT_OUT, answer, criterion, judge_infusion

SECOND = {
    "number": 2,
    "on": date(2026, 4, 6),
    "corticosteroid_mg_per_kg_day": 0,
    "uncontrolled_infection": False,
    "ventilator": False,
    "oxygen_l_per_min": 0,
    "nonhaematological": {"grade": 2, "scale": "CTCAE 5.0"},
}


def second(**changes: Any) -> dict[str, Any]:
    return {"infusion": [{name: value for name, value in {**SECOND, **changes}.items() if value is not LEFT_OUT}]}


@pytest.mark.parametrize(("dose", "expected"), [("0,5", "met"), ("0,51", "not_met"), (0, "met"), (LEFT_OUT, "unknown")])
def test_corticosteroid__half_a_milligram_passes(dose: Any, expected: str) -> None:
    """0.5 mg/kg/day itself passes; silence does not."""
    result = judge_infusion({"infusion.0.corticosteroid_mg_per_kg_day": dose})
    assert expected == answer(result, "N1")


@pytest.mark.parametrize(("flow", "expected"), [(5, "met"), ("5,1", "not_met"), (6, "not_met"), (LEFT_OUT, "unknown")])
def test_oxygen__five_litres_pass(flow: Any, expected: str) -> None:
    """5 L/min passes and 6 does not: ASTCT's low-flow limit is another number."""
    assert expected == answer(judge_infusion({"infusion.0.oxygen_l_per_min": flow}), "N4")


@pytest.mark.parametrize(("ventilator", "expected"), [(False, "met"), (True, "not_met"), (LEFT_OUT, "unknown")])
def test_ventilator(ventilator: Any, expected: str) -> None:
    """Any ventilator support bars."""
    assert expected == answer(judge_infusion({"infusion.0.ventilator": ventilator}), "N4")


@pytest.mark.parametrize(("infection", "expected"), [(False, "met"), (True, "not_met"), (LEFT_OUT, "unknown")])
def test_infection(infection: Any, expected: str) -> None:
    """An uncontrolled infection bars."""
    assert expected == answer(judge_infusion({"infusion.0.uncontrolled_infection": infection}), "N2")


def test_reaction__concerns_the_second_infusion_only() -> None:
    """The third criterion does not apply before the first infusion."""
    assert ("eligible", "not_applicable") == (judge_infusion().verdict, answer(judge_infusion(), "N3"))


@pytest.mark.parametrize(
    ("reaction", "expected"),
    [
        ({"grade": 2, "scale": "CTCAE 5.0"}, "met"),
        ({"grade": 3, "scale": "CTCAE 5.0", "note": "mucositis, ongoing, unrelated"}, "needs_adjudication"),
        (LEFT_OUT, "unknown"),
    ],
)
def test_reaction__grade_three_goes_to_a_person(reaction: Any, expected: str) -> None:
    """Ambiguity 23: timing and relation are not stated, so that grade 3 is adjudicated."""
    result = judge_infusion(second(nonhaematological=reaction), 2)
    assert expected == answer(result, "N3")
    assert "23" in criterion(result, "N3").ambiguities


@pytest.mark.parametrize(("day", "deviates"), [(3, True), (4, False), (5, False), (7, False), (8, True)])
def test_second_infusion__window(day: int, deviates: bool) -> None:
    """Ambiguity 19: +4 to +7 is allowed, outside is a deviation and the ambiguity is shown."""
    result = judge_infusion(second(on=date(2026, 4, 1 + day)), 2)
    assert deviates == ("infusion-day-deviation" in [finding.code for finding in result.findings])
    assert deviates == ("19" in [entry.number for entry in result.ambiguities])


def test_first_infusion__on_another_day_deviates() -> None:
    """Day −12 has no window."""
    result = judge_infusion({"infusion.0.on": date(2026, 3, 21)})
    assert "infusion 1 on day -11: a deviation, days -12 to -12 are allowed" in result.findings[0].message


def test_infusion_check__without_day_0_there_is_no_window() -> None:
    """An infusion's day is not guessed."""
    assert () == judge_infusion({"dates.transplant": LEFT_OUT, "infusion.0.on": date(2020, 1, 1)}).findings


def test_infusion_check__needs_its_facts() -> None:
    """An infusion the case is silent about, and one that is not planned."""
    with pytest.raises(ProtocolError, match=r"says nothing of infusion 2. Add \[\[infusion\]\] with number = 2"):
        judge_infusion(number=2)
    with pytest.raises(ProtocolError, match="plans no such infusion"):
        judge_infusion(number=3)
