"""One MRD result from its counts."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.errors import CountError
from cytorecon.mrd import (
    ELN_2021_AML,
    MRD_THRESHOLDS,
    Denominator,
    MrdAssessment,
    MrdThreshold,
    detection_limits,
    mrd_call,
    mrd_json,
)

TRIAL = MRD_THRESHOLDS["aml"]
ORDER = ["below", "indeterminate", "above"]


def eln(result: MrdAssessment) -> tuple[str, str]:
    second = result.assessments[1]
    return second.source, second.call


@pytest.mark.parametrize(
    ("k", "n", "quantification", "adequacy", "position", "rule", "call", "protocol"),
    [
        (0, 36_887, "below_lod", "insufficient", "below", False, "indeterminate", "needs_adjudication"),
        (0, 36_886, "below_lod", "insufficient", "straddles", False, "indeterminate", "needs_adjudication"),
        (0, 50_000, "below_lod", "insufficient", "below", False, "indeterminate", "needs_adjudication"),
        (0, 100_000, "below_lod", "insufficient", "below", False, "indeterminate", "needs_adjudication"),
        (0, 200_000, "below_lod", "detection_only", "below", False, "below", "not_met"),
        (0, 500_000, "below_lod", "adequate", "below", False, "below", "not_met"),
        (50, 500_000, "quantifiable", "adequate", "straddles", False, "indeterminate", "not_met"),
        (51, 500_000, "quantifiable", "adequate", "straddles", True, "indeterminate", "met"),
        (65, 500_000, "quantifiable", "adequate", "above", True, "above", "met"),
        (38, 420_000, "detected_not_quantifiable", "detection_only", "straddles", False, "indeterminate", "not_met"),
        (6, 20_000, "below_lod", "insufficient", "above", True, "indeterminate", "needs_adjudication"),
        (1, 5_000, "below_lod", "insufficient", "straddles", True, "indeterminate", "needs_adjudication"),
        (19, 20_000, "below_lod", "insufficient", "above", True, "indeterminate", "needs_adjudication"),
        (20, 20_000, "detected_not_quantifiable", "insufficient", "above", True, "above", "needs_adjudication"),
        (34_274, 80_237, "quantifiable", "insufficient", "above", True, "above", "met"),
    ],
)
def test_mrd_call__worked_examples(
    k: int, n: int, quantification: str, adequacy: str, position: str, rule: bool, call: str, protocol: str
) -> None:
    """The reference's examples: every statement apart, none collapsed into another."""
    found = mrd_call(k, n, TRIAL, "nucleated")
    assert (quantification, adequacy, position, rule, call, protocol) == (
        found.quantification,
        found.adequacy,
        found.position,
        found.rule_met,
        found.call,
        found.protocol,
    )


def test_mrd_call__nothing_of_nothing_is_not_evaluable() -> None:
    """0 of 0 is no zero: no fraction, no interval, no rule, and a person adjudicates."""
    found = mrd_call(0, 0, "t_all", "nucleated")
    assert (None, None, None, None) == (found.fraction, found.interval, found.lod, found.rule_met)
    assert ("not_evaluable", "not_evaluable", "needs_adjudication") == (
        found.quantification,
        found.call,
        found.protocol,
    )


@pytest.mark.parametrize(
    ("disease", "k", "n", "met"),
    [
        ("aml", 100, 1_000_000, False),
        ("aml", 101, 1_000_000, True),
        ("mpal", 100, 1_000_000, False),
        ("t_all", 1000, 1_000_000, False),
        ("t_all", 1001, 1_000_000, True),
    ],
)
def test_mrd_call__exactly_at_the_threshold_is_not_met(disease: str, k: int, n: int, met: bool) -> None:
    """The trial reads ">": integers decide, exactly 0.01 % is not met."""
    assert met is mrd_call(k, n, disease, "nucleated").rule_met


@pytest.mark.parametrize(
    ("n", "needed", "for_detection"), [(100_000, 400_000, 100_000), (300_000, 200_000, 0), (500_000, 0, 0)]
)
def test_mrd_call__says_how_many_cells_are_missing(n: int, needed: int, for_detection: int) -> None:
    """Cells still to acquire for LLOQ and for LOD at 0.01 %."""
    first = mrd_call(0, n, TRIAL, "nucleated").assessments[0]
    assert (needed, for_detection) == (first.events_needed, first.events_needed_detection)


def test_mrd_call__ten_event_rule() -> None:
    """With a detection rule of 10 events the same acquisition detects twice as low."""
    found = mrd_call(12, 100_000, TRIAL, "nucleated", lod_events=10)
    assert ("detected_not_quantifiable", "detection_only", 0.0001) == (
        found.quantification,
        found.adequacy,
        found.lod,
    )


# Denominators


def test_mrd_call__cd45_and_nucleated_cells_are_not_the_same() -> None:
    """0.0120 % of CD45+ cells is 0.0096 % of nucleated cells when a fifth are erythroids: the literal rule flips."""
    found = mrd_call(120, 1_000_000, TRIAL, "cd45", nucleated_count=1_250_000)
    assert (0.00012, False, "not_met") == (found.fraction, found.rule_met, found.protocol)
    assert 1_250_000 == found.assessments[0].total_count
    assert "denominator-converted" in {finding.code for finding in found.findings}
    assert "re-expressed from 1,000,000 CD45+ cells to 1,250,000 nucleated cells" in found.text


def test_mrd_call__cd45_above_without_nucleated_cells_is_adjudicated() -> None:
    """A CD45+ fraction above the trial's threshold does not say that the nucleated fraction is."""
    found = mrd_call(120, 1_000_000, TRIAL, "cd45")
    assert ("not_evaluable", None, "indeterminate", "needs_adjudication") == (
        found.position,
        found.rule_met,
        found.call,
        found.protocol,
    )
    assert found.needs_review


def test_mrd_call__cd45_below_implies_nucleated_below() -> None:
    """CD45+ cells are a part of the nucleated: below among them is below among all."""
    found = mrd_call(10, 1_000_000, TRIAL, "cd45")
    assert ("below", False, "below", "not_met") == (found.position, found.rule_met, found.call, found.protocol)


@pytest.mark.parametrize("denominator", ["wbc", "mononuclear", "lineage"])
def test_mrd_call__refuses_another_denominator(denominator: str) -> None:
    """No conversion without the second count."""
    with pytest.raises(CountError, match=r"is not compared with NCT07256210.*Give the count") as error:
        mrd_call(120, 1_000_000, TRIAL, denominator)
    assert "denominator-mismatch" == error.value.code


def test_mrd_call__nucleated_by_scatter_is_an_estimate() -> None:
    """Without a dye the call stands, the protocol's answer is for a person."""
    found = mrd_call(5000, 1_000_000, TRIAL, "nucleated_scatter")
    assert ("above", "needs_adjudication") == (found.call, found.protocol)
    assert "denominator-estimate" in {finding.code for finding in found.findings}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"denominator": "cd45", "cd45_count": 5}, "is given twice and differs"),
        ({"denominator": "cd45", "nucleated_count": 999}, "cannot outnumber them"),
        ({"denominator": "nucleated", "cd45_count": 1001}, "cannot outnumber them"),
        ({"denominator": "CD45pos"}, "denominator: unknown; expected nucleated, nucleated_dye"),
        ({"threshold": "all"}, "threshold: unknown disease; expected aml, t_all, mpal"),
        ({"event_count": 1001}, "more leukaemic events than cells"),
        ({"event_count": -1}, "event_count: is no count"),
        ({"event_count": 1.5}, "event_count: is not a whole number"),
        ({"event_count": True}, "event_count: is no count"),
        ({"lod_events": 60}, "are no event rule"),
        ({"lob_count": -2}, "lob_count: is no count"),
        ({"validated_lod": 2.0}, "validated_lod: is no fraction of 1"),
        ({"validated_lod": float("nan")}, "validated_lod: is no number"),
        ({"validated_lod": "a"}, "validated_lod: is no number"),
        ({"laip_coverage": 60}, "laip_coverage: is no share of 1"),
        ({"interval_method": "wald"}, "unknown interval"),
        ({"limits": detection_limits([(1, 10), (2, 10)]), "lob_count": 2}, "detection limits are given twice"),
    ],
)
def test_mrd_call__refuses_contradictions(arguments: dict[str, object], message: str) -> None:
    """Numbers that cannot be a result are errors that say which."""
    given_ = {"event_count": 10, "total_count": 1000, "threshold": "aml", "denominator": "nucleated", **arguments}
    with pytest.raises(CountError, match=message):
        mrd_call(**given_)  # any keyword may be wrong here


# ELN 2021


def test_mrd_call__aml_always_has_two_assessments() -> None:
    """The trial first, ELN 2021 second; absent counts make the second not evaluable."""
    found = mrd_call(120, 1_000_000, "aml", "nucleated")
    assert ["NCT07256210", "ELN 2021"] == [each.source for each in found.assessments]
    assert ("ELN 2021", "not_evaluable") == eln(found)
    assert [1, 1] == [len(mrd_call(5, 10, disease, "nucleated").assessments) for disease in ("t_all", "mpal")]


@pytest.mark.parametrize(
    ("k", "cd45", "blasts", "call"),
    [
        (100, 800_000, 500, "below"),
        (100, 500_001, 100, "below"),
        (100, 500_000, 500, "indeterminate"),
        (100, 800_000, 99, "indeterminate"),
        (100, 800_000, None, "not_evaluable"),
        (100, None, 500, "not_evaluable"),
        (5000, 400_000, 10, "above"),
        (5000, 800_000, 5500, "above"),
        (800, 800_000, 5500, "indeterminate"),
    ],
)
def test_mrd_call__eln_requirement_gates_a_negative_only(
    k: int, cd45: int | None, blasts: int | None, call: str
) -> None:
    """More than 500,000 CD45+ and at least 100 blast-region cells for a negative; a positive needs neither."""
    found = mrd_call(k, 1_000_000, "aml", "nucleated", cd45_count=cd45, blast_region_count=blasts)
    assert ("ELN 2021", call) == eln(found)


def test_mrd_call__eln_reads_at_least() -> None:
    """Exactly 0.1 % meets ELN's rule as this package has it, and the text says that this is unverified."""
    found = mrd_call(1000, 1_000_000, ELN_2021_AML, "cd45", blast_region_count=2000)
    assert (1, True) == (len(found.assessments), found.rule_met)
    assert "unverified here" in found.text


def test_mrd_call__leukaemic_events_beyond_the_cd45_cells_are_not_compared() -> None:
    """CD45-negative blasts cannot be a fraction of the CD45+ cells."""
    found = mrd_call(900, 1000, "aml", "nucleated", cd45_count=200, blast_region_count=200)
    assert ("ELN 2021", "not_evaluable") == eln(found)


# Controls


def test_mrd_call__without_controls_specificity_is_not_established() -> None:
    """Event rules alone know nothing of background: a person has to look."""
    found = mrd_call(65, 500_000, TRIAL, "nucleated")
    assert found.needs_review
    assert "Specificity not established" in found.text


def test_mrd_call__background_is_not_disease() -> None:
    """50 events in 10⁶ look quantifiable; a background of up to 64 events explains them."""
    bare = mrd_call(60, 1_000_000, TRIAL, "nucleated")
    controlled = mrd_call(60, 1_000_000, TRIAL, "nucleated", lob_count=64)
    assert ("quantifiable", "below_lod") == (bare.quantification, controlled.quantification)
    assert 65e-6 == pytest.approx(controlled.lod or 0)
    assert not controlled.needs_review


def test_mrd_call__above_needs_more_events_than_background() -> None:
    """130 of 10⁶ lie above 0.01 %, but not when 130 may be background."""
    calls = [mrd_call(130, 1_000_000, TRIAL, "nucleated", lob_count=lob).call for lob in (129, 130)]
    assert ["above", "indeterminate"] == calls


def test_mrd_call__effective_lod_is_the_larger() -> None:
    """A validated LoD of 0.02 % stands over the event rule; no acquisition then reaches 0.01 %."""
    found = mrd_call(0, 5_000_000, TRIAL, "nucleated", validated_lod=0.0002)
    assert (0.0002, "insufficient", None, "indeterminate") == (
        found.lod,
        found.adequacy,
        found.events_needed,
        found.call,
    )


def test_mrd_call__a_float_limit_is_the_decimal_it_prints_as() -> None:
    """A validated LoD of 0.0001 reaches a threshold of 1/10,000, which its binary value exceeds."""
    assert "below" == mrd_call(0, 5_000_000, TRIAL, "nucleated", validated_lod=0.0001).call


def test_mrd_call__limits_of_controls_scale_with_the_acquisition() -> None:
    """LoB 0.005 % is 50 events of 10⁶ and 5 of 10⁵."""
    limits = detection_limits([(5, 100_000)] * 60)
    small, large = (mrd_call(40, n, TRIAL, "nucleated", limits=limits) for n in (100_000, 1_000_000))
    assert ("detected_not_quantifiable", "below_lod") == (small.quantification, large.quantification)
    assert "limit of blank 50 events" in large.text


def test_mrd_call__limits_follow_a_conversion() -> None:
    """A LoD of 0.01 % of CD45+ cells is 0.008 % of the nucleated cells they are part of."""
    found = mrd_call(0, 1_000_000, TRIAL, "cd45", nucleated_count=1_250_000, validated_lod=0.000125)
    assert ("adequate", "below") == (found.adequacy, found.call)


def test_mrd_call__near_a_threshold_warns() -> None:
    """Within a factor of two another denominator could move the result across."""
    codes = [
        {finding.code for finding in mrd_call(k, 1_000_000, TRIAL, "nucleated").findings} for k in (49, 50, 200, 201)
    ]
    assert [False, True, True, False] == ["near-threshold" in each for each in codes]


# Laws


@given(
    n=st.one_of(st.integers(1, 3000), st.integers(1, 5_000_000)),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    near=st.booleans(),
    disease=st.sampled_from(["aml", "t_all"]),
    lob=st.one_of(st.none(), st.integers(0, 500)),
    lod=st.one_of(st.none(), st.floats(0, 0.002)),
    method=st.sampled_from(["clopper-pearson", "wilson", "clopper-pearson-one-sided"]),
)
def test_mrd_call__more_leukaemic_events_never_lower_the_call(
    n: int,
    shares: tuple[float, float],
    near: bool,
    disease: str,
    lob: int | None,
    lod: float | None,
    method: str,
) -> None:
    """In one acquisition the call rises with the count, for the trial and for ELN alike."""
    scale = min(1.0, 0.003) if near else 1.0
    low, high = sorted(int(share * n * scale) for share in shares)
    few, many = (
        mrd_call(
            k, n, disease, "nucleated", cd45_count=n, blast_region_count=200, lob_count=lob,
            validated_lod=lod, interval_method=method,
        )
        for k in (low, high)
    )  # fmt: skip
    for before, after in zip(few.assessments, many.assessments, strict=True):
        assert ORDER.index(before.call) <= ORDER.index(after.call)
    answers = ["not_met", "needs_adjudication", "met"]
    assert answers.index(few.protocol) <= answers.index(many.protocol)


@given(n=st.integers(1, 5_000_000), added=st.integers(0, 2000), share=st.floats(0, 0.001))
def test_mrd_call__added_leukaemic_events_never_lower_the_call(n: int, added: int, share: float) -> None:
    """Events on top of an acquisition lower the call only where their own number makes it sensitive enough."""
    k = int(share * n)
    few, many = mrd_call(k, n, TRIAL, "nucleated"), mrd_call(k + added, n + added, TRIAL, "nucleated")
    became_sensitive = few.adequacy == "insufficient" and many.adequacy != "insufficient"
    assert became_sensitive or ORDER.index(few.call) <= ORDER.index(many.call)


@given(n=st.integers(0, 199_999), k=st.integers(0, 200_000))
def test_mrd_call__never_below_where_the_acquisition_is_insufficient(n: int, k: int) -> None:
    """Fewer than 200,000 cells never show that MRD is below 0.01 %."""
    assert "below" != mrd_call(min(k, n), n, TRIAL, "nucleated").call


def test_mrd_call__takes_numpy_integers() -> None:
    """Counts out of a cube are counts."""
    assert "above" == mrd_call(np.int32(65), np.int64(500_000), TRIAL, "nucleated").call


# JSON


def test_mrd_json__has_the_published_keys() -> None:
    """The document of ``cytorecon mrd --json``, trial first; it is JSON, with null for what cannot be said."""
    document = json.loads(json.dumps(mrd_json(mrd_call(12, 100_000, "aml", "nucleated"))))
    assert [
        "event_count", "total_count", "denominator", "fraction", "interval", "interval_method", "lod", "lloq",
        "quantification", "assessments", "text",
    ] == list(document)  # fmt: skip
    assert [
        "source", "threshold", "denominator", "adequacy", "events_needed", "position", "rule_met", "call", "protocol",
    ] == list(document["assessments"][0])  # fmt: skip
    assert ["NCT07256210", "ELN 2021"] == [each["source"] for each in document["assessments"]]
    assert (0.0001, "nucleated_dye", 400_000, True) == tuple(
        document["assessments"][0][key] for key in ("threshold", "denominator", "events_needed", "rule_met")
    )
    assert (0.0002, 0.0005, "clopper-pearson") == tuple(document[key] for key in ("lod", "lloq", "interval_method"))


def test_mrd_json__nothing_of_nothing_is_null() -> None:
    """What cannot be said is null, never NaN or zero."""
    document = json.loads(json.dumps(mrd_json(mrd_call(0, 0, "mpal", "nucleated")), allow_nan=False))
    assert [None] * 4 == [document[key] for key in ("fraction", "interval", "lod", "lloq")]
    assert (None, None) == tuple(document["assessments"][0][key] for key in ("events_needed", "rule_met"))


# Thresholds


def test_mrd_threshold__refuses_a_float() -> None:
    """0.0001 as a float is not 1/10,000."""
    with pytest.raises(CountError, match="a float is not an exact fraction"):
        MrdThreshold("site", "aml", 0.0001)


def test_mrd_threshold__refuses_a_percentage() -> None:
    """A fraction of 1, not percent."""
    with pytest.raises(CountError, match="is no fraction of 1"):
        MrdThreshold("site", "aml", Fraction(1))


def test_mrd_call__takes_a_threshold_of_ones_own() -> None:
    """A site's threshold of mononuclear cells is compared with mononuclear cells."""
    own = MrdThreshold("site", "t_all", Fraction(1, 10_000), Denominator.MONONUCLEAR, citation="site SOP 4")
    found = mrd_call(65, 500_000, own, "mononuclear")
    assert ("site", "above") == (found.assessments[0].source, found.call)
