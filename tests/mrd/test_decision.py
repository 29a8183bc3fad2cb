"""Limits of an acquisition and the statements they lead to, on arrays."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from cytorecon.errors import CountError
from cytorecon.mrd.decision import Sensitivity, adequate, literal_rule, quantify
from cytorecon.mrd.threshold import ELN_2021_AML, MRD_THRESHOLDS

N = np.array([0, 10, 20_000, 500_000])


def test_sensitivity__limits_of_no_cells_are_unknown() -> None:
    """NaN for none, all of them for fewer than 20 cells, else 20 and 50 events."""
    rule = Sensitivity()
    np.testing.assert_allclose([np.nan, 1.0, 0.001, 0.00004], rule.lod(N))
    np.testing.assert_allclose([np.nan, 1.0, 0.0025, 0.0001], rule.lloq(N))


def test_sensitivity__lloq_is_never_below_lod() -> None:
    """A validated LoD above the event rule lifts both."""
    rule = Sensitivity(validated_lod=Fraction(1, 1000))
    assert (0.001, 0.001) == (rule.lod(N)[-1], rule.lloq(N)[-1])
    assert (500, 500) == (rule.lod_count(N)[-1], rule.lloq_count(N)[-1])


def test_sensitivity__refuses_a_negative_background() -> None:
    """A limit of blank is a count."""
    with pytest.raises(CountError, match="lob_count: is negative"):
        Sensitivity(lob_count=-1)


def test_quantify__by_events() -> None:
    """Up to 19, up to 49, and from 50."""
    found = quantify(np.array([19, 20, 49, 50]), np.array([20_000] * 4), Sensitivity())
    assert ["below_lod", "detected_not_quantifiable", "detected_not_quantifiable", "quantifiable"] == found.tolist()


@pytest.mark.parametrize(("threshold", "expected"), [(MRD_THRESHOLDS["t_all"], False), (ELN_2021_AML, True)])
def test_literal_rule__at_exactly_the_threshold(threshold: object, expected: bool) -> None:
    """Integers: ">" is false at equality, "≥" true, also where floats would err."""
    n = np.array([3_000, 4_000_000_000])
    assert [expected] * 2 == literal_rule(n // 1000, n, threshold).tolist()


def test_adequate__background_at_the_threshold_is_never_overcome() -> None:
    """A background that grows with the acquisition up to T leaves no number of cells to acquire."""
    n = np.array([100_000])
    _, some = adequate(n, MRD_THRESHOLDS["aml"], Sensitivity(lob_count=9), np.array([True]))
    _, none = adequate(n, MRD_THRESHOLDS["aml"], Sensitivity(lob_count=10), np.array([True]))
    assert (400_000.0, True) == (some[0], bool(np.isnan(none[0])))
