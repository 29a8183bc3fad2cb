"""Plane gates as rasters: a cell lies inside, outside, or is left to the literal evaluator.

Gates of one plane share a raster of bytes: of gate *i*, bit *i* says that a cell lies inside, and bit *i* + 4 that an
event in it may lie on either side of the border.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cytorecon.gates import EllipseGate, PolygonGate
from cytorecon.plan.axis import Axis

MOST_GATES = 4
FIRST_DOUBT = np.uint8(1 << MOST_GATES)

Vertices = NDArray[np.float64]
Cells = NDArray[np.bool_]
PlaneGate = PolygonGate | EllipseGate


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

    def look_up(self, x: NDArray[np.int32], y: NDArray[np.int32]) -> NDArray[np.uint8]:
        """The byte of every event from its bins on both axes, shape (event,)."""
        place = x * np.int32(len(self.axes[1].centre))
        place += y
        return self.cells.take(place)


def bits_of(position: int) -> tuple[np.uint8, np.uint8]:
    """Bits of the gate drawn at a position: inside, and in doubt."""
    return np.uint8(1 << position), np.uint8(1 << position + MOST_GATES)


@lru_cache(maxsize=64)
def draw(x_axis: Axis, y_axis: Axis, gates: tuple[PlaneGate, ...]) -> NDArray[np.uint8]:
    """Cells of at most four gates of one plane, polygons of finite vertices and ellipses."""
    cells = np.zeros((len(x_axis.centre), len(y_axis.centre)), dtype=np.uint8)
    for position, gate in enumerate(gates):
        inside, doubt = bits_of(position)
        if isinstance(gate, PolygonGate):
            within, border = _draw_polygon(np.array(gate.vertices), x_axis, y_axis)
        else:
            within, border = _draw_ellipse(gate, x_axis, y_axis)
        within &= ~border
        cells |= within.view(np.uint8) * inside
        cells |= border.view(np.uint8) * doubt
    return cells.ravel()


def extent(gate: PlaneGate) -> tuple[Vertices, Vertices]:
    """Lowest and highest corner of what a gate can hold."""
    if isinstance(gate, PolygonGate):
        vertices = np.array(gate.vertices)
        return vertices.min(axis=0), vertices.max(axis=0)
    reach = np.sqrt(gate.distance_square * np.diagonal(np.array(gate.covariance)))
    return np.array(gate.mean) - reach, np.array(gate.mean) + reach


def _draw_ellipse(gate: EllipseGate, *axes: Axis) -> tuple[Cells, Cells]:
    """Which cells lie inside altogether, and which the outline may pass through.

    A Mahalanobis distance is a norm: within a cell it differs from that of the centre by no more than the norm of
    half the cell's diagonal.
    """
    (xx, xy), (_, yy) = np.linalg.inv(np.array(gate.covariance)) / gate.distance_square

    def norm(x: Vertices, y: Vertices) -> Vertices:
        return np.asarray(np.sqrt(np.maximum(xx * x * x + 2 * xy * x * y + yy * y * y, 0.0)))

    low, high = extent(gate)
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


def _draw_polygon(vertices: Vertices, x_axis: Axis, y_axis: Axis) -> tuple[Cells, Cells]:
    """Which cells' centres lie inside, and which cells a side of the polygon may pass through."""
    shape = len(x_axis.centre), len(y_axis.centre)
    inside, border = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    for start, stop in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
        left, right = (start, stop) if start[0] <= stop[0] else (stop, start)
        crossed = slice(*np.searchsorted(x_axis.centre, (left[0], right[0])))
        height = np.searchsorted(y_axis.centre, _height(left, right, x_axis.centre[crossed]))
        inside[crossed] ^= _from(height, y_axis)
        first = np.searchsorted(x_axis.highest, left[0], side="left")
        touched = slice(first, np.searchsorted(x_axis.lowest, right[0], side="right"))
        border[touched] |= _touched(left, right, x_axis.lowest[touched], x_axis.highest[touched], y_axis)
    return inside, border


def _touched(left: Vertices, right: Vertices, lowest: Vertices, highest: Vertices, y_axis: Axis) -> Cells:
    """Cells that a side may pass through, in columns of these spans."""
    ends = [_height(left, right, np.clip(edge, left[0], right[0])) for edge in (lowest, highest)]
    if left[0] == right[0]:
        ends = [np.full(len(lowest), left[1]), np.full(len(lowest), right[1])]
    slack = 1e-12 * (np.abs(left[1]) + np.abs(right[1]))
    first = np.searchsorted(y_axis.highest, np.minimum(*ends) - slack, side="left")
    last = np.searchsorted(y_axis.lowest, np.maximum(*ends) + slack, side="right")
    return np.asarray(_from(first, y_axis) & ~_from(last, y_axis))


def _from(first: Sequence[int] | NDArray[np.intp], y_axis: Axis) -> Cells:
    """Cells at or above one place a column, shape (column, cell)."""
    places = np.arange(len(y_axis.centre), dtype=np.int16)
    return np.asarray(places >= np.asarray(first, dtype=np.int16)[:, None])


def _height(left: Vertices, right: Vertices, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the side from left to right passes at every x."""
    if left[0] == right[0]:
        return np.full(len(x), left[1])
    share = (x - left[0]) / (right[0] - left[0])
    return np.asarray(left[1] * (1 - share) + right[1] * share)
