"""Several counts of one specimen: replicates pool after a homogeneity test, phenotypes of one tube unite by event.

Counts of different tubes are never added: each is reported, and `driving_tube` says which drives the call.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytorecon.errors import CountError, Finding
from cytorecon.interval import binomial_interval
from cytorecon.mrd.result import MrdAssessment

# Tables up to this many are enumerated; beyond it the chi-square approximation answers.
_MAX_TABLES = 50_000
_CALL_ORDER = ("not_evaluable", "below", "indeterminate", "above")


@dataclass(frozen=True)
class Homogeneity:
    """Whether replicates could share one proportion.

    Parameters
    ----------
    method
        ``exact`` (2×m, conditional on the sum) or ``chi-square``.
    statistic
        Pearson's chi-square.
    p_value
        Probability, under one common proportion, of replicates as unlike as these.
    dispersion
        Chi-square over its degrees of freedom: about 1 for binomial counts.
    """

    method: str
    statistic: float
    p_value: float
    dispersion: float


@dataclass(frozen=True)
class Replicate:
    """One replicate with its own interval."""

    event_count: int
    total_count: int
    interval: tuple[float, float]


@dataclass(frozen=True)
class PooledCount:
    """Replicates of one stain, gate and specimen as one count.

    Parameters
    ----------
    event_count, total_count
        Sums.
    homogeneity
        The test, always shown.
    replicates
        Each replicate's count and interval, always shown.
    findings
        ``over-dispersed`` (review) where the replicates differ by more than counting explains: the pooled interval is
        then too narrow.
    """

    event_count: int
    total_count: int
    homogeneity: Homogeneity
    replicates: tuple[Replicate, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def over_dispersed(self) -> bool:
        """Whether the replicates differ by more than counting explains."""
        return bool(self.findings)


def pool_replicates(counts: Sequence[tuple[int, int]], alpha: float = 0.05) -> PooledCount:
    """Add replicates of the same stain, gate and specimen, after testing that they are alike.

    Parameters
    ----------
    counts
        (event_count, total_count) of each replicate, at least two.
    alpha
        Level of the homogeneity test below which the pool is flagged.

    Raises
    ------
    CountError
        Fewer than two replicates, or an impossible count.
    """
    if len(counts) < 2:
        raise CountError("replicates", "one alone is no pool", expected="at least 2", got=str(len(counts)))
    for event_count, total_count in counts:
        if not 0 <= event_count <= total_count or total_count == 0:
            raise CountError("replicates", "an impossible count", got=f"{event_count} of {total_count}")
    tested = homogeneity(counts)
    findings: tuple[Finding, ...] = ()
    if tested.p_value < alpha:
        message = (
            f"replicates differ by more than counting explains ({tested.method} p = {tested.p_value:.2g},"
            f" dispersion {tested.dispersion:.2g}): the pooled interval is too narrow"
        )
        findings = (Finding("over-dispersed", message, "review", "replicates"),)
    total = np.sum(np.asarray(counts, np.int64), axis=0)
    return PooledCount(int(total[0]), int(total[1]), tested, tuple(_replicate(k, n) for k, n in counts), findings)


def homogeneity(counts: Sequence[tuple[int, int]]) -> Homogeneity:
    """Test whether replicates share one proportion: exact where the tables can be enumerated, else chi-square.

    Notes
    -----
    The exact test is Fisher's (Freeman and Halton's for m > 2): given the sum of events, the probability of all tables
    no more likely than the observed one.
    """
    k, n = np.asarray(counts, np.int64).T
    events, cells = int(k.sum()), int(n.sum())
    share, freedom = events / cells, len(counts) - 1
    if events in (0, cells):
        return Homogeneity("exact", 0.0, 1.0, 0.0)
    statistic = float(((k - n * share) ** 2 / (n * share * (1 - share))).sum())
    if math.comb(events + freedom, freedom) <= _MAX_TABLES:
        return Homogeneity("exact", statistic, _exact_p(k, n), statistic / freedom)
    from scipy.special import gammaincc

    p_value = float(gammaincc(freedom / 2, statistic / 2))
    return Homogeneity("chi-square", statistic, p_value, statistic / freedom)


def union_count(membership: Mapping[str, NDArray[np.bool_]], paths: Sequence[str]) -> int:
    """Events of one tube that carry any of several phenotypes: 0.006 % and 0.006 % apart are 0.012 %, never more.

    Parameters
    ----------
    membership
        Population path → bool (event,), as `gate_file` returns it.
    paths
        The phenotypes of this tube.

    Raises
    ------
    CountError
        No phenotype, one without a membership, or memberships of different files.
    """
    missing = [path for path in paths if path not in membership]
    if missing or not paths:
        expected = ", ".join(membership)
        raise CountError("phenotypes", "have no membership", expected=expected, got=", ".join(missing) or "none")
    if len({len(membership[path]) for path in paths}) > 1:
        raise CountError(
            "phenotypes",
            "are of different tubes",
            remedy="Report each tube; counts of different tubes are never added",
        )
    return int(np.logical_or.reduce([membership[path] for path in paths]).sum())


def driving_tube(assessments: Mapping[str, MrdAssessment]) -> str:
    """The tube that drives the call: the highest call, of equals the largest lower bound. Nothing is added.

    Raises
    ------
    CountError
        No tube.
    """
    if not assessments:
        raise CountError("tubes", "none was given")

    def rank(name: str) -> tuple[int, float]:
        one = assessments[name]
        return _CALL_ORDER.index(one.call), -1.0 if one.interval is None else one.interval[0]

    return max(assessments, key=rank)


def _replicate(event_count: int, total_count: int) -> Replicate:
    low, high = binomial_interval(event_count, total_count)
    return Replicate(int(event_count), int(total_count), (float(low), float(high)))


def _exact_p(k: NDArray[np.int64], n: NDArray[np.int64]) -> float:
    sizes, events = n.tolist(), int(k.sum())
    total = _log_choose(sum(sizes), events)

    def log_probability(table: Sequence[int]) -> float:
        return sum(_log_choose(size, count) for size, count in zip(sizes, table, strict=True)) - total

    # Tables as likely as the observed one but for rounding count as no more likely.
    limit = log_probability(k.tolist()) + 1e-7
    likelihoods = map(log_probability, _tables(events, sizes))
    return min(1.0, math.fsum(math.exp(each) for each in likelihoods if each <= limit))


def _tables(events: int, sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    if len(sizes) == 1:
        if events <= sizes[0]:
            yield (events,)
        return
    for first in range(min(events, sizes[0]) + 1):
        for rest in _tables(events - first, sizes[1:]):
            yield (first, *rest)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
