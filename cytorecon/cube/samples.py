"""One row a gated sample, without loss: the first of the two forms of the counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

import cytorecon
from cytorecon.cube.variables import DTYPES, MISSING, STATUS, VARIABLES, dataset
from cytorecon.errors import CubeError
from cytorecon.sheet import DERIVED, Specimen

if TYPE_CHECKING:
    import xarray as xr

    from cytorecon.gating import GatedSample
    from cytorecon.template import GatingTemplate

SPECIMENS = get_args(Specimen)
_UNCOUNTED = (-1, -1, STATUS["failed"])


@dataclass(frozen=True)
class PopulationSummary:
    """What a cube says about a population besides its counts."""

    name: str
    path: str
    parent: str
    role: str
    definition: str
    cell_ontology: str
    loinc: str


@dataclass(frozen=True)
class TemplateSummary:
    """What a cube says about its template; `source` is ``gated``, or ``external`` for counts that others made."""

    name: str
    version: str
    sha256: str
    populations: tuple[PopulationSummary, ...]
    source: str = "gated"


@dataclass(frozen=True)
class SampleRow:
    """What is kept of one gated sample: plain values, as a record stores them.

    Parameters
    ----------
    sheet
        Columns of the sample sheet by name; missing ones left out.
    sha256
        SHA-256 of the file's bytes.
    acquired_count
        Events in the file; −1 if it could not be read.
    compensation
        The matrix applied; empty for none; of one beside the sheet the beginning of its SHA-256, too.
    counts
        Population path -> event count, parent count, code of the status (see `STATUS`).
    cutpoints
        Cut point -> marker, channel, display, raw, method, spread.
    findings
        One mapping a finding.
    error, error_code
        Why there are no counts; empty if there are.
    laip, tree
        SHA-256 of the patient's LAIP document, and of the sample's own tree of a workspace; empty for none.
    """

    sheet: Mapping[str, Any]
    sha256: str
    acquired_count: int
    compensation: str
    counts: Mapping[str, Sequence[int]]
    cutpoints: Mapping[str, Sequence[Any]]
    findings: Sequence[Mapping[str, str]]
    error: str
    error_code: str
    laip: str = ""
    tree: str = ""


def summarise(template: GatingTemplate) -> TemplateSummary:
    """Take from a template what a cube says about it."""
    populations = tuple(
        PopulationSummary(
            one.name, one.path, one.parent, one.role, one.words, one.cell_ontology, one.loinc
        )
        for one in template.populations
    )  # fmt: skip
    return TemplateSummary(template.name, template.version, template.sha256, populations)


def row_of(gated: GatedSample) -> SampleRow:
    """Take from a gated sample what is kept of it.

    Raises
    ------
    CubeError
        It has no sheet row, or holds counts and an error.
    """
    if gated.sample is None:
        raise CubeError(gated.file, "has no sheet row", remedy="Gate it through a sample sheet.")
    if gated.error and gated.counts:
        raise CubeError(gated.file, "holds counts and an error")
    dumped = gated.sample.model_dump(mode="json", exclude=set(DERIVED))
    # Defaults are kept, so that a later version's defaults cannot change what was recorded.
    sheet = {name: value for name, value in dumped.items() if value not in (None, "", {})}
    return SampleRow(
        sheet=sheet,
        sha256=gated.sha256,
        acquired_count=-1 if gated.error else gated.event_count,
        compensation=gated.compensation or "",
        counts={one.path: [one.event_count, one.parent_count, STATUS[one.status]] for one in gated.counts},
        cutpoints={
            one.name: [one.marker, one.channel, one.display, one.raw, one.method, one.spread] for one in gated.cutpoints
        },
        findings=[asdict(finding) for finding in gated.findings],
        error=gated.error,
        error_code=gated.error_code,
    )


def build_samples(rows: Iterable[GatedSample | SampleRow], template: TemplateSummary) -> xr.Dataset:
    """Put gated samples into one Dataset, one row each, sorted by identity: their order of arrival is lost.

    Parameters
    ----------
    rows
        Gated samples of one template content, no two of one identity.
    template
        What `summarise` takes from the template.

    Returns
    -------
    xarray.Dataset
        Dims (sample, population) and (sample, cutpoint); variables as in `VARIABLES`. All cells of a sample that
        failed are −1 with status ``failed``.

    Raises
    ------
    CubeError
        Two samples have one identity, or a sample lacks a population of the template.
    """
    paths = sorted(population.path for population in template.populations)
    kept, cells = _taken(rows, paths)
    for first, second in pairwise(kept):
        if identity(first.sheet) == identity(second.sheet):
            raise CubeError(
                f"{first.sheet['file_name']}, {second.sheet['file_name']}", "are the same sample", code="duplicate"
            )
    order = [paths.index(population.path) for population in template.populations]
    values = _row_values(kept) | _cell_values(cells[:, order], template) | _cutpoint_values(kept)
    attrs = {
        "template": template.name,
        "template_version": template.version,
        "template_sha256": template.sha256,
        "source": template.source,
        "cytorecon_version": cytorecon.__version__,
    }
    return dataset(values, "samples", attrs)


def identity(sheet: Mapping[str, Any]) -> tuple[str, int, int, int, str, int]:
    """Identity of a sheet row, in an order that sorts: patient, transplant, day, specimen, panel, replicate."""
    return (
        sheet["patient"],
        sheet.get("transplant", 1),
        sheet["day"],
        SPECIMENS.index(sheet["specimen"]),
        sheet.get("panel", ""),
        sheet.get("replicate", 1),
    )


_DEFAULTS = {"transplant": 1, "replicate": 1, "dilution": 1.0}


def _row_values(rows: Sequence[SampleRow]) -> dict[str, Any]:
    own = {
        "sample": range(len(rows)),
        "claimed_timepoint": [row.sheet.get("timepoint", np.nan) for row in rows],
        "file": [row.sheet["file_name"] for row in rows],
        "sha256": [row.sha256 for row in rows],
        "acquired_count": [row.acquired_count for row in rows],
        "compensation": [row.compensation for row in rows],
        "extra": [_json(row.sheet.get("extra", {})) for row in rows],
        "findings": [_json(row.findings) for row in rows],
        "error": [row.error for row in rows],
        "error_code": [row.error_code for row in rows],
        "laip": [row.laip for row in rows],
        "tree": [row.tree for row in rows],
    }
    for name, variable in VARIABLES.items():
        if variable.samples == ("sample",) and name not in own:
            missing = _DEFAULTS.get(name, MISSING[variable.kind])
            own[name] = [row.sheet.get(name, missing) for row in rows]
    return own


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""


def _taken(rows: Iterable[GatedSample | SampleRow], paths: Sequence[str]) -> tuple[list[SampleRow], NDArray[np.int32]]:
    """Rows sorted by identity, and their cells (row, path, 3): counts become integers as they come, one by one."""
    taken: list[SampleRow] = []
    cells: list[NDArray[np.int32]] = []
    for given in rows:
        row = given if isinstance(given, SampleRow) else row_of(given)
        cells.append(_cells(row, paths))
        taken.append(replace(row, counts={}))
    order = sorted(range(len(taken)), key=lambda index: identity(taken[index].sheet))
    stacked = np.stack([cells[index] for index in order]) if cells else np.empty((0, len(paths), 3), dtype=np.int32)
    return [taken[index] for index in order], stacked


def _cells(row: SampleRow, paths: Sequence[str]) -> NDArray[np.int32]:
    if row.error:
        return np.broadcast_to(np.array(_UNCOUNTED, dtype=np.int32), (len(paths), 3))
    counts = row.counts if list(row.counts) == paths else dict(sorted(row.counts.items()))
    if list(counts) != paths:
        odd = sorted(counts.keys() ^ set(paths))[0]
        raise CubeError(row.sheet["file_name"], "was gated by another tree of populations", got=odd)
    flat = chain.from_iterable(counts.values())
    return np.fromiter(flat, dtype=np.int32, count=3 * len(paths)).reshape(-1, 3)


def _cell_values(cells: NDArray[np.int32], template: TemplateSummary) -> dict[str, Any]:
    names = Counter(population.name for population in template.populations)
    about = {
        "population": [one.name if names[one.name] == 1 else one.path for one in template.populations],
        **{
            name: [getattr(one, name) for one in template.populations]
            for name in ("path", "parent", "definition", "role", "cell_ontology", "loinc")
        },
    }
    return {"event_count": cells[..., 0], "parent_count": cells[..., 1], "status": cells[..., 2], **about}


def _cutpoint_values(rows: Sequence[SampleRow]) -> dict[str, Any]:
    names = sorted({name for row in rows for name in row.cutpoints})
    shape = (len(rows), len(names))
    fields = ("display", "raw", "method", "spread")
    kinds = {field: VARIABLES[f"cutpoint_{field}"].kind for field in fields}
    arrays = {field: np.full(shape, MISSING[kind], dtype=DTYPES[kind]) for field, kind in kinds.items()}
    column = {name: position for position, name in enumerate(names)}
    for index, row in enumerate(rows):
        for name, (_, _, *placed) in row.cutpoints.items():
            for field, value in zip(fields, placed, strict=True):
                if value is not None:
                    arrays[field][index, column[name]] = value
    return {"cutpoint": names, **{f"cutpoint_{field}": array for field, array in arrays.items()}}
