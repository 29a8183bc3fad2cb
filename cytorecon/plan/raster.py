"""Plane gates as rasters: a cell lies inside, outside, or is left to the literal evaluator.

Gates that share a plane and a parent share one raster of bytes: bit *i* says that a cell lies inside gate *i*, and
`UNDECIDED` that an event in it may lie on either side of some gate's border.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytorecon.plan.axis import Axis

UNDECIDED = np.uint8(128)
MOST_GATES = 7

Vertices = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Raster:
    """Gates of one plane.

    Parameters
    ----------
    columns
        The two columns of the plan whose values are looked up.
    axes
        How each is divided.
    cells
        One byte a cell, flat, the second axis running faster.
    """

    columns: tuple[int, int]
    axes: tuple[Axis, Axis]
    cells: NDArray[np.uint8]

    def look_up(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The byte of every event, shape (event,)."""
        place = self.axes[0].bin(x)
        place *= np.int32(len(self.axes[1].centre))
        place += self.axes[1].bin(y)
        return self.cells.take(place)


def draw(columns: tuple[int, int], axes: tuple[Axis, Axis], polygons: Sequence[Vertices]) -> Raster:
    """Draw at most seven polygons, each of finite vertices in display coordinates, shape (vertex, 2)."""
    cells = np.zeros((len(axes[0].centre), len(axes[1].centre)), dtype=np.uint8)
    for position, vertices in enumerate(polygons):
        inside, border = _draw_polygon(vertices, axes)
        cells |= (inside & ~border).astype(np.uint8) << np.uint8(position)
        cells[border] |= UNDECIDED
    return Raster(columns, axes, cells.ravel())


def _draw_polygon(vertices: Vertices, axes: tuple[Axis, Axis]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which cells' centres lie inside, and which cells a side of the polygon may pass through."""
    x_axis, y_axis = axes
    shape = (len(x_axis.centre), len(y_axis.centre) + 1)
    crossings, touches = np.zeros(shape, dtype=np.int16), np.zeros(shape, dtype=np.int16)
    for start, stop in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
        left, right = (start, stop) if start[0] <= stop[0] else (stop, start)
        _touch(touches, left, right, x_axis, y_axis)
        columns = np.flatnonzero((x_axis.centre >= left[0]) & (x_axis.centre < right[0]))
        height = _height(left, right, x_axis.centre[columns])
        crossings[columns, np.searchsorted(y_axis.centre, height)] += 1
    inside = np.cumsum(crossings, axis=1)[:, :-1] % 2 == 1
    return inside, np.cumsum(touches, axis=1)[:, :-1] > 0


def _touch(touches: NDArray[np.int16], left: Vertices, right: Vertices, x_axis: Axis, y_axis: Axis) -> None:
    """Mark, as differences along the second axis, the cells that a side may pass through."""
    columns = np.flatnonzero((x_axis.highest >= left[0]) & (x_axis.lowest <= right[0]))
    ends = [_height(left, right, np.clip(edge[columns], left[0], right[0])) for edge in (x_axis.lowest, x_axis.highest)]
    if left[0] == right[0]:
        ends = [np.full(len(columns), left[1]), np.full(len(columns), right[1])]
    low, high = np.minimum(*ends), np.maximum(*ends)
    slack = 1e-12 * (np.abs(left[1]) + np.abs(right[1]))
    first = np.searchsorted(y_axis.highest, low - slack, side="left")
    last = np.searchsorted(y_axis.lowest, high + slack, side="right")
    touches[columns, first] += 1
    touches[columns, np.maximum(first, last)] -= 1


def _height(left: Vertices, right: Vertices, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the side from left to right passes at every x."""
    if left[0] == right[0]:
        return np.full(len(x), left[1])
    share = (x - left[0]) / (right[0] - left[0])
    return np.asarray(left[1] * (1 - share) + right[1] * share)
