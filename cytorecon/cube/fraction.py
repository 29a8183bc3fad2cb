"""What every function of counts begins with: which cells hold a count, and shares of the parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cytorecon.cube.variables import STATUS

if TYPE_CHECKING:
    import xarray as xr


def is_counted(cube: xr.Dataset) -> xr.DataArray:
    """Tell which cells hold a count that may be used: bool, dims of `event_count`.

    True for ``counted`` and, an empty population of an empty parent being a count of 0, ``not_evaluable``; False
    for all others, ``needs_review`` among them: such a count waits until a person has looked.
    """
    return cube["status"].isin([STATUS["counted"], STATUS["not_evaluable"]])


def percent_of_parent(cube: xr.Dataset) -> xr.DataArray:
    """Share of each population in its parent, in percent.

    Parameters
    ----------
    cube
        Either form of a cube; dims (…, population).

    Returns
    -------
    xarray.DataArray
        float64, dims of `event_count`, with the coordinate ``status``. NaN wherever the status is not
        ``counted``: 0 of 0 is ``not_evaluable``, never 0 %.
    """
    counted = cube["status"] == STATUS["counted"]
    # The root of an empty file may be counted as 0 of 0 by whoever made the cube: that is no share either.
    divisible = counted & (cube["parent_count"] > 0)
    percent = 100.0 * cube["event_count"] / cube["parent_count"].where(divisible, 1)
    percent = percent.where(divisible, np.nan).assign_coords(status=cube["status"])
    return percent.rename("percent_of_parent").assign_attrs(long_name="Share in the parent", units="%")
