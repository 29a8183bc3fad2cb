"""Gated samples made by hand, for tests of what comes after gating."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flowio
import numpy as np

from cytorecon.cube import TemplateSummary, summarise
from cytorecon.errors import Finding
from cytorecon.gating import GatedSample, PlacedCutpoint, PopulationCounts, Status
from cytorecon.sheet import Sample
from cytorecon.study import Study
from cytorecon.study.recording import begin
from cytorecon.study.schema import connected
from cytorecon.template import GatingTemplate, parse_template

TREE = (("Cells", "", "leukocytes"), ("T", "Cells", ""), ("NK", "Cells", ""), ("NK", "Cells/T", ""))


def path_of(name: str, parent: str) -> str:
    return f"{parent}/{name}" if parent else name


TEMPLATE = parse_template(
    """
name = "small"
version = "1.0.0"
compensation = "none"
[scales]
default = { type = "linear" }
[cutpoint.CD3]
at = 500.0
[cutpoint.CD56]
at = 500.0
[[population]]
name = "Cells"
role = "leukocytes"
gate = { type = "range", channels = ["FSC-A"], min = 100 }
[[population]]
name = "T"
parent = "Cells"
phenotype = "CD3+"
[[population]]
name = "NK"
parent = "Cells"
phenotype = "CD3- CD56+"
[[population]]
name = "NK"
parent = "Cells/T"
phenotype = "CD56+"
"""
)
SUMMARY = summarise(TEMPLATE)


def write_fcs(path: Path, counts: tuple[int, int, int, int] = (100, 60, 20, 5), total: int = 200) -> Path:
    """An FCS file in which `TEMPLATE` finds the counts given: Cells, T, NK, NK among T."""
    cells, t, nk, nk_of_t = counts
    events = np.zeros((total, 3), dtype=np.float32)
    events[:cells, 0] = 1000
    events[:t, 1] = 1000
    events[:nk_of_t, 2] = 1000
    events[t : t + nk, 2] = 1000
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        flowio.create_fcs(file, events.ravel().tolist(), ["FSC-A", "CD3", "CD56"])
    return path


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
    template: TemplateSummary = SUMMARY,
) -> GatedSample:
    inside = {path_of(name, parent): count for (name, parent, _), count in zip(TREE, counts, strict=True)}
    made = tuple(
        PopulationCounts(name, path_of(name, parent), parent, role, count, inside.get(parent, 200), status)
        for (name, parent, role), count, status in zip(TREE, counts, statuses, strict=True)
    )
    return GatedSample(
        file=row.file_name, sha256=hashlib.sha256(row.file_name.encode()).hexdigest(), event_count=200,
        counts=() if error else made, compensation="$SPILLOVER", template_name=template.name,
        template_version=template.version, template_sha256=template.sha256,
        cutpoints=() if error else (PlacedCutpoint("CD3", "CD3", "FL1-A", 0.5, 1234.5, "fixed"),),
        findings=findings, error=error, error_code="not-fcs" if error else "", sample=row,
    )  # fmt: skip


def record_all(study: Study, results: Sequence[GatedSample], template: GatingTemplate = TEMPLATE) -> None:
    """Record results in a study as a run does."""
    with connected(study.ledger, write=True) as connection:
        recorder = begin(connection, [result.sample for result in results if result.sample], template)
        for result in results:
            recorder.record(result)
