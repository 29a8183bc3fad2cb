"""Binomial intervals and positions: published tables, exact enumeration, laws."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from cytorecon.errors import CountError
from cytorecon.interval import INTERVAL_METHODS, binomial_interval, position

TRIAL, ELN = Fraction(1, 10_000), Fraction(1, 1_000)

# Reference tables: smallest k whose lower bound is above T, largest k whose upper bound is at most T.
DECISIONS = [
    (100_000, TRIAL, 18, 3),
    (200_000, TRIAL, 30, 11),
    (500_000, TRIAL, 65, 36),
    (1_000_000, TRIAL, 121, 80),
    (4_000_000, TRIAL, 441, 360),
    (100_000, ELN, 121, 80),
    (200_000, ELN, 229, 172),
    (500_000, ELN, 545, 456),
    (1_000_000, ELN, 1063, 938),
    (4_000_000, ELN, 4125, 3876),
]


@pytest.mark.parametrize(("n", "threshold", "smallest_above", "largest_below"), DECISIONS)
def test_position__turns_where_the_tables_say(
    n: int, threshold: Fraction, smallest_above: int, largest_below: int
) -> None:
    """Both decision limits of every acquisition size and threshold."""
    counts = [largest_below, largest_below + 1, smallest_above - 1, smallest_above]
    assert ["below", "straddles", "straddles", "above"] == position(counts, n, threshold).tolist()


@pytest.mark.parametrize(
    ("n", "threshold", "method"),
    [
        (36_887, TRIAL, "clopper-pearson"),
        (29_956, TRIAL, "clopper-pearson-one-sided"),
        (3_688, ELN, "clopper-pearson"),
        (2_995, ELN, "clopper-pearson-one-sided"),
    ],
)
def test_position__cells_needed_with_no_event(n: int, threshold: Fraction, method: str) -> None:
    """With no event the bound falls below the threshold at the published N and not one cell before."""
    assert ["straddles", "below"] == position(0, [n - 1, n], threshold, method).tolist()


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (0, 100_000, 0.0, 0.0037),
        (10, 100_000, 0.0048, 0.0184),
        (11, 100_000, 0.0055, 0.0197),
        (18, 100_000, 0.0107, 0.0284),
        (50, 500_000, 0.0074, 0.0132),
    ],
)
def test_binomial_interval__worked_examples(k: int, n: int, low: float, high: float) -> None:
    """The reference's examples, in percent to four decimals."""
    found = binomial_interval(k, n)
    assert [low, high] == [round(float(bound) * 100, 4) for bound in found]


def test_binomial_interval__wilson_example() -> None:
    """18 of 100,000 by Wilson."""
    low, high = binomial_interval(18, 100_000, "wilson")
    assert (0.0114, 0.0285) == (round(float(low) * 100, 4), round(float(high) * 100, 4))


@pytest.mark.parametrize(("method", "name"), [("clopper-pearson", "exact"), ("wilson", "wilson")])
@given(n=st.integers(1, 5_000_000), share=st.floats(0, 1), confidence=st.floats(0.8, 0.999))
def test_binomial_interval__equals_scipy(method: str, name: str, n: int, share: float, confidence: float) -> None:
    """An independent implementation gives the same bounds."""
    k = round(share * n)
    expected = stats.binomtest(k, n).proportion_ci(confidence, method=name)
    found = binomial_interval(k, n, method, confidence)
    assert pytest.approx([expected.low, expected.high], rel=1e-6, abs=1e-12) == [float(found[0]), float(found[1])]


def test_binomial_interval__one_sided_bounds_are_nearer() -> None:
    """A one-sided 95 % bound is a two-sided 90 % bound."""
    one = binomial_interval(30, 100_000, "clopper-pearson-one-sided", 0.95)
    two = binomial_interval(30, 100_000, "clopper-pearson", 0.90)
    assert pytest.approx([float(bound) for bound in two]) == [float(bound) for bound in one]


def test_binomial_interval__nothing_of_nothing_has_none() -> None:
    """0 of 0 has no bounds and no position."""
    assert np.isnan(binomial_interval(0, 0)).all()
    assert "not_evaluable" == str(position(0, 0, TRIAL))


@pytest.mark.parametrize("method", INTERVAL_METHODS)
@given(n=st.integers(1, 3_000_000), ratio=st.floats(0, 4), threshold=st.sampled_from([TRIAL, ELN, Fraction(1, 3)]))
def test_position__agrees_with_the_printed_bounds(method: str, n: int, ratio: float, threshold: Fraction) -> None:
    """Decided by tails or by bounds, the answer is the same wherever the bound is not the threshold itself."""
    k = min(n, round(ratio * n * threshold))
    low, high = (float(bound) for bound in binomial_interval(k, n, method))
    t = float(threshold)
    expected = "above" if low > t else "below" if high <= t else "straddles"
    near = min(abs(low - t), abs(high - t)) < 1e-9 * t
    assert near or expected == str(position(k, n, threshold, method))


@pytest.mark.parametrize(("inclusive", "expected"), [(False, "below"), (True, "straddles")])
def test_position__a_bound_on_the_threshold_itself(inclusive: bool, expected: str) -> None:
    """0 of 1 has an upper bound of exactly 0.975: at most T is below "> T", not below "≥ T"."""
    assert expected == str(position(0, 1, Fraction(39, 40), inclusive=inclusive))


@pytest.mark.parametrize(("inclusive", "expected"), [(False, "straddles"), (True, "above")])
def test_position__a_lower_bound_on_the_threshold_itself(inclusive: bool, expected: str) -> None:
    """1 of 1 has a lower bound of exactly 0.025: not above "> T", above "≥ T"."""
    assert expected == str(position(1, 1, Fraction(1, 40), inclusive=inclusive))


GRID_N = [1, 5, 20, 100, 499, 2_000, 10_000, 50_000]
GRID_P = [*np.geomspace(1e-5, 0.5, 24), 0.75, 0.9, 0.99]


def probabilities(n: int, p: float) -> NDArray[np.float64]:
    return np.asarray(stats.binom.pmf(np.arange(n + 1), n, p))


@pytest.mark.parametrize("n", GRID_N)
def test_binomial_interval__exact_coverage_is_never_less_than_nominal(n: int) -> None:
    """Enumerated over every k at 27 proportions (216 pairs): Clopper–Pearson covers in at least 95 %."""
    low, high = binomial_interval(np.arange(n + 1), n)
    covered = [float(probabilities(n, p)[(low <= p) & (p <= high)].sum()) for p in GRID_P]
    assert min(covered) >= 0.95 - 1e-9


@pytest.mark.parametrize("threshold", [TRIAL, ELN])
@pytest.mark.parametrize("n", [10_000, 83_411, 100_000, 500_000, 4_000_000])
def test_position__false_above_at_the_threshold_is_at_most_a_fortieth(n: int, threshold: Fraction) -> None:
    """At p = T itself, "above" and "below" each happen in at most 2.5 %."""
    counts = np.arange(int(n * threshold * 3) + 100)
    where = position(counts, n, threshold)
    p = float(threshold)
    above, below = counts[where == "above"].min(), counts[where == "below"]
    assert float(stats.binom.sf(above - 1, n, p)) <= 0.025
    assert not below.size or float(stats.binom.cdf(below.max(), n, p)) <= 0.025


def test_binomial_interval__names_an_unknown_method() -> None:
    """The methods are listed."""
    with pytest.raises(CountError, match="unknown interval; expected clopper-pearson, wilson"):
        binomial_interval(1, 2, "wald")


@pytest.mark.parametrize("confidence", [0.5, 1.0, 95])
def test_binomial_interval__refuses_a_confidence_outside_its_range(confidence: float) -> None:
    """95 is not 0.95."""
    with pytest.raises(CountError, match=r"confidence: is outside its range; expected 0\.5 to 1"):
        binomial_interval(1, 2, confidence=confidence)
