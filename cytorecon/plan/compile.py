"""A bound template compiled for one panel: a matrix, a few rasters, and a tree of tests on single-precision values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cytorecon.fcs import Channel
from cytorecon.gates import (
    And,
    AnyDimension,
    EllipseGate,
    Expression,
    Gate,
    Member,
    Not,
    Or,
    PolygonGate,
    QuadrantGate,
    QuadrantPart,
    RangeGate,
    RectangleGate,
    Threshold,
    members_of,
    thresholds_of,
)
from cytorecon.plan.axis import Axis as Divided
from cytorecon.plan.axis import axis_over
from cytorecon.plan.curve import Curve, domain_of, edge_of, linear_factor
from cytorecon.plan.kernel import All, Any, Box, Drawn, Inside, Literal, Node, Outside, Side, Test
from cytorecon.plan.literal import Axis, BoundPopulation, BoundTemplate
from cytorecon.plan.raster import MOST_GATES, PlaneGate, Raster, bits_of, draw, extent

# Half a unit in the last place of single precision, relative.
_ROUNDING = 2.0**-24


@dataclass(frozen=True, eq=False)
class Plan:
    """What to do with every block of a file.

    Parameters
    ----------
    matrix, detectors
        The matrix takes the stored values of the inputs from the first to the last detector to the first columns,
        float32 (column, detector).
    plain
        Inputs that are the other columns as they are.
    limits
        Stored values larger in size are left to the literal evaluator, float32 (input,).
    rasters, roots
        For the kernel.
    paths
        Population paths by number.
    domain
        An event outside is not finite on some axis.
    unseen
        Axes that have no column, ratios for one: the literal evaluator says who is not finite on them.
    literal
        For each population, the bound template that answers for it and nothing else.
    bound
        The whole bound template.
    positions
        Where its columns stand among the inputs.
    """

    matrix: NDArray[np.float32]
    detectors: slice
    plain: tuple[int, ...]
    limits: NDArray[np.float32]
    rasters: tuple[Raster, ...]
    roots: tuple[Node, ...]
    paths: tuple[str, ...]
    domain: Box
    unseen: tuple[Axis, ...]
    literal: tuple[BoundTemplate, ...]
    bound: BoundTemplate
    positions: tuple[int, ...]


@lru_cache(maxsize=4)
def compile_plan(
    bound: BoundTemplate, channels: tuple[Channel, ...], limits: tuple[float, ...], exact: bool, remember: bool = False
) -> Plan:
    """Compile a bound template; the last few plans are kept.

    Parameters
    ----------
    bound
        The template, bound to a file's channels.
    channels
        The inputs: at least those of `bound.columns`.
    limits
        For each, a size that its stored values seldom exceed. Tight limits make fewer events doubtful.
    exact
        Whether float32 holds every stored value exactly.
    remember
        Keep the membership of every population, not only of those that others refer to.
    """
    columns = _Columns(bound, channels, np.asarray(limits, dtype=np.float64), exact)
    tests = _Tests(bound, columns)
    roots = _tree(bound, tests, remember)
    domains = {column: edge for column, curve in columns.curves.values() if (edge := domain_of(curve)) is not None}
    return Plan(
        matrix=columns.matrix[:, columns.detectors].astype(np.float32),
        detectors=columns.detectors,
        plain=columns.plain,
        limits=columns.limits.astype(np.float32),
        rasters=tuple(tests.rasters),
        roots=roots,
        paths=tuple(population.path for population in bound.populations),
        domain=Box(tuple(Side(column, True, edge) for column, edge in domains.items())),
        unseen=tuple(axis for dimension, axis in bound.axes.items() if dimension not in columns.curves),
        literal=tuple(_alone(bound, population) for population in bound.populations),
        bound=bound,
        positions=tuple([channel.index for channel in channels].index(column) for column in bound.columns),
    )


@dataclass
class _Columns:
    """The plan's columns, and the curve of every dimension that single precision can answer."""

    bound: BoundTemplate
    channels: Sequence[Channel]
    limits: NDArray[np.float64]
    exact: bool
    curves: dict[AnyDimension, tuple[int, Curve]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = {dimension: self._weights_and_curve(axis) for dimension, axis in self.bound.axes.items()}
        mixed: dict[tuple[str, object], NDArray[np.float64]] = {}
        plain: dict[str, NDArray[np.float64]] = {}
        for dimension, (weights, _) in ((key, pair) for key, pair in found.items() if pair is not None):
            axis = self.bound.axes[dimension]
            if _is_compensated(axis):
                mixed[axis.outputs[0], axis.spillover] = weights
            else:
                plain[axis.outputs[0]] = weights
        for dimension, (_, curve) in ((key, pair) for key, pair in found.items() if pair is not None):
            axis = self.bound.axes[dimension]
            if _is_compensated(axis):
                number = list(mixed).index((axis.outputs[0], axis.spillover))
            else:
                number = len(mixed) + list(plain).index(axis.outputs[0])
            self.curves[dimension] = (number, curve)
        self.matrix = np.array(list(mixed.values())).reshape(-1, len(self.channels))
        used = np.flatnonzero(self.matrix.any(axis=0))
        self.detectors = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 0)
        self.plain = tuple(int(np.argmax(weights)) for weights in plain.values())

    def _weights_and_curve(self, axis: Axis) -> tuple[NDArray[np.float64], Curve] | None:
        if axis.ratio is not None:
            return None
        names, output = [channel.name for channel in self.channels], axis.outputs[0]
        weights = np.zeros(len(names))
        if axis.spillover is None or not _is_compensated(axis):
            place = names.index(output)
            channel = self.channels[place]
            weights[place] = 1.0
            limit = float(self.limits[place])
            return weights, Curve(
                scale=axis.scale,
                limit=limit,
                error=0.0 if self.exact else _ROUNDING * limit,
                gain=channel.gain,
                timestep=channel.timestep,
                amplification=channel.amplification,
                range=channel.range if channel.amplification else 0.0,
            )
        number = axis.spillover.outputs[output]
        for detector, share in zip(axis.spillover.detectors, axis.spillover.unmixing[:, number], strict=True):
            channel = self.channels[names.index(detector)]
            if channel.amplification is not None:
                return None
            weights[names.index(detector)] = share * linear_factor(channel)
        size = float(np.abs(weights) @ self.limits)
        # Each product and each sum rounds once, and so does each weight, each stored value, and the true value.
        error = _power_of_two((np.count_nonzero(weights) + 4) * _ROUNDING * size)
        return weights, Curve(scale=axis.scale, limit=_power_of_two(size + error), error=error)


def _is_compensated(axis: Axis) -> bool:
    return axis.spillover is not None and axis.outputs[0] in axis.spillover.outputs


def _power_of_two(value: float) -> float:
    """The next power of two: files that differ a little then share what was compiled."""
    return float(2.0 ** np.ceil(np.log2(value))) if value > 0 else 0.0


_Column = tuple[int, Curve]


class _UndecidableError(Exception):
    """Single precision cannot decide a test: it is left to the literal evaluator."""


@dataclass
class _Tests:
    """The test of every population, in single precision where that can decide it."""

    bound: BoundTemplate
    columns: _Columns
    rasters: list[Raster] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.numbers = {population.path: number for number, population in enumerate(self.bound.populations)}
        self._drawn = self._draw()

    def test(self, population: BoundPopulation, visited: set[str]) -> Test:
        """The population's test, its parent taken for granted."""
        number = self.numbers[population.path]
        try:
            if number in self._drawn:
                return self._drawn[number]
            if isinstance(population.test, Expression):
                return self._expression(population.test, visited)
            return self._gate(population.test)
        except _UndecidableError:
            return Literal(number)

    def _gate(self, gate: Gate) -> Test:
        match gate:
            case RangeGate(dimension, minimum, maximum, closed):
                return Box(self._sides(dimension, minimum, maximum, closed))
            case RectangleGate(dimensions, minimums, maximums, closed):
                bounds = zip(dimensions, minimums, maximums, strict=True)
                return Box(tuple(side for ends in bounds for side in self._sides(*ends, closed)))
            case QuadrantPart(quadrant, parts):
                boxes = tuple(self._quadrant(quadrant, part) for part in parts)
                return boxes[0] if len(boxes) == 1 else Any(boxes)
        raise _UndecidableError

    def _quadrant(self, gate: QuadrantGate, part: int) -> Box:
        sides: list[Side] = []
        places = np.unravel_index(part, gate.shape)
        for dimension, dividers, place in zip(gate.dimensions, gate.dividers, places, strict=True):
            ends = (-np.inf, *dividers, np.inf)
            sides += self._sides(dimension, ends[place], ends[place + 1], False)
        return Box(tuple(sides))

    def _sides(self, dimension: AnyDimension, minimum: float, maximum: float, closed: bool) -> tuple[Side, ...]:
        column, curve = self._curve(dimension)
        low = None if minimum == -np.inf else edge_of(curve, minimum)
        domain = domain_of(curve)
        if domain is not None and (low is None or low.low < domain.low):
            low = domain
        sides = [] if low is None else [Side(column, True, low)]
        if maximum != np.inf:
            sides.append(Side(column, False, edge_of(curve, maximum, above=closed)))
        return tuple(sides)

    def _curve(self, dimension: AnyDimension) -> tuple[int, Curve]:
        if dimension not in self.columns.curves:
            raise _UndecidableError
        return self.columns.curves[dimension]

    def _expression(self, expression: Expression, visited: set[str]) -> Test:
        if not _is_conjunction(expression) and not self._always_finite(expression):
            raise _UndecidableError
        match expression:
            case Threshold(dimension, cut, positive):
                ends = (cut, np.inf) if positive else (-np.inf, cut)
                return Box(self._sides(dimension, *ends, False))
            case Member(path):
                path = self.bound.stand_ins.get(path, path)
                if path and path not in visited:
                    raise _UndecidableError
                return Inside(self.numbers[path]) if path else Box(())
            case Not(term):
                return Outside(self._expression(term, visited))
            case Or(terms):
                return Any(tuple(self._expression(term, visited) for term in terms))
            case And(terms):
                return _merged([self._expression(term, visited) for term in terms])
        raise _UndecidableError

    def _always_finite(self, expression: Expression) -> bool:
        """Whether no finite event can be unjudgeable: what a complement may not hold is not known to the kernel."""
        tests = [expression, *(population.test for population in _closure(self.bound, members_of(expression)))]
        dimensions = {dimension for test in tests for dimension in _dimensions(test)}
        return all(domain_of(self._curve(dimension)[1]) is None for dimension in dimensions)

    def _draw(self) -> dict[int, Test]:
        """Put polygons and ellipses of a plane on rasters."""
        planes: dict[tuple[_Column, _Column], list[tuple[int, PlaneGate]]] = {}
        for number, population in enumerate(self.bound.populations):
            gate = population.test
            if not isinstance(gate, PolygonGate | EllipseGate) or not _can_be_drawn(gate):
                continue
            if all(dimension in self.columns.curves for dimension in gate.dimensions):
                x, y = (self.columns.curves[dimension] for dimension in gate.dimensions)
                planes.setdefault((x, y), []).append((number, gate))
        axes = _axes(planes)
        drawn: dict[int, Test] = {}
        for (x, y), members in planes.items():
            for start in range(0, len(members), MOST_GATES):
                together = members[start : start + MOST_GATES]
                for position, (number, _) in enumerate(together):
                    drawn[number] = Drawn(len(self.rasters), *bits_of(position))
                cells = draw(axes[x], axes[y], tuple(gate for _, gate in together))
                self.rasters.append(Raster((x[0], y[0]), (axes[x], axes[y]), cells))
        return drawn


def _axes(planes: Mapping[tuple[_Column, _Column], Sequence[tuple[int, PlaneGate]]]) -> dict[_Column, Divided]:
    """One axis a column for all the gates drawn on it, so that the bin of a value is found once."""
    ends: dict[_Column, list[float]] = {}
    for plane, members in planes.items():
        for _, gate in members:
            for column, start, stop in zip(plane, *extent(gate), strict=True):
                ends.setdefault(column, []).extend((float(start), float(stop)))
    return {column: axis_over(column[1], min(places), max(places)) for column, places in ends.items()}


def _can_be_drawn(gate: PlaneGate) -> bool:
    if isinstance(gate, EllipseGate):
        return len(gate.dimensions) == 2 and not gate.indefinite
    return bool(np.isfinite(gate.vertices).all())


def _is_conjunction(expression: Expression) -> bool:
    """Whether being inside implies that every term could be judged."""
    if isinstance(expression, And):
        return all(map(_is_conjunction, expression.terms))
    return isinstance(expression, Threshold | Member)


def _merged(tests: Sequence[Test]) -> Test:
    """All of some tests, boxes joined into one."""
    sides = tuple(side for test in tests if isinstance(test, Box) for side in test.sides)
    others = tuple(test for test in tests if not isinstance(test, Box))
    return All((Box(sides), *others)) if others else Box(sides)


def _dimensions(test: Gate | Expression) -> Sequence[AnyDimension]:
    if isinstance(test, Expression):
        return [threshold.dimension for threshold in thresholds_of(test)]
    return test.dimensions


def _closure(bound: BoundTemplate, paths: Sequence[str]) -> list[BoundPopulation]:
    """Populations and everything they depend on, in the order of the bound template."""
    by_path = {population.path: population for population in bound.populations}
    needed: set[str] = set()
    waiting = [bound.stand_ins.get(path, path) for path in paths]
    while waiting:
        path = waiting.pop()
        if path and path not in needed:
            needed.add(path)
            population = by_path[path]
            waiting.append(population.parent)
            if isinstance(population.test, Expression):
                waiting += [bound.stand_ins.get(member, member) for member in members_of(population.test)]
    return [population for population in bound.populations if population.path in needed]


def _alone(bound: BoundTemplate, population: BoundPopulation) -> BoundTemplate:
    """A bound template that answers one population for events of its parent."""
    if isinstance(population.test, Expression) and members_of(population.test):
        return replace(bound, populations=tuple(_closure(bound, [population.path])))
    return replace(bound, populations=(replace(population, parent=""),))


def _tree(bound: BoundTemplate, tests: _Tests, remember: bool) -> tuple[Node, ...]:
    """The populations as nested nodes, siblings in the bound template's order."""
    referred = {
        bound.stand_ins.get(path, path)
        for population in bound.populations
        if isinstance(population.test, Expression)
        for path in members_of(population.test)
    }
    visited: set[str] = set()

    def below(parent: str) -> tuple[Node, ...]:
        nodes = []
        for population in bound.populations:
            if population.parent == parent:
                test = tests.test(population, visited)
                visited.add(population.path)
                number = tests.numbers[population.path]
                kept = remember or population.path in referred
                nodes.append(Node(number, test, below(population.path), kept))
        return tuple(nodes)

    return below("")
