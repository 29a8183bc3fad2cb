"""Concentrations over time as one long table: a row a patient, day and population, with censoring said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cytorecon.counts import cells_per_ul_interval, single_platform
from cytorecon.counts.inputs import Platform, read_inputs
from cytorecon.cube import Visit, grid, is_counted
from cytorecon.errors import CubeError
from cytorecon.reconstitution.visit import CONFOUNDED, SCHEDULE_SOURCE, DayWindow, is_confounded

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

# Fewer events are counted, but not precisely: their CV exceeds 14 % (a design decision, see docs/reconstitution.md).
LLOQ_EVENTS = 50


def concentration_series(
    cube: xr.Dataset,
    populations: Sequence[str] | None = None,
    *,
    visits: Sequence[Visit] | None = None,
    lloq_events: int = LLOQ_EVENTS,
    lloq_per_ul: float = 0.0,
    confounded: Sequence[DayWindow] = CONFOUNDED,
    platform: Platform | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Cells per µL blood of every patient over time, below-LLOQ values censored.

    Parameters
    ----------
    cube
        Dims (patient, timepoint, specimen, population), as it is; or (sample, population), which is arranged here by
        actual day, so that every sample has its row and only replicates are pooled.
    populations
        Names as in the cube; None: all.
    visits
        Where given, each sample's nominal day is the visit whose window holds its actual day, else missing; where not,
        the cube's timepoint. Several samples may then share a visit: nothing is left out of this table.
    lloq_events, lloq_per_ul
        A value is quantified with at least so many events and at least so high a concentration; others are censored.
    confounded
        Days on which infused cells are counted with the patient's own; their rows are tagged.
    platform, confidence
        As in `cells_per_ul_interval`.

    Returns
    -------
    pandas.DataFrame
        Sorted by patient, population and day. ``patient`` (a second transplant is a patient of its own),
        ``transplant``, ``day`` (actual, signed), ``timepoint`` (nominal), ``population``, ``definition``,
        ``cells_per_ul`` (NaN where censored or missing), ``low``, ``high`` (of the counting interval), ``censor``
        (``none``, ``left``: below ``lloq``; ``missing``: ``reason`` says why), ``lloq`` (per µL, in this sample),
        ``event_count`` (−1 where not counted), ``platform``, ``reason``, ``confounded``. Units (UCUM) in
        ``attrs["units"]``, what the counts told in ``attrs["findings"]``.

    Raises
    ------
    CubeError
        The cube has no such population.
    """
    import pandas as pd

    blood = _blood(cube, populations)
    found = cells_per_ul_interval(blood, platform, confidence=confidence)
    shape = blood["event_count"]
    events = shape.where(is_counted(blood), -1).transpose(*shape.dims).values
    lloq = np.maximum(_per_event(blood, found) * lloq_events, lloq_per_ul)
    columns = {
        **{name: _spread(blood[name], shape) for name in ("patient", "transplant", "day", "timepoint", "population")},
        "definition": _spread(blood["definition"], shape),
        "cells_per_ul": found["cells_per_ul"].transpose(*shape.dims).values,
        **{name: found[name].transpose(*shape.dims).values for name in ("low", "high")},
        "lloq": np.broadcast_to(lloq, events.shape),
        "event_count": events,
        "platform": _spread(found["platform"], shape),
        "reason": found["reason"].transpose(*shape.dims).values,
    }
    table = pd.DataFrame({name: values.ravel() for name, values in columns.items()})
    table = table[table["day"].notna() & (table["reason"] != "not_sampled")].reset_index(drop=True)
    wanted = list(blood["population"].values) if populations is None else list(populations)
    table = _censored(table[table["population"].isin(wanted)], lloq_events)
    table["confounded"] = is_confounded(table["day"], confounded)
    if visits is not None:
        table["timepoint"] = nominal_days(table["day"].to_numpy(), visits)
    table = table.astype({"day": int, "transplant": int}).sort_values(["patient", "population", "day"], kind="stable")
    table.attrs |= {
        "units": {"cells_per_ul": "/uL", "low": "/uL", "high": "/uL", "lloq": "/uL", "day": "d", "timepoint": "d"},
        "findings": json.loads(found.attrs["findings"]),
        "schedule": SCHEDULE_SOURCE,
        "confounded_days": ", ".join(map(str, confounded)),
        "lloq_events": lloq_events,
    }
    return table.reset_index(drop=True)


def nominal_days(day: NDArray[Any], visits: Sequence[Visit]) -> NDArray[np.float64]:
    """Nominal day of every actual day; NaN outside all windows. Of two windows the earlier visit's stands."""
    nominal = np.full(np.shape(day), np.nan)
    for visit in sorted(visits, reverse=True):
        nominal[(day >= visit.first) & (day <= visit.last)] = visit.day
    return nominal


def sheet_column(samples: xr.Dataset, name: str) -> dict[str, str]:
    """What a column of the sample sheet says of each patient, for grouping: dose level, diagnosis, site.

    Parameters
    ----------
    samples
        Dims (sample, population).
    name
        A variable of the samples, or any further column of the sheet.

    Returns
    -------
    dict
        Patient to the column's text; patients without one are left out.

    Raises
    ------
    CubeError
        No sample has that column, or one patient's samples differ in it.
    """
    further = [json.loads(text or "{}") for text in samples["extra"].values]
    own = samples[name].values if name in samples else [columns.get(name) for columns in further]
    said: dict[str, str] = {}
    rows = zip(samples["patient"].values, samples["transplant"].values, own, samples["file"].values, strict=True)
    for patient, transplant, value, file in rows:
        if value is None or value == "":
            continue
        who = course(patient, int(transplant))
        if said.setdefault(who, str(value)) != str(value):
            raise CubeError(
                f"{file}, column {name}", "differs from another sample of the same patient", expected=said[who],
                got=str(value), remedy="Group by a column that does not change within a patient.",
            )  # fmt: skip
    if not said:
        raise CubeError(f"column {name}", "is in no sample of the study", remedy="Add it to the sample sheet.")
    return said


def course(patient: str, transplant: int) -> str:
    """Name under which the days of one transplant stand in a cube."""
    return patient if transplant == 1 else f"{patient} (transplant {transplant})"


def _blood(cube: xr.Dataset, populations: Sequence[str] | None) -> xr.Dataset:
    unknown = sorted(set(populations or ()) - set(cube["population"].values))
    if unknown:
        raise CubeError(
            f"population {unknown[0]}", "is not in the cube", expected=", ".join(map(str, cube["population"].values)),
            code="unknown-population",
        )  # fmt: skip
    if "timepoint" not in cube.dims:
        # By actual day alone: a timepoint claimed in the sheet may be claimed for several days.
        cube = grid(cube.assign(claimed_timepoint=("sample", np.full(cube.sizes["sample"], np.nan))))
    return cube.isel(specimen=np.flatnonzero(cube["specimen"].values == "blood"))


def _spread(values: xr.DataArray, shape: xr.DataArray) -> NDArray[Any]:
    array: NDArray[Any] = values.broadcast_like(shape).transpose(*shape.dims).values
    return array


def _per_event(blood: xr.Dataset, found: xr.Dataset) -> NDArray[np.float64]:
    """Concentration that one event stands for, by sample, with a last axis of one population; NaN if unknown."""
    events = blood["event_count"].transpose("patient", "timepoint", "specimen", "population").values
    value = found["cells_per_ul"].transpose("patient", "timepoint", "specimen", "population").values
    inputs = read_inputs(blood, 0.0)
    # Of beads it is known even where no cell was found; by a blood count there are then no leukocytes to divide by.
    beads = single_platform(
        1, inputs.counts("beads"), inputs.beads_per_tube, inputs.sample_volume_ul, inputs.dilution, confidence=None
    ).value
    by_beads = np.where((found["platform"] == "single").values, beads, np.nan)
    known = (events > 0) & np.isfinite(value)
    ratio = np.where(known, value / np.maximum(events, 1), 0.0).max(axis=-1, initial=0.0)
    return np.where(np.isfinite(by_beads), by_beads, np.where(ratio > 0, ratio, np.nan))[..., None]


def _censored(table: pd.DataFrame, lloq_events: int) -> pd.DataFrame:
    known = table["reason"] == ""
    low = known & ((table["event_count"] < lloq_events) | (table["cells_per_ul"] < table["lloq"] * (1 - 1e-12)))
    return table.assign(
        censor=np.select([~known, low], ["missing", "left"], "none"),
        cells_per_ul=table["cells_per_ul"].where(known & ~low),
        lloq=table["lloq"].where(known),
    )
