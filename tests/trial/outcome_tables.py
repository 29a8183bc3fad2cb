"""Outcome tables for tests: the simulated one with cells changed, and marrows to go with it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import xarray as xr
from small_cubes import MARROW, Row, small_cube

from cytorecon.simulate.outcomes import simulate_outcomes


def write_outcomes(folder: Path, changes: Mapping[str, object] | None = None, row: int = 2, **options: int) -> Path:
    """A simulated table with some cells of one row (as a spreadsheet counts) changed."""
    path = simulate_outcomes(folder / "outcomes.csv", **options)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows[row - 2] |= {name: str(value) for name, value in (changes or {}).items()}
    write_rows(path, rows)
    return path


def write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def marrow(counts: Mapping[str, Mapping[int, tuple[int, int]]]) -> xr.Dataset:
    """Cube of marrows: patient -> day -> leukaemic events, nucleated cells."""
    rows = [
        Row(patient, day, {"Nucleated": total, "Nucleated/CD45pos": total, "Nucleated/CD45pos/Blast region": 1000,
                           "Nucleated/MRD": events}, specimen="marrow")
        for patient, by_day in counts.items()
        for day, (events, total) in by_day.items()
    ]  # fmt: skip
    return small_cube(rows, MARROW)
