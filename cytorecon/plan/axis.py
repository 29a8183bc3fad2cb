"""How a raster divides one axis: which bin a raw value falls into, and what each bin can span on the display.

A linear axis has bins of one width, found by arithmetic. Any other scale has bins about equally wide on the display
that end on values of 16 bits, so that the upper half of a float32 finds its bin in a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cytorecon.plan.curve import Curve
from cytorecon.plan.edge import NOISE, Scale

BINS = 512
# The share of a bin by which single-precision arithmetic may misplace a value on a linear axis, with room to spare.
_ARITHMETIC = 1e-3
# Values this much smaller than the largest share one bin around 0.
_SMALLEST = 2.0**-22
# By this share of the interval the inner bins reach beyond it, so that no gate's border lies in an outer bin.
_MARGIN = 0.02
_UPPER_HALF = slice(1 if np.little_endian else 0, None, 2)


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis of a raster.

    Parameters
    ----------
    lowest, highest
        Display positions that the events of each bin cannot leave, shape (bin,). The outer bins reach to infinity.
    centre
        A display position inside each bin, shape (bin,).
    factor, offset
        Linear axis: the bin is the whole part of ``value * factor + offset``, kept within the bins.
    table
        Any other: bin by the upper half of a float32, shape (65536,).
    """

    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    centre: NDArray[np.float64]
    factor: float = 0.0
    offset: float = 0.0
    table: NDArray[np.int32] | None = None

    def bin(self, values: NDArray[np.float32]) -> NDArray[np.int32]:
        """Bin of every value of a contiguous array, shape of `values`."""
        if self.table is not None:
            return self.table.take(values.view(np.uint16)[_UPPER_HALF])
        place = values * np.float32(self.factor)
        place += np.float32(self.offset)
        np.minimum(place, np.float32(len(self.centre) - 1), out=place)
        np.maximum(place, np.float32(0), out=place)
        return place.astype(np.int32)


@lru_cache(maxsize=128)
def axis_over(curve: Curve, low: float, high: float) -> Axis:
    """An axis that divides the display interval ``[low, high]`` finely, as far as events can reach it."""
    least, greatest = curve(np.array([-curve.limit, curve.limit]))
    low, high = max(low, np.nan_to_num(least, nan=-np.inf)), min(high, np.nan_to_num(greatest, nan=np.inf))
    if not low < high:
        high = low + max(1e-3, 1e-3 * abs(low))
    if curve.is_affine:
        origin, one = curve(np.array([0.0, 1.0]))
        start, stop = ((end - origin) / (one - origin) for end in (low, high))
        return linear_axis(start, stop, curve, curve.error)
    return table_axis(low, high, curve, curve.limit, curve.error)


def linear_axis(start: float, stop: float, scale: Scale, error: float) -> Axis:
    """Bins of one raw width over the raw interval ``[start, stop]``, and an outer bin on either side."""
    start, stop = _with_margin(start, stop)
    width = (stop - start) / (BINS - 2)
    factor, offset = float(np.float32(1 / width)), float(np.float32(1 - start / width))
    edges = (np.arange(BINS + 1, dtype=np.float64) - offset) / factor
    doubt = error + width * _ARITHMETIC + 1e-6 * float(np.abs(edges).max())
    return Axis(*_span(edges, scale, doubt), factor=factor, offset=offset)


def table_axis(start: float, stop: float, scale: Scale, limit: float, error: float) -> Axis:
    """Bins of about equal display width over the display interval ``[start, stop]``, and the outer ones."""
    start, stop = _with_margin(start, stop)
    first, last = (_half(size) for size in (limit * _SMALLEST, limit))
    magnitude = (np.arange(first, last + 1, dtype=np.uint32) << np.uint32(16)).view(np.float32).astype(np.float64)
    edges = np.concatenate([-magnitude[::-1], magnitude])
    place = (scale(edges[:-1]) - start) / (stop - start) * (BINS - 2) + 1
    bins = np.clip(np.nan_to_num(place, nan=0.0, posinf=BINS, neginf=0.0), 0, BINS - 1).astype(np.int32)
    _, starts, bins_used = np.unique(np.maximum.accumulate(bins), return_index=True, return_inverse=True)
    half = np.arange(0x8000)
    outward = np.clip(half - first, -1, last - first - 1)
    side = len(magnitude)
    table = np.concatenate([bins_used[side + outward], bins_used[side - 2 - outward]]).astype(np.int32)
    return Axis(*_span(np.append(edges[starts], edges[-1]), scale, error), table=table)


def _with_margin(start: float, stop: float) -> tuple[float, float]:
    margin = (stop - start) * _MARGIN
    return start - margin, stop + margin


def _half(value: float) -> int:
    return int(np.float32(value).view(np.uint32)) >> 16


def _span(
    edges: NDArray[np.float64], scale: Scale, doubt: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Lowest, highest and a central display position of the bins between raw edges, allowing for doubt."""
    lowest, highest = scale(edges[:-1] - doubt), scale(edges[1:] + doubt)
    lowest, highest = (np.where(np.isfinite(ends), ends, -np.inf) for ends in (lowest, highest))
    lowest -= NOISE * np.maximum(1.0, np.abs(lowest))
    highest += NOISE * np.maximum(1.0, np.abs(highest))
    centre = scale((edges[:-1] + edges[1:]) / 2)
    centre = np.where(np.isfinite(centre), centre, -np.inf)
    lowest[0], highest[-1] = -np.inf, np.inf
    # In ascending order whatever the noise, since they are searched.
    lowest = np.minimum.accumulate(lowest[::-1])[::-1]
    return lowest, np.maximum.accumulate(highest), np.maximum.accumulate(centre)
