"""Binned densities: counts on a grid, smoothed, and their modes.

Everything is computed from integer counts in bins, so that the order of the events never shows in a result.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cytorecon.placement.result import Values

BINS = 1024
# Standard deviation of the kernel as a share of the grid's length, for one event; it falls with the fifth root of
# their number (Silverman 1986, Density Estimation, section 3.4) down to a floor that no cytometer resolves.
_BANDWIDTH, _FINEST = 0.045, 0.007
# Share of events that may lie beyond each end of the grid.
_OUTSIDE = 0.0005


@dataclass(frozen=True, eq=False)
class Density:
    """Events by position.

    Parameters
    ----------
    centre
        Positions of the bins, shape (bin,).
    height
        Smoothed number of events that one width of the kernel holds there, shape (bin,).
    width
        That width, in units of position: the events under `height` are those of an interval so long.
    count
        Number of events.
    """

    centre: Values
    height: Values
    width: float
    count: int

    @cached_property
    def left_peak(self) -> Values:
        """Highest point at or left of each bin."""
        return np.maximum.accumulate(self.height)

    @cached_property
    def right_peak(self) -> Values:
        """Highest point at or right of each bin."""
        return np.maximum.accumulate(self.height[::-1])[::-1]

    def modes(self, contrast: float = 3.0) -> Values:
        """Positions of the maxima that stand `contrast` standard errors above the valleys to both sides, ascending."""
        padded = np.concatenate([[-1.0], self.height, [-1.0]])
        peaks = np.flatnonzero((padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:]))
        kept: list[int] = []
        for peak in peaks.tolist():
            while kept:
                low = float(self.height[kept[-1] : peak + 1].min())
                smaller = min(float(self.height[kept[-1]]), float(self.height[peak]))
                if smaller - low >= contrast * np.sqrt(smaller + low + 1):
                    kept.append(peak)
                    break
                if self.height[kept[-1]] >= self.height[peak]:
                    break  # the new one is a shoulder of the one before
                kept.pop()  # the one before is a shoulder of the new one
            else:
                kept.append(peak)
        return np.asarray(self.centre[kept])


def density(
    values: Values, span: tuple[float, float], adjust: float = 1.0, limits: tuple[float, float] | None = None
) -> Density:
    """Bin and smooth values.

    Parameters
    ----------
    values
        Positions (event,); those that are not finite are left out.
    span
        Length on which the kernel's width is measured: the range that the answer may lie in, or the whole scale.
    adjust
        Factor on the width.
    limits
        Ends of the grid; by default those that hold the values but for a few at each end.
    """
    values = values[np.isfinite(values)]
    low, high = limits or _limits(values, span)
    inside = np.clip(values, low, high)
    counts, edges = np.histogram(inside, BINS, (low, high))
    share = max(_BANDWIDTH * max(len(values), 1) ** -0.2, _FINEST) * adjust
    sigma = max(share * (span[1] - span[0]), (high - low) / BINS)
    kernel = _kernel(sigma / (edges[1] - edges[0]))
    height = np.convolve(counts.astype(np.float64), kernel, mode="same")
    return Density((edges[:-1] + edges[1:]) / 2, height, sigma * float(np.sqrt(2 * np.pi)), len(values))


def _limits(values: Values, span: tuple[float, float]) -> tuple[float, float]:
    if not len(values):
        return span
    outside = int(_OUTSIDE * len(values))
    ordered = np.partition(values, (outside, len(values) - 1 - outside))
    low, high = float(ordered[outside]), float(ordered[-1 - outside])
    margin = 0.1 * (span[1] - span[0])
    return min(low, span[0]) - margin, max(high, span[1]) + margin


def _kernel(sigma: float) -> Values:
    """A Gaussian whose highest point is 1, so that sums under it are numbers of events."""
    reach = min(int(np.ceil(4 * sigma)), BINS // 2 - 1)
    steps = np.arange(-reach, reach + 1)
    return np.asarray(np.exp(-0.5 * (steps / sigma) ** 2))
