"""How a raster divides one axis: which bin a raw value falls into, and what each bin can span on the display.

Bins are about equally wide on the display and end on float32 values of which only the upper half is set, so that the
upper half of any value finds its bin in a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cytorecon.plan.curve import Curve
from cytorecon.plan.edge import NOISE

BINS = 512
# The table takes the upper half of a float32: a sign, 8 bits of exponent and 7 of the mantissa.
_SHIFT = 16
_HALF = 1 << 31 - _SHIFT
_UPPER_HALF = slice(1 if np.little_endian else 0, None, 2)
# By this share of the interval the inner bins reach beyond it, so that no gate's border lies in an outer bin.
_MARGIN = 0.02


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis of a raster.

    Parameters
    ----------
    lowest, highest
        Display positions that the events of each bin cannot leave, ascending, shape (bin,). The outer bins reach to
        infinity.
    centre
        A display position inside each bin, shape (bin,).
    table
        Bin by the upper half of a float32, shape (65536,).
    """

    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    centre: NDArray[np.float64]
    table: NDArray[np.int32]

    def bin(self, values: NDArray[np.float32]) -> NDArray[np.int32]:
        """Bin of every value of a contiguous array, shape of `values`."""
        return self.table.take(values.view(np.uint16)[_UPPER_HALF])


@lru_cache(maxsize=128)
def axis_over(curve: Curve, low: float, high: float) -> Axis:
    """An axis that divides the display interval ``[low, high]`` finely, as far as events can reach it."""
    least, greatest = curve(np.array([-curve.limit, curve.limit]))
    low, high = max(low, np.nan_to_num(least, nan=-np.inf)), min(high, np.nan_to_num(greatest, nan=np.inf))
    if not low < high:
        high = low + max(1e-3, 1e-3 * abs(low))
    margin = (high - low) * _MARGIN
    between = curve.inverse(np.linspace(low - margin, high + margin, BINS - 1))
    between = np.clip(between[~np.isnan(between)], -curve.limit, curve.limit)
    starts = np.sort(np.append(_ordinal(between), -_HALF))
    starts = starts[np.diff(starts, prepend=-_HALF - 1) > 0]
    counts = np.diff(np.append(starts, _HALF))
    ascending = np.repeat(np.arange(len(starts), dtype=np.int32), counts)
    table = np.concatenate([ascending[_HALF:], ascending[_HALF - 1 :: -1]])
    edges = np.concatenate([[-curve.limit], _raw(starts[1:]), [curve.limit]])
    return Axis(*_span(edges, curve), table)


def _ordinal(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Position of the float32 at or next to each value among those of an upper half, ascending; 0 is 0."""
    with np.errstate(over="ignore"):
        bits = values.astype(np.float32).view(np.uint32).astype(np.int64) >> _SHIFT
    return np.where(bits < _HALF, bits, _HALF - bits)


def _raw(ordinals: NDArray[np.int64]) -> NDArray[np.float64]:
    """Where each position begins on the raw line; a negative value of an upper half is the end of its position."""
    magnitude = (np.abs(ordinals).astype(np.uint32) << np.uint32(_SHIFT)).view(np.float32).astype(np.float64)
    return np.where(ordinals < 0, -magnitude, magnitude)


def _span(
    edges: NDArray[np.float64], curve: Curve
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Lowest, highest and a central display position of the bins between raw edges, allowing for error and noise."""
    lowest, highest = curve(edges[:-1] - curve.error), curve(edges[1:] + curve.error)
    lowest, highest = (np.where(np.isfinite(ends), ends, -np.inf) for ends in (lowest, highest))
    lowest -= NOISE * np.maximum(1.0, np.abs(lowest))
    highest += NOISE * np.maximum(1.0, np.abs(highest))
    centre = curve((edges[:-1] + edges[1:]) / 2)
    centre = np.where(np.isfinite(centre), centre, -np.inf)
    lowest[0], highest[-1] = -np.inf, np.inf
    # In ascending order whatever the noise, since they are searched.
    lowest = np.minimum.accumulate(lowest[::-1])[::-1]
    return lowest, np.maximum.accumulate(highest), np.maximum.accumulate(centre)
