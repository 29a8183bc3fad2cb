"""A case for every criterion and every ambiguity, at its boundary."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cytorecon.errors import CountError, ProtocolError
from cytorecon.trial import to_mapping

from .cases import LEFT_OUT, answer, case, criterion, judge

DECIDED = {"by": "Dr A", "on": date(2026, 3, 2), "reason": "seen"}


def measured(value: object, unit: str, **more: object) -> dict[str, object]:
    return {"value": value, "unit": unit, **more}


def test_eligibility__of_the_example() -> None:
    """A case that passes everything, lost criteria confirmed, is eligible."""
    assert "eligible" == judge().verdict


@pytest.mark.parametrize("lost", ["I1", "E1"])
def test_eligibility__never_without_the_lost_criteria(lost: str) -> None:
    """Without a named person's word on a criterion the record has lost, the verdict stays undecided (ambiguity 2)."""
    result = judge({f"decisions.{lost}": LEFT_OUT})
    found = criterion(result, lost)
    assert ("undecided", "open", "unknown") == (result.verdict, found.effect, found.result.answer)
    assert "unresolved" == found.result.kind
    assert "2" in [entry.number for entry in result.ambiguities]


def test_eligibility__a_lost_exclusion_may_bar() -> None:
    """The same person may find that the lost exclusion is true."""
    assert "not_eligible" == judge({"decisions.E1.answer": "met"}).verdict


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        (date(2026, 2, 3), "not_met"),  # 27 days
        (date(2026, 2, 2), "needs_adjudication"),  # exactly 1 month
        (date(2025, 3, 3), "needs_adjudication"),  # a day short of 1 year
        (date(2025, 3, 2), "met"),  # exactly 1 year
        (date(2001, 3, 2), "met"),  # the 25th birthday
        (date(2001, 3, 1), "needs_adjudication"),  # the day after
        (date(2000, 3, 3), "needs_adjudication"),  # the day before the 26th
        (date(2000, 3, 2), "not_met"),  # the 26th birthday
    ],
)
def test_age__at_every_limit(born: date, expected: str) -> None:
    """Ambiguity 3: between the record's two lower limits, and between 25 and 26, a person decides."""
    result = judge({"patient.born": born})
    assert expected == answer(result, "AGE")
    assert (expected == "needs_adjudication") == ("3" in criterion(result, "AGE").ambiguities)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        ("11 months", "needs_adjudication"),
        ("12 years", "met"),
        ("25 years", "needs_adjudication"),
        ("26 years", "not_met"),
    ],
)
def test_age__stated_instead_of_a_birth_date(age: str, expected: str) -> None:
    """Completed 25 years may be the birthday or the day before the next."""
    assert expected == answer(judge({"patient.born": LEFT_OUT, "patient.age": age}), "AGE")


@pytest.mark.parametrize("left_out", ["patient.born", "dates.screening"])
def test_age__unknown_without_date_or_birth(left_out: str) -> None:
    """A birth date without the day of screening is no age (ambiguity 23b)."""
    assert "unknown" == answer(judge({left_out: LEFT_OUT}), "AGE")


ROUTE_A = {
    "mrd": LEFT_OUT,
    "disease.in_relapse": False,
    "disease.induction": {"regimens": 2, "complete_remission": False, "definition": "blasts < 5 %"},
}


@pytest.mark.parametrize("name", ["AML", "T-ALL", "t_all", "mpal"])
def test_route_a__two_regimens_without_remission(name: str) -> None:
    """Primary refractory disease qualifies whatever the marrow, in each of the three diseases."""
    result = judge({**ROUTE_A, "disease.name": name})
    assert ("met", "met", "unknown") == tuple(answer(result, rule) for rule in ("I2", "I2.a", "I2.c"))
    assert "12" in criterion(result, "I2").ambiguities


@pytest.mark.parametrize(("regimens", "remission"), [(1, False), (2, True)])
def test_route_a__not_met(regimens: int, remission: bool) -> None:
    """One regimen, or a remission, is not primary refractory."""
    changes = {"disease.induction.regimens": regimens, "disease.induction.complete_remission": remission}
    assert "not_met" == answer(judge(changes), "I2.a")


def test_disease__other_is_not_met() -> None:
    """B-ALL is none of the trial's diseases."""
    result = judge({"disease.name": "B-ALL"})
    assert ("not_eligible", "not_met", "not_met") == (
        result.verdict,
        answer(result, "I2.disease"),
        answer(result, "I2.c"),
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"regimens": 1, "complete_remission": False, "definition": "x"}, "met"),
        ({"regimens": 3, "complete_remission": False, "definition": "x"}, "met"),
        ({"regimens": 0, "complete_remission": False, "definition": "x"}, "not_met"),
        ({"regimens": 1, "complete_remission": True, "definition": "x"}, "not_met"),
        (LEFT_OUT, "unknown"),
    ],
)
def test_route_b__one_or_more_salvage_regimens(changes: Any, expected: str) -> None:
    """At least one (ambiguity 11), and no remission after it; a relapse alone leaves it unknown."""
    result = judge({"mrd": LEFT_OUT, "disease.in_relapse": True, "disease.salvage": changes})
    assert expected == answer(result, "I2.b")
    assert (expected != "not_met") == ("11" in criterion(result, "I2").ambiguities)


def test_routes__unknown_where_one_could_still_qualify() -> None:
    """Two routes denied and the marrow missing is unknown, never a no."""
    result = judge({"mrd": LEFT_OUT})
    assert ("undecided", "unknown") == (result.verdict, answer(result, "I2"))


@pytest.mark.parametrize(
    ("value", "scale", "born", "expected"),
    [
        (50, "Lansky", date(2014, 5, 20), "met"),
        ("49,9", "Lansky", date(2014, 5, 20), "not_met"),
        (50, "Karnofsky", date(2010, 3, 2), "met"),  # 16 years today
        (50, "Karnofsky", date(2010, 3, 3), "needs_adjudication"),  # 16 tomorrow: Lansky
        (50, "Lansky", date(2010, 3, 2), "needs_adjudication"),
        (50, "Lansky", date(2025, 3, 2), "met"),  # 1 year today
        (90, "Lansky", date(2025, 3, 3), "needs_adjudication"),  # no scale below 1 year
    ],
)
def test_performance__fifty_passes_on_the_scale_of_the_age(value: Any, scale: str, born: date, expected: str) -> None:
    """Ambiguity 13: Lansky from 1, Karnofsky from 16; 50 itself passes."""
    result = judge({"patient.born": born, "performance.score": value, "performance.scale": scale})
    assert expected == answer(result, "I5")


def test_performance__unknown() -> None:
    """Nothing stated passes nothing."""
    assert "unknown" == answer(judge({"performance": LEFT_OUT}), "I5")


def test_kidney__measured_clearance_of_fifty_passes() -> None:
    """Exactly 50 is enough, with the unit's decimal comma."""
    changes = {"kidney.clearance": measured(50, "ml/min/1,73 м2".replace("м", "m")), "kidney.creatinine": LEFT_OUT}
    assert "met" == answer(judge(changes), "I6")


def test_kidney__refuses_another_unit() -> None:
    """A clearance without body surface is another quantity."""
    with pytest.raises(ProtocolError, match=r"kidney.clearance: has another unit; expected mL/min/1.73 m2, got mL/min"):
        judge({"kidney.clearance": measured(80, "mL/min")})


@pytest.mark.parametrize(
    ("creatinine", "unit", "expected"),
    [
        ("1,1564", "mg/dL", "met"),
        ("1,1565", "mg/dL", "not_met"),
        ("102,2", "µmol/L", "met"),
        ("102,4", "μmol/L", "not_met"),
    ],
)
def test_kidney__bedside_schwartz_at_fifty(creatinine: str, unit: str, expected: str) -> None:
    """0.413 × 140 / 1.1564 is 50: the exact value is compared, never a rounded one."""
    changes = {"kidney.height_cm": 140, "kidney.creatinine": measured(creatinine, unit)}
    result = judge(changes)
    assert expected == answer(result, "I6.estimate")
    assert "14" in criterion(result, "I6").ambiguities


def test_kidney__shows_the_old_constant_where_it_would_pass() -> None:
    """Between the two constants the original one's value is printed, and does not decide (ambiguity 14)."""
    result = judge({"kidney.height_cm": 140, "kidney.creatinine": measured("1,3", "mg/dL")})
    found = criterion(result, "I6").result
    assert ("not_met", True) == (found.answer, "k = 0.55) would give 59.2" in found.evidence)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"patient.born": date(2025, 9, 1)}, "needs_adjudication"),  # below 1 year: not to be used
        ({"patient.born": date(2008, 3, 2)}, "met"),  # 18 years today
        ({"patient.born": date(2008, 3, 1)}, "needs_adjudication"),  # out of the validated age
        ({"kidney.idms": False}, "needs_adjudication"),
        ({"kidney.idms": LEFT_OUT}, "unknown"),
        ({"kidney.height_cm": LEFT_OUT}, "unknown"),
        ({"kidney": LEFT_OUT}, "unknown"),
    ],
)
def test_kidney__estimate_outside_its_conditions(changes: dict[str, Any], expected: str) -> None:
    """Ages outside 1 to 18 years and other assays go to a person; missing facts stay unknown."""
    assert expected == answer(judge(changes), "I6")


def test_kidney__either_is_enough_and_both_are_shown() -> None:
    """A low clearance beside a good estimate is met by the record's "or", with both in the parts."""
    result = judge({"kidney.clearance": measured(45, "mL/min/1.73 m2")})
    assert ["met", "not_met", "met"] == [answer(result, rule) for rule in ("I6", "I6.clearance", "I6.estimate")]


def test_kidney__an_estimate_half_stated_keeps_it_open() -> None:
    """A low clearance beside an estimate that lacks a fact is unknown, not a no."""
    changes = {"kidney.clearance": measured(45, "mL/min/1.73 m2"), "kidney.idms": LEFT_OUT}
    assert "unknown" == answer(judge(changes), "I6")


@pytest.mark.parametrize("name", ["bilirubin", "alt", "ast"])
@pytest.mark.parametrize(
    ("value", "uln", "expected"),
    [("61,5", "20,5", "met"), ("61,6", "20,5", "not_met"), ("0,3", "0,1", "met"), (63, LEFT_OUT, "unknown")],
)
def test_liver__three_times_the_upper_limit_passes(name: str, value: str, uln: Any, expected: str) -> None:
    """Exactly 3 × ULN passes, also where floats would say 3.0000000000000004; without ULN it is unknown."""
    fact = measured(value, "U/L") | ({} if uln is LEFT_OUT else {"uln": uln})
    assert expected == answer(judge({f"liver.{name}": fact}), "I7")


@pytest.mark.parametrize(
    ("gilbert", "alt", "expected"),
    [(True, 40, "met"), (False, 40, "not_met"), (LEFT_OUT, 40, "unknown"), (True, 400, "not_met")],
)
def test_liver__gilbert_waives_bilirubin_only(gilbert: Any, alt: int, expected: str) -> None:
    """High bilirubin is forgiven, high ALT is not; Gilbert unknown leaves it unknown."""
    changes = {
        "liver.gilbert": gilbert,
        "liver.bilirubin": measured(90, "µmol/L", uln=21),
        "liver.alt": measured(alt, "U/L", uln=41),
    }
    assert expected == answer(judge(changes), "I7")


def test_liver__gilbert_unknown_matters_only_for_a_high_value() -> None:
    """A normal bilirubin needs no waiver."""
    assert "met" == answer(judge({"liver.gilbert": LEFT_OUT}), "I7")


@pytest.mark.parametrize(("value", "expected"), [(40, "met"), ("39,9", "not_met")])
def test_heart__forty_passes(value: Any, expected: str) -> None:
    """LVEF of 40 % passes."""
    assert expected == answer(judge({"heart.lvef": measured(value, "%")}), "I8")


@pytest.mark.parametrize(("value", "expected"), [(50, "met"), ("49,9", "not_met")])
def test_lung__fifty_passes(value: Any, expected: str) -> None:
    """50 % of predicted passes."""
    assert expected == answer(judge({"lung.percent_predicted": measured(value, "%")}), "I9")


def test_lung__saturation_of_unknown_age_is_unknown() -> None:
    """Whether the patient is a child is a fact as well."""
    assert "unknown" == answer(judge({**saturated(98), "patient.born": LEFT_OUT}), "I9")


def test_lung__the_measure_has_to_be_named() -> None:
    """Ambiguity 15: a percentage without its measure answers nothing."""
    result = judge({"lung.measure": LEFT_OUT})
    assert ("unknown", True) == (answer(result, "I9"), "15" in criterion(result, "I9").ambiguities)


def saturated(value: object, **more: object) -> dict[str, Any]:
    return {"lung": {"can_perform": False, "saturation": measured(value, "%"), "on_room_air": True, **more}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (saturated(92), "met"),
        (saturated("91,9"), "not_met"),
        (saturated(98, on_room_air=False), "unknown"),
        ({"lung": {"can_perform": False, "saturation": measured(98, "%")}}, "unknown"),
        ({"lung": {"can_perform": False}}, "unknown"),
        ({"lung": {"saturation": measured(98, "%"), "on_room_air": True}}, "unknown"),
        ({**saturated(98), "patient.born": date(2008, 3, 2)}, "needs_adjudication"),
        ({**saturated(98), "patient.born": date(2008, 3, 3)}, "met"),
    ],
)
def test_lung__saturation_stands_in_for_a_child_that_cannot(changes: dict[str, Any], expected: str) -> None:
    """92 % on room air passes; on oxygen it answers nothing; from 18 years a person decides."""
    assert expected == answer(judge(changes), "I9")


STATEMENTS = {
    "transplant_indicated": ("I3", True),
    "donor_available": ("I4", True),
    "life_expectancy_8_weeks": ("I10", True),
    "agrees_to_follow_up": ("I11", True),
    "active_hepatitis_b": ("E3", False),
    "active_hepatitis_c": ("E3", False),
    "active_hiv": ("E3", False),
    "uncontrolled_infection": ("E5", False),
    "mental_illness_preventing_participation": ("E7", False),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_statement__passes_bars_or_stays_open(name: str) -> None:
    """The wrong answer bars, "unknown" and silence leave the verdict undecided."""
    rule, good = STATEMENTS[name]
    assert "allows" == criterion(judge(), rule).effect
    assert "not_eligible" == judge({f"statements.{name}": not good}).verdict
    for silent in ("unknown", LEFT_OUT, {"answer": "unknown", "by": "Dr B"}):
        result = judge({f"statements.{name}": silent})
        assert ("undecided", "unknown") == (result.verdict, answer(result, rule))


@pytest.mark.parametrize(
    ("kind", "expected"), [("haploidentical", "met"), ("matched related", "met"), ("matched_unrelated", "not_met")]
)
def test_donor__haploidentical_or_matched_related(kind: str, expected: str) -> None:
    """An unrelated donor is none of the trial's."""
    assert expected == answer(judge({"donor.type": kind}), "I4")


@pytest.mark.parametrize(
    ("on", "expected", "verdict"),
    [
        (date(2025, 11, 1), "not_met", "eligible"),  # 4 months and a day before
        (date(2025, 11, 2), "needs_adjudication", "undecided"),  # the boundary day
        (date(2025, 11, 3), "met", "not_eligible"),
        (date(2026, 3, 3), "needs_adjudication", "undecided"),  # after screening
    ],
)
def test_exclusion_2__four_calendar_months(on: date, expected: str, verdict: str) -> None:
    """Ambiguity 7: the boundary day itself goes to a person."""
    result = judge({"cellular_therapy": [{"kind": "CAR-T", "on": on}, {"kind": "DLI", "on": date(2020, 1, 1)}]})
    assert (expected, verdict) == (answer(result, "E2"), result.verdict)
    assert (expected == "needs_adjudication") == ("7" in criterion(result, "E2").ambiguities)
    assert on == criterion(result, "E2").result.parts[0].refers_to


def test_exclusion_2__a_healthy_patient_is_not_excluded() -> None:
    """Ambiguity 6: read literally the record would exclude the healthy; reading B is printed."""
    result = judge()
    assert "not_met" == answer(result, "E2")
    assert any("Reading B" in line for line in result.lines)


@pytest.mark.parametrize("state", ["active", "unknown"])
@pytest.mark.parametrize("sign", ["gvhd", "sos", "crs", "icans"])
def test_exclusion_2__an_active_or_unknown_sign_is_adjudicated(sign: str, state: str) -> None:
    """A person decides on each of the four signs."""
    result = judge({f"signs.{sign}": state})
    assert ("needs_adjudication", "undecided") == (answer(result, "E2"), result.verdict)


def test_exclusion_2__silence_is_unknown() -> None:
    """A sign that is not stated, and a history that is not stated, are unknown."""
    assert "unknown" == answer(judge({"signs.sos": LEFT_OUT}), "E2")
    assert "unknown" == answer(judge({"cellular_therapy": LEFT_OUT}), "E2")
    therapy = [{"kind": "CAR-T", "on": date(2020, 1, 1)}]
    assert "unknown" == answer(judge({"cellular_therapy": therapy, "dates.screening": LEFT_OUT}), "E2.therapy")


def test_exclusion_4__does_not_apply_to_males() -> None:
    """Ambiguity 23a: not applicable allows."""
    found = criterion(judge(), "E4")
    assert ("not_applicable", "allows") == (found.result.answer, found.effect)


@pytest.mark.parametrize(
    ("pregnant", "lactating", "expected"),
    [(False, False, "not_met"), (True, False, "met"), (False, True, "met"), (False, LEFT_OUT, "unknown")],
)
def test_exclusion_4__asks_females(pregnant: Any, lactating: Any, expected: str) -> None:
    """Pregnancy or lactation excludes; each has to be stated."""
    changes = {"patient.sex": "female", "statements.pregnant": pregnant, "statements.lactating": lactating}
    assert expected == answer(judge(changes), "E4")


def test_exclusion_4__sex_unknown_is_unknown() -> None:
    """Whether it applies is itself a fact."""
    assert "unknown" == answer(judge({"patient.sex": LEFT_OUT}), "E4")


@pytest.mark.parametrize(
    ("said", "decided", "verdict"), [(True, "not_met", "eligible"), (False, "met", "not_eligible")]
)
def test_exclusion_5__the_investigator_is_the_arbiter(said: bool, decided: str, verdict: str) -> None:
    """The principal investigator's named decision stands above the answer, either way."""
    result = judge({"statements.uncontrolled_infection": said, "decisions.E5": {"answer": decided, **DECIDED}})
    assert verdict == result.verdict
    assert "Decided by Dr A, 2026-03-02" in criterion(result, "E5").decision


@pytest.mark.parametrize(("grade", "expected"), [(2, "not_met"), (3, "met"), (5, "met")])
def test_exclusion_6__grade_three(grade: int, expected: str) -> None:
    """Grade 3 excludes."""
    assert expected == answer(judge({"grades.cns_disorder.grade": grade}), "E6")


def test_exclusion_6__unknown() -> None:
    """No grade stated is no grade 0."""
    assert "unknown" == answer(judge({"grades": LEFT_OUT}), "E6")


def test_decision__settles_what_the_facts_leave_to_a_person() -> None:
    """A disputed age is settled by a named person, and the facts' own answer stays in the line."""
    result = judge({"patient.born": date(2001, 3, 1), "decisions.AGE": {"answer": "met", **DECIDED}})
    assert "met" == answer(result, "AGE")
    assert "the facts alone said needs_adjudication" in criterion(result, "AGE").decision
    assert "3" in criterion(result, "AGE").ambiguities


@pytest.mark.parametrize(
    ("changes", "rule", "expected", "why"),
    [
        ({"heart.lvef": measured(30, "%")}, "I8", "not_met", "the facts say not_met"),
        ({"heart": LEFT_OUT}, "I8", "unknown", "facts are missing"),
    ],
)
def test_decision__never_replaces_a_fact(changes: dict[str, Any], rule: str, expected: str, why: str) -> None:
    """Nobody decides away a failed or a missing measurement."""
    result = judge({**changes, f"decisions.{rule}": {"answer": "met", **DECIDED}})
    assert expected == answer(result, rule)
    assert f"Decision not used, {why}" in criterion(result, rule).decision


def test_decision__does_not_cover_an_unknown_beside_it() -> None:
    """An exclusion's boundary day is not decided while a sign is still unknown."""
    changes = {
        "cellular_therapy": [{"kind": "CAR-T", "on": date(2025, 11, 2)}],
        "signs.sos": LEFT_OUT,
        "decisions.E2": {"answer": "not_met", **DECIDED},
    }
    assert "undecided" == judge(changes).verdict


@pytest.mark.parametrize(
    ("path", "value", "match"),
    [
        ("statements.pregnat", True, r"statements.pregnat: is not a name of protocol NCT07256210; expected .*pregnant"),
        ("signs.gvh", "absent", r"signs.gvh: .*expected crs, gvhd, icans, sos"),
        ("grades.cns", {"grade": 0, "scale": "CTCAE"}, r"grades.cns: .*expected cns_disorder"),
        ("decisions.I2.c", {"answer": "met", **DECIDED}, "decisions"),
        ("decisions.I99", {"answer": "met", **DECIDED}, r"decisions.I99: is not a name"),
    ],
)
def test_eligibility__refuses_names_the_protocol_lacks(path: str, value: Any, match: str) -> None:
    """A misspelt answer is an error, not an unknown."""
    with pytest.raises(ProtocolError, match=match):
        judge({path: value})


def test_eligibility__points_out_a_late_transplant() -> None:
    """Ambiguity 18: two years after 2025-11-01 lie beyond the record's completion; 2025-10-31 is in time."""
    late = judge({"dates.transplant": date(2025, 11, 1), "mrd": LEFT_OUT})
    assert ["follow-up-after-completion"] == [finding.code for finding in late.findings]
    assert "18" in [entry.number for entry in late.ambiguities]
    early = judge({"dates.transplant": date(2025, 10, 31), "mrd": LEFT_OUT})
    assert () == early.findings


def test_eligibility__one_bar_decides_over_unknowns() -> None:
    """A failed criterion bars even where others are open."""
    result = judge({"heart.lvef": measured(30, "%"), "performance": LEFT_OUT})
    assert "not_eligible" == result.verdict
    assert "Against: I8 (not_met). Open: I5 (unknown)." in result.text


def test_eligibility__prints_every_rule_with_its_date() -> None:
    """Every criterion has a line with its item of the record; the note on use ends the text."""
    result = judge()
    for each in result.criteria:
        assert any(f" {each.result.id} " in line and each.result.cites in line for line in result.lines)
    lvef = next(line for line in result.lines if " I8 " in line)
    assert "evidence of 2026-02-27; as of screening 2026-03-02" in lvef
    assert "Research use only" in result.lines[-1]


def test_eligibility__findings_hold_no_patient() -> None:
    """A finding travels further than a verdict: it names no one."""
    result = judge({"patient.id": "IVANOV-77"})
    assert not any("IVANOV" in str(finding) for finding in result.findings)
    assert "IVANOV-77" == to_mapping(result)["patient"]


def test_eligibility__contradicting_counts_are_an_error() -> None:
    """More leukaemic events than cells is no case for a verdict."""
    with pytest.raises(CountError, match="more leukaemic events than cells"):
        judge({"mrd.event_count": 2_000_000})


def test_case__is_frozen() -> None:
    """Facts do not change under a rule."""
    from pydantic import ValidationError

    with pytest.raises(ValidationError, match="frozen"):
        case().patient.id = "other"  # type: ignore[misc]
