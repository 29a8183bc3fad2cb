"""Gated samples made by hand, for tests of what comes after gating."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from cytorecon.cube import PopulationSummary, TemplateSummary
from cytorecon.errors import Finding
from cytorecon.gating import GatedSample, PlacedCutpoint, PopulationCounts, Status
from cytorecon.sheet import Sample

TREE = (("Cells", "", "leukocytes"), ("T", "Cells", ""), ("NK", "Cells", ""), ("NK", "Cells/T", ""))


def path_of(name: str, parent: str) -> str:
    return f"{parent}/{name}" if parent else name


SUMMARY = TemplateSummary(
    "small", "1.0.0", hashlib.sha256(b"small").hexdigest(),
    tuple(
        PopulationSummary(name, path_of(name, parent), parent, role, f"{name}+", "", "")
        for name, parent, role in TREE
    ),
)  # fmt: skip


def sample(patient: str = "P1", day: int = 30, **values: Any) -> Sample:
    name = values.pop("file_name", f"{patient}_{day}_{values.get('panel', '')}{values.get('replicate', 1)}.fcs")
    given = {"specimen": "blood", "patient": patient, "day": day, "file_name": name, **values}
    return Sample(file=Path("/study") / name, **given)


def gated(
    row: Sample,
    counts: tuple[int, int, int, int] = (100, 60, 20, 5),
    statuses: tuple[Status, Status, Status, Status] = ("counted",) * 4,
    error: str = "",
    findings: tuple[Finding, ...] = (),
    summary: TemplateSummary = SUMMARY,
) -> GatedSample:
    inside = {path_of(name, parent): count for (name, parent, _), count in zip(TREE, counts, strict=True)}
    made = tuple(
        PopulationCounts(name, path_of(name, parent), parent, role, count, inside.get(parent, 200), status)
        for (name, parent, role), count, status in zip(TREE, counts, statuses, strict=True)
    )
    return GatedSample(
        file=row.file_name, sha256=hashlib.sha256(row.file_name.encode()).hexdigest(), event_count=200,
        counts=() if error else made, compensation="$SPILLOVER", template_name=summary.name,
        template_version=summary.version, template_sha256=summary.sha256,
        cutpoints=() if error else (PlacedCutpoint("CD3", "CD3", "FL1-A", 0.5, 1234.5, "fixed"),),
        findings=findings, error=error, error_code="not-fcs" if error else "", sample=row,
    )  # fmt: skip
