"""Cells per µL of a cube: which platform each sample has, and what it gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cytorecon.counts.inputs import PLATFORMS, Inputs, Platform, read_inputs
from cytorecon.counts.platform import MIN_BEAD_COUNT, MIN_WBC_PER_UL, Concentration, single_platform
from cytorecon.cube import STATUS, is_counted
from cytorecon.errors import CountError, Finding

if TYPE_CHECKING:
    import xarray as xr


def cells_per_ul(
    cube: xr.Dataset,
    platform: Platform | None = None,
    *,
    min_bead_count: int = MIN_BEAD_COUNT,
    nrbc_per_100_wbc: xr.DataArray | float = 0.0,
) -> xr.DataArray:
    """Concentration of every population.

    Parameters
    ----------
    cube
        Either form of a cube; dims (…, population).
    platform
        ``single`` (beads), ``dual`` (WBC × share of leukocytes) or ``dual_lymphocytes`` (lymphocyte count × share of
        lymphocytes). None: for each sample the first of them that its data allow.
    min_bead_count
        Single platform: with fewer beads a sample is not evaluable.
    nrbc_per_100_wbc
        Dual platform: nucleated red cells in an uncorrected WBC; a number, or a DataArray over the samples.

    Returns
    -------
    xarray.DataArray
        float64, dims of `event_count`, units ``/uL`` (UCUM). Coordinates ``platform`` (of each sample; values of two
        platforms are not interchangeable), ``status``, and ``reason``: empty, or why the value is NaN
        (``not_sampled``, ``not_measured``, ``failed``, ``needs_review``, ``no_platform``, ``too_few_beads``,
        ``outside_denominator``, ``implausible_blood_count``: a WBC that must be in 10⁹/L).
        ``attrs["findings"]`` (JSON) tells of series that mix platforms and of samples whose platforms disagree.

    Raises
    ------
    CountError
        An unknown platform, or two populations of one role.

    Notes
    -----
    Dual platform is for blood only; it is not valid for files acquired with a live gate. Only populations within the
    denominator get a concentration by it.
    """
    errors = {"confidence": None, "pipetting_cv": 0.0, "wbc_cv": 0.0}
    found = _concentrations(cube, platform, errors, min_bead_count, nrbc_per_100_wbc)
    return found["cells_per_ul"].assign_attrs(findings=found.attrs["findings"])


def cells_per_ul_interval(
    cube: xr.Dataset,
    platform: Platform | None = None,
    *,
    confidence: float = 0.95,
    pipetting_cv: float = 0.0,
    wbc_cv: float = 0.0,
    min_bead_count: int = MIN_BEAD_COUNT,
    nrbc_per_100_wbc: xr.DataArray | float = 0.0,
) -> xr.Dataset:
    """Concentration of every population with its interval: variables ``cells_per_ul``, ``low`` and ``high``.

    Parameters
    ----------
    cube, platform, min_bead_count, nrbc_per_100_wbc
        As in `cells_per_ul`.
    confidence
        Of the interval: exact binomial for the counts, then widened.
    pipetting_cv, wbc_cv
        Relative SD of the pipetting (single platform) and of the blood count (dual). 0, the default, leaves counting
        error alone, as the attributes then say.

    Raises
    ------
    CountError
        As `cells_per_ul`.
    """
    errors = {"confidence": confidence, "pipetting_cv": pipetting_cv, "wbc_cv": wbc_cv}
    return _concentrations(cube, platform, errors, min_bead_count, nrbc_per_100_wbc)


def _concentrations(
    cube: xr.Dataset,
    platform: Platform | None,
    errors: Mapping[str, float | None],
    min_bead_count: int,
    nrbc_per_100_wbc: xr.DataArray | float,
) -> xr.Dataset:
    if platform is not None and platform not in PLATFORMS:
        raise CountError("platform", "unknown", expected=", ".join(PLATFORMS), got=repr(platform))
    inputs = read_inputs(cube, nrbc_per_100_wbc)
    names = (platform,) if platform else PLATFORMS
    chosen = np.full(inputs.shape, "", dtype="U16")
    for name in reversed(names):
        chosen = np.where(inputs.available(name), name, chosen)
    value = np.full(inputs.event_count.shape, np.nan)
    found = Concentration(value, value.copy(), value.copy(), np.full(value.shape, "no_platform", dtype="U24"))
    for name in names:
        rows = chosen == name
        if rows.any():
            _fill(found, rows, inputs.outside(name), inputs.concentrations(name, rows, errors, min_bead_count))
    findings = _findings(cube, inputs, chosen, nrbc_per_100_wbc)
    return _as_dataset(cube, found, chosen, inputs, errors, findings)


def compare_platforms(
    cube: xr.Dataset, tolerance: float = 0.25, nrbc_per_100_wbc: xr.DataArray | float = 0.0
) -> xr.Dataset:
    """Both platforms of the samples that have both, through the white cells that the beads imply.

    Parameters
    ----------
    cube
        Either form of a cube.
    tolerance
        Largest relative difference that is no disagreement (a design decision).
    nrbc_per_100_wbc
        As in `cells_per_ul`.

    Returns
    -------
    xarray.Dataset
        Over the samples: ``single`` (leukocytes per µL by beads), ``dual`` (the corrected WBC), ``ratio`` and the
        boolean ``disagrees``; NaN and False where a platform is missing. As events cancel, the ratio is that of every
        population.
    """
    import xarray as xr

    inputs = read_inputs(cube, nrbc_per_100_wbc)
    cells, dims = inputs.counts("leukocytes"), inputs.dims
    single = single_platform(
        cells,
        inputs.counts("beads"),
        inputs.beads_per_tube,
        inputs.sample_volume_ul,
        inputs.dilution,
        confidence=None,
    ).value
    both = inputs.available("dual") & (cells > 0) & (single > 0)
    single, dual = np.where(both, single, np.nan), np.where(both, inputs.wbc * 100 / (100 + inputs.nrbc), np.nan)
    ratio = single / dual
    disagrees = np.abs(np.log(ratio)) > np.log1p(tolerance)
    units = {"units": "/uL"}
    return xr.Dataset(
        {
            "single": (dims, single, units),
            "dual": (dims, dual, units),
            "ratio": (dims, ratio, {"units": "1"}),
            "disagrees": (dims, disagrees),
        },
        coords=cube["event_count"].isel(population=0, drop=True).coords,
        attrs={"tolerance": tolerance},
    )


def _fill(found: Concentration, rows: NDArray[np.bool_], outside: NDArray[np.bool_], one: Concentration) -> None:
    """Put the concentrations of some samples in their place, blank for populations `outside` the platform."""
    blank = np.where(outside, np.nan, 0.0)
    for whole, part in ((found.value, one.value), (found.low, one.low), (found.high, one.high)):
        whole[rows] = part + blank
    found.reason[rows] = np.where(outside & (one.reason == ""), "outside_denominator", one.reason)


def _as_dataset(
    cube: xr.Dataset,
    found: Concentration,
    chosen: NDArray[np.str_],
    inputs: Inputs,
    errors: Mapping[str, float | None],
    findings: tuple[Finding, ...],
) -> xr.Dataset:
    import xarray as xr

    dims = (*inputs.dims, "population")
    status = cube["status"].transpose(*dims)
    said = np.asarray(list(STATUS))[status.values]
    uncounted = ~is_counted(cube).transpose(*dims).values
    reason = np.where(uncounted, said, found.reason)
    units = {"units": "/uL", **errors}
    return xr.Dataset(
        {
            "cells_per_ul": (dims, found.value, {"long_name": "Concentration", "units": "/uL"}),
            "low": (dims, found.low, {"long_name": "Lower bound of the concentration", **units}),
            "high": (dims, found.high, {"long_name": "Upper bound of the concentration", **units}),
        },
        coords={
            **cube["event_count"].coords,
            "platform": (inputs.dims, chosen.astype(object), {"long_name": "Platform of the concentration"}),
            "status": status,
            "reason": (dims, reason.astype(object), {"long_name": "Why there is no value; empty if there is"}),
        },
        attrs={"findings": json.dumps([asdict(finding) for finding in findings])},
    )


def _findings(
    cube: xr.Dataset, inputs: Inputs, chosen: NDArray[np.str_], nrbc: xr.DataArray | float
) -> tuple[Finding, ...]:
    mixed = _mixed_series(cube, inputs, chosen)
    disagrees = int(compare_platforms(cube, nrbc_per_100_wbc=nrbc)["disagrees"].sum())
    unbelieved = int(((inputs.wbc > 0) & (inputs.wbc < MIN_WBC_PER_UL)).sum())
    told = (
        (mixed, "mixed-platforms", "series mix platforms, whose values are not interchangeable"),
        (disagrees, "platforms-disagree", "samples have beads and a blood count that disagree"),
        (unbelieved, "implausible-blood-count", "samples have a WBC that must be in 10⁹/L, not in 1/µL"),
    )
    return tuple(Finding(code, f"{number} {message}", "review", "platform") for number, code, message in told if number)


def _mixed_series(cube: xr.Dataset, inputs: Inputs, chosen: NDArray[np.str_]) -> int:
    first = cube["event_count"].isel(population=0, drop=True).transpose(*inputs.dims)
    patient, specimen = (cube[name].broadcast_like(first).transpose(*inputs.dims) for name in ("patient", "specimen"))
    series: dict[tuple[str, str], set[str]] = {}
    for who, what, platform in zip(patient.values.flat, specimen.values.flat, chosen.flat, strict=True):
        if platform:
            series.setdefault((who, what), set()).add(platform)
    return sum(len(platforms) > 1 for platforms in series.values())
