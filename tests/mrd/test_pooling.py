"""Replicates, phenotypes of one tube, and tubes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cytorecon.errors import CountError
from cytorecon.mrd import driving_tube, homogeneity, mrd_call, pool_replicates, union_count


@given(st.tuples(st.integers(0, 60), st.integers(61, 5000)), st.tuples(st.integers(0, 60), st.integers(61, 5000)))
def test_homogeneity__of_two_is_fishers_exact_test(first: tuple[int, int], second: tuple[int, int]) -> None:
    """scipy's Fisher test gives the same p-value."""
    table = [[first[0], first[1] - first[0]], [second[0], second[1] - second[0]]]
    assert pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-6) == homogeneity([first, second]).p_value


def test_homogeneity__of_many_events_is_chi_square() -> None:
    """Where the tables are too many, Pearson's test answers."""
    counts = [(30_000, 80_000), (31_000, 80_000), (29_500, 80_000)]
    expected = stats.chi2_contingency([[k, n - k] for k, n in counts], correction=False)
    found = homogeneity(counts)
    assert ("chi-square", pytest.approx(expected.statistic), pytest.approx(expected.pvalue)) == (
        found.method,
        found.statistic,
        found.p_value,
    )


def test_homogeneity__exact_of_three() -> None:
    """Few events in three tubes: the exact p-value, near its Monte Carlo estimate."""
    counts = [(1, 1000), (2, 1000), (9, 1000)]
    rng = np.random.default_rng(3)
    drawn = rng.multivariate_hypergeometric([1000, 1000, 1000], 12, 20_000)
    law = stats.multivariate_hypergeom([1000, 1000, 1000], 12)
    simulated = float((law.logpmf(drawn) <= law.logpmf([1, 2, 9]) + 1e-9).mean())
    found = homogeneity(counts)
    assert ("exact", pytest.approx(simulated, abs=0.01)) == (found.method, found.p_value)


def test_homogeneity__no_event_anywhere_is_alike() -> None:
    """Nothing differs from nothing."""
    assert (1.0, 0.0) == (homogeneity([(0, 10), (0, 20)]).p_value, homogeneity([(0, 10), (0, 20)]).dispersion)


def test_pool_replicates__adds_alike_tubes_and_shows_each() -> None:
    """Two replicates become one count; the test and both intervals stay visible."""
    pooled = pool_replicates([(30, 250_000), (28, 240_000)])
    assert (58, 490_000, False) == (pooled.event_count, pooled.total_count, pooled.over_dispersed)
    assert [30, 28] == [each.event_count for each in pooled.replicates]
    assert pooled.replicates[0].interval[0] < 30 / 250_000 < pooled.replicates[0].interval[1]


def test_pool_replicates__flags_unlike_tubes() -> None:
    """10 and 60 of 250,000 are not one proportion: a person has to look."""
    pooled = pool_replicates([(10, 250_000), (60, 250_000)])
    assert (["over-dispersed"], ["review"]) == (
        [finding.code for finding in pooled.findings],
        [finding.severity for finding in pooled.findings],
    )


@pytest.mark.parametrize(
    ("counts", "message"),
    [([(1, 10)], "one alone is no pool"), ([(1, 10), (3, 2)], "impossible"), ([(0, 0), (1, 2)], "impossible")],
)
def test_pool_replicates__refuses_no_pool(counts: list[tuple[int, int]], message: str) -> None:
    """Fewer than two, or a count that cannot be."""
    with pytest.raises(CountError, match=message):
        pool_replicates(counts)


def test_union_count__combines_by_event() -> None:
    """Two phenotypes of 0.006 % that share no event are 0.012 %; shared events count once."""
    masks = {"M": np.zeros(100_000, bool), "T": np.zeros(100_000, bool), "both": np.zeros(100_000, bool)}
    masks["M"][:6], masks["T"][6:12], masks["both"][3:9] = True, True, True
    assert (12, 9) == (union_count(masks, ["M", "T"]), union_count(masks, ["M", "both"]))


def test_union_count__never_across_tubes() -> None:
    """Memberships of another length are of another file."""
    with pytest.raises(CountError, match="different tubes"):
        union_count({"a": np.zeros(5, bool), "b": np.zeros(6, bool)}, ["a", "b"])


@pytest.mark.parametrize("paths", [[], ["c"]])
def test_union_count__names_a_missing_phenotype(paths: list[str]) -> None:
    """The phenotypes there are are listed."""
    with pytest.raises(CountError, match="have no membership; expected a"):
        union_count({"a": np.zeros(5, bool)}, paths)


def test_driving_tube__is_the_highest_call() -> None:
    """Tubes are reported each; the one with the highest call drives, of equals the larger lower bound."""
    tubes = {
        "1": mrd_call(0, 600_000, "t_all", "nucleated"),
        "2": mrd_call(2000, 600_000, "t_all", "nucleated"),
        "3": mrd_call(3000, 600_000, "t_all", "nucleated"),
        "4": mrd_call(0, 0, "t_all", "nucleated"),
    }
    assert "3" == driving_tube(tubes)
    with pytest.raises(CountError, match="none was given"):
        driving_tube({})
