"""Plane gates as rasters: a cell lies inside, outside, or is left to the literal evaluator.

Gates that share a plane and a parent share one raster of bytes: bit *i* says that a cell lies inside gate *i*, and
`UNDECIDED` that an event in it may lie on either side of some gate's border.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cytorecon.gates import EllipseGate, PolygonGate
from cytorecon.plan.axis import Axis, axis_over
from cytorecon.plan.curve import Curve

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


PlaneGate = PolygonGate | EllipseGate


@lru_cache(maxsize=64)
def draw(x: Curve, y: Curve, gates: tuple[PlaneGate, ...]) -> Raster:
    """Draw at most seven gates of one plane, polygons of finite vertices and ellipses.

    The columns of the raster are left at 0 and 1.
    """
    corners = np.array([_bounds(gate) for gate in gates])
    low, high = corners[:, 0].min(axis=0), corners[:, 1].max(axis=0)
    axes = axis_over(x, low[0], high[0]), axis_over(y, low[1], high[1])
    cells = np.zeros((len(axes[0].centre), len(axes[1].centre)), dtype=np.uint8)
    for position, gate in enumerate(gates):
        if isinstance(gate, PolygonGate):
            inside, border = _draw_polygon(np.array(gate.vertices), axes)
        else:
            inside, border = _draw_ellipse(gate, axes)
        cells |= (inside & ~border).astype(np.uint8) << np.uint8(position)
        cells[border] |= UNDECIDED
    return Raster((0, 1), axes, cells.ravel())


def _bounds(gate: PlaneGate) -> tuple[Vertices, Vertices]:
    """Lowest and highest corner of what a gate can hold."""
    if isinstance(gate, PolygonGate):
        vertices = np.array(gate.vertices)
        return vertices.min(axis=0), vertices.max(axis=0)
    reach = np.sqrt(gate.distance_square * np.diagonal(np.array(gate.covariance)))
    return np.array(gate.mean) - reach, np.array(gate.mean) + reach


def _draw_ellipse(gate: EllipseGate, axes: tuple[Axis, Axis]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which cells lie inside altogether, and which the outline may pass through.

    A Mahalanobis distance is a norm: within a cell it differs from that of the centre by no more than the norm of
    half the cell's diagonal.
    """
    (xx, xy), (_, yy) = np.linalg.inv(np.array(gate.covariance)) / gate.distance_square

    def norm(x: Vertices, y: Vertices) -> Vertices:
        return np.asarray(np.sqrt(np.maximum(xx * x * x + 2 * xy * x * y + yy * y * y, 0.0)))

    low, high = _bounds(gate)
    offsets, halves, near = [], [], []
    for axis, start, stop, centre in zip(axes, low, high, gate.mean, strict=True):
        span = np.clip(np.stack([axis.lowest, axis.highest]), start - (stop - start), stop + (stop - start))
        offsets.append(span.mean(axis=0) - centre)
        halves.append((span[1] - span[0]) / 2)
        near.append((axis.highest >= start) & (axis.lowest <= stop))
    (x, y), (half_x, half_y) = np.ix_(*offsets), np.ix_(*halves)
    distance = norm(x, y)
    doubt = np.maximum(norm(half_x, half_y), norm(half_x, -half_y)) + 1e-6
    inside = distance + doubt < 1
    return inside, near[0][:, None] & near[1] & ~inside & (distance - doubt <= 1)


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
