"""Cells per µL from counts of one sample."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cytorecon.counts import dual_platform, single_platform
from cytorecon.errors import CountError


def test_single_platform__is_the_published_formula() -> None:
    """1,000 cells beside 5,000 of 50,000 beads in 50 µL are 200 cells/µL; a dilution multiplies."""
    assert 200.0 == pytest.approx(float(single_platform(1000, 5000, 50_000, 50).value))
    assert 400.0 == pytest.approx(float(single_platform(1000, 5000, 50_000, 50, 2.0).value))


def test_single_platform__no_cell_leaves_an_upper_limit() -> None:
    """0 cells beside 5,000 of 50,000 beads in 50 µL leave up to 0.74 cells/µL."""
    none = single_platform(0, 5000, 50_000, 50)
    assert (0.0, 0.0, 0.74) == (none.value, none.low, round(float(none.high), 2))


@pytest.mark.parametrize(
    ("beads", "reason"), [(0, "too_few_beads"), (99, "too_few_beads"), (-1, "no_denominator"), (100, "")]
)
def test_single_platform__too_few_beads_are_not_evaluable(beads: int, reason: str) -> None:
    """Without enough beads there is no number, and a reason."""
    found = single_platform(10, beads, 50_000, 50)
    assert (reason, reason != "") == (str(found.reason), bool(np.isnan(found.value)))


def test_single_platform__unknown_volume_is_not_evaluable() -> None:
    """A missing volume is not a volume of one."""
    found = single_platform(10, 5000, 50_000, np.nan)
    assert ("no_denominator", True, True) == (
        str(found.reason),
        bool(np.isnan(found.value)),
        bool(np.isnan(found.high)),
    )


def test_single_platform__interval_is_the_exact_one_of_k_in_k_plus_beads() -> None:
    """Bounds are those of scipy's exact test, turned from a share into a ratio."""
    exact = stats.binomtest(30, 30 + 4000).proportion_ci(method="exact")
    found = single_platform(30, 4000, 50_000, 50)
    expected = [bound / (1 - bound) * 1000 for bound in (exact.low, exact.high)]
    assert pytest.approx(expected) == [float(found.low), float(found.high)]


def test_dual_platform__is_wbc_times_share() -> None:
    """300 of 12,000 leukocytes at a WBC of 4,000/µL are 100 cells/µL."""
    assert 100.0 == pytest.approx(float(dual_platform(300, 12_000, 4000).value))


def test_dual_platform__takes_nucleated_red_cells_out() -> None:
    """25 nucleated red cells beside 100 white cells leave 4/5 of the analyser's count."""
    assert 80.0 == pytest.approx(float(dual_platform(300, 12_000, 4000, nrbc_per_100_wbc=25).value))


@pytest.mark.parametrize(
    ("k", "cells", "wbc", "reason"),
    [
        (5, 0, 4000.0, "no_denominator"),
        (5, 100, np.nan, "no_denominator"),
        (101, 100, 4000.0, "outside_denominator"),
        (5, 100, 4.2, "implausible_blood_count"),
        (-1, 100, 4000.0, "not_counted"),
    ],
)
def test_dual_platform__says_why_there_is_none(k: int, cells: int, wbc: float, reason: str) -> None:
    """Every case without a number has a reason, a WBC in 10⁹/L among them."""
    found = dual_platform(k, cells, wbc)
    assert (reason, True) == (str(found.reason), bool(np.isnan(found.value)))


@given(st.integers(0, 20_000), st.integers(100, 20_000), st.floats(0, 0.5))
def test_single_platform__a_relative_error_only_widens(k: int, beads: int, cv: float) -> None:
    """Pipetting error never narrows the interval, and the value lies inside."""
    sharp = single_platform(k, beads, 50_000, 50)
    wide = single_platform(k, beads, 50_000, 50, pipetting_cv=cv)
    slack = 1e-9 * (1 + float(sharp.high))
    assert float(wide.low) <= float(sharp.low) + slack
    assert float(wide.low) <= float(wide.value) <= float(wide.high)
    assert float(wide.high) >= float(sharp.high) - slack


def test_single_platform__interval_covers_under_pipetting_error() -> None:
    """With lognormal pipetting error of 5 % the interval covers the true concentration in at least 93 %."""
    rng = np.random.default_rng(20)
    truth, fraction_acquired = rng.uniform(1, 800, 4000), 0.2
    error = rng.lognormal(0, np.sqrt(np.log1p(0.05**2)), truth.size)
    beads = rng.poisson(50_000 * fraction_acquired, truth.size)
    cells = rng.poisson(truth * 50 * fraction_acquired * error)
    found = single_platform(cells, beads, 50_000, 50, pipetting_cv=0.05)
    covered = float(((found.low <= truth) & (truth <= found.high)).mean())
    assert covered >= 0.93


def test_dual_platform__interval_covers_under_blood_count_error() -> None:
    """With a WBC error of 4 % the interval covers the true concentration in at least 93 %."""
    rng = np.random.default_rng(21)
    share, wbc, cells = rng.uniform(0.001, 0.5, 4000), 3000.0, 20_000
    measured = wbc * rng.lognormal(0, np.sqrt(np.log1p(0.04**2)), share.size)
    found = dual_platform(rng.binomial(cells, share), cells, measured, reference_cv=0.04)
    covered = float(((found.low <= share * wbc) & (share * wbc <= found.high)).mean())
    assert covered >= 0.93


def test_single_platform__refuses_an_impossible_error() -> None:
    """A relative error is between 0 and 1, not a percentage."""
    with pytest.raises(CountError, match="coefficient of variation: is outside its range"):
        single_platform(5, 500, 50_000, 50, pipetting_cv=5)


def test_platforms__without_confidence_have_no_bounds() -> None:
    """No interval is asked for, none is computed."""
    single = single_platform(5, 500, 50_000, 50, confidence=None)
    dual = dual_platform(5, 500, 4000, confidence=None)
    assert np.isnan([single.low, single.high, dual.low, dual.high]).all()
    assert (10.0, 40.0) == (float(single.value), float(dual.value))
