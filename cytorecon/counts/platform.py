"""Cells per µL from counts: single platform (beads) and dual platform (a blood count), with their uncertainty.

The uncertainty is exact binomial for the counts; pipetting and the blood count then widen it on the log scale, where
independent relative errors add in quadrature.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytorecon.errors import CountError
from cytorecon.interval import binomial_interval

# A hundred beads have a Poisson CV of 10 %; fewer make every concentration of the tube rough (a design decision).
MIN_BEAD_COUNT = 100
# Nobody counts 20 white cells per µL; a figure that low is one in 10⁹/L (a design decision).
MIN_WBC_PER_UL = 20.0

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Concentration:
    """Cells per µL with their interval.

    Parameters
    ----------
    value, low, high
        float64, the common shape of the arguments (0-d for scalars); NaN where `reason` says why.
    reason
        Empty, ``not_counted``, ``too_few_beads``, ``no_denominator``, ``outside_denominator`` or
        ``implausible_blood_count`` (so low that it must be in 10⁹/L).
    """

    value: Numbers
    low: Numbers
    high: Numbers
    reason: NDArray[np.str_]


def single_platform(
    event_count: ArrayLike,
    bead_count: ArrayLike,
    beads_per_tube: ArrayLike,
    sample_volume_ul: ArrayLike,
    dilution: ArrayLike = 1.0,
    *,
    confidence: float | None = 0.95,
    pipetting_cv: float = 0.0,
    min_bead_count: int = MIN_BEAD_COUNT,
) -> Concentration:
    """Cells per µL by counting beads: events / beads × beads per tube / volume × dilution.

    Parameters
    ----------
    event_count, bead_count
        Events of the population and of the beads after the same exclusions; negative means not counted.
    beads_per_tube, sample_volume_ul, dilution
        As in the sample sheet; NaN means unknown.
    confidence, pipetting_cv
        Of the interval (None: bounds are NaN); `pipetting_cv` is the relative SD of bead and sample
        volume together (0: counting alone).
    min_bead_count
        With fewer beads nothing is reported.

    Notes
    -----
    The interval is the exact one of k in k + beads: 0 cells beside 5,000 of 50,000 beads in 50 µL leaves up to
    0.74 cells/µL. Formula: Sage 2018, doi 10.1177/1849454418766966.
    """
    k, beads, added, volume, factor = _float_arrays(event_count, bead_count, beads_per_tube, sample_volume_ul, dilution)
    known = (added > 0) & (volume > 0) & (factor > 0) & (beads >= 0)
    reason = np.select(
        [k < 0, ~known, beads < max(min_bead_count, 1)], ["not_counted", "no_denominator", "too_few_beads"], ""
    )
    good = reason == ""
    k, beads = np.where(good, k, 0), np.where(good, beads, 1)
    scale = np.where(good, added * factor / np.where(good, volume, 1), np.nan)
    if confidence is None:
        return _without_interval(k / beads * scale, reason)
    low, high = binomial_interval(k, k + beads, confidence=confidence)
    bounds = low / (1 - low) * scale, high / np.where(high < 1, 1 - high, np.nan) * scale
    return _widened(k / beads * scale, *bounds, pipetting_cv, confidence, reason)


def dual_platform(
    event_count: ArrayLike,
    denominator_count: ArrayLike,
    reference_per_ul: ArrayLike,
    *,
    nrbc_per_100_wbc: ArrayLike = 0.0,
    confidence: float | None = 0.95,
    reference_cv: float = 0.0,
    min_reference_per_ul: ArrayLike = MIN_WBC_PER_UL,
) -> Concentration:
    """Cells per µL by a blood count: events / denominator × its concentration. For blood only.

    Parameters
    ----------
    event_count, denominator_count
        Events of the population and of the cells that the blood count counted: CD45+ leukocytes, granulocytes
        included, for a WBC; lymphocytes for a lymphocyte count. Negative means not counted.
    reference_per_ul
        The blood count per µL; NaN means unknown.
    nrbc_per_100_wbc
        Nucleated red cells that the analyser counted as white cells; 0 if its count is already corrected.
    confidence, reference_cv
        Of the interval (None: bounds are NaN); `reference_cv` is the relative SD of the blood count (0: counting
        alone).
    min_reference_per_ul
        A lower blood count is not believed: it must be in 10⁹/L.
    """
    k, cells, reference, nrbc, least = _float_arrays(
        event_count, denominator_count, reference_per_ul, nrbc_per_100_wbc, min_reference_per_ul
    )
    reason = np.select(
        [k < 0, ~((reference > 0) & (cells > 0) & (nrbc >= 0)), reference < least, k > cells],
        ["not_counted", "no_denominator", "implausible_blood_count", "outside_denominator"],
        "",
    )
    good = reason == ""
    k, cells = np.where(good, k, 0), np.where(good, cells, 1)
    scale = np.where(good, reference * 100 / np.where(good, 100 + nrbc, 100), np.nan)
    if confidence is None:
        return _without_interval(k / cells * scale, reason)
    low, high = binomial_interval(k, cells, confidence=confidence)
    return _widened(k / cells * scale, low * scale, high * scale, reference_cv, confidence, reason)


def _float_arrays(*values: ArrayLike) -> tuple[Numbers, ...]:
    return tuple(np.broadcast_arrays(*(np.asarray(value, np.float64) for value in values)))


def _without_interval(value: Numbers, reason: NDArray[np.str_]) -> Concentration:
    unknown = np.full_like(value, np.nan)
    return Concentration(value, unknown, unknown, reason)


def _widened(
    value: Numbers, low: Numbers, high: Numbers, cv: float, confidence: float, reason: NDArray[np.str_]
) -> Concentration:
    """Add a relative error to a counting interval; where there is no count its upper bound moves by all of it."""
    if not 0 <= cv < 1:
        raise CountError("coefficient of variation", "is outside its range", expected="0 to 1", got=str(cv))
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    extra = z * math.sqrt(math.log1p(cv * cv))
    with np.errstate(divide="ignore", invalid="ignore"):
        down = np.where(low > 0, value * np.exp(-np.hypot(np.log(value / low), extra)), low)
        up = np.where(value > 0, value * np.exp(np.hypot(np.log(high / value), extra)), high * math.exp(extra))
    return Concentration(value, down, up, reason)
