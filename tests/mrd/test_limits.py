"""Detection limits from control samples."""

from __future__ import annotations

import numpy as np
import pytest

from cytorecon.errors import CountError
from cytorecon.mrd import detection_limits

N = 1_000_000
BLANKS = [(count, N) for count in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9) * 6]
LOW = {
    "5e-6": [(3, N), (8, N), (5, N), (4, N)],
    "5e-5": [(45, N), (52, N), (49, N), (54, N)],
    "2e-4": [(190, N), (205, N), (210, N), (195, N)],
}


def codes(findings: object) -> set[str]:
    return {finding.code for finding in findings}


def test_detection_limits__parametric_is_the_published_form() -> None:
    """LoB = mean + 1.645·SD of the blanks; LoD = LoB + 1.645·pooled SD of the low-level samples."""
    blanks = np.array([k / n for k, n in BLANKS])
    lob = blanks.mean() + 1.645 * blanks.std(ddof=1)
    variances = [np.var([k / n for k, n in level], ddof=1) for level in LOW.values()]
    found = detection_limits(BLANKS, LOW)
    assert (pytest.approx(lob), pytest.approx(lob + 1.645 * np.sqrt(np.mean(variances)))) == (found.lob, found.lod)
    assert () == found.findings


def test_detection_limits__nonparametric_goes_by_ranks() -> None:
    """The 95th percentile of the blanks by rank; the lowest level that exceeds it in 95 %."""
    found = detection_limits(BLANKS, LOW, method="nonparametric")
    assert (9 / N, pytest.approx(50e-6)) == (found.lob, found.lod)


def test_detection_limits__quantifies_from_the_level_that_repeats() -> None:
    """The lowest level is too scattered; from 5e-5 on the CV is below 20 %, and LoQ is never below LoD."""
    found = detection_limits(BLANKS, LOW)
    assert pytest.approx(50e-6) == found.loq
    strict = detection_limits(BLANKS, LOW, cv_goal=0.001)
    assert strict.loq is None


def test_detection_limits__largest_lot_stands() -> None:
    """Each reagent lot has its limit of blank."""
    lots = {"A": [(1, N)] * 30, "B": [(7, N)] * 30}
    assert 7 / N == pytest.approx(detection_limits(lots).lob)


def test_detection_limits__say_what_the_design_lacks() -> None:
    """Few blanks and no low-level samples are findings; there is then no LoD."""
    found = detection_limits(BLANKS[:10])
    assert {"few-blanks", "no-low-level-samples"} == codes(found.findings)
    assert (None, None) == (found.lod, found.loq)


def test_detection_limits__no_level_above_background() -> None:
    """Low-level samples that cannot be told from blanks give no LoD and ask for a person."""
    found = detection_limits(BLANKS, {"low": [(1, N), (2, N)]}, method="nonparametric")
    assert (None, {"no-detection-limit"}) == (found.lod, codes(found.findings))


def test_lob_count__scales_with_the_acquisition() -> None:
    """5 per 100,000 are 25 of 500,000."""
    assert 25 == detection_limits([(5, 100_000)] * 60).lob_count(500_000)


@pytest.mark.parametrize(
    ("blanks", "options", "message"),
    [
        ([(1, 10)], {}, "too few measurements"),
        ([(11, 10), (1, 10)], {}, "an impossible measurement"),
        ([(0, 0), (1, 10)], {}, "an impossible measurement"),
        ({}, {}, "blanks: none were given"),
        (BLANKS, {"method": "guess"}, "expected parametric or nonparametric"),
        (BLANKS, {"low_level": {"a": [(1, 10)]}}, "a: has too few measurements"),
    ],
)
def test_detection_limits__refuse_what_is_no_control(
    blanks: list[tuple[int, int]], options: dict[str, object], message: str
) -> None:
    """Each error names the control."""
    with pytest.raises(CountError, match=message):
        detection_limits(blanks, **options)
