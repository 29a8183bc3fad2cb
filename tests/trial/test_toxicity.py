"""ASTCT grades, every row of the tables, and what an assessment leaves open."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.errors import ProtocolError
from cytorecon.trial import crs_grade, icans_grade, icans_tool, is_dose_limiting
from cytorecon.trial.values import Age

from .cases import PROTOCOL

WELL: dict[str, Any] = {"temperature_c": 37.2, "hypotension": False, "vasopressors": 0, "oxygen": "none"}
AWAKE: dict[str, Any] = {"consciousness": "alert", "seizure": "none", "motor_weakness": False, "oedema": "none"}


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ({}, 0),
        ({"temperature_c": "37,9"}, 0),
        ({"temperature_c": "38,0"}, 1),
        ({"temperature_c": 39, "hypotension": True}, 2),
        ({"temperature_c": 39, "oxygen": "blow_by"}, 2),
        ({"temperature_c": 39, "oxygen": "nasal_cannula", "oxygen_l_per_min": 6}, 2),
        ({"temperature_c": 39, "oxygen": "nasal_cannula", "oxygen_l_per_min": "6,1"}, 3),
        ({"temperature_c": 39, "oxygen": "venturi"}, 3),
        ({"temperature_c": 39, "hypotension": True, "vasopressors": 1}, 3),
        ({"temperature_c": 39, "hypotension": True, "vasopressors": 1, "vasopressin": True}, 3),
        ({"temperature_c": 39, "hypotension": True, "vasopressin": True}, 3),
        ({"temperature_c": 39, "hypotension": True, "vasopressors": 2}, 4),
        ({"temperature_c": 39, "oxygen": "positive_pressure"}, 4),
        ({"temperature_c": 39, "hypotension": True, "oxygen": "positive_pressure"}, 4),
        ({"hypotension": True, "vasopressors": 1}, 0),  # without fever it is no CRS
        ({"hypotension": True, "vasopressors": 1, "fever_masked": True}, 3),  # after tocilizumab it is
        ({"died": True}, 5),
    ],
)
def test_crs_grade__each_row(signs: dict[str, Any], expected: int) -> None:
    """The worse of hypotension and hypoxia, under fever or masked fever."""
    assert expected == crs_grade(**{**WELL, **signs}).grade


def test_crs_grade__masked_fever_has_to_be_confirmed() -> None:
    """Ambiguity 21: the note asks for a person."""
    grade = crs_grade(**{**WELL, "hypotension": True, "fever_masked": True})
    assert (2, True) == (grade.grade, "a person confirms" in " ".join(grade.notes))


@pytest.mark.parametrize(
    ("signs", "low", "high"),
    [
        ({"temperature_c": 39, "oxygen": None}, 1, 4),
        ({"temperature_c": 39, "oxygen": "nasal_cannula"}, 2, 3),
        ({"temperature_c": 39, "hypotension": None}, 1, 2),
        ({"temperature_c": 39, "hypotension": True, "vasopressors": None}, 2, 4),
        ({"temperature_c": None}, 0, 1),
        ({"temperature_c": None, "oxygen": "venturi"}, 0, 3),
    ],
)
def test_crs_grade__what_was_not_assessed_leaves_a_range(signs: dict[str, Any], low: int, high: int) -> None:
    """A range never becomes a grade."""
    grade = crs_grade(**{**WELL, **signs})
    assert (None, low, high) == (grade.grade, grade.at_least, grade.at_most)


def test_crs_grade__refuses_negative_numbers() -> None:
    """A negative flow is a slip."""
    with pytest.raises(ProtocolError, match="a number is negative"):
        crs_grade(**{**WELL, "oxygen_l_per_min": -1})


@pytest.mark.parametrize(
    ("years", "months", "delay", "expected"),
    [
        (11, 11, False, "CAPD"),
        (12, 0, False, None),
        (12, 11, False, None),
        (13, 0, False, "ICE"),
        (15, 0, True, "CAPD"),
    ],
)
def test_icans_tool__asks_at_twelve(years: int, months: int, delay: bool, expected: str | None) -> None:
    """Ambiguity 22: below 12 CAPD, from 13 ICE, at 12 somebody chooses; delay means CAPD."""
    assert expected == icans_tool(Age(12 * years + months, False), delay)


def test_icans_grade__needs_a_tool() -> None:
    """The choice at 12 years is not made for the user."""
    with pytest.raises(ProtocolError, match=r"no tool is chosen; expected ICE or CAPD\. At 12 years"):
        icans_grade(None, score=10, **AWAKE)


@pytest.mark.parametrize(
    ("tool", "score", "signs", "expected"),
    [
        ("ICE", 10, {}, 0),
        ("ICE", 9, {}, 1),
        ("ICE", 7, {}, 1),
        ("ICE", 6, {}, 2),
        ("ICE", 3, {}, 2),
        ("ICE", 2, {}, 3),
        ("ICE", 0, {}, 3),  # awake with global aphasia
        ("ICE", 0, {"consciousness": "unarousable"}, 4),
        ("ICE", 10, {"consciousness": "spontaneous"}, 1),
        ("ICE", 10, {"consciousness": "voice"}, 2),
        ("ICE", 10, {"consciousness": "tactile"}, 3),
        ("ICE", None, {"consciousness": "unarousable"}, 4),
        ("ICE", 10, {"seizure": "resolving"}, 3),
        ("ICE", 10, {"seizure": "prolonged"}, 4),
        ("ICE", 10, {"motor_weakness": True}, 4),
        ("ICE", 10, {"oedema": "focal"}, 3),
        ("ICE", 10, {"oedema": "diffuse"}, 4),
        ("CAPD", 0, {}, 0),
        ("CAPD", 8, {}, 1),
        ("CAPD", 8, {"consciousness": "voice"}, 2),
        ("CAPD", 9, {}, 3),
        ("CAPD", None, {"consciousness": "unarousable"}, 4),
        ("CAPD", 3, {"consciousness": "tactile"}, 3),
        ("CAPD", 3, {"died": True}, 5),
    ],
)
def test_icans_grade__each_row(tool: Any, score: int | None, signs: dict[str, Any], expected: int) -> None:
    """The most severe domain decides."""
    assert expected == icans_grade(tool, score=score, **{**AWAKE, **signs}).grade


@pytest.mark.parametrize(
    ("tool", "score", "signs", "low", "high"),
    [
        ("ICE", None, {}, 0, 4),
        ("CAPD", None, {}, 0, 4),
        ("ICE", 0, {"consciousness": None}, 3, 4),
        ("ICE", 8, {"seizure": None}, 1, 4),
        ("CAPD", 4, {"consciousness": None}, 1, 4),
    ],
)
def test_icans_grade__what_was_not_assessed_leaves_a_range(
    tool: Any, score: int | None, signs: dict[str, Any], low: int, high: int
) -> None:
    """An unknown sign keeps the grade open upwards."""
    grade = icans_grade(tool, score=score, **{**AWAKE, **signs})
    assert (low, high) == (grade.at_least, grade.at_most)


@pytest.mark.parametrize(("tool", "score"), [("ICE", 11), ("CAPD", 33), ("ICE", -1)])
def test_icans_grade__refuses_impossible_scores(tool: Any, score: int) -> None:
    """A CAPD score entered as ICE is found out."""
    with pytest.raises(ProtocolError, match=f"the {tool} score is outside its range"):
        icans_grade(tool, score=score, **AWAKE)


@given(st.integers(0, 9))
def test_icans_grade__a_lower_ice_is_never_better(score: int) -> None:
    """Losing a point never lowers the grade."""
    worse, better = (icans_grade("ICE", score=each, **AWAKE) for each in (score, score + 1))
    assert worse.at_least >= better.at_least


def test_grade__in_words() -> None:
    """Event, tool, grade and note on use."""
    lines = icans_grade("CAPD", score=9, **AWAKE).lines
    assert ("ICANS (CAPD), ASTCT: grade 3", True) == (lines[0], "Research use only" in lines[-1])


SEVERE = crs_grade(**{**WELL, "temperature_c": 39, "oxygen": "venturi"})
MILD = crs_grade(**{**WELL, "temperature_c": 39})
OPEN = crs_grade(**{**WELL, "temperature_c": 39, "oxygen": None})
NO_ICANS = icans_grade("ICE", score=10, **AWAKE)


@pytest.mark.parametrize(
    ("grades", "related", "expected"),
    [
        ([SEVERE, NO_ICANS], True, "met"),
        ([SEVERE], True, "met"),
        ([SEVERE, NO_ICANS], False, "not_met"),
        ([SEVERE, NO_ICANS], None, "unknown"),
        ([MILD, NO_ICANS], True, "not_met"),
        ([MILD, NO_ICANS], None, "not_met"),
        ([MILD], True, "unknown"),  # ICANS was not graded
        ([OPEN, NO_ICANS], True, "unknown"),
        ([], True, "unknown"),
    ],
)
def test_is_dose_limiting__grade_three_and_related(grades: list[Any], related: bool | None, expected: str) -> None:
    """Related CRS or ICANS of grade 3 limits the dose; what is open stays open."""
    found = is_dose_limiting(grades, related, PROTOCOL)
    assert (expected, True) == (found.answer, f"Dose-limiting toxicity: {expected}." in found.lines[0])
    assert ["21", "22"] == [entry.number for entry in found.ambiguities]
