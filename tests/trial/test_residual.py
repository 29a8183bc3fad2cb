"""The residual-disease route: literal thresholds, dates, denominators, and the marrow of a study."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from small_cubes import MARROW, Row, small_cube, small_samples

from cytorecon.errors import CountError, CubeError, ProtocolError
from cytorecon.mrd import MRD_THRESHOLDS, mrd_call
from cytorecon.trial import MrdEvidence, mrd_threshold
from cytorecon.trial.marrow import marrow_evidence

from .cases import LEFT_OUT, PROTOCOL, answer, criterion, judge

CONDITIONING = date(2026, 3, 18)  # day −14 of the example's planned day 0


def counted(events: int, total: int, **more: Any) -> dict[str, Any]:
    fact = {"specimen": "marrow", "drawn": date(2026, 2, 26), "event_count": events, "total_count": total}
    return {"mrd": {**fact, "denominator": "nucleated", **more}}


@pytest.mark.parametrize("disease", ["aml", "t_all", "mpal"])
def test_mrd_threshold__is_the_file_s_and_agrees_with_the_mrd_module(disease: str) -> None:
    """The protocol file's threshold is the one the MRD command assesses."""
    found = mrd_threshold(PROTOCOL, disease)
    assert found is not None
    assert (MRD_THRESHOLDS[disease].fraction, MRD_THRESHOLDS[disease].denominator) == (
        found.fraction,
        found.denominator,
    )
    assert found.strict


def test_mrd_threshold__none_for_another_disease() -> None:
    """B-ALL has no threshold here."""
    assert mrd_threshold(PROTOCOL, "b_all") is None


@pytest.mark.parametrize(
    ("disease", "events", "total", "expected"),
    [
        ("aml", 100, 1_000_000, "not_met"),  # exactly 0.01 % is not above it
        ("aml", 101, 1_000_000, "met"),
        ("mpal", 100, 1_000_000, "not_met"),
        ("mpal", 101, 1_000_000, "met"),
        ("t_all", 1000, 1_000_000, "not_met"),  # exactly 0.1 %
        ("t_all", 1001, 1_000_000, "met"),
        ("aml", 1, 5_000, "needs_adjudication"),  # literally above, far below 50 events
        ("aml", 0, 50_000, "needs_adjudication"),  # too few cells to say no
        ("aml", 0, 0, "unknown"),  # 0 of 0 is not evaluable
    ],
)
def test_route_c__literal_threshold(disease: str, events: int, total: int, expected: str) -> None:
    """Strictly above, by integers; insufficient evidence goes to a person; nothing counted is unknown."""
    assert expected == answer(judge({"disease.name": disease, **counted(events, total)}), "I2.c")


@pytest.mark.parametrize(
    ("days_before", "expected"), [(1, "met"), (0, "needs_adjudication"), (-1, "unknown"), (30, "met"), (31, "met")]
)
def test_route_c__has_to_be_drawn_before_conditioning(days_before: int, expected: str) -> None:
    """Day −15 counts, day −14 goes to a person, day −13 answers nothing; an old marrow is pointed out."""
    drawn = CONDITIONING - timedelta(days_before)
    result = judge(counted(500, 1_000_000, drawn=drawn))
    assert expected == answer(result, "I2.c")
    route = criterion(result, "I2").result.parts[1].parts[2]
    assert (drawn, CONDITIONING) == (route.refers_to, route.reference_date)
    assert (days_before == 31) == ("older than 30 days" in route.evidence)


def test_route_c__a_stated_start_of_conditioning_stands() -> None:
    """Conditioning that began earlier than planned moves the limit."""
    changes = {**counted(500, 1_000_000), "dates.conditioning": date(2026, 2, 26)}
    assert "needs_adjudication" == answer(judge(changes), "I2.c")


def test_route_c__unknown_without_the_day_of_conditioning() -> None:
    """Neither day 0 nor conditioning is planned: before what?"""
    assert "unknown" == answer(judge({**counted(500, 1_000_000), "dates.transplant": LEFT_OUT}), "I2.c")


@pytest.mark.parametrize("change", [{"specimen": "blood"}, {"method": "other"}])
def test_route_c__asks_for_marrow_by_flow(change: dict[str, str]) -> None:
    """Blood, or another method, does not answer."""
    result = judge(counted(500, 1_000_000, **change))
    assert ("unknown", True) == (answer(result, "I2.c"), "does not answer" in "".join(result.lines))


@pytest.mark.parametrize(
    ("events", "nucleated", "expected"), [(120, None, "needs_adjudication"), (100, 1_250_000, "not_met")]
)
def test_route_c__denominator(events: int, nucleated: int | None, expected: str) -> None:
    """0.012 % of CD45+ alone goes to a person; with its nucleated count 0.0096 % is no (ambiguity 9)."""
    more = {"denominator": "cd45"} | ({} if nucleated is None else {"nucleated_count": nucleated})
    result = judge(counted(events, 1_000_000, **more))
    assert (expected, True) == (
        answer(result, "I2.c"),
        "9" in criterion(result, "I2").ambiguities or expected == "not_met",
    )


def test_route_c__refuses_an_incomparable_denominator() -> None:
    """Lymphocytes are no nucleated cells."""
    with pytest.raises(CountError, match="denominator"):
        judge(counted(120, 1_000_000, denominator="lymphocytes"))


def test_route_c__shows_eln_beside_it() -> None:
    """Ambiguity 10: the AML line carries ELN 2021's call as well."""
    assert any("ELN 2021: below" in line for line in judge().lines)


def test_route_c__evidence_against_another_threshold_is_refused() -> None:
    """An assessment made for T-ALL says nothing about AML."""
    evidence = MrdEvidence(mrd_call(500, 1_000_000, "t_all", "nucleated"), day=-20)
    with pytest.raises(
        ProtocolError, match=r"not assessed against this protocol's threshold; expected > 0.01 % for aml"
    ):
        judge(mrd=evidence)


def test_eligibility__a_study_s_marrow_stands_before_the_case_s() -> None:
    """Both given: the study's is used and a finding says so."""
    result = judge(mrd=MrdEvidence(mrd_call(0, 2_000_000, "aml", "nucleated", lob_count=5), day=-20))
    assert ("not_met", True) == (answer(result, "I2.c"), "mrd-from-study" in [one.code for one in result.findings])


def marrow(day: int, events: int | str, nucleated: int | str = 1_000_000, **more: Any) -> Row:
    counts: dict[str, int | str] = {
        "Nucleated": nucleated,
        "Nucleated/CD45pos": nucleated,
        "Nucleated/CD45pos/Blast region": 900 if isinstance(nucleated, int) else nucleated,
        "Nucleated/MRD": events,
    }
    return Row("P01", day, counts, "marrow", **more)


@pytest.mark.parametrize("build", [small_cube, small_samples])
def test_marrow_evidence__takes_the_newest_before_conditioning(build: Any) -> None:
    """Of days −60, −20 and +28 the one of day −20 counts, in either form of the counts."""
    cube = build([marrow(-60, 5000), marrow(-20, 300), marrow(28, 0)], MARROW)
    evidence = marrow_evidence(cube, "P01", PROTOCOL, "aml")
    assert evidence is not None
    assert evidence.assessment is not None
    assert (-20, 300) == (evidence.day, evidence.assessment.event_count)
    result = judge({"mrd": LEFT_OUT}, mrd=evidence)
    assert "met" == answer(result, "I2.c")
    assert date(2026, 3, 12) == criterion(result, "I2").result.parts[1].parts[2].refers_to
    undated = judge({"mrd": LEFT_OUT, "dates.transplant": LEFT_OUT}, mrd=evidence)
    assert "met" == answer(undated, "I2.c")


@pytest.mark.parametrize(
    "newest",
    [
        marrow(-16, 0, 0),
        marrow(-16, "failed", "failed"),
        marrow(-16, "not_measured"),
        marrow(-16, 900, review=["Nucleated/MRD"]),
    ],
)
@pytest.mark.parametrize("build", [small_cube, small_samples])
def test_marrow_evidence__never_an_older_one_in_silence(build: Any, newest: Row) -> None:
    """A newest marrow that is empty, failed, unmeasured or unreviewed is unknown, however clear the older one."""
    evidence = marrow_evidence(build([marrow(-60, 5000), newest], MARROW), "P01", PROTOCOL, "aml")
    assert evidence is not None
    assert -16 == evidence.day
    result = judge({"mrd": LEFT_OUT}, mrd=evidence)
    assert ("unknown", "undecided") == (answer(result, "I2.c"), result.verdict)


def test_marrow_evidence__an_older_one_may_be_named() -> None:
    """By its day, and only so."""
    cube = small_cube([marrow(-60, 5000), marrow(-16, 0, 0)], MARROW)
    evidence = marrow_evidence(cube, "P01", PROTOCOL, "aml", day=-60)
    assert evidence is not None
    assert ("marrow of day -60", "met") == (evidence.sample, answer(judge({"mrd": LEFT_OUT}, mrd=evidence), "I2.c"))


def test_marrow_evidence__of_the_first_day_of_conditioning_goes_to_a_person() -> None:
    """Day −14 is the newest and is adjudicated, not skipped (ambiguity 23b)."""
    evidence = marrow_evidence(small_cube([marrow(-60, 5000), marrow(-14, 300)], MARROW), "P01", PROTOCOL, "aml")
    assert "needs_adjudication" == answer(judge({"mrd": LEFT_OUT}, mrd=evidence), "I2.c")


def test_marrow_evidence__cd45_alone_is_an_upper_limit() -> None:
    """Without nucleated cells an excess over CD45+ goes to a person."""
    row = Row("P01", -20, {"Nucleated/CD45pos": 1_000_000, "Nucleated/MRD": 120}, "marrow")
    evidence = marrow_evidence(small_cube([row], MARROW), "P01", PROTOCOL, "aml")
    assert "needs_adjudication" == answer(judge({"mrd": LEFT_OUT}, mrd=evidence), "I2.c")


def test_marrow_evidence__without_any_denominator_is_unknown() -> None:
    """Leukaemic events alone are no result, and neither is a template without a denominator."""
    for roles in (MARROW, {"Nucleated/MRD": "mrd"}):
        cube = small_cube([Row("P01", -20, {"Nucleated/MRD": 120}, "marrow")], roles)
        evidence = marrow_evidence(cube, "P01", PROTOCOL, "aml")
        assert "unknown" == answer(judge({"mrd": LEFT_OUT}, mrd=evidence), "I2.c")


def test_marrow_evidence__conditioning_may_begin_earlier() -> None:
    """The day asked about stands before the protocol's, in the search and in the rule."""
    cube = small_cube([marrow(-60, 5000), marrow(-16, 300)], MARROW)
    evidence = marrow_evidence(cube, "P01", PROTOCOL, "aml", conditioning_day=-20)
    assert evidence is not None
    assert -60 == evidence.day
    newest = marrow_evidence(cube, "P01", PROTOCOL, "aml")
    early = {"mrd": LEFT_OUT, "dates.conditioning": date(2026, 3, 12)}  # day −20
    assert "unknown" == answer(judge(early, mrd=newest), "I2.c")


def test_marrow_evidence__none_without_a_marrow() -> None:
    """Blood is no marrow, and a marrow after conditioning is none before it."""
    assert marrow_evidence(small_cube([Row("P01", -20, {}, "blood")], MARROW), "P01", PROTOCOL, "aml") is None
    assert marrow_evidence(small_cube([marrow(28, 0)], MARROW), "P01", PROTOCOL, "aml") is None


def test_marrow_evidence__of_the_second_transplant() -> None:
    """Days count from the transplant that is asked about."""
    first, second = marrow(-20, 300), marrow(-20, 0, sheet={"transplant": 2})
    for build in (small_cube, small_samples):
        evidence = marrow_evidence(build([first, second], MARROW), "P01", PROTOCOL, "aml", transplant=2)
        assert evidence is not None
        assert evidence.assessment is not None
        assert 0 == evidence.assessment.event_count


def test_marrow_evidence__names_what_is_wrong() -> None:
    """An unknown patient, a disease without threshold, two samples as new."""
    cube = small_cube([marrow(-20, 300)], MARROW)
    with pytest.raises(CubeError, match="patient: is not in the study; got P99"):
        marrow_evidence(cube, "P99", PROTOCOL, "aml")
    with pytest.raises(ProtocolError, match="no residual-disease threshold"):
        marrow_evidence(cube, "P01", PROTOCOL, "b_all")
    twice = small_samples([marrow(-20, 300), marrow(-20, 200, sheet={"panel": "2"})], MARROW)
    with pytest.raises(CubeError, match="day -20: has several marrow samples"):
        marrow_evidence(twice, "P01", PROTOCOL, "aml")
    without = small_cube([Row("P01", -20, {"Nucleated": 10}, "marrow")], {"Nucleated": "nucleated"})
    with pytest.raises(CubeError, match="role mrd: has to be carried by one population"):
        marrow_evidence(without, "P01", PROTOCOL, "aml")
