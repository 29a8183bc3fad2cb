"""Leukaemic cells in simulated regenerating marrow: calls against the truth (the benchmark's series, its small end)."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from cytorecon.interval import binomial_interval, position
from cytorecon.mrd import MRD_THRESHOLDS

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "mrd_spikes.py"


@pytest.fixture(scope="module", params=["aml", "t_all", "mpal"])
def series(request: pytest.FixtureRequest) -> tuple[str, list[Any]]:
    """Disease and its spikes in 10,000, 100,000 and 250,000 cells with hematogones, progenitors and NK cells."""
    made = runpy.run_path(str(BENCHMARK))["series"]
    return request.param, list(made(request.param, (10_000, 100_000, 250_000)))


def test_spiked_series__calls_are_those_of_the_truth(series: tuple[str, list[Any]]) -> None:
    """Counted events lead to the call of the true cells: at least 25 of 27, and never to the opposite one."""
    _, spikes = series
    pairs = [(one.truth.call, one.counted.call) for one in spikes]
    assert 27 == len(pairs)
    assert sum(truth == counted for truth, counted in pairs) >= 25
    assert {("above", "below"), ("below", "above")}.isdisjoint(pairs)


def test_spiked_series__never_below_where_the_acquisition_is_insufficient(series: tuple[str, list[Any]]) -> None:
    """Too few cells are never a negative."""
    _, spikes = series
    insufficient = {one.counted.call for one in spikes if one.counted.adequacy == "insufficient"}
    assert "below" not in insufficient
    assert "insufficient" in {one.counted.adequacy for one in spikes}


def test_spiked_series__without_leukaemia_above_is_rarer_than_a_fortieth(series: tuple[str, list[Any]]) -> None:
    """By the background seen (its upper bound), the chance of "above" is at most 2.5 % at every size; enumerated."""
    disease, spikes = series
    clean = max((one for one in spikes if one.leukaemic == 0), key=lambda one: one.cells).counted
    background = float(binomial_interval(clean.event_count, clean.total_count)[1])
    threshold = MRD_THRESHOLDS[disease].fraction
    for n in (10_000, 100_000, 1_000_000, 5_000_000):
        counts = np.arange(20, 10_000)
        least = counts[position(counts, n, threshold) == "above"].min()
        assert float(stats.binom.sf(least - 1, n, background)) <= 0.025
