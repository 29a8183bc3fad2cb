"""Ranges, rectangles, polygons and ellipsoids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from cytorecon.compensation import inverse
from cytorecon.errors import GateError, SpilloverError
from cytorecon.gates.dimension import AnyDimension, Mask, Values, check_dimensions, columns, numbers, place

# Infinite vertices stand here, and events are held just inside: products of two stay below the largest float64.
_FAR_VERTEX = 1e150
_FAR_EVENT = 1e149


@dataclass(frozen=True)
class RangeGate:
    """Events between two values of one channel.

    Parameters
    ----------
    dimension
        The axis.
    minimum, maximum
        Bounds on the display scale, possibly infinite.
    closed
        False: ``minimum ≤ x < maximum`` (Gating-ML). True: ``minimum ≤ x ≤ maximum`` (FlowJo, cytolib).

    Raises
    ------
    GateError
        If a bound is NaN, or no finite value lies between them because they are in the wrong order.
    """

    dimension: AnyDimension
    minimum: float = -np.inf
    maximum: float = np.inf
    closed: bool = False

    def __post_init__(self) -> None:
        check_dimensions((self.dimension,), "range", 1, 1)
        where = place("range", (self.dimension,))
        minimum, maximum = numbers((self.minimum, self.maximum), "bounds", where)
        _check_bounds(minimum, maximum, where)
        object.__setattr__(self, "minimum", minimum)
        object.__setattr__(self, "maximum", maximum)

    @property
    def dimensions(self) -> tuple[AnyDimension, ...]:
        """The one axis."""
        return (self.dimension,)

    def contains(self, values: Values) -> Mask:
        """Which of the events, (event,) or (event, 1), are inside."""
        (column,), finite = columns(values, self.dimensions, "range")
        return finite & _between(column, self.minimum, self.maximum, self.closed)


@dataclass(frozen=True)
class RectangleGate:
    """Events between two values of each of n channels.

    Parameters
    ----------
    dimensions
        The axes.
    minimums, maximums
        A bound a dimension on the display scale, possibly infinite.
    closed
        As for `RangeGate`, for all dimensions.

    Raises
    ------
    GateError
        As for `RangeGate`; also if the numbers of dimensions and bounds differ or a channel comes twice.
    """

    dimensions: tuple[AnyDimension, ...]
    minimums: tuple[float, ...]
    maximums: tuple[float, ...]
    closed: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimensions", tuple(self.dimensions))
        check_dimensions(self.dimensions, "rectangle")
        where = place("rectangle", self.dimensions)
        for name in ("minimums", "maximums"):
            object.__setattr__(self, name, numbers(getattr(self, name), name, where))
            _check_count(len(getattr(self, name)), len(self.dimensions), name, where)
        for minimum, maximum in zip(self.minimums, self.maximums, strict=True):
            _check_bounds(minimum, maximum, where)

    def contains(self, values: Values) -> Mask:
        """Which events (event, dimension) are inside."""
        axes, inside = columns(values, self.dimensions, "rectangle")
        for column, minimum, maximum in zip(axes, self.minimums, self.maximums, strict=True):
            inside &= _between(column, minimum, maximum, self.closed)
        return inside


@dataclass(frozen=True)
class PolygonGate:
    """Events inside a polygon, by the even–odd rule: where the outline crosses itself there may be holes.

    With vertices v₀ … vₙ₋₁ and the edge from a = vᵢ to b = vᵢ₊₁ (the last one back to v₀), an edge *crosses* the
    event (x, y) if exactly one of a, b has its y above the event's and ::

        s = ((b.x − a.x) · (y − a.y)) − ((x − a.x) · (b.y − a.y))

    is above 0 for an upward edge or below 0 for a downward one. An event is inside if it lies within the bounds
    of the vertices and an odd number of edges cross it; with ``closed`` also if it lies within the bounds of an
    edge and s = 0.

    Parameters
    ----------
    dimensions
        Two axes, x and y.
    vertices
        At least three points (x, y) on the display scale. Coordinates beyond ±1e150 count as infinite.
    closed
        False: left and bottom edges are inside, right and top edges are not. True: all edges are.

    Raises
    ------
    GateError
        If a coordinate is NaN, there are fewer than three different vertices, or all lie on one line.
    """

    dimensions: tuple[AnyDimension, ...]
    vertices: tuple[tuple[float, float], ...]
    closed: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimensions", tuple(self.dimensions))
        check_dimensions(self.dimensions, "polygon", 2, 2)
        object.__setattr__(self, "vertices", _checked_vertices(self.vertices, place("polygon", self.dimensions)))

    @cached_property
    def _outline(self) -> list[tuple[float, float]]:
        clipped = np.clip(np.array(self.vertices), -_FAR_VERTEX, _FAR_VERTEX)
        return [(x, y) for x, y in clipped.tolist()]

    def contains(self, values: Values) -> Mask:
        """Which events (event, 2) are inside."""
        axes, finite = columns(values, self.dimensions, "polygon")
        x, y = (np.clip(np.where(finite, column, 0.0), -_FAR_EVENT, _FAR_EVENT) for column in axes)
        odd = np.zeros(len(x), dtype=np.bool_)
        edge = np.zeros(len(x), dtype=np.bool_)
        outline = self._outline
        for (ax, ay), (bx, by) in zip(outline, outline[1:] + outline[:1], strict=True):
            side = ((bx - ax) * (y - ay)) - ((x - ax) * (by - ay))
            odd ^= (ay <= y) & (y < by) & (side > 0)
            odd ^= (by <= y) & (y < ay) & (side < 0)
            if self.closed:
                edge |= (side == 0) & _within(x, (ax, bx)) & _within(y, (ay, by))
        horizontal, vertical = zip(*outline, strict=True)
        odd &= _within(x, horizontal) & _within(y, vertical)
        return finite & (odd | edge)


@dataclass(frozen=True)
class EllipseGate:
    """Events within a Mahalanobis distance of a centre, in two or more dimensions; the surface is inside.

    With d = x − mean and c the inverse of the covariance (`cytorecon.compensation.inverse`), an event is inside
    if ``((r₀ · d₀) + r₁ · d₁) + … ≤ distance_square``, where ``rⱼ = ((d₀ · c₀ⱼ) + d₁ · c₁ⱼ) + …``.

    Parameters
    ----------
    dimensions
        The axes.
    mean
        Centre, on the display scale.
    covariance
        Symmetric, positive definite (dimension, dimension).
    distance_square
        Square of the Mahalanobis distance, above 0.
    indefinite
        True takes any invertible matrix and applies the formula as it stands, because the compliance suite of
        Gating-ML holds a gate whose matrix is no covariance. It turns False again if the matrix is one after all.

    Raises
    ------
    GateError
        If a number is not finite, shapes do not fit, or the covariance or distance describe no ellipsoid.
    """

    dimensions: tuple[AnyDimension, ...]
    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    distance_square: float = 1.0
    indefinite: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimensions", tuple(self.dimensions))
        check_dimensions(self.dimensions, "ellipse", 2)
        where, size = place("ellipse", self.dimensions), len(self.dimensions)
        object.__setattr__(self, "mean", numbers(self.mean, "mean", where))
        covariance = tuple(numbers(row, "covariance", where) for row in self.covariance)
        object.__setattr__(self, "covariance", covariance)
        (distance_square,) = numbers((self.distance_square,), "distance_square", where)
        object.__setattr__(self, "distance_square", distance_square)
        _check_count(len(self.mean), size, "coordinates of the mean", where)
        for count in (len(self.covariance), *map(len, self.covariance)):
            _check_count(count, size, "rows and columns of the covariance", where)
        _check_ellipsoid(self, where)
        object.__setattr__(self, "indefinite", not _is_covariance(np.array(self.covariance)))

    @cached_property
    def _precision(self) -> Values:
        return inverse(self.covariance)

    def contains(self, values: Values) -> Mask:
        """Which events (event, dimension) are inside."""
        axes, finite = columns(values, self.dimensions, "ellipse")
        with np.errstate(over="ignore", invalid="ignore"):
            offsets = [column - centre for column, centre in zip(axes, self.mean, strict=True)]
            total = np.zeros(len(finite))
            for index, offset in enumerate(offsets):
                total = total + _combined(offsets, self._precision[:, index]) * offset
            return finite & (total <= self.distance_square)


def _combined(offsets: Sequence[Values], weights: Values) -> Values:
    total: Values = offsets[0] * weights[0]
    for offset, weight in zip(offsets[1:], weights[1:], strict=True):
        total = total + offset * weight
    return total


def _between(column: Values, minimum: float, maximum: float, closed: bool) -> Mask:
    return (column >= minimum) & (column <= maximum if closed else column < maximum)


def _within(column: Values, ends: Sequence[float]) -> Mask:
    return _between(column, min(ends), max(ends), True)


def _check_bounds(minimum: float, maximum: float, where: str) -> None:
    if not minimum <= maximum or minimum == np.inf or maximum == -np.inf:
        raise GateError(
            where,
            "no value lies between the bounds",
            expected="minimum ≤ maximum, neither of them NaN",
            got=f"minimum {minimum}, maximum {maximum}",
            remedy="Exchange the bounds, or write -inf or inf for an open side.",
            code="gate-bounds",
        )


def _check_count(count: int, expected: int, what: str, where: str) -> None:
    if count != expected:
        raise GateError(where, f"wrong number of {what}", expected=str(expected), got=str(count), code="gate-dimension")


def _checked_vertices(vertices: Sequence[Sequence[float]], where: str) -> tuple[tuple[float, float], ...]:
    points = [numbers(vertex, "vertex", where) for vertex in vertices]
    if any(len(point) != 2 or np.isnan(point).any() for point in points):
        raise GateError(
            where, "a vertex is not a point", expected="two numbers, not NaN, a vertex", code="gate-vertices"
        )
    if len(set(points)) < 3:
        raise GateError(
            where,
            "too few vertices",
            expected="at least 3 different ones",
            got=str(len(set(points))),
            code="gate-vertices",
        )
    if _on_one_line(points):
        raise GateError(where, "all vertices lie on one line", expected="an area", code="gate-vertices")
    return tuple((point[0], point[1]) for point in points)


def _on_one_line(points: Sequence[tuple[float, ...]]) -> bool:
    """Exactly, so that the answer does not depend on the vertex one begins with."""
    held = np.clip(np.array(points), -_FAR_VERTEX, _FAR_VERTEX).tolist()
    (x0, y0), *rest = [(Fraction(x), Fraction(y)) for x, y in held]
    offsets = [(x - x0, y - y0) for x, y in rest]
    dx, dy = next(offset for offset in offsets if any(offset))
    return all(x * dy == y * dx for x, y in offsets)


def _check_ellipsoid(gate: EllipseGate, where: str) -> None:
    covariance = np.array(gate.covariance, dtype=np.float64)
    numbers = [*gate.mean, *covariance.ravel(), gate.distance_square]
    if not np.all(np.isfinite(numbers)) or not gate.distance_square > 0:
        raise GateError(
            where,
            "numbers describe no ellipsoid",
            expected="finite numbers, distance_square above 0",
            got=f"mean {gate.mean}, distance_square {gate.distance_square}",
            code="gate-ellipse",
        )
    if not (_is_covariance(covariance) or gate.indefinite) or not _invertible(covariance):
        raise GateError(
            where,
            "covariance describes no ellipsoid",
            expected="an invertible matrix" if gate.indefinite else "a symmetric, positive definite matrix",
            got=str(gate.covariance),
            code="gate-ellipse",
        )


def _is_covariance(matrix: Values) -> bool:
    """Symmetric (files round each entry for itself) and all eigenvalues above 0, whatever the axes' scales."""
    diagonal = np.diagonal(matrix)
    if not np.all(diagonal > 0) or not np.allclose(matrix, matrix.T, rtol=1e-6, atol=0.0):
        return False
    spread = np.sqrt(diagonal)
    return bool(np.linalg.eigvalsh(matrix / spread / spread[:, None]).min() > 1e-12)


def _invertible(matrix: Values) -> bool:
    try:
        return bool(np.all(np.isfinite(inverse(matrix))))
    except SpilloverError:
        return False
