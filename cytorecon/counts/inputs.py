"""What concentrations are made of: a cube's counts by role, its blood counts and its beads, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from cytorecon.counts.platform import MIN_WBC_PER_UL, Concentration, dual_platform, single_platform
from cytorecon.cube import is_counted
from cytorecon.errors import CountError

if TYPE_CHECKING:
    import xarray as xr

Platform = Literal["single", "dual", "dual_lymphocytes"]

# In order of preference where a sample has several; single platform first, as it needs no second instrument.
PLATFORMS: tuple[Platform, ...] = ("single", "dual", "dual_lymphocytes")
ROLES: Mapping[Platform, str] = {"single": "beads", "dual": "leukocytes", "dual_lymphocytes": "lymphocytes"}


@dataclass(frozen=True)
class Inputs:
    """What concentrations are made of, as arrays; the population axis last."""

    dims: tuple[str, ...]
    event_count: NDArray[np.int64]
    roles: NDArray[np.str_]
    paths: tuple[str, ...]
    is_blood: NDArray[np.bool_]
    wbc: NDArray[np.float64]
    nrbc: NDArray[np.float64]
    lymphocyte_percent: NDArray[np.float64]
    beads_per_tube: NDArray[np.float64]
    sample_volume_ul: NDArray[np.float64]
    dilution: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the samples."""
        return self.event_count.shape[:-1]

    def index(self, role: str) -> int | None:
        """Place of the one population of that role; None if there is none.

        Raises
        ------
        CountError
            Several populations carry it.
        """
        found = np.flatnonzero(self.roles == role)
        if len(found) > 1:
            names = ", ".join(self.paths[each] for each in found)
            raise CountError(
                f"role {role}",
                "several populations carry it",
                expected="one",
                got=names,
                remedy="Give the role to one population of the template",
            )
        return int(found[0]) if len(found) else None

    def counts(self, role: str) -> NDArray[np.int64]:
        """Counts of the population of that role, −1 where not counted or there is none."""
        index = self.index(role)
        return np.full(self.shape, -1) if index is None else self.event_count[..., index]

    def available(self, platform: Platform) -> NDArray[np.bool_]:
        """Samples that have what the platform needs."""
        counted = self.counts(ROLES[platform]) >= 0
        if platform == "single":
            return counted & (self.beads_per_tube > 0) & (self.sample_volume_ul > 0) & (self.dilution > 0)
        known = self.is_blood & (self.wbc > 0) & counted
        return known & (self.lymphocyte_percent > 0) if platform == "dual_lymphocytes" else known

    def concentrations(
        self, platform: Platform, rows: NDArray[np.bool_], errors: Mapping[str, float | None], min_bead_count: int
    ) -> Concentration:
        """Of the samples in `rows`: arrays (row, population)."""
        events, total = self.event_count[rows], self.counts(ROLES[platform])[rows, None]
        if platform == "single":
            return single_platform(
                events,
                total,
                self.beads_per_tube[rows, None],
                self.sample_volume_ul[rows, None],
                self.dilution[rows, None],
                confidence=errors["confidence"],
                pipetting_cv=errors["pipetting_cv"] or 0.0,
                min_bead_count=min_bead_count,
            )
        percent = self.lymphocyte_percent[rows, None] if platform == "dual_lymphocytes" else 100.0
        return dual_platform(
            events,
            total,
            self.wbc[rows, None] * percent / 100,
            nrbc_per_100_wbc=self.nrbc[rows, None],
            confidence=errors["confidence"],
            reference_cv=errors["wbc_cv"] or 0.0,
            min_reference_per_ul=MIN_WBC_PER_UL * percent / 100,
        )

    def outside(self, platform: Platform) -> NDArray[np.bool_]:
        """Populations, along their axis, that the platform's denominator does not contain."""
        index = self.index(ROLES[platform])
        if index is None:
            return np.zeros(len(self.paths), np.bool_)
        if platform == "single":
            outside = [path == self.paths[index] for path in self.paths]
        else:
            top = self.paths[index]
            outside = [path != top and not path.startswith(f"{top}/") for path in self.paths]
        return np.array(outside, dtype=np.bool_)


def read_inputs(cube: xr.Dataset, nrbc: xr.DataArray | float) -> Inputs:
    """Take from either form of a cube what concentrations are made of."""
    counts = cube["event_count"].where(is_counted(cube), -1).transpose(..., "population")
    first = counts.isel(population=0, drop=True)

    def number(name: str, missing: float = np.nan) -> NDArray[np.float64]:
        return aligned(cube.get(name, missing))

    def aligned(value: xr.DataArray | float) -> NDArray[np.float64]:
        # Adding to zeros of the samples' shape puts a value's dims in their order, and fills up missing ones.
        spread = (first * 0.0 + value).transpose(*first.dims)
        return np.asarray(spread.values, np.float64)

    specimen = (cube["specimen"] == "blood").broadcast_like(first).transpose(*first.dims)
    return Inputs(
        dims=tuple(map(str, first.dims)),
        event_count=counts.values.astype(np.int64),
        roles=cube["role"].values.astype(str),
        paths=tuple(map(str, cube["path"].values)),
        is_blood=specimen.values,
        wbc=number("wbc_per_ul"),
        nrbc=aligned(nrbc),
        lymphocyte_percent=number("lymphocyte_percent"),
        beads_per_tube=number("beads_per_tube"),
        sample_volume_ul=number("sample_volume_ul"),
        # A cube without the column is undiluted; NaN in it is a pool of replicates diluted differently.
        dilution=number("dilution", 1.0),
    )
