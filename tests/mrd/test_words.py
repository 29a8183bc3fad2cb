"""A result in words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.mrd import Hemodilution, all_response, mrd_call
from cytorecon.mrd.words import percent


@pytest.mark.parametrize(
    ("fraction", "digits", "expected"),
    [
        (0.00012, 3, "0.0120 %"),
        (0.0002, 2, "0.020 %"),
        (0.427, 3, "42.7 %"),
        (1.0, 3, "100 %"),
        (1e-7, 2, "0.000010 %"),
    ],
)
def test_percent__keeps_significant_digits(fraction: float, digits: int, expected: str) -> None:
    """No small percentage is rounded away."""
    assert expected == percent(fraction, digits)


def test_percent__refuses_zero() -> None:
    """0 % is not a thing to print."""
    with pytest.raises(ValueError, match="never printed"):
        percent(0.0)


def test_text__of_a_negative_names_its_sensitivity() -> None:
    """Nothing found in 100,000: < LOD, what the acquisition can see, what is missing, the bound and its assumption."""
    text = mrd_call(0, 100_000, "aml", "nucleated").text
    for words in (
        "no MRD population detected, < LOD (< 0.020 %)",
        "LOD 0.020 %, LLOQ 0.050 % (event rules 20/100,000 and 50/100,000)",
        "insufficient for it: 100,000 more nucleated cells (nucleic-acid dye) to acquire for detection, 400,000",
        "Clopper–Pearson (exact) 95 % upper bound 0.00369 %",
        "perfect specificity",
        "Hemodilution: not assessed",
        "Research use only.",
    ):
        assert words in text


def test_text__never_says_not_detected_for_events_that_are_there() -> None:
    """19 of 20,000 are too few to be called, and still are 19."""
    text = mrd_call(19, 20_000, "aml", "nucleated").text
    assert "19 leukaemic events among 20,000" in text
    assert not re.search(r"not detected|no MRD population", text)


@given(
    k=st.integers(0, 3000),
    n=st.integers(0, 5_000_000),
    disease=st.sampled_from(["aml", "t_all", "mpal"]),
    method=st.sampled_from(["clopper-pearson", "wilson"]),
)
def test_text__never_says_zero_percent_or_negative(k: int, n: int, disease: str, method: str) -> None:
    """Whatever the counts: no "0 %", no "MRD negative", and always "Research use only"."""
    text = mrd_call(
        min(k, n), n, disease, "nucleated", cd45_count=n, blast_region_count=150, interval_method=method
    ).text
    assert not re.search(r"(?<![\d.,])0(\.0+)? %", text)
    assert not re.search(r"MRD[- ]negative", text, re.IGNORECASE)
    assert text.endswith("Research use only.")


def test_text__says_what_the_phenotype_covers_and_how_much_blood_there_is() -> None:
    """Coverage and hemodilution are printed when given."""
    found = mrd_call(
        65,
        500_000,
        "aml",
        "nucleated",
        laip_coverage=0.6,
        hemodilution=Hemodilution("purity, site SOP", 0.7, diluted=False),
    )
    assert "covers 60 % of the diagnostic blasts" in found.text
    assert "Hemodilution: not hemodiluted (purity, site SOP 0.7)" in found.text


@pytest.mark.parametrize(
    ("k", "n", "expected"),
    [
        (0, 0, ""),
        (0, 500_000, "MRD-CR"),
        (0, 100_000, "MRD intermediate (below detection with insufficient sensitivity)"),
        (19, 20_000, "MRD intermediate (below detection with insufficient sensitivity)"),
        (25, 500_000, "MRD intermediate (positive, non-quantifiable, below 0.01 %)"),
        (60, 1_000_000, "MRD intermediate (positive below 0.01 %)"),
        (100, 1_000_000, "MRD failure"),
    ],
)
def test_all_response__uses_the_published_words(k: int, n: int, expected: str) -> None:
    """Merely below 0.1 % is not a response in ALL: its vocabulary turns at 0.01 %."""
    found = all_response(mrd_call(k, n, "t_all", "nucleated"))
    assert found.startswith(expected)
    assert bool(expected) == bool(found)
