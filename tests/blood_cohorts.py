"""Blood of simulated patients as counts, without files: what was drawn is known exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import xarray as xr
from small_cubes import Row

from cytorecon.cube import STATUS, PopulationSummary, SampleRow, TemplateSummary, build_samples
from cytorecon.simulate.patient import Patient, concentrations, simulate_patient
from cytorecon.simulate.truth import TRUTH

# Name -> path, role, definition.
POPULATIONS = {
    "Leukocytes": ("Leukocytes", "leukocytes", "CD45+"),
    "Lymphocytes": ("Leukocytes/Lymphocytes", "lymphocytes", "gate"),
    "T cells": ("Leukocytes/Lymphocytes/T cells", "", "CD3+"),
    "CD4 T cells": ("Leukocytes/Lymphocytes/T cells/CD4 T cells", "", "CD4+ CD8-"),
    "CD8 T cells": ("Leukocytes/Lymphocytes/T cells/CD8 T cells", "", "CD4- CD8+"),
    "B cells": ("Leukocytes/Lymphocytes/B cells", "", "CD3- CD19+"),
    "NK cells": ("Leukocytes/Lymphocytes/NK cells", "", "CD3- CD56+"),
    "NK clinical": ("Leukocytes/Lymphocytes/NK clinical", "", "CD3- and CD19- and (CD16+ or CD56+)"),
}
DAYS = (-14, -5, 5, 14, 21, 28, 45, 60, 75, 88, 99, 120, 180, 270, 365)


def true_cells(patient: Patient, day: int) -> dict[str, float]:
    """Cells/µL of each population, from the simulated recovery."""
    by_type = concentrations(patient, day)
    return {name: sum(by_type.get(cell, 0.0) for cell in TRUTH["tbnk"][name]) for name in POPULATIONS}


def patients(count: int, seed: int = 3) -> list[Patient]:
    """Simulated patients whose CD4 recovery is up to four times slower, so that not all reach an endpoint."""
    rng = np.random.default_rng(seed)
    people = [simulate_patient(rng, f"SIM-{index + 1:03d}", "aml", 0.0) for index in range(count)]
    return [
        replace(person, delay={**person.delay, "CD4 T": person.delay["CD4 T"] * rng.uniform(1, 4)}) for person in people
    ]


def blood(
    people: Sequence[Patient],
    days: Sequence[int] | Callable[[Patient], Sequence[int]] = DAYS,
    events: int = 10**8,
    seed: int | None = None,
    sheet: Mapping[str, Mapping[str, object]] | None = None,
) -> xr.Dataset:
    """Samples of `events` leukocytes: counts exact, or with a seed Poisson."""
    rng = None if seed is None else np.random.default_rng(seed)
    rows = []
    for person in people:
        for day in days(person) if callable(days) else days:
            truth = true_cells(person, day)
            wbc = truth["Leukocytes"]
            expected = {name: events * value / wbc for name, value in truth.items()}
            counts = {
                POPULATIONS[name][0]: round(value) if rng is None else min(int(rng.poisson(value)), events)
                for name, value in expected.items()
            } | {"Leukocytes": events}
            columns = {"wbc_per_ul": wbc, **(sheet or {}).get(person.name, {})}
            rows.append(Row(person.name, day, counts, sheet=columns))
    return samples_of(rows)


def samples_of(rows: Sequence[Row]) -> xr.Dataset:
    """Dims (sample, population), with the populations above."""
    populations = tuple(
        PopulationSummary(name, path, path.rpartition("/")[0], role, definition, "", "")
        for name, (path, role, definition) in POPULATIONS.items()
    )
    return build_samples([_row(row) for row in rows], TemplateSummary("blood", "1.0.0", "1" * 64, populations))


def _row(row: Row) -> SampleRow:
    counts = {}
    for name, (path, _, _) in POPULATIONS.items():
        count = row.counts.get(path, row.counts.get(name, "not_measured"))
        if isinstance(count, str):
            counts[path] = [-1, -1, STATUS[count]]
        else:
            status = "needs_review" if name in row.review else "counted"
            counts[path] = [count, 2 * 10**9, STATUS[status]]
    name = f"{row.patient}_{row.day}_{row.sheet.get('transplant', 1)}.fcs"
    base = {"file_name": name, "patient": row.patient, "day": row.day, "specimen": row.specimen}
    return SampleRow({**base, **row.sheet}, "0" * 64, 10**9, "", counts, {}, (), "", "")


def cd4_rows(patient: str, cd4: Mapping[int, object], events: int = 100_000, wbc: float = 1000.0) -> list[Row]:
    """Samples of one patient by day: CD4 per µL as a number, or the name of a status, or ``review``."""
    rows = []
    for day, value in cd4.items():
        count: int | str = round(float(value) * events / wbc) if isinstance(value, int | float) else str(value)
        review = ["CD4 T cells"] if count == "review" else []
        counts = {"Leukocytes": events, "Lymphocytes": events // 2, "CD4 T cells": 9999 if review else count}
        rows.append(Row(patient, day, counts, sheet={"wbc_per_ul": wbc}, review=review))
    return rows
