"""From one row a sample to the cube: which sample stands in which cell."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cytorecon.cube.samples import SPECIMENS
from cytorecon.cube.variables import DTYPES, MISSING, STATUS, VARIABLES, dataset
from cytorecon.errors import CubeError, Finding

if TYPE_CHECKING:
    import xarray as xr

MAX_CELLS = 200_000_000

# Of several statuses in one pool the first of these stands; if none is there, all were not evaluable.
_PRECEDENCE = ("not_measured", "needs_review", "counted")
_POOLED = ("wbc_per_ul", "lymphocyte_percent", "beads_per_tube", "sample_volume_ul", "dilution", "bead_lot")


@dataclass(frozen=True, order=True)
class Visit:
    """A nominal visit and the actual days that count as it.

    Parameters
    ----------
    day
        Nominal day relative to the transplant.
    first, last
        First and last actual day of its window, both inside.
    """

    day: int
    first: int
    last: int

    def __post_init__(self) -> None:
        if not self.first <= self.day <= self.last:
            raise CubeError(f"visit {self.day}", "lies outside its own window", got=f"{self.first}..{self.last}")


@dataclass(frozen=True)
class _Pool:
    """Replicates of one sample: rows of `samples` that become one."""

    rows: tuple[int, ...]
    course: str
    day: int
    panel: str
    specimen: str
    claimed: int | None
    failed: bool


def grid(samples: xr.Dataset, visits: Sequence[Visit] | None = None) -> xr.Dataset:
    """Arrange samples by patient, nominal day, specimen and population.

    Parameters
    ----------
    samples
        Dims (sample, population), as `build_samples` makes it.
    visits
        Windows that give an actual day its nominal day, where the sheet gives none; without a window the actual
        day is the nominal one.

    Returns
    -------
    xarray.Dataset
        Dims (patient, timepoint, specimen, population). Counts of replicates are added; a population that one of
        them does not measure is ``not_measured`` in their pool; one that failed, or is the same bytes as another,
        is left out; compensated differently, their sum is ``needs_review``. Of several samples
        in one cell the nearest to the nominal day stands (a tie: the later), one that failed only if all did; the
        others, and everything left out, are named in ``attrs["findings"]`` (JSON). Controls for another file have
        no cell. A second transplant is an entry ``<patient> (transplant 2)`` of its own.

    Raises
    ------
    CubeError
        Two samples claim the same timepoint; windows of two visits overlap; the cube would be too large.
    """
    findings: list[Finding] = []
    nominal = windows(visits or ())
    pools = _pools(samples, findings)
    standing = _standing(pools, nominal, samples["file"].values, findings)
    axes: dict[str, list[Any]] = {
        "patient": sorted({pool.course for pool in pools}),
        "timepoint": sorted({timepoint for _, timepoint, _ in standing}),
        "specimen": [name for name in SPECIMENS if any(pool.specimen == name for pool in pools)],
    }
    values = _fill(samples, standing, axes, findings)
    about = {
        name: samples[name].values
        for name, variable in VARIABLES.items()
        if variable.cube == ("population",)
    }  # fmt: skip
    attrs = {**samples.attrs, "findings": json.dumps([asdict(one) for one in sorted(findings)])}
    return dataset({**values, **axes, **about}, "cube", attrs)


def windows(visits: Iterable[Visit]) -> Mapping[int, int]:
    """Nominal day of every actual day inside a window.

    Raises
    ------
    CubeError
        A day lies in the windows of two visits.
    """
    nominal: dict[int, int] = {}
    for visit in visits:
        for day in range(visit.first, visit.last + 1):
            if nominal.setdefault(day, visit.day) != visit.day:
                raise CubeError(
                    f"day {day}", f"lies in the windows of visits {nominal[day]} and {visit.day}",
                    remedy="Let the windows end before they meet.", code="overlapping-visits",
                )  # fmt: skip
    return nominal


def _pools(samples: xr.Dataset, findings: list[Finding]) -> list[_Pool]:
    column = {
        name: samples[name].values.tolist()
        for name in ("patient", "transplant", "day", "panel", "specimen", "claimed_timepoint", "file",
                     "error", "control_for", "sha256", "dataset")
    }  # fmt: skip
    if samples.attrs.get("source") == "external":  # counts of one table, which has no bytes of theirs
        column["sha256"] = [""] * len(column["file"])
    groups: dict[tuple[str, int, str, str], list[int]] = defaultdict(list)
    owner: dict[str, tuple[str, int]] = {}
    for row in range(len(column["file"])):
        if column["control_for"][row]:
            continue
        who = column["patient"][row], column["transplant"][row]
        course = who[0] if who[1] == 1 else f"{who[0]} (transplant {who[1]})"
        if owner.setdefault(course, who) != who:
            raise CubeError(column["file"][row], "has a patient named like another's second transplant")
        groups[course, int(column["day"][row]), column["panel"][row], column["specimen"][row]].append(row)
    return [_pool(key, rows, column, findings) for key, rows in groups.items()]


def _pool(
    key: tuple[str, int, str, str], rows: list[int], column: Mapping[str, list[Any]], findings: list[Finding]
) -> _Pool:
    course, day, panel, specimen = key
    claims = {column["claimed_timepoint"][row] for row in rows}
    claims = {claim for claim in claims if claim == claim}
    if len(claims) > 1:
        raise CubeError(
            " and ".join(column["file"][row] for row in rows), "are replicates of one sample at two timepoints",
            got=", ".join(f"{claim:g}" for claim in sorted(claims)), code="replicate-timepoint",
        )  # fmt: skip
    sound = [row for row in rows if not column["error"][row]]
    if sound:
        for row in set(rows) - set(sound):
            message = f"{column['file'][row]} failed and is not in the pool of its replicates"
            findings.append(Finding("replicate-left-out", message, "review"))
    sound = _different(sound, column, findings)
    claimed = int(claims.pop()) if claims else None
    return _Pool(tuple(sound or rows), course, day, panel, specimen, claimed, failed=not sound)


def _different(rows: Sequence[int], column: Mapping[str, list[Any]], findings: list[Finding]) -> list[int]:
    """Replicates of which no two are the same bytes: counted twice they would look like twice the events."""
    kept: dict[tuple[str, int], int] = {}
    for row in rows:
        digest = column["sha256"][row] or f"row {row}"
        first = kept.setdefault((digest, max(column["dataset"][row], 1)), row)
        if first != row:
            message = f"{column['file'][row]} is the same bytes as {column['file'][first]} and not pooled with it"
            findings.append(Finding("same-bytes", message, "review"))
    return list(kept.values())


def _standing(
    pools: Iterable[_Pool], nominal: Mapping[int, int], files: NDArray[Any], findings: list[Finding]
) -> dict[tuple[str, int, str], _Pool]:
    cells: dict[tuple[str, int, str], list[_Pool]] = defaultdict(list)
    for pool in pools:
        timepoint = nominal.get(pool.day, pool.day) if pool.claimed is None else pool.claimed
        cells[pool.course, timepoint, pool.specimen].append(pool)
    standing = {}
    for key, rivals in cells.items():
        # Sorted from what stands least to what stands most.
        rivals.sort(key=lambda pool: _standing_order(pool, key[1]))
        standing[key] = rivals[-1]
        if len(rivals) > 1:
            findings.extend(_not_standing(rivals, key[1], files))
    return standing


def _standing_order(pool: _Pool, timepoint: int) -> tuple[bool, bool, int, int, str]:
    return not pool.failed, pool.claimed is not None, -abs(pool.day - timepoint), pool.day, pool.panel


def _not_standing(rivals: Sequence[_Pool], timepoint: int, files: NDArray[Any]) -> Iterator[Finding]:
    names = [files[pool.rows[0]] for pool in rivals]
    claiming = [name for name, pool in zip(names, rivals, strict=True) if pool.claimed is not None and not pool.failed]
    if len(claiming) > 1:
        raise CubeError(
            " and ".join(sorted(claiming)), f"claim the same timepoint {timepoint}",
            remedy="Correct the timepoint in the sheet, or leave it empty in all but one; number repeated "
            "acquisitions in the column replicate, and run each panel with its own template.",
            code="duplicate-timepoint",
        )  # fmt: skip
    for name, pool in zip(names[:-1], rivals[:-1], strict=True):
        why = "failed" if pool.failed else f"of day {pool.day}"
        message = f"{name} ({why}) has no cell at timepoint {timepoint}, where {names[-1]} stands"
        yield Finding("sample-not-standing", message, "review")


def _fill(
    samples: xr.Dataset,
    standing: Mapping[tuple[str, int, str], _Pool],
    axes: Mapping[str, Sequence[Any]],
    findings: list[Finding],
) -> dict[str, NDArray[Any]]:
    shape = tuple(len(axis) for axis in axes.values())
    if int(np.prod(shape, dtype=np.int64)) * samples.sizes["population"] > MAX_CELLS:
        raise CubeError(
            "cube", "would be too large", expected=f"at most {MAX_CELLS} cells", got=" × ".join(map(str, shape)),
            remedy="Give visits with windows, or timepoints in the sheet.", code="too-large",
        )  # fmt: skip
    where = {name: {label: position for position, label in enumerate(axis)} for name, axis in axes.items()}
    keys = sorted(standing)
    place = tuple(np.array([where[name][key[axis]] for key in keys], dtype=np.intp) for axis, name in enumerate(axes))
    merged = _merged(samples, [standing[key].rows for key in keys], findings)
    values: dict[str, NDArray[Any]] = {}
    for name, found in merged.items():
        kind = VARIABLES[name].kind
        values[name] = np.full(shape + found.shape[1:], MISSING[kind], dtype=DTYPES[kind])
        values[name][place] = found
    values["transplant"] = np.ones(shape[0], dtype=np.int32)
    values["transplant"][place[0]] = samples["transplant"].values[merged["sample"]]
    return values


def _merged(samples: xr.Dataset, pools: Sequence[tuple[int, ...]], findings: list[Finding]) -> dict[str, NDArray[Any]]:
    """Values of each pool: its only row's, or for several replicates their sum."""
    first = np.array([rows[0] for rows in pools], dtype=np.intp)
    names = ("event_count", "parent_count", "status", "day", "acquired_count", *_POOLED)
    values = {name: samples[name].values[first] for name in names}
    values["sample"] = first
    values["replicate_count"] = np.array([len(rows) for rows in pools], dtype=np.int32)
    for index, rows in enumerate(pools):
        if len(rows) > 1:
            counts = _sum_of(samples, list(rows))
            if not _compensated_alike(samples, list(rows), findings):
                counts["status"][counts["status"] == STATUS["counted"]] = STATUS["needs_review"]
            for name, value in counts.items():
                values[name][index] = value
            for name in _POOLED:
                values[name][index] = _common(samples[name].values[list(rows)], name, samples, rows, findings)
    return values


def _sum_of(samples: xr.Dataset, rows: list[int]) -> dict[str, Any]:
    codes = samples["status"].values[rows]
    status = np.full(codes.shape[1], STATUS["not_evaluable"], dtype=np.int8)
    for name in reversed(_PRECEDENCE):
        status[(codes == STATUS[name]).any(axis=0)] = STATUS[name]
    uncounted = (samples["event_count"].values[rows] < 0).any(axis=0)
    total = {"status": status}
    for name in ("event_count", "parent_count"):
        added = samples[name].values[rows].sum(axis=0)
        total[name] = np.where(uncounted, -1, added)
    return {**total, "acquired_count": samples["acquired_count"].values[rows].sum()}


def _compensated_alike(samples: xr.Dataset, rows: list[int], findings: list[Finding]) -> bool:
    applied = sorted({text or "none" for text in samples["compensation"].values[rows]})
    if len(applied) == 1:
        return True
    files = " and ".join(samples["file"].values[rows])
    message = f"{files} are replicates compensated differently ({', '.join(applied)}): their sum awaits review"
    findings.append(Finding("replicates-differ", message, "review"))
    return False


def _common(
    values: NDArray[Any], name: str, samples: xr.Dataset, rows: tuple[int, ...], findings: list[Finding]
) -> Any:
    """Value that replicates share; missing, with a finding, where they differ."""
    same = all(value == values[0] or (value != value and values[0] != values[0]) for value in values)
    if same:
        return values[0]
    files = " and ".join(samples["file"].values[list(rows)])
    findings.append(Finding("replicates-differ", f"{files} are replicates with differing {name}", "review"))
    return MISSING[VARIABLES[name].kind]
