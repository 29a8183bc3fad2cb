"""MRD of every sample of a cube, numerator and denominators found by their roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cytorecon.cube import STATUS, is_counted
from cytorecon.errors import CountError
from cytorecon.interval import binomial_interval
from cytorecon.mrd.call import sensitivity_of
from cytorecon.mrd.decision import Counts, Flags, Sensitivity, decide, quantify
from cytorecon.mrd.limits import DetectionLimits
from cytorecon.mrd.threshold import Denominator, MrdThreshold, companions, parse_threshold

if TYPE_CHECKING:
    import xarray as xr

_ROLES: Mapping[Denominator, str] = {Denominator.NUCLEATED_DYE: "nucleated", Denominator.CD45: "cd45"}


def assess_mrd(
    cube: xr.Dataset,
    threshold: MrdThreshold | str,
    *,
    population: str | None = None,
    lod_events: int = 20,
    lloq_events: int = 50,
    interval_method: str = "clopper-pearson",
    confidence: float = 0.95,
    validated_lod: Fraction | float | None = None,
    limits: DetectionLimits | None = None,
    nucleated_by_scatter: bool = False,
) -> xr.Dataset:
    """Assess residual disease in every sample of a cube, by the lines that decide `mrd_call`.

    Parameters
    ----------
    cube
        Either form of a cube. Leukaemic events carry the role ``mrd``, denominators ``nucleated`` and ``cd45``, the
        blast region ``blasts``. Where nucleated cells were not counted, CD45+ cells give an upper limit.
    threshold
        An `MrdThreshold` of nucleated or CD45+ cells, or ``aml``, ``t_all``, ``mpal``.
    population
        The leukaemic population, where it is not the one of role ``mrd``.
    lod_events, lloq_events, interval_method, confidence, validated_lod, limits
        As in `mrd_call`; fractions are of each threshold's own denominator.
    nucleated_by_scatter
        Whether the template's nucleated cells were gated without a dye: the protocol's answer is then for a person.

    Returns
    -------
    xarray.Dataset
        Over the samples: ``event_count``, ``total_count`` (−1 where not counted), ``denominator``, ``fraction``,
        ``low``, ``high``, ``lod``, ``lloq`` (fractions of 1), ``quantification``, ``adequacy``, ``events_needed`` (NaN
        where no number would do), ``position``, ``rule_met`` (1, 0, −1 unknown), ``call``, ``protocol``,
        ``needs_review`` and ``status`` of the leukaemic population. For AML the same statements against ELN 2021 as
        ``eln_…``. A call is ``not_sampled`` where there is no sample, and the protocol's answer is for a person where
        the specimen is not marrow.

    Raises
    ------
    CountError
        No population, or several, of a role; a threshold of another denominator.

    Notes
    -----
    Several phenotypes of one tube have to be united event by event in the template (a population of role ``mrd`` that
    is their "or"); counts of several tubes are never added.
    """
    wanted = parse_threshold(threshold)
    cells = _Cells.of(cube, population)
    sensitivity = sensitivity_of(lod_events, lloq_events, limits, validated_lod=validated_lod)
    how = _How(interval_method, confidence, nucleated_by_scatter)
    total, statements = _statements(cells, wanted, sensitivity, how)
    variables = _measured(cells, wanted, total, sensitivity, how) | statements
    for other in companions(wanted):
        _, statements = _statements(cells, other, sensitivity, how)
        variables |= {f"eln_{name}": values for name, values in statements.items()}
    return _as_dataset(cube, cells, wanted, sensitivity, how, variables)


@dataclass(frozen=True)
class _How:
    method: str
    confidence: float
    by_scatter: bool


@dataclass(frozen=True)
class _Cells:
    """Counts by role over the samples, −1 where not counted."""

    dims: tuple[str, ...]
    event_count: Counts
    by_role: Mapping[str, Counts]
    status: NDArray[np.int8]
    is_marrow: Flags

    @classmethod
    def of(cls, cube: xr.Dataset, population: str | None) -> _Cells:
        usable = cube["event_count"].where(is_counted(cube), -1)
        name = population if population is not None else _only(cube, "mrd", required=True)
        if name not in cube["population"].values:
            raise CountError("population", "is not in the cube", got=repr(name))
        events = usable.sel(population=name, drop=True)
        by_role = {}
        for role in ("nucleated", "cd45", "blasts"):
            found = _only(cube, role)
            if found is not None:
                by_role[role] = usable.sel(population=found, drop=True).values.astype(np.int64)
        marrow = (cube["specimen"] == "marrow").broadcast_like(events).transpose(*events.dims)
        return cls(
            dims=tuple(map(str, events.dims)),
            event_count=events.values.astype(np.int64),
            by_role=by_role,
            status=cube["status"].sel(population=name, drop=True).values,
            is_marrow=marrow.values,
        )

    def role(self, name: str) -> Counts:
        """Counts of that role; −1 everywhere where the template has none."""
        return self.by_role.get(name, np.full(self.event_count.shape, -1))


def _only(cube: xr.Dataset, role: str, required: bool = False) -> str | None:
    names = cube["population"].values[cube["role"].values == role]
    if len(names) > 1 or (required and not len(names)):
        raise CountError(
            f"role {role}",
            "one population must carry it",
            got=", ".join(map(str, names)) or "none",
            remedy="Give the role to one population of the template, the event-level union of the others",
        )
    return str(names[0]) if len(names) else None


def _comparison(cells: _Cells, threshold: MrdThreshold) -> tuple[Counts, Flags]:
    """Cells of the threshold's denominator, and where CD45+ cells stand in for them."""
    role = _ROLES.get(threshold.denominator)
    if role is None:
        raise CountError(
            "threshold",
            f"{threshold.denominator.words} are no role of a cube",
            expected="nucleated_dye or cd45",
            got=str(threshold.denominator),
        )
    total = cells.role(role)
    stands_in = (total < 0) & (cells.role("cd45") >= 0) & (role == "nucleated")
    return np.where(stands_in, cells.role("cd45"), total), stands_in


def _statements(
    cells: _Cells, threshold: MrdThreshold, sensitivity: Sensitivity, how: _How
) -> tuple[Counts, dict[str, NDArray[Any]]]:
    total, stands_in = _comparison(cells, threshold)
    blasts = cells.role("blasts")
    evaluable = (cells.event_count >= 0) & (total >= 0) & (cells.event_count <= total)
    if threshold.needs_own_counts:
        evaluable &= blasts >= 0
    k, n = np.where(evaluable, cells.event_count, 0), np.where(evaluable, total, 0)
    made = decide(
        k,
        n,
        threshold,
        sensitivity,
        how.method,
        how.confidence,
        evaluable=evaluable,
        blast_region_count=np.maximum(blasts, 0),
        upper_limit_only=stands_in,
    )
    adjudicated = ~cells.is_marrow
    if how.by_scatter and threshold.denominator is Denominator.NUCLEATED_DYE:
        adjudicated = np.ones_like(adjudicated)
    not_sampled = cells.status == STATUS["not_sampled"]
    return np.where(evaluable, n, -1), {
        "adequacy": np.where(not_sampled, "not_sampled", made.adequacy),
        "events_needed": made.events_needed,
        "position": np.where(not_sampled, "not_sampled", made.position),
        "rule_met": np.where(made.rule_known, made.rule_met, -1).astype(np.int8),
        "call": np.where(not_sampled, "not_sampled", made.call),
        "protocol": np.select([not_sampled, adjudicated], ["not_sampled", "needs_adjudication"], made.protocol),
    }


def _measured(
    cells: _Cells, threshold: MrdThreshold, total: Counts, sensitivity: Sensitivity, how: _How
) -> dict[str, NDArray[Any]]:
    """What does not depend on the threshold but through its denominator."""
    k, n = np.where(total >= 0, cells.event_count, 0), np.maximum(total, 0)
    low, high = binomial_interval(k, n, how.method, how.confidence)
    stands_in = _comparison(cells, threshold)[1]
    own = np.where(stands_in, str(Denominator.CD45), str(threshold.denominator))
    review = (cells.status == STATUS["needs_review"]) | stands_in
    if not sensitivity.specificity_established:
        review |= cells.status == STATUS["counted"]
    not_sampled = cells.status == STATUS["not_sampled"]
    return {
        "event_count": cells.event_count,
        "total_count": total,
        "denominator": np.where(total >= 0, own, ""),
        "fraction": np.where(n > 0, k / np.maximum(n, 1), np.nan),
        "low": low,
        "high": high,
        "lod": sensitivity.lod(n),
        "lloq": sensitivity.lloq(n),
        "quantification": np.where(not_sampled, "not_sampled", quantify(k, n, sensitivity)),
        "needs_review": review,
        "status": cells.status,
    }


def _as_dataset(
    cube: xr.Dataset,
    cells: _Cells,
    threshold: MrdThreshold,
    sensitivity: Sensitivity,
    how: _How,
    variables: Mapping[str, NDArray[Any]],
) -> xr.Dataset:
    import xarray as xr

    attrs = {
        "source": threshold.source,
        "threshold": threshold.words,
        "interval_method": how.method,
        "confidence": how.confidence,
        "lod_events": sensitivity.lod_events,
        "lloq_events": sensitivity.lloq_events,
        "specificity": "from controls" if sensitivity.specificity_established else "not established",
    }
    plain = {name: values.astype(object) if values.dtype.kind == "U" else values for name, values in variables.items()}
    coords = cube["event_count"].isel(population=0, drop=True).coords
    found = xr.Dataset({name: (cells.dims, values) for name, values in plain.items()}, coords, attrs)
    for name in ("fraction", "low", "high", "lod", "lloq"):
        found[name].attrs["units"] = "1"
    found["status"].attrs.update(cube["status"].attrs)
    return found
