"""The protocol file: doses, schedule, and every ambiguity of the record."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from cytorecon.errors import ProtocolError
from cytorecon.trial import (
    calendar,
    crs_grade,
    eligibility,
    escalate,
    icans_grade,
    is_dose_limiting,
    read_protocol,
)
from cytorecon.trial.criteria import walk
from cytorecon.trial.protocol import PROTOCOLS

from .cases import PROTOCOL, answer, case


@pytest.mark.parametrize(("level", "total"), [(0, 5), (1, 10), (2, 20), (3, 30)])
def test_infusion_dose__splits_two_to_one_exactly(level: int, total: int) -> None:
    """Two thirds and one third of the level, as exact fractions."""
    doses = [PROTOCOL.infusion_dose(level, number) for number in (1, 2)]
    assert [Fraction(total * 10**6 * 2, 3), Fraction(total * 10**6, 3)] == doses


def test_level__echoes_canonical_and_source() -> None:
    """The record's Cyrillic text is kept beside what it means."""
    level = PROTOCOL.level(1)
    assert ("1.0e7/kg", "10х106/kg") == (level.total.text, level.record.source)


def test_level__names_those_there_are() -> None:
    """No level 4."""
    with pytest.raises(ProtocolError, match="no such dose level; expected 0, 1, 2, 3, got 4"):
        PROTOCOL.level(4)


def test_infusion__names_those_there_are() -> None:
    """No third infusion."""
    with pytest.raises(ProtocolError, match="plans no such infusion; expected 1, 2, got 3"):
        PROTOCOL.infusion(3)


def test_rules__cover_the_record() -> None:
    """Inclusion 1 to 11 and exclusion 1 to 7, with the lost first ones; four infusion criteria."""
    assert ["I1", "AGE", *(f"I{number}" for number in range(2, 12))] == [rule.id for rule in PROTOCOL.inclusion]
    assert [f"E{number}" for number in range(1, 8)] == [rule.id for rule in PROTOCOL.exclusion]
    assert ["N1", "N2", "N3", "N4"] == [rule.id for rule in PROTOCOL.infusion_criterion]


def test_rules__all_cite_an_item() -> None:
    """Every rule, and every part of one, says where in the record it stands."""
    rules = walk(PROTOCOL.inclusion + PROTOCOL.exclusion + PROTOCOL.infusion_criterion)
    assert [] == [rule.id for rule in rules if not rule.cites]


def test_ambiguity__all_are_listed_and_concern_something() -> None:
    """1 to 26 with 23a and 23b, each with its treatment, each about a rule or a known topic."""
    numbers = [str(number) for number in range(1, 24)] + ["23a", "23b"] + ["24", "25", "26"]
    assert numbers == [entry.number for entry in PROTOCOL.ambiguity]
    rules = {rule.id for rule in walk(PROTOCOL.inclusion + PROTOCOL.exclusion + PROTOCOL.infusion_criterion)}
    topics = {"escalation", "dose", "toxicity", "infusion", "donor", "mrd", "schedule", "follow_up", "reading"}
    assert set() == {name for entry in PROTOCOL.ambiguity for name in entry.concerns} - rules - topics


def test_protocol__is_in_our_own_words(shared: Path) -> None:
    """No run of eight words is the record's."""

    def words(text: str) -> list[str]:
        return re.findall(r"\w+", text.casefold())

    record = words((shared / "nct07256210.txt").read_text(encoding="utf-8"))
    own = words((PROTOCOLS / "nct07256210.toml").read_text(encoding="utf-8"))
    runs = {tuple(record[start : start + 8]) for start in range(len(record) - 7)}
    copied = [
        " ".join(own[start : start + 8]) for start in range(len(own) - 7) if tuple(own[start : start + 8]) in runs
    ]
    name = "federal research institute of pediatric hematology oncology"  # the sponsor's name
    assert [] == [run for run in copied if name not in run and not run.startswith("research institute")]


def test_calendar__gives_the_last_abatacept_to_haploidentical_only() -> None:
    """Day +28 is for a haploidentical donor; days count from day 0."""
    days = {kind: calendar(PROTOCOL, date(2026, 4, 1), kind) for kind in ("haploidentical", "matched_related")}
    assert (date(2026, 4, 29), 28) in {(on, day) for on, day, _ in days["haploidentical"]}
    assert 14 == max(day for _, day, _ in days["matched_related"])
    assert (date(2026, 3, 20), -12, "NK infusion 1") in {
        (on, day, item.what) for on, day, item in days["haploidentical"]
    }


CHANGES = {
    "enrolment = 15": "enrolment = 18",
    "conditioning_day = -14": "conditioning_day = -10",
    "at_least = 40": "at_least = 65",
    'window = "4 months"': 'window = "6 months"',
    "grade = 3\nrelated": "grade = 4\nrelated",
    'kir_direction = "gvh"': 'kir_direction = "hvg"',
    'record = "20х106/kg"': 'record = "40х106/kg"',
    'total = "2.0e7/kg"': 'total = "4.0e7/kg"',
    "start_level = 1": "start_level = 2",
    'aml = "0.01 %"': 'aml = "0,05 %"',
}


def test_read_protocol__another_protocol_is_another_file(tmp_path: Path) -> None:
    """Every number that decides comes from the file: other numbers, other answers, no change in Python."""
    text = (PROTOCOLS / "nct07256210.toml").read_text(encoding="utf-8")
    for old, new in CHANGES.items():
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "other.toml"
    path.write_text(text, encoding="utf-8")
    other = read_protocol(path)
    therapy = [{"kind": "CAR-T", "on": date(2025, 10, 1)}]
    result = eligibility(case({"cellular_therapy": therapy}), other)
    assert ["not_met", "met", "not_met"] == [answer(result, rule) for rule in ("I8", "E2", "I2.c")]
    assert Fraction(80_000_000, 3) == other.infusion_dose(2, 1)
    decision = escalate([], other)
    assert (2, ()) == (decision.level, decision.findings)
    fever = crs_grade(temperature_c=39, hypotension=False, vasopressors=0, oxygen="venturi")
    none = icans_grade("ICE", score=10, consciousness="alert", seizure="none", motor_weakness=False, oedema="none")
    assert ("met", "not_met") == tuple(is_dose_limiting([fever, none], True, each).answer for each in (PROTOCOL, other))
