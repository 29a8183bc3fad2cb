"""Small cubes for tests, built by the package's own builders from counts written out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from cytorecon.cube import STATUS, PopulationSummary, SampleRow, TemplateSummary, build_samples, grid

if TYPE_CHECKING:
    import xarray as xr

# Path -> role.
BLOOD = {
    "Beads": "beads",
    "Leukocytes": "leukocytes",
    "Leukocytes/Lymphocytes": "lymphocytes",
    "Leukocytes/Lymphocytes/NK cells": "",
}
MARROW = {
    "Nucleated": "nucleated",
    "Nucleated/CD45pos": "cd45",
    "Nucleated/CD45pos/Blast region": "blasts",
    "Nucleated/MRD": "mrd",
}


@dataclass(frozen=True)
class Row:
    """One sample: its counts by path (a status name where there is none), and columns of its sheet row."""

    patient: str
    day: int
    counts: Mapping[str, int | str]
    specimen: str = "blood"
    sheet: Mapping[str, object] = field(default_factory=dict)
    review: Sequence[str] = ()


def small_cube(rows: Sequence[Row], roles: Mapping[str, str] = BLOOD) -> xr.Dataset:
    """Dims (patient, timepoint, specimen, population)."""
    return grid(small_samples(rows, roles))


def small_samples(rows: Sequence[Row], roles: Mapping[str, str] = BLOOD) -> xr.Dataset:
    """Dims (sample, population)."""
    return build_samples([_sample_row(row, roles) for row in rows], _summary(roles))


def _summary(roles: Mapping[str, str]) -> TemplateSummary:
    populations = tuple(
        PopulationSummary(path.rpartition("/")[2], path, path.rpartition("/")[0], role, "", "", "")
        for path, role in roles.items()
    )
    return TemplateSummary("small", "1.0.0", "0" * 64, populations)


def _sample_row(row: Row, roles: Mapping[str, str]) -> SampleRow:
    counts = {}
    for path in roles:
        count = row.counts.get(path, "not_measured")
        if isinstance(count, str):
            counts[path] = [-1, -1, STATUS[count]]
        else:
            status = "needs_review" if path in row.review else "counted"
            counts[path] = [count, 10**7, STATUS[status]]
    name = f"{row.patient}_{row.day}_{row.specimen}.fcs"
    base = {"file_name": name, "patient": row.patient, "day": row.day, "specimen": row.specimen}
    digest = sha256(f"{name} {row.sheet}".encode()).hexdigest()
    return SampleRow({**base, **row.sheet}, digest, 10**7, "", counts, {}, (), "", "")
