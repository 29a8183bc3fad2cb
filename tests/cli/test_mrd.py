"""``cytorecon mrd``."""

from __future__ import annotations

import pytest

from .conftest import Ran, Run


def mrd(run: Run, events: int, total: int, *more: object, disease: str = "aml", denominator: str = "nucleated") -> Ran:
    counts = ("--events", events, "--total", total)
    return run("mrd", *counts, "--disease", disease, "--denominator", denominator, *more)


def test_mrd__json_has_the_agreed_keys(run: Run) -> None:
    """The trial's assessment comes first; fractions are of 1."""
    document = mrd(run, 260, 1_000_000, "--cd45-total", 820_000, "--blast-region", 2_400, "--json").document
    assert {
        "event_count", "total_count", "denominator", "fraction", "interval", "interval_method", "lod", "lloq",
        "quantification", "assessments", "text",
    } <= set(document)  # fmt: skip
    assert (260, 1_000_000, 0.00026) == tuple(document[name] for name in ("event_count", "total_count", "fraction"))
    assert {
        "source", "threshold", "denominator", "adequacy", "events_needed", "position", "rule_met", "call", "protocol",
    } <= set(document["assessments"][0])  # fmt: skip
    assert ["NCT07256210", "ELN 2021"] == [each["source"] for each in document["assessments"]]


@pytest.mark.parametrize(
    ("events", "total", "position", "call", "met"),
    [
        (0, 36_887, "below", "indeterminate", False),
        (0, 1_000_000, "below", "below", False),
        (50, 500_000, "straddles", "indeterminate", False),
        (38, 420_000, "straddles", "indeterminate", False),
        (6, 20_000, "above", "indeterminate", True),
        (100, 1_000_000, "straddles", "indeterminate", False),
        (101, 1_000_000, "straddles", "indeterminate", True),
    ],
)
def test_mrd__reference_rows(run: Run, events: int, total: int, position: str, call: str, met: bool) -> None:
    """Rows of the reference; exactly 0.01 % is not above it."""
    first = mrd(run, events, total, "--json").document["assessments"][0]
    assert (position, call, met) == (first["position"], first["call"], first["rule_met"])


def test_mrd__adjudication_awaits_review(run: Run) -> None:
    """1 of 5,000 satisfies the literal rule on one event: a person adjudicates."""
    done = mrd(run, 1, 5_000)
    assert (4, True) == (done.code, "needs_adjudication" in done.out)


def test_mrd__never_zero_percent(run: Run) -> None:
    """No event is less than the limit of detection, not 0 %."""
    done = mrd(run, 0, 1_000_000)
    assert "MRD by flow cytometry: no MRD population detected, < LOD (< 0.0020 %)" in done.out


def test_mrd__zero_of_zero_is_not_evaluable(run: Run) -> None:
    """0 of 0 is no result."""
    document = mrd(run, 0, 0, "--json").document
    assert "not_evaluable" == document["assessments"][0]["call"]


def test_mrd__contradicting_counts_are_refused(run: Run) -> None:
    """More events than cells."""
    done = mrd(run, 11, 10)
    assert (3, "") == (done.code, done.out)


def test_mrd__threshold_only_with_its_denominator(run: Run) -> None:
    """The AML 0.012 % of CD45+ that is 0.0096 % of nucleated cells is not above the trial's threshold."""
    first = mrd(run, 96, 800_000, "--nucleated-total", 1_000_000, "--json", denominator="cd45").document["assessments"][
        0
    ]
    assert (False, "nucleated_dye") == (first["rule_met"], first["denominator"])
