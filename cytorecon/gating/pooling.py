"""Cut points placed on several samples together, as a first pass over the sorted samples of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cytorecon.compensation import Spillover
from cytorecon.errors import CytoreconError, Finding, PlacementError
from cytorecon.fcs import read_fcs
from cytorecon.gating.file import chosen_compensation
from cytorecon.gating.given import Found, Given
from cytorecon.gating.placing import cut_by, method_of, settled
from cytorecon.template import Cutpoint, GatingTemplate, resolve

if TYPE_CHECKING:
    from cytorecon.sheet import Sample

# So many quantiles stand for a sample's events, so that a large file does not outweigh a small one without bound.
QUANTILES = 2000


@dataclass(frozen=True)
class Pool:
    """Samples whose cut points are placed together.

    Parameters
    ----------
    column, value
        What they have in common: a column of the sheet, and what it holds.
    cutpoints
        Names of the cut points placed on this pool.
    samples
        In the order of their identities, whatever the order of the sheet.
    """

    column: str
    value: str
    cutpoints: tuple[str, ...]
    samples: tuple[Sample, ...]


def pools_of(samples: Iterable[Sample], template: GatingTemplate) -> Iterator[Pool]:
    """Pools that a template asks for: one for each value of each `group_by` column.

    Raises
    ------
    PlacementError
        `group_by` is no column of the sheet.
    """
    by_column: dict[str, list[str]] = {}
    for cutpoint in template.cutpoints.values():
        column = cutpoint.parameters.get("group_by")
        if column is not None:
            by_column.setdefault(str(column), []).append(cutpoint.name)
    every = sorted(samples, key=lambda sample: sample.identity)
    for column, names in sorted(by_column.items()):
        groups: dict[str, list[Sample]] = {}
        for sample in every:
            groups.setdefault(_cell(sample, column), []).append(sample)
        for value, members in sorted(groups.items()):
            yield Pool(column, value, tuple(names), tuple(members))


def place_on_pool(pool: Pool, template: GatingTemplate, matrices: Mapping[str, Spillover]) -> dict[str, Found]:
    """Place cut points on the events of all samples of a pool together.

    A sample that cannot be read adds nothing; it fails by itself when it is gated. Where the pool has nothing to find,
    the cut point is missing from the answer, and every sample falls back on its own.

    Parameters
    ----------
    pool, template
        The pool, and what is to be placed.
    matrices
        Matrix by the absolute path of the CSV file that a sample's row names.
    """
    values: dict[str, list[NDArray[np.float64]]] = {name: [] for name in pool.cutpoints}
    for sample in pool.samples:
        try:
            for name, some in _values(sample, template, pool.cutpoints, matrices).items():
                values[name].append(some)
        except (CytoreconError, OSError):
            continue
    found = {}
    for name, parts in values.items():
        cutpoint = _by_pool(template.cutpoints[name])
        place = cut_by(method_of(cutpoint.method or "", name), cutpoint, np.sort(np.concatenate([*parts, np.empty(0)])))
        if place.position is not None:
            found[name] = Found(place.position, place.spread, f"pool: {cutpoint.method}")
    return found


def given_by(pool: Pool, found: Mapping[str, Found], names: Sequence[str]) -> Given:
    """What a pool says to each of its samples."""
    lost = [name for name in names if name not in found]
    findings = tuple(
        Finding(
            "pool-found-nothing", f"the pool by {pool.column} has no place for it; each sample stands alone", "info", n
        )
        for n in lost
    )
    return Given(pooled=dict(found), findings=findings)


def _by_pool(cutpoint: Cutpoint) -> Cutpoint:
    """The cut point as the pool places it: an anchored one is found by the method that `pool` names."""
    if cutpoint.method != "anchored":
        return cutpoint
    kept = {key: value for key, value in cutpoint.parameters.items() if key == "group_by"}
    return replace(cutpoint, method=str(cutpoint.parameters.get("pool", "mindensity")), parameters=kept)


def _values(
    sample: Sample, template: GatingTemplate, names: Sequence[str], matrices: Mapping[str, Spillover]
) -> dict[str, NDArray[np.float64]]:
    events = read_fcs(Path(sample.file), sample.dataset)
    asked = matrices.get(str(sample.compensation_file)) or sample.compensation or None
    chosen, matrix = chosen_compensation(events, template, asked)
    panel = resolve(chosen, events.channels)
    work, _ = settled(events, chosen, panel, matrix, Given())
    found = {}
    for name in names:
        if name not in work.found:
            continue  # nothing measured in this tube uses it
        cutpoint = chosen.cutpoints[name]
        values = work.values(cutpoint, _first_parent(chosen, name))
        if values is not None and len(values):
            found[name] = _thinned(values[np.isfinite(values)])
    return found


def _first_parent(template: GatingTemplate, name: str) -> str:
    from cytorecon.gates import Term
    from cytorecon.template import leaves

    for population in template.populations:
        if any(isinstance(leaf, Term) and leaf.cutpoint == name for leaf in leaves(population.definition)):
            return population.parent
    return ""


def _thinned(values: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(values) <= QUANTILES:
        return np.sort(values)
    ranks = np.linspace(0, len(values) - 1, QUANTILES).round().astype(np.intp)
    return np.asarray(np.sort(values)[ranks])


def _cell(sample: Sample, column: str) -> str:
    if column in sample.extra:
        return sample.extra[column]
    if column not in type(sample).model_fields or column in ("file", "row", "extra"):
        raise PlacementError(
            f"group_by = {column!r}", "is no column of the sheet", remedy="Add the column.", code="no-such-column"
        )
    return str(getattr(sample, column))
